"""The cache on disk: what is costly to work out, and the same in the next run.

One file for each overlay lies in `overlaylint` below XDG_CACHE_HOME, never in the work tree of what
is checked. It holds JSON behind a checksum over it and over overlaylint's own code. A file that is
damaged, that another version wrote, or that another user could have written is as good as none.
What is kept in it is found by the content that it was worked out from (overlaylint.overlay.kept).
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys
import time
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from overlaylint.tree import checked_tree

#: A file that is larger is not read; what was not asked for longest is left out of a new one.
MOST_BYTES = 16 * 1024 * 1024
#: Of more overlays than this, those whose file was not used for longest are forgotten.
MOST_FILES = 32

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_HALF_WRITTEN = ".new"
_ABANDONED = 3600.0  # seconds


class Cache:
    """What is kept for one overlay: a store as `overlaylint.overlay.kept` has it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, object] | None = None
        self._used: dict[str, object] = {}
        self._is_new = False

    def get(self, key: str) -> object:
        """Return what was kept last; None where nothing was."""
        if key in self._used:
            return self._used[key]
        if self._known is None:
            self._known = _load(self.path)
        found = self._known.get(key)
        if found is not None:
            self._used[key] = found
        return found

    def keep(self, key: str, value: object) -> None:
        """Keep something in place of what is there, until `save` writes it."""
        if self.get(key) != value:
            self._used[key] = value
            self._is_new = True

    def save(self) -> None:
        """Write the file anew, whole or not at all, if something came in; else note its use.

        Where another run writes it at the same time, one of them wins. A cache that can't be
        written costs the next run some time, and nothing else.
        """
        with contextlib.suppress(OSError):
            if not self._is_new:
                if self._used:
                    os.utime(self.path, follow_symlinks=False)
                return
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # What was asked for comes first, and is what it has become.
            _write(self.path, {**self._used, **(self._known or {}), **self._used})
            _forget(self.path.parent)


def cache_for(root: Path, trees: Iterable[Path]) -> Cache | None:
    """Return the cache for the overlay at `root`.

    None where it would lie in the work tree of this or of one of `trees`, or be reached through it.
    """
    folder = cache_folder()
    if folder is None:
        return None
    places = (Path(os.path.abspath(folder)), Path(os.path.realpath(folder)))  # noqa: PTH100
    checked = [checked_tree(tree) for tree in (root, *trees)]
    if any(place.is_relative_to(tree) for place in places for tree in checked):
        return None
    name = sha256(os.fsencode(os.path.realpath(root))).hexdigest()[:32]
    return Cache(folder / f"{name}.json")


def cache_folder() -> Path | None:
    """Return the folder of all caches; None where there is no home (XDG Base Directory)."""
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if given.is_absolute():
        return given / "overlaylint"
    home = Path(os.environ.get("HOME", ""))
    return home / ".cache" / "overlaylint" if home.is_absolute() else None


def _load(path: Path) -> dict[str, object]:
    """Return what a file holds, nothing where it can't be believed."""
    try:
        handle = os.open(path, _READ)
        try:
            status = os.fstat(handle)
            is_own = status.st_uid == os.geteuid() and not status.st_mode & 0o022
            if not stat.S_ISREG(status.st_mode) or not is_own or status.st_size > MOST_BYTES:
                return {}
            with os.fdopen(handle, "rb", closefd=False) as file:
                checksum, _, body = file.read(MOST_BYTES + 1).partition(b"\n")
        finally:
            os.close(handle)
    except OSError:
        # None is there, or one that can't be read.
        return {}
    if checksum != _checksum(body):
        return {}
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(path: Path, entries: dict[str, object]) -> None:
    lines: list[str] = []
    size = 128
    for key, value in entries.items():
        line = f"{json.dumps(key)}:{json.dumps(value)}"
        size += len(line) + 2
        if size > MOST_BYTES:
            break
        lines.append(line)
    body = ("{" + ",\n".join(lines) + "}").encode("ascii")
    # It takes a while to import, and most runs write nothing.
    import secrets

    new = path.with_name(f"{secrets.token_hex(8)}{_HALF_WRITTEN}")
    handle = os.open(new, _NEW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(_checksum(body) + b"\n" + body)
        new.replace(path)
    except OSError:
        new.unlink()
        raise


def _forget(folder: Path) -> None:
    """Remove the oldest files where there are many, and what a run left half written."""
    found = []
    for path in folder.iterdir():
        changed = path.lstat().st_mtime
        if path.suffix == ".json":
            found.append((changed, path))
        elif path.suffix == _HALF_WRITTEN and changed < time.time() - _ABANDONED:
            path.unlink()
    for _, path in sorted(found, reverse=True)[MOST_FILES:]:
        path.unlink()


def _checksum(body: bytes) -> bytes:
    return sha256(_own_code() + body).hexdigest().encode()


@lru_cache(maxsize=1)
def _own_code() -> bytes:
    """Return a checksum over what works things out: overlaylint's code, and Python's version."""
    checksum = sha256(sys.version.encode())
    package = Path(__file__).parent.parent
    found = [
        path for part in ("overlay", "shell", "tree") for path in (package / part).rglob("*.py")
    ]
    for path in sorted((*found, *package.glob("*.py"))):
        checksum.update(path.relative_to(package).as_posix().encode() + b"\0")
        checksum.update(path.read_bytes() + b"\0")
    return checksum.digest()
