"""Checkstyle's XML, which many hosts and editors read.

The form is what checkstyle's own `XMLLogger` writes: a `file` for each file, an `error` for
each finding, with a severity of `error`, `warning` or `info`.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement

from overlaylint import __version__
from overlaylint.engine.result import Result
from overlaylint.finding import Severity
from overlaylint.report import Settings
from overlaylint.report.escape import visible
from overlaylint.report.hosting import HostPaths, region
from overlaylint.report.xml import written

_SEVERITY = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTICE: "info"}


def render(results: Sequence[Result], settings: Settings) -> str:
    """Return the document, in ASCII."""
    root = Element("checkstyle", {"version": __version__})
    files: dict[str, Element] = {}
    for result in results:
        paths = HostPaths(result, settings.environment)
        for finding in result.findings:
            path = visible(paths.of(finding.span) or "")
            if path not in files:
                files[path] = SubElement(root, "file", {"name": path})
            place = region(result, finding.span)
            help_ = f"; {finding.help}" if finding.help else ""
            SubElement(
                files[path],
                "error",
                {
                    "line": str(place.line),
                    "column": str(place.column),
                    "severity": _SEVERITY[finding.severity],
                    "message": visible(f"{finding.message}{help_}"),
                    "source": f"overlaylint.{finding.rule}",
                },
            )
    return written(root)
