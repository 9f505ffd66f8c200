"""What a finding is known by from one run to the next, though lines above it come and go.

A fingerprint is made of the rule, the file, the text of the line, and a count where that is
all the same. It serves the baseline, and the hosts that track findings (SARIF, GitLab).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from hashlib import sha256

from overlaylint.engine.result import Result
from overlaylint.finding import Finding

#: Raised when the same finding gets another fingerprint than before.
VERSION = 1
#: Hexadecimal digits of a fingerprint; 80 bits tell any number of findings apart.
LENGTH = 20


def fingerprints(result: Result) -> Mapping[Finding, str]:
    """Return the fingerprint of every finding of a run: new, known and suppressed ones.

    A finding keeps its fingerprint while its rule, its overlay's name, its file and the text
    of its line (whatever the blanks) stay the same. Of several that are alike in all of this,
    the second has another than the first, and so on. What is said of a file as a whole has no
    line: there the message stands for it.
    """
    findings = [*result.findings, *result.known, *(one.finding for one in result.suppressed)]
    findings.sort(key=Finding.order)
    name = result.repository.name
    seen: Counter[tuple[str, ...]] = Counter()
    found: dict[Finding, str] = {}
    for finding in findings:
        key = (finding.rule, name, finding.span.path, _line(result, finding))
        seen[key] += 1
        text = "\0".join((str(VERSION), *key, str(seen[key])))
        digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        found[finding] = digest[:LENGTH]
    return found


def _line(result: Result, finding: Finding) -> str:
    index = result.sources.index(finding.span)
    if index is None or not finding.span.end:
        return finding.message
    line = min(index.line(finding.span.start), index.count)
    return " ".join(index.text(line).split())
