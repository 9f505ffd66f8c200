"""The options that say what of an overlay is reported on."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from overlaylint.cli.options import master_option, options
from overlaylint.cli.overlays import Opened, by_overlay, masters_given, open_overlay

if TYPE_CHECKING:
    from overlaylint.engine.result import Result
    from overlaylint.engine.selection import Selection


@dataclass(frozen=True, slots=True)
class Scope:
    """What is given on the command line besides the paths."""

    masters: tuple[str, ...]
    force_exclude: bool

    def overlays(self, paths: tuple[Path, ...]) -> Iterator[tuple[Opened, Selection]]:
        """Yield each overlay that something was given in, with what is reported on in it.

        Raises UsageError for what is not there, or in no overlay.
        """
        from overlaylint.engine.selection import Selection

        masters = masters_given(self.masters)
        for root, given in by_overlay(paths or (Path(),)).items():
            opened = open_overlay(root, masters)
            configured = opened.configuration
            yield (
                opened,
                Selection(
                    frozenset(given), configured.exclude, self.force_exclude, configured.base
                ),
            )

    def must_hold_files(self, paths: tuple[Path, ...], results: list[Result]) -> None:
        """Raise UsageError where nothing was looked at, which is not that nothing was found."""
        from overlaylint.engine.errors import UsageError

        if any(result.files for result in results):
            return
        if not self.force_exclude:
            names = ", ".join(str(path) for path in paths) or "."
            raise UsageError(f"there is nothing to check in {names}")
        print("overlaylint: every file given is excluded", file=sys.stderr)


scope_options = options(
    "scope",
    "What is reported on",
    Scope,
    master_option,
    click.option(
        "--force-exclude",
        is_flag=True,
        help="Leave excluded files out even where they are given as PATH.",
    ),
)
