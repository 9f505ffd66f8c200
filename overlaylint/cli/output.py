"""The options that say how the results of a run are shown, and where."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from overlaylint.cli.destinations import must_follow_no_link
from overlaylint.cli.options import color_option, options, uses_color
from overlaylint.records import dataclass
from overlaylint.report import FORMATS, FORMATS_OF_LINES

if TYPE_CHECKING:
    from overlaylint.engine.result import Result
    from overlaylint.report import Settings


@dataclass(frozen=True, slots=True)
class Report:
    """A report to be made: its format, and the file that it goes to (else standard output)."""

    format: str
    file: Path | None = None


def _reports_given(
    _context: click.Context, _option: click.Parameter, values: tuple[str, ...]
) -> tuple[Report, ...]:
    """Return what `FORMAT` and `FORMAT=FILE` ask for; raises click's error for what is neither."""
    reports = []
    for value in values:
        name, equals, file = value.partition("=")
        if name not in FORMATS:
            raise click.BadParameter(f"{name!r} is not one of {', '.join(FORMATS)}")
        if equals and not file:
            raise click.BadParameter(f"{value!r} names no file")
        reports.append(Report(name, Path(file) if file not in ("", "-") else None))
    return tuple(reports)


@dataclass(frozen=True, slots=True)
class Output:
    """What is given on the command line."""

    reports: tuple[Report, ...]
    output_file: Path | None
    show_undecided: bool
    show_gone: bool
    explain_silence: bool
    statistics: bool
    quiet: bool
    exit_zero: bool
    color: str

    def show(self, results: Sequence[Result]) -> None:
        """Write the reports.

        Raises UsageError where two can't go to one place, and where a file can't be written;
        then what can be written still is.
        """
        from overlaylint.engine.errors import UsageError
        from overlaylint.report import load_format

        failed: UsageError | None = None
        reports = self._reports()
        on_output = [one.format for one in reports if one.file is None]
        # What goes to standard output comes last, so that a reader who stops loses no file.
        checked = [one.root for one in results if one.root is not None]
        for report in sorted(reports, key=lambda one: one.file is None):
            settings = self._settings(report, on_output)
            text = load_format(report.format).render(results, settings)
            try:
                if report.file is None:
                    sys.stdout.write(text)
                else:
                    must_follow_no_link(report.file, checked)
                    _write(report.file, text, "w")
                if report.format == "github":
                    _write_step_summary(results, settings)
            except UsageError as error:
                failed = error
        if failed is not None:
            raise failed

    def must_make_sense(self) -> None:
        """Raise UsageError where two reports can't go to one place."""
        self._reports()

    def _reports(self) -> Sequence[Report]:
        from overlaylint.engine.errors import UsageError

        reports = list(self.reports)
        if not reports:
            reports = [Report("text")]
            if self.output_file is None and os.environ.get("GITHUB_ACTIONS") == "true":
                reports.append(Report("github"))
        if self.output_file is not None:
            if len(reports) > 1 or reports[0].file is not None:
                raise UsageError("--output-file is for one format; write FORMAT=FILE for several")
            reports = [Report(reports[0].format, self.output_file)]
        by_place: dict[str | None, str] = {}
        for report in reports:
            real = None if report.file is None else os.path.realpath(report.file)
            other = by_place.setdefault(real, report.format)
            are_lines = report.file is None and {other, report.format} <= FORMATS_OF_LINES
            if report.format != other and not are_lines:
                place = "standard output" if report.file is None else str(report.file)
                raise UsageError(
                    f"{other} and {report.format} can't both go to {place}; write FORMAT=FILE"
                )
        return list(dict.fromkeys(reports))

    def _settings(self, report: Report, on_output: Sequence[str]) -> Settings:
        import shutil

        from overlaylint.report import Settings

        is_terminal = report.file is None and sys.stdout.isatty()
        return Settings(
            use_color=uses_color(self.color, is_terminal=is_terminal),
            width=shutil.get_terminal_size((100, 24)).columns,
            show_undecided=self.show_undecided,
            show_gone=self.show_gone,
            show_statistics=self.statistics,
            explain_silence=self.explain_silence,
            is_quiet=self.quiet,
            is_beside_text=(
                report.file is None
                and not self.statistics
                and bool({"text", "concise"} & set(on_output))
            ),
            environment=os.environ,
            folder=Path.cwd(),
        )


output_options = options(
    "output",
    "Output",
    Output,
    click.option(
        "--output-format",
        "reports",
        multiple=True,
        callback=_reports_given,
        shell_complete=lambda _context, _option, start: [
            name for name in FORMATS if name.startswith(start)
        ],
        metavar="FORMAT[=FILE]",
        help=f"How the findings are shown, and where: {', '.join(FORMATS)}. May be repeated."
        "  [default: text; with github beside it on GitHub Actions]",
    ),
    click.option(
        "--output-file",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Write the report to FILE instead of standard output.",
    ),
    click.option(
        "--show-undecided",
        is_flag=True,
        help="List where a rule could not tell, and why.",
    ),
    click.option(
        "--show-gone",
        is_flag=True,
        help="List what of the baseline is not found any more.",
    ),
    click.option(
        "--explain-silence",
        is_flag=True,
        help="Say of each rule where it held, where it did not apply, and where it could not tell.",
    ),
    click.option(
        "--statistics",
        is_flag=True,
        help="Count the findings of each rule instead of showing them.",
    ),
    click.option("-q", "--quiet", is_flag=True, help="Show findings alone, without a summary."),
    click.option("--exit-zero", is_flag=True, help="Exit with 0 though there are findings."),
    color_option,
)


def _write(path: Path, text: str, mode: str) -> None:
    from overlaylint.engine.errors import UsageError

    try:
        with path.open(mode, encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror}") from error


def _write_step_summary(results: Sequence[Result], settings: Settings) -> None:
    path = settings.environment.get("GITHUB_STEP_SUMMARY")
    if path:
        from overlaylint.report.github import step_summary

        _write(Path(path), step_summary(results, settings), "a")
