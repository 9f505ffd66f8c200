"""The options that say what of an overlay is reported on."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from overlaylint.cli import tell
from overlaylint.cli.changes import changed_in_index, changed_since, open_staged
from overlaylint.cli.options import master_option, options
from overlaylint.cli.overlays import Opened, by_overlay, masters_given, open_overlay
from overlaylint.records import dataclass
from overlaylint.tree import Kind

if TYPE_CHECKING:
    from overlaylint.engine.result import Result
    from overlaylint.engine.selection import Selection

#: The path that stands for standard input.
STDIN = Path("-")


@dataclass(frozen=True, slots=True)
class Scope:
    """What is given on the command line besides the paths."""

    masters: tuple[str, ...]
    force_exclude: bool
    since: str | None
    staged: bool
    stdin_filename: Path | None

    def overlays(self, paths: tuple[Path, ...]) -> Iterator[tuple[Opened, Selection]]:
        """Yield each overlay that something was given in, with what is reported on in it.

        Raises UsageError for what is not there, or in no overlay, and for options that do not
        go together.
        """
        self._must_make_sense(paths)
        masters = masters_given(self.masters)
        if paths == (STDIN,):
            assert self.stdin_filename is not None
            yield self._unsaved(self.stdin_filename, masters)
            return
        for root, given in by_overlay(paths or (Path(),)).items():
            if self.since is not None:
                opened = open_overlay(root, masters)
                yield opened, self._selection(opened, given, changed_since(opened, self.since))
            elif self.staged:
                opened = open_staged(root, masters)
                yield opened, self._selection(opened, given, changed_in_index(opened))
            else:
                opened = open_overlay(root, masters)
                yield opened, self._selection(opened, given, None)

    def instead_of_files(self, paths: tuple[Path, ...]) -> str:
        """Return what is checked where it is not the files as they lie on disk."""
        if self.staged:
            return "what is staged"
        return "unsaved text" if STDIN in paths else ""

    def _must_make_sense(self, paths: tuple[Path, ...]) -> None:
        from overlaylint.engine.errors import UsageError

        if self.since is not None and self.staged:
            raise UsageError("--since and --staged: only one of them can be")
        if STDIN in paths:
            if len(paths) > 1:
                raise UsageError("-: nothing else can be checked with standard input")
            if self.stdin_filename is None:
                raise UsageError("-: --stdin-filename must say which file this is the text of")
            if self.since is not None or self.staged:
                raise UsageError("-: neither --since nor --staged goes with it")
        elif self.stdin_filename is not None:
            raise UsageError("--stdin-filename: it goes with the path `-`")

    def _selection(
        self, opened: Opened, given: set[str], affected: frozenset[str] | None
    ) -> Selection:
        from overlaylint.engine.selection import Selection

        configured = opened.configuration
        return Selection(
            frozenset(given), configured.exclude, self.force_exclude, configured.base, affected
        )

    def _unsaved(self, path: Path, masters: dict[str, Path]) -> tuple[Opened, Selection]:
        """Return the overlay with standard input in the place of one file."""
        from overlaylint.engine.errors import UsageError
        from overlaylint.tree import DirectoryTree, OverlaidTree

        place = path if os.path.lexists(path) else path.parent
        ((root, (inside,)),) = by_overlay([place]).items()
        if place != path:
            inside = f"{inside}/{path.name}" if inside else path.name
        base = DirectoryTree(root)
        kind = base.kind(inside)
        if kind is not None and kind is not Kind.FILE:
            raise UsageError(f"{path}: it is a {kind.value}, and can't have text")
        if sys.stdin is None:
            raise UsageError("-: standard input is closed")
        stream = getattr(sys.stdin, "buffer", sys.stdin)
        text = stream.read()
        data = text.encode() if isinstance(text, str) else text
        opened = open_overlay(root, masters, OverlaidTree(base, {inside: data}))
        return opened, self._selection(opened, {inside}, None)

    def must_hold_files(self, paths: tuple[Path, ...], results: list[Result]) -> None:
        """Raise UsageError where nothing was looked at, which is not that nothing was found."""
        from overlaylint.engine.errors import UsageError

        # A change may well have nothing to do with an overlay, and so may a file in an editor.
        if any(result.files or result.findings for result in results):
            return
        if self.since is not None or self.staged:
            return
        if paths == (STDIN,):
            return
        if not self.force_exclude:
            names = ", ".join(str(path) for path in paths) or "."
            raise UsageError(f"there is nothing to check in {names}")
        tell("every file given is excluded")


scope_options = options(
    "scope",
    "What is reported on",
    Scope,
    master_option,
    click.option(
        "--since",
        metavar="REVISION",
        help="Report only what the changes since HEAD parted from REVISION can affect.",
    ),
    click.option(
        "--staged",
        is_flag=True,
        help="Check what is staged for the next commit, and report only what it can affect.",
    ),
    click.option(
        "--stdin-filename",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="With `-` as PATH: check standard input as the text of FILE.",
    ),
    click.option(
        "--force-exclude",
        is_flag=True,
        help="Leave excluded files out even where they are given as PATH.",
    ),
)
