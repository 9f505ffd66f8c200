"""SARIF 2.1.0, as GitHub's code scanning, editors and other readers of it want it.

One run holds all overlays, because a host takes one run of a tool and category. The limits
are GitHub's; what each is for stands in its "SARIF support for code scanning".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from overlaylint import __version__
from overlaylint.engine.fingerprint import VERSION, fingerprints
from overlaylint.engine.result import Result, Suppressed
from overlaylint.finding import Finding, Fix, Related, Severity, Span
from overlaylint.lines import LineIndex
from overlaylint.report import Settings
from overlaylint.report.escape import is_exact, shortened, visible
from overlaylint.report.hosting import HostPaths, Region, exact_region, region
from overlaylint.report.line_hash import LineHashes
from overlaylint.report.text import place
from overlaylint.rule import Rule

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
PROJECT = "https://github.com/flatcar/overlaylint"

#: Characters of a text, results of a run and related places of a result that the host takes.
LONGEST_TEXT = 1024
MOST_RESULTS = 25_000
MOST_RELATED = 100

_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTICE: "note"}
_PROBLEM = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.NOTICE: "recommendation",
}

Object = dict[str, Any]


def render(results: Sequence[Result], settings: Settings) -> str:
    """Return the log, indented; paths start at the root of the host's repository."""
    rules = {rule.name: rule for result in results for rule in result.rules}
    positions = {name: position for position, name in enumerate(sorted(rules))}
    # GitHub opens an alert for what is suppressed as for anything else.
    with_suppressed = settings.environment.get("GITHUB_ACTIONS") != "true"
    found: list[tuple[Severity, Object]] = []
    for result in results:
        writer = _Writer(result, positions, settings.environment)
        found += [(one.severity, writer.result(one)) for one in result.findings]
        if with_suppressed:
            found += [(Severity.NOTICE, writer.suppressed(one)) for one in result.suppressed]
    if len(found) > MOST_RESULTS:
        found.sort(key=lambda one: -one[0])
    notifications = [
        one for result in results for one in _notifications(result, positions, settings)
    ]
    if len(found) > MOST_RESULTS:
        left = f"{len(found) - MOST_RESULTS} results are left out: a host takes {MOST_RESULTS}"
        notifications.append({"level": "warning", "message": {"text": left}})
    run = {
        "tool": {
            "driver": {
                "name": "overlaylint",
                "semanticVersion": __version__,
                "informationUri": PROJECT,
                "rules": [_rule(rules[name]) for name in positions],
            }
        },
        "automationDetails": {"id": "overlaylint/"},
        "columnKind": "utf16CodeUnits",
        "invocations": [
            {
                "executionSuccessful": not any(result.unfinished for result in results),
                "toolExecutionNotifications": notifications,
            }
        ],
        "results": [one for _, one in found[:MOST_RESULTS]],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(rule: Rule) -> Object:
    documentation = rule.documentation
    help_ = "\n\n".join(f"## {name}\n\n{text}" for name, text in documentation.sections.items())
    pack = rule.pack.rpartition(".")[2]
    properties: Object = {
        # What can't be known is no finding, so each finding is meant to be true.
        "precision": "very-high",
        "problem.severity": _PROBLEM[rule.severity],
        "tags": ["gentoo", "overlay", pack],
    }
    if rule.decided_in:
        properties["decided-in"] = rule.decided_in
    name = "".join(word.capitalize() for word in rule.name.split("-"))
    return {
        "id": rule.name,
        # A name that says no more than the identifier is not allowed.
        **({"name": name} if name.lower() != rule.name else {}),
        "shortDescription": {"text": shortened(documentation.title, LONGEST_TEXT)},
        "fullDescription": {
            "text": shortened(documentation.sections["What it does"], LONGEST_TEXT)
        },
        "help": {"text": help_, "markdown": help_},
        "defaultConfiguration": {"level": _LEVEL[rule.severity]},
        "properties": properties,
    }


class _Writer:
    """Makes the results of one overlay."""

    def __init__(
        self, result: Result, positions: Mapping[str, int], environment: Mapping[str, str]
    ) -> None:
        self.outcome = result
        self.positions = positions
        self.paths = HostPaths(result, environment)
        self.fingerprints = fingerprints(result)
        self._hashes: dict[str, LineHashes] = {}

    def result(self, finding: Finding) -> Object:
        help_ = f"; {finding.help}" if finding.help else ""
        where = region(self.outcome, finding.span, LineIndex.utf16_column)
        found: Object = {
            "ruleId": finding.rule,
            "level": _LEVEL[finding.severity],
            "message": _message(f"{finding.message}{help_}"),
            "locations": [self.location(finding.span, where)],
            "partialFingerprints": self.partial_fingerprints(finding, where),
        }
        if finding.rule in self.positions:
            found["ruleIndex"] = self.positions[finding.rule]
        if finding.related:
            found["relatedLocations"] = [
                self.related(one, number)
                for number, one in enumerate(finding.related[:MOST_RELATED], 1)
            ]
        fix = None if finding.fix is None else self.fix(finding.fix)
        if fix is not None:
            found["fixes"] = [fix]
        return found

    def suppressed(self, suppressed: Suppressed) -> Object:
        where = region(self.outcome, suppressed.comment, LineIndex.utf16_column)
        return {
            **self.result(suppressed.finding),
            "suppressions": [
                {
                    "kind": "inSource",
                    "status": "accepted",
                    "justification": shortened(visible(suppressed.reason), LONGEST_TEXT),
                    "location": self.location(suppressed.comment, where),
                }
            ],
        }

    def partial_fingerprints(self, finding: Finding, where: Region) -> Object:
        found = {f"overlaylint/v{VERSION}": self.fingerprints[finding]}
        path = finding.span.path
        data = self.outcome.sources.read(finding.span)
        if data is not None and b"\r" not in data.replace(b"\r\n", b""):
            if path not in self._hashes:
                self._hashes[path] = LineHashes(data)
            found["primaryLocationLineHash"] = self._hashes[path].of(where.line)
        return found

    def location(self, span: Span, where: Region) -> Object:
        return {
            "physicalLocation": {
                "artifactLocation": {"uri": _uri(self.paths.of(span) or "")},
                "region": _region(where),
            }
        }

    def related(self, related: Related, number: int) -> Object:
        span = related.span
        if self.paths.of(span) is not None:
            where = region(self.outcome, span, LineIndex.utf16_column)
            return {
                "id": number,
                "message": _message(related.message),
                **self.location(span, where),
            }
        # In a master that lies in another repository there is nothing to link to.
        name = visible(f"{span.repository}::{span.path}")
        return {
            "id": number,
            "message": _message(f"{related.message} (at {place(self.outcome, span)})"),
            "logicalLocations": [{"fullyQualifiedName": shortened(name, LONGEST_TEXT)}],
        }

    def fix(self, fix: Fix) -> Object | None:
        if not fix.edits or not all(is_exact(edit.text) for edit in fix.edits):
            return None
        changes: dict[str, list[Object]] = {}
        for edit in fix.edits:
            where = exact_region(self.outcome, edit.span, LineIndex.utf16_column)
            change = {"deletedRegion": _region(where), "insertedContent": {"text": edit.text}}
            changes.setdefault(self.paths.of(edit.span) or "", []).append(change)
        title = fix.title if fix.is_safe else f"unsafe: {fix.title}"
        return {
            "description": _message(title),
            "artifactChanges": [
                {"artifactLocation": {"uri": _uri(path)}, "replacements": replacements}
                for path, replacements in changes.items()
            ],
        }


def _notifications(
    result: Result, positions: Mapping[str, int], settings: Settings
) -> Iterator[Object]:
    """Yield what a reader must know in order not to take an empty log for a clean overlay."""
    for one in result.skipped:
        yield _notification(f"{one.rule} did not run: {one.reason}", one.rule, positions)
    for name, reason in result.missing_masters.items():
        yield {"level": "note", "message": _message(f"the master {name} is missing: {reason}")}
    for undecided in result.undecided if settings.show_undecided else ():
        where = place(result, undecided.span)
        text = f"{undecided.rule} can't tell at {where}: {undecided.reason}"
        yield _notification(text, undecided.rule, positions)


def _notification(text: str, rule: str, positions: Mapping[str, int]) -> Object:
    found: Object = {"level": "note", "message": _message(text)}
    if rule in positions:
        found["associatedRule"] = {"id": rule, "index": positions[rule]}
    return found


def _message(text: str) -> Object:
    # `[text](address)` would be a link, even in what is no Markdown.
    shown = visible(text).replace("](", "] (")
    return {"text": shortened(shown, LONGEST_TEXT) or "-"}


def _region(where: Region) -> Object:
    return {
        "startLine": where.line,
        "startColumn": where.column,
        "endLine": where.end_line,
        "endColumn": where.end_column,
    }


def _uri(path: str) -> str:
    """Return a relative path as a relative reference; its bytes are those of the file's name."""
    return quote(path.encode("utf-8", "surrogateescape"), safe="/~+@,=")
