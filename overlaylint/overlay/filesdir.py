"""The files that an ebuild brings along: what `${FILESDIR}/name` means (PMS 4.2, 11.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.gaps import ANYTHING, with_gaps
from overlaylint.shell.patterns import Pattern, compile_pattern, has_wildcard
from overlaylint.shell.syntax import Script
from overlaylint.shell.undecidable import Undecidable
from overlaylint.shell.values import Mixed, Unknown, Value, join, pieces_of
from overlaylint.tree import Kind, TreeError, walk

FILESDIR = "FILESDIR"


class FilesDir:
    """The folder `files` of an ebuild's package, as a build sees it.

    This is what the interpreter asks for files: of others than these nothing is known.
    """

    def __init__(self, ebuild: Ebuild) -> None:
        self.ebuild = ebuild
        self.tree = ebuild.repository.tree

    def path(self, value: Value) -> str | None:
        """Return the path in the repository that a word means; None if it means no file here."""
        if isinstance(value, str):
            return None
        first, *rest = value.parts
        if isinstance(first, str) or first.symbol != FILESDIR:
            return None
        if not rest:
            return self.ebuild.filesdir
        text = rest[0]
        is_path = len(rest) == 1 and isinstance(text, str) and text.startswith("/")
        return f"{self.ebuild.filesdir}{text}" if is_path else None

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Everything in the folder, with the paths of what its folders hold, below it."""
        folder = self.ebuild.filesdir
        if self.tree.kind(folder) is not Kind.FOLDER:
            return ()
        found: dict[str, None] = {}
        for path in walk(self.tree, folder):
            name = path[len(folder) + 1 :]
            while name:
                found[name] = None
                name = name.rpartition("/")[0]
        return tuple(sorted(found))

    # what the interpreter asks

    def matching(self, pattern: Value, *, extended: bool, hidden: bool) -> Sequence[Value] | None:
        """Return the files that a word with wildcards stands for, in the order of their bytes."""
        text = self._below(pattern)
        if text is None:
            return None
        first = pieces_of(pattern)[0]
        try:
            found = [""]
            for part in text.split("/")[1:]:
                found = list(self._level(found, part, extended=extended, hidden=hidden))
        except (Undecidable, TreeError):
            return None
        return [join((first, one)) for one in sorted(found, key=_in_bytes)]

    def _below(self, pattern: Value) -> str | None:
        """Return what stands behind `${FILESDIR}` in a word; None for another word."""
        path = self.path(pattern)
        return None if path is None else path[len(self.ebuild.filesdir) :]

    def _level(
        self, folders: Sequence[str], part: str, *, extended: bool, hidden: bool
    ) -> Sequence[str]:
        """Return what one part of a pattern finds in each of some folders."""
        pieces = [(part, False)]
        if not has_wildcard(pieces, extended):
            plain = compile_pattern(pieces, extended=extended).literal or ""
            paths = [f"{folder}/{plain}" for folder in folders]
            return [path for path in paths if self._kind(path) is not None]
        pattern = compile_pattern(pieces, extended=extended)
        shows_hidden = hidden or part.startswith((".", "\\."))
        return [
            f"{folder}/{name}"
            for folder in folders
            for name in self._names_in(folder)
            if (shows_hidden or not name.startswith(".")) and _matches(pattern, name)
        ]

    def _kind(self, below: str) -> Kind | None:
        return self.tree.kind(f"{self.ebuild.filesdir}{below}")

    def _names_in(self, below: str) -> Sequence[str]:
        if self._kind(below) is not Kind.FOLDER:
            return ()
        return [entry.name for entry in self.tree.entries(f"{self.ebuild.filesdir}{below}")]

    def test(self, operator: str, path: Value) -> bool | None:
        """Return whether `test operator path` holds, if the path is one in the folder."""
        place = self.path(path)
        if place is None:
            return False if operator in _PRESENT and not self._may_be_there(path) else None
        kind = self.tree.kind(place)
        if kind is Kind.OUTWARD_LINK:
            return None
        if kind is None or (kind.is_bad_link and operator not in ("-h", "-L")):
            return False
        if operator in ("-a", "-e", "-r"):
            return True
        if operator == "-f":
            return kind is Kind.FILE
        if operator == "-d":
            return kind is Kind.FOLDER
        if operator == "-s" and kind is Kind.FILE:
            return bool(self.tree.read(place))
        # Rights and times are those of a checkout.
        return None

    def script(self, path: Value) -> Script | None:
        """Return what `source path` reads, if that is a file in the folder."""
        place = self.path(path)
        if place is None or self.tree.kind(place) is not Kind.FILE:
            return None
        return self.ebuild.repository.script(place)

    def _may_be_there(self, path: Value) -> bool:
        """Whether something may have a path that is known in part; yes for one elsewhere."""
        first, *rest = pieces_of(path)
        if isinstance(first, str) or first.symbol != FILESDIR or ".." in str(path):
            return True
        if rest and isinstance(rest[0], str) and not rest[0].startswith("/"):
            return True
        pieces = [re.escape(one) if isinstance(one, str) else ANYTHING for one in rest]
        pattern = with_gaps([*pieces, "/*"])
        places = ("", "/", *(f"/{name}" for name in self.names))
        return any(re.fullmatch(pattern, place, re.DOTALL) for place in places)


# What holds only of what is there.
_PRESENT = frozenset({"-a", "-e", "-f", "-d", "-r", "-s", "-x", "-w"})


def _matches(pattern: Pattern, name: str) -> bool:
    return name not in (".", "..") and pattern.matches(name)


def _in_bytes(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


def names_filesdir(word: Mixed) -> bool:
    """Whether a word has FILESDIR in it."""
    return any(isinstance(part, Unknown) and part.symbol == FILESDIR for part in word.parts)
