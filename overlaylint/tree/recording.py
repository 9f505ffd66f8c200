"""A tree that keeps account of what was asked of it.

What is computed from a tree alone can only come out otherwise if something changes that was
asked for. So it need not be computed again for a tree in which nothing of that has changed.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from overlaylint.tree.base import MOST_LINKS, Entry, Kind, Tree, TreeError
from overlaylint.tree.git import LINK_MODE, RawChange


class Record:
    """The paths that were asked for, by what was asked."""

    def __init__(self) -> None:
        self.read: set[str] = set()
        """Files whose content was asked for."""
        self.seen: set[str] = set()
        """Paths of which it was asked what stands there, nothing perhaps."""
        self.listed: set[str] = set()
        """Folders whose names were asked for."""
        self._above: set[str] | None = None

    def __len__(self) -> int:
        return len(self.read) + len(self.listed)

    def is_touched_by(self, changes: Iterable[RawChange]) -> bool:
        """Whether an answer may be another one after these changes.

        They must hold those of folders too (`git diff-tree -t`), which tell that a folder came
        into being or vanished.
        """
        return any(self._is_touched_by(change) for change in changes)

    def _is_touched_by(self, change: RawChange) -> bool:
        path = change.path
        if path in self.read:
            return True
        if change.status == "M" and LINK_MODE not in (change.old_mode, change.mode):
            # Another content, or another mode: what stands there is the same.
            return False
        if path in self.seen or path in self.listed or posixpath.dirname(path) in self.listed:
            return True
        return path in self._folders_above()

    def _folders_above(self) -> set[str]:
        """Return every folder on the way to what was asked for: it may be a link, or become one."""
        if self._above is None:
            self._above = set()
            for path in (*self.read, *self.seen, *self.listed):
                while path := posixpath.dirname(path):
                    if path in self._above:
                        break
                    self._above.add(path)
        return self._above


class RecordingTree:
    """`base`, with everything that is asked of it in `record`."""

    def __init__(self, base: Tree, record: Record) -> None:
        self.base = base
        self.record = record
        self._followed: dict[str, str] = {}

    @property
    def name(self) -> str:
        """Return the base's name."""
        return self.base.name

    @property
    def places(self) -> tuple[str, ...]:
        """Return the base's places."""
        return self.base.places

    def read(self, path: str) -> bytes:
        """Return a file's content, as the base does."""
        self.record.read |= {path, self._follow(path)}
        return self.base.read(path)

    def entries(self, folder: str) -> tuple[Entry, ...]:
        """Return what a folder holds, as the base does."""
        self.record.listed |= {folder, self._follow(folder)}
        found = self.base.entries(folder)
        for entry in found:
            if entry.is_link:
                # What a link's name resolves to depends on what it leads to.
                self.kind(f"{folder}/{entry.name}" if folder else entry.name)
        return found

    def kind(self, path: str) -> Kind | None:
        """Return what stands at a path, as the base does."""
        self.record.seen |= {path, self._follow(path)}
        return self.base.kind(path)

    def resolve(self, path: str) -> str:
        """Return the path without links, as the base does."""
        self.record.seen |= {path, self._follow(path)}
        return self.base.resolve(path)

    def _follow(self, path: str) -> str:
        """Return where a path leads, as far as it does, with each step on the way recorded."""
        known = self._followed.get(path)
        if known is not None:
            return known
        place = path
        for _ in range(MOST_LINKS + 1):
            further = None if self._is_real(place) else self._through_link(place)
            if further is None:
                break
            self.record.seen.add(further)
            place = further
        self._followed[path] = place
        return place

    def _is_real(self, path: str) -> bool:
        try:
            return self.base.resolve(path) == path
        except TreeError:
            # Nothing stands there, or a link leads nowhere.
            return False

    def _through_link(self, path: str) -> str | None:
        """Return where the first link on a path leads, with the rest of the path behind it."""
        parts = path.split("/")
        for at, name in enumerate(parts):
            folder = "/".join(parts[:at])
            if self.base.kind(folder) is not Kind.FOLDER:
                return None
            for entry in self.base.entries(folder):
                if entry.name == name and entry.target is not None:
                    target = posixpath.join(folder, entry.target, *parts[at + 1 :])
                    found = posixpath.normpath(target)
                    return None if found.startswith(("/", "..")) else found
        return None
