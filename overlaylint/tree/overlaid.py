"""A tree with some files replaced, added or removed, as by an editor or a fix."""

from __future__ import annotations

from collections.abc import Mapping

from overlaylint.tree.base import Kind, Listing, Node, StoredTree, Tree, TreeError

_FOLDER = Node(Kind.FOLDER)
_FILE = Node(Kind.FILE)


class OverlaidTree(StoredTree):
    """`base` with `files` laid over it: new bytes for a path, or None to remove it.

    Text laid over a link that leads to a file inside the tree is text for that file, as
    it would be on saving it in an editor. Folders that a new file needs come into being;
    a folder whose last file is removed stays, as it does on disk.
    """

    def __init__(self, base: Tree, files: Mapping[str, bytes | None]) -> None:
        super().__init__()
        self.base = base
        self._files: dict[str, bytes] = {}
        self._removed: set[str] = set()
        self._added: dict[str, dict[str, Node]] = {"": {}}
        self._listings: dict[str, Listing] = {}
        for path, content in files.items():
            if content is None:
                self._removed.add(_clean(path))
            else:
                self._lay(self._target(_clean(path)), content)

    @property
    def name(self) -> str:
        """Return the base's name."""
        return self.base.name

    @property
    def places(self) -> tuple[str, ...]:
        """Return the base's places."""
        return self.base.places

    def list_stored(self, folder: str) -> Listing:
        """Return the names in a real folder."""
        known = self._listings.get(folder)
        if known is not None:
            return known
        found: dict[str, Node] = {}
        if self.base.kind(folder) is Kind.FOLDER:
            for entry in self.base.entries(folder):
                kind = Kind.BROKEN_LINK if entry.is_link else entry.kind
                found[entry.name] = Node(kind, entry.target)
        for name in [name for name in found if _join(folder, name) in self._removed]:
            del found[name]
        found.update(self._added.get(folder, {}))
        self._listings[folder] = found
        return found

    def load_stored(self, path: str) -> bytes:
        """Return the bytes of a real file."""
        laid = self._files.get(path)
        return self.base.read(path) if laid is None else laid

    def _target(self, path: str) -> str:
        if self.base.kind(path) is Kind.FILE:
            return self.base.resolve(path)
        folder, _, name = path.rpartition("/")
        if self.base.kind(folder) is Kind.FOLDER:
            return _join(self.base.resolve(folder), name)
        return path

    def _lay(self, path: str, content: bytes) -> None:
        self._files[path] = content
        node = _FILE
        while path:
            folder, _, name = path.rpartition("/")
            self._added.setdefault(folder, {})[name] = node
            path, node = folder, _FOLDER


def _clean(path: str) -> str:
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise TreeError(path, "is not a path relative to the tree")
    return path


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
