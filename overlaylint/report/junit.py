"""JUnit's XML: findings as failed tests, for what shows test results and nothing else.

The form is that of Jenkins's `junit-4.xsd`. A file is a suite, a finding a failed test; where
nothing is found, one test passes, because some readers take an empty report for a failure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement

from overlaylint.engine.result import Result
from overlaylint.finding import Finding
from overlaylint.report import Settings
from overlaylint.report.escape import visible
from overlaylint.report.hosting import HostPaths, region
from overlaylint.report.xml import written


def render(results: Sequence[Result], settings: Settings) -> str:
    """Return the document, in ASCII."""
    by_path: dict[str, list[tuple[Result, Finding]]] = {}
    for result in results:
        paths = HostPaths(result, settings.environment)
        for finding in result.findings:
            path = visible(paths.of(finding.span) or "")
            by_path.setdefault(path, []).append((result, finding))
    total = sum(map(len, by_path.values()))
    root = Element("testsuites", _counts("overlaylint", total, max(total, 1)))
    for path, found in by_path.items():
        suite = SubElement(root, "testsuite", _counts(path, len(found), len(found)))
        # Readers drop the second test of a name.
        seen: Counter[str] = Counter()
        for result, finding in found:
            seen[finding.rule] += 1
            count = seen[finding.rule]
            name = finding.rule if count == 1 else f"{finding.rule} ({count})"
            test = SubElement(suite, "testcase", {"name": name, "classname": path})
            attributes = {"type": str(finding.severity), "message": visible(finding.message)}
            failure = SubElement(test, "failure", attributes)
            place = region(result, finding.span)
            lines = [f"{path}:{place.line}:{place.column}: {visible(finding.message)}"]
            if finding.help:
                lines.append(f"help: {visible(finding.help)}")
            failure.text = "\n".join(lines)
    if not total:
        suite = SubElement(root, "testsuite", _counts("overlaylint", 0, 1))
        SubElement(suite, "testcase", {"name": "no findings", "classname": "overlaylint"})
    return written(root)


def _counts(name: str, failures: int, tests: int) -> dict[str, str]:
    return {"name": name, "tests": str(tests), "failures": str(failures), "errors": "0"}
