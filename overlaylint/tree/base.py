"""What a tree is: a read-only view of files, with links resolved only inside it.

Paths are relative to the tree's root, with `/` between their parts; the root itself is
`""`. Names that are not UTF-8 are carried as Python's `surrogateescape` has them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Protocol, runtime_checkable

from overlaylint.records import dataclass

#: Larger files are refused. The largest text file of a real overlay is below 2 MB.
LARGEST_FILE = 64 * 1024 * 1024

#: As many links as Linux follows on the way to one file (path_resolution(7)).
MOST_LINKS = 40


class Kind(Enum):
    """What stands at a path, after links inside the tree have been followed."""

    FILE = "file"
    FOLDER = "folder"
    SPECIAL = "special file"
    """A fifo, socket or device. It is never opened."""
    OUTWARD_LINK = "link that leads out of the tree"
    BROKEN_LINK = "link to nothing"
    LOOPING_LINK = "link that leads back to itself"

    @property
    def is_bad_link(self) -> bool:
        """Whether this is a link that was not followed."""
        return self in _BAD_LINKS


_BAD_LINKS = frozenset({Kind.OUTWARD_LINK, Kind.BROKEN_LINK, Kind.LOOPING_LINK})


class TreeError(Exception):
    """The file or folder at `path` could not be read, for `reason` (one line, no path)."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path or '.'}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a folder.

    `kind` is that of what the name resolves to. `target` is a link's own text, and None
    where the name is no link.
    """

    name: str
    kind: Kind
    target: str | None = None

    @property
    def is_link(self) -> bool:
        """Whether the name itself is a symbolic link, be it a good one or not."""
        return self.target is not None


@runtime_checkable
class Tree(Protocol):
    """A read-only view of files. Every method takes a path relative to the root."""

    @property
    def name(self) -> str:
        """Return what the tree is called in messages: a path, or a revision."""
        ...

    @property
    def places(self) -> tuple[str, ...]:
        """Return where on this machine the tree's root lies, if anywhere: absolute paths."""
        ...

    def read(self, path: str) -> bytes:
        """Return a file's content; raise TreeError where that is not possible."""
        ...

    def entries(self, folder: str) -> tuple[Entry, ...]:
        """Return what a folder holds, sorted by name; raise TreeError if it is none."""
        ...

    def kind(self, path: str) -> Kind | None:
        """Return what stands at a path, or None for nothing."""
        ...

    def resolve(self, path: str) -> str:
        """Return the path without links that `path` leads to, inside the tree.

        Raises TreeError where nothing stands there, or a link is not to be followed.
        """
        ...


@dataclass(frozen=True, slots=True)
class Node:
    """One name as a tree stores it, before any link is followed."""

    kind: Kind
    target: str | None = None


Listing = Mapping[str, Node]


class StoredTree(ABC):
    """Link resolution, the same for every tree; a subclass lists and loads without links.

    What has been listed is kept, so a tree is a snapshot for as long as it lives.
    """

    def __init__(self) -> None:
        self._entries: dict[str, tuple[Entry, ...]] = {}
        self._resolved: dict[str, str | Kind | None] = {}

    @property
    @abstractmethod
    def name(self) -> str:
        """Return what the tree is called in messages."""

    @property
    def places(self) -> tuple[str, ...]:
        """Return where on this machine the tree's root lies, if anywhere: absolute paths."""
        return ()

    @abstractmethod
    def list_stored(self, folder: str) -> Listing:
        """Return the names in a real folder (no part of its path is a link)."""

    @abstractmethod
    def load_stored(self, path: str) -> bytes:
        """Return the bytes of a real file (no part of its path is a link)."""

    def read(self, path: str) -> bytes:
        """Return a file's content; raise TreeError where that is not possible."""
        real = self.resolve(path)
        kind = self._kind_stored(real)
        if kind is not Kind.FILE:
            raise TreeError(path, _not_a("file", kind))
        return self.load_stored(real)

    def entries(self, folder: str) -> tuple[Entry, ...]:
        """Return what a folder holds, sorted by name; raise TreeError if it is none."""
        known = self._entries.get(folder)
        if known is not None:
            return known
        real = self.resolve(folder)
        kind = self._kind_stored(real)
        if kind is not Kind.FOLDER:
            raise TreeError(folder, _not_a("folder", kind))
        found = tuple(
            Entry(name, self._followed(_join(real, name), node), node.target)
            for name, node in sorted(self.list_stored(real).items())
        )
        self._entries[folder] = found
        return found

    def kind(self, path: str) -> Kind | None:
        """Return what stands at a path, or None for nothing."""
        found = self._find(path)
        return self._kind_stored(found) if isinstance(found, str) else found

    def resolve(self, path: str) -> str:
        """Return the path without links that `path` leads to, inside the tree."""
        found = self._find(path)
        if isinstance(found, str):
            return found
        raise TreeError(path, "no such file or folder" if found is None else found.value)

    def _followed(self, path: str, node: Node) -> Kind:
        if node.target is None:
            return node.kind
        return self.kind(path) or Kind.BROKEN_LINK

    def _kind_stored(self, real: str) -> Kind:
        if not real:
            return Kind.FOLDER
        folder, _, name = real.rpartition("/")
        return self.list_stored(folder)[name].kind

    def _find(self, path: str) -> str | Kind | None:
        """Return the real path, the kind of the link that is not followed, or None."""
        try:
            return self._resolved[path]
        except KeyError:
            found = self._resolved[path] = self._walk(path)
            return found

    def _walk(self, path: str) -> str | Kind | None:
        real = ""
        waiting = path.split("/")[::-1]
        followed = 0
        missing: Kind | None = None
        while waiting:
            part = waiting.pop()
            if part in ("", ".", "..") and self._kind_stored(real) is not Kind.FOLDER:
                # A slash behind a file (`file/`, `file/..`) leads nowhere.
                return missing
            if part in ("", "."):
                continue
            if part == "..":
                if not real:
                    return Kind.OUTWARD_LINK if followed else None
                real = real.rpartition("/")[0]
                continue
            if self._kind_stored(real) is not Kind.FOLDER:
                return missing
            node = self.list_stored(real).get(part)
            if node is None:
                return missing
            if node.target is None:
                real = _join(real, part)
                continue
            if node.target.startswith("/"):
                return Kind.OUTWARD_LINK
            followed += 1
            if followed > MOST_LINKS:
                return Kind.LOOPING_LINK
            # An empty remainder means the path's own last part is this link, or stands
            # behind it: nothing there then is a broken link rather than a missing file.
            if not any(waiting):
                missing = Kind.BROKEN_LINK
            waiting.extend(node.target.split("/")[::-1])
        return real


def walk(tree: Tree, folder: str = "") -> Iterator[str]:
    """Yield the path of every file below a folder, in order; links are not followed.

    A link to a file is yielded under its own name; links to folders are left out, and so
    are special files and links that lead nowhere. Raises TreeError as `entries` does.
    """
    for entry in tree.entries(folder):
        path = _join(folder, entry.name)
        if entry.kind is Kind.FILE:
            yield path
        elif entry.kind is Kind.FOLDER and not entry.is_link:
            yield from walk(tree, path)


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _not_a(wanted: str, kind: Kind) -> str:
    article = "an" if kind is Kind.OUTWARD_LINK else "a"
    return f"is {article} {kind.value}, not a {wanted}"
