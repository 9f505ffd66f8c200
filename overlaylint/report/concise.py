"""One line for each finding, as compilers print them: for editors, and for grep."""

from __future__ import annotations

import os
from collections.abc import Sequence

from overlaylint.engine.result import Result
from overlaylint.finding import Finding
from overlaylint.report import Settings
from overlaylint.report.escape import visible, without_commands
from overlaylint.report.hosting import region
from overlaylint.report.style import Style
from overlaylint.report.text import after_findings, severity_of


def render(results: Sequence[Result], settings: Settings) -> str:
    """Return `path:line:column: severity[rule]: message` for each finding, and a summary.

    Paths are relative to the working folder, so that an editor finds the file.
    """
    style = Style(settings.use_color)
    lines: list[str] = []
    for result in results:
        lines += [_line(result, one, settings, style) for one in _shown(result, settings)]
        lines += after_findings(result, settings, is_only=len(results) == 1)
    if settings.environment.get("GITHUB_ACTIONS") == "true":
        lines = [without_commands(line) for line in lines]
    return "".join(f"{line}\n" for line in lines)


def _shown(result: Result, settings: Settings) -> Sequence[Finding]:
    return () if settings.show_statistics else result.findings


def _line(result: Result, finding: Finding, settings: Settings, style: Style) -> str:
    path = finding.span.path or "."
    if result.root is not None:
        path = os.path.relpath(result.root / path, settings.folder)
    place = region(result, finding.span)
    # No name at the start of a line is a host's command, as `::error::` would be.
    shown = visible(path) if path[:1].isalnum() or path[:1] == "." else f"./{visible(path)}"
    where = f"{style.strong(shown)}:{place.line}:{place.column}"
    return f"{where}: {severity_of(finding, style)}: {visible(finding.message)}"
