"""GitLab's code quality report: an array of issues, shown in the widget of a merge request.

The form is that of "Code Quality report format" in GitLab's documentation. The host keeps one
issue of a fingerprint, so each is unique in the report.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from overlaylint.engine.fingerprint import fingerprints
from overlaylint.engine.result import Result
from overlaylint.finding import Severity
from overlaylint.report import Settings
from overlaylint.report.escape import visible
from overlaylint.report.hosting import HostPaths, region

_SEVERITY = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.NOTICE: "info"}


def render(results: Sequence[Result], settings: Settings) -> str:
    """Return the array, indented; paths are relative to `$CI_PROJECT_DIR`."""
    issues = []
    seen: dict[str, int] = {}
    for result in results:
        paths = HostPaths(result, settings.environment)
        known_by = fingerprints(result)
        for finding in result.findings:
            place = region(result, finding.span)
            fingerprint = known_by[finding]
            # Two checkouts of one overlay may be checked in one call.
            seen[fingerprint] = seen.get(fingerprint, 0) + 1
            if seen[fingerprint] > 1:
                fingerprint = f"{fingerprint}-{seen[fingerprint]}"
            issues.append(
                {
                    # The host shows the description only.
                    "description": visible(f"{finding.rule}: {finding.message}"),
                    "check_name": finding.rule,
                    "fingerprint": fingerprint,
                    "severity": _SEVERITY[finding.severity],
                    "location": {
                        "path": visible(paths.of(finding.span) or ""),
                        "positions": {
                            "begin": {"line": place.line, "column": place.column},
                            "end": {"line": place.end_line, "column": place.end_column},
                        },
                    },
                }
            )
    return json.dumps(issues, indent=2) + "\n"
