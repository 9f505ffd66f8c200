"""The options that say how the results of a run are shown, and where."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from overlaylint.cli.options import color_option, options, uses_color
from overlaylint.report import FORMATS

if TYPE_CHECKING:
    from overlaylint.engine.result import Result
    from overlaylint.report import Settings


@dataclass(frozen=True, slots=True)
class Output:
    """What is given on the command line."""

    output_format: str
    output_file: Path | None
    show_undecided: bool
    color: str

    def show(self, results: Sequence[Result]) -> None:
        """Write the report. Raises UsageError where a file can't be written."""
        from overlaylint.report import load_format

        settings = self._settings()
        text = load_format(self.output_format).render(results, settings)
        if self.output_file is None:
            sys.stdout.write(text)
        else:
            _write(self.output_file, text, "w")
        if self.output_format == "github":
            _write_step_summary(results, settings)

    def _settings(self) -> Settings:
        import shutil

        from overlaylint.report import Settings

        is_terminal = self.output_file is None and sys.stdout.isatty()
        return Settings(
            use_color=uses_color(self.color, is_terminal=is_terminal),
            width=shutil.get_terminal_size((100, 24)).columns,
            show_undecided=self.show_undecided,
            environment=os.environ,
            folder=Path.cwd(),
        )


output_options = options(
    "output",
    "Output",
    Output,
    click.option(
        "--output-format",
        type=click.Choice(FORMATS),
        default="text",
        show_default=True,
        help="How the findings are shown.",
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
