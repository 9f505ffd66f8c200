"""GitHub Actions: workflow commands that become annotations on a pull request.

The form and the escapes are those of actions/toolkit's `command.ts`. The host shows no more
than 10 annotations of each severity a step and drops the rest without a word, so the worst
come first, the rest are plain lines in the log, and the summary page of the step has all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from overlaylint.engine.result import Result
from overlaylint.finding import Finding, Severity
from overlaylint.records import dataclass
from overlaylint.report import Settings
from overlaylint.report.counts import counted
from overlaylint.report.escape import visible, without_commands
from overlaylint.report.hosting import HostPaths, Region, region

#: What the host shows of each severity in one step.
MOST_OF_A_SEVERITY = 10
#: The host takes 1 MiB of summary from a step; what is longer is refused as a whole.
MOST_SUMMARY_BYTES = 900_000

_MESSAGE = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_MESSAGE, ":": "%3A", ",": "%2C"}


@dataclass(frozen=True, slots=True)
class _Annotation:
    """A finding with its place as the host wants it: path from the repository's root."""

    finding: Finding
    path: str
    region: Region

    @property
    def text(self) -> str:
        """The finding in one line, with its place: all that the log shows."""
        finding = self.finding
        help_ = f"; {finding.help}" if finding.help else ""
        place = f"{self.path}:{self.region.line}:{self.region.column}"
        return visible(f"{place}: {finding.rule}: {finding.message}{help_}")


def render(results: Sequence[Result], settings: Settings) -> str:
    """Return the commands, a plain line for each finding beyond the limits, and a count."""
    shown, rest = _choose(_annotations(results, settings))
    lines = [_command(one) for one in shown]
    if not settings.is_beside_text:
        lines += [without_commands(f"- {one.finding.severity}: {one.text}") for one in rest]
    if rest:
        has_summary = "GITHUB_STEP_SUMMARY" in settings.environment
        where = "on the summary page and in the log" if has_summary else "in the log"
        lines.append(f"::notice title=overlaylint::{len(rest)} more findings are {where}")
    return "".join(f"{line}\n" for line in lines)


def step_summary(results: Sequence[Result], settings: Settings) -> str:
    """Return the Markdown for `$GITHUB_STEP_SUMMARY`: a table of every finding."""
    annotations = _annotations(results, settings)
    files = sum(result.files for result in results)
    head = (
        f"### overlaylint: {counted(len(annotations), 'finding')} in {counted(files, 'file')}\n\n"
    )
    if not annotations:
        return head
    head += "| severity | rule | place | finding |\n| --- | --- | --- | --- |\n"
    rows: list[str] = []
    room = MOST_SUMMARY_BYTES - len(head)
    for one in annotations:
        finding = one.finding
        where = f"{one.path}:{one.region.line}"
        row = (
            f"| {finding.severity} | {_cell(finding.rule)} | {_cell(where)}"
            f" | {_cell(finding.message)} |\n"
        )
        room -= len(row.encode())
        if room < 0:
            rows.append(f"\n{len(annotations) - len(rows)} more are in the log.\n")
            break
        rows.append(row)
    return head + "".join(rows)


def _annotations(results: Sequence[Result], settings: Settings) -> list[_Annotation]:
    """Return what to annotate, the worst first; one for a rule on a line."""
    found: dict[tuple[str, int, str], _Annotation] = {}
    for result in results:
        paths = HostPaths(result, settings.environment)
        for finding in result.findings:
            # A finding lies in the overlay itself, so it has a path there.
            path = paths.of(finding.span) or ""
            one = _Annotation(finding, path, region(result, finding.span))
            found.setdefault((path, one.region.line, finding.rule), one)
    return sorted(found.values(), key=lambda one: -one.finding.severity)


def _choose(
    annotations: Sequence[_Annotation],
) -> tuple[list[_Annotation], list[_Annotation]]:
    """Return what the host will show, and the rest."""
    shown: list[_Annotation] = []
    rest: list[_Annotation] = []
    for severity in sorted(Severity, reverse=True):
        those = [one for one in annotations if one.finding.severity is severity]
        # The notice that counts the rest takes one of the notices' places.
        room = MOST_OF_A_SEVERITY - (severity is Severity.NOTICE and bool(rest))
        if severity is Severity.NOTICE and len(those) > room:
            room = MOST_OF_A_SEVERITY - 1
        shown += those[:room]
        rest += those[room:]
    return shown, rest


def _command(one: _Annotation) -> str:
    properties = dict(_properties(one))
    written = ",".join(f"{name}={_escape(text, _PROPERTY)}" for name, text in properties.items())
    return f"::{one.finding.severity} {written}::{_escape(one.text, _MESSAGE)}"


def _properties(one: _Annotation) -> Iterator[tuple[str, str]]:
    yield "title", f"overlaylint: {one.finding.rule}"
    yield "file", visible(one.path)
    yield "line", str(one.region.line)
    yield "endLine", str(one.region.end_line)
    # The host drops an annotation with columns that spans lines.
    if one.region.line == one.region.end_line:
        yield "col", str(one.region.column)
        yield "endColumn", str(one.region.end_column)


def _escape(text: str, table: Mapping[str, str]) -> str:
    return "".join(table.get(character, character) for character in text)


def _cell(text: str) -> str:
    """Return text for a cell of a Markdown table, in which nothing is markup."""
    shown = visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{one}" if one in "\\`*_{}[]()#+-.!|~@" else one for one in shown)
