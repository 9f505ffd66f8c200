"""Reviewdog's format, which it turns into comments on the pull requests of many hosts.

The form is that of `proto/rdf/reviewdog.proto` in reviewdog/reviewdog: lines and columns from
1, columns in bytes of UTF-8, the end exclusive. A suggestion becomes a change that a reviewer
takes over with a click, so only safe fixes are suggested.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from overlaylint.engine.result import Result
from overlaylint.finding import Finding, Fix, Severity
from overlaylint.lines import LineIndex
from overlaylint.report import Settings
from overlaylint.report.escape import is_exact, visible
from overlaylint.report.hosting import HostPaths, Region, exact_region, one_edit, region

_SEVERITY = {Severity.ERROR: "ERROR", Severity.WARNING: "WARNING", Severity.NOTICE: "INFO"}


def render(results: Sequence[Result], settings: Settings) -> str:
    """Return a DiagnosticResult, indented."""
    diagnostics = []
    for result in results:
        paths = HostPaths(result, settings.environment)
        diagnostics += [_diagnostic(result, one, paths) for one in result.findings]
    report = {"source": {"name": "overlaylint"}, "diagnostics": diagnostics}
    return json.dumps(report, indent=2) + "\n"


def _diagnostic(result: Result, finding: Finding, paths: HostPaths) -> dict[str, Any]:
    help_ = f"\nhelp: {visible(finding.help)}" if finding.help else ""
    path = visible(paths.of(finding.span) or "")
    found: dict[str, Any] = {
        "message": visible(finding.message) + help_,
        "location": {
            "path": path,
            "range": _range(region(result, finding.span, LineIndex.byte_column)),
        },
        "severity": _SEVERITY[finding.severity],
        "code": {"value": finding.rule},
    }
    suggestion = None if finding.fix is None else _suggestion(result, finding, finding.fix)
    if suggestion is not None:
        found["suggestions"] = [suggestion]
    related = []
    for one in finding.related:
        at = paths.of(one.span)
        if at is not None:
            where = _range(region(result, one.span, LineIndex.byte_column))
            place = {"path": visible(at), "range": where}
            related.append({"message": visible(one.message), "location": place})
    if related:
        found["related_locations"] = related
    return found


def _suggestion(result: Result, finding: Finding, fix: Fix) -> dict[str, Any] | None:
    edit = one_edit(result, fix) if fix.is_safe else None
    if edit is None or edit.span.path != finding.span.path or not is_exact(edit.text):
        return None
    where = exact_region(result, edit.span, LineIndex.byte_column)
    return {"range": _range(where), "text": edit.text}


def _range(place: Region) -> dict[str, Any]:
    return {
        "start": {"line": place.line, "column": place.column},
        "end": {"line": place.end_line, "column": place.end_column},
    }
