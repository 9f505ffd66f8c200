"""A tree that is a directory on disk."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from overlaylint.tree.base import LARGEST_FILE, Kind, Listing, Node, StoredTree, TreeError

_FOLDER = Node(Kind.FOLDER)
_FILE = Node(Kind.FILE)
_SPECIAL = Node(Kind.SPECIAL)


class DirectoryTree(StoredTree):
    """The files below `root`, read as they are asked for and listed once.

    Raises TreeError where `root` is not a folder that can be looked into.
    """

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.root = root
        # A root that is itself a link was named by the user, and may lead anywhere.
        self._base = os.path.realpath(root)
        self._listings: dict[str, Listing] = {}
        self.list_stored("")

    def __repr__(self) -> str:
        return f"DirectoryTree({str(self.root)!r})"

    @property
    def name(self) -> str:
        """Return the root as it was given."""
        return str(self.root)

    @property
    def places(self) -> tuple[str, ...]:
        """Return the root as it was given, made absolute, and without links."""
        return os.path.abspath(self.root), self._base  # noqa: PTH100 (`..` is not to be resolved)

    def list_stored(self, folder: str) -> Listing:
        """Return the names in a real folder."""
        known = self._listings.get(folder)
        if known is not None:
            return known
        found: dict[str, Node] = {}
        try:
            with os.scandir(self._place(folder)) as scan:
                for item in scan:
                    if item.is_symlink():
                        target = os.readlink(item.path)  # noqa: PTH115 (thousands of them)
                        found[item.name] = Node(Kind.BROKEN_LINK, target)
                    elif item.is_file(follow_symlinks=False):
                        found[item.name] = _FILE
                    elif item.is_dir(follow_symlinks=False):
                        found[item.name] = _FOLDER
                    else:
                        found[item.name] = _SPECIAL
        except (OSError, ValueError) as error:
            raise TreeError(folder, _reason(error)) from error
        self._listings[folder] = found
        return found

    def load_stored(self, path: str) -> bytes:
        """Return the bytes of a real file.

        The file may have become a link or a fifo since it was listed, so neither is
        followed nor waited for.
        """
        try:
            handle = os.open(
                self._place(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            )
        except (OSError, ValueError) as error:
            raise TreeError(path, _reason(error)) from error
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise TreeError(path, "is no longer a file")
            if status.st_size > LARGEST_FILE:
                raise TreeError(path, f"is larger than {LARGEST_FILE // 1024 // 1024} MB")
            with open(handle, "rb", buffering=0, closefd=False) as file:
                return file.read()
        except OSError as error:
            raise TreeError(path, _reason(error)) from error
        finally:
            os.close(handle)

    def _place(self, path: str) -> str:
        return f"{self._base}/{path}" if path else self._base


def _reason(error: OSError | ValueError) -> str:
    text = error.strerror if isinstance(error, OSError) else str(error)
    return (text or type(error).__name__).lower()
