"""Write files of a directory: whole or not at all, and nowhere but in it.

Every folder on the way is opened without following links, so that nothing that happens
meanwhile can lead out of the directory.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from overlaylint.tree.base import TreeError

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write_file(root: Path, path: str, data: bytes, before: bytes | None) -> None:
    """Replace the file at `path` below `root`, or make it, with the folders that it needs.

    No part of `path` may be a link. `before` is what the file must hold, None where it must
    not be there. The file keeps its mode. Raises TreeError where it can't be written, or is
    not what it was; it is as it was then.
    """
    *folders, name = path.split("/")
    if not all(part not in ("", ".", "..") for part in (*folders, name)):
        raise TreeError(path, "is not a path relative to the tree")
    try:
        with _folder(root, folders, may_make=before is None) as folder:
            mode = _check(folder, name, path, before)
            _replace(folder, name, data, mode)
    except OSError as error:
        raise TreeError(path, f"can't be written: {(error.strerror or '').lower()}") from error


@contextmanager
def _folder(root: Path, parts: list[str], *, may_make: bool) -> Iterator[int]:
    handle = os.open(os.path.realpath(root), _FOLDER)
    try:
        for part in parts:
            try:
                inner = os.open(part, _FOLDER, dir_fd=handle)
            except FileNotFoundError:
                if not may_make:
                    raise
                os.mkdir(part, dir_fd=handle)
                inner = os.open(part, _FOLDER, dir_fd=handle)
            os.close(handle)
            handle = inner
        yield handle
    finally:
        os.close(handle)


def _check(folder: int, name: str, path: str, before: bytes | None) -> int | None:
    """Return the mode of the file, None where there is none; TreeError if it is another now."""
    try:
        handle = os.open(name, _READ, dir_fd=folder)
    except FileNotFoundError:
        if before is None:
            return None
        raise TreeError(path, "is no longer there, and is not written") from None
    with os.fdopen(handle, "rb", buffering=0) as file:
        status = os.fstat(handle)
        if before is None or not stat.S_ISREG(status.st_mode) or file.read() != before:
            raise TreeError(path, "has changed since it was read, and is not written")
    return stat.S_IMODE(status.st_mode)


def _replace(folder: int, name: str, data: bytes, mode: int | None) -> None:
    # It takes a while to import, and most runs write nothing.
    import secrets

    passing = f".overlaylint-{secrets.token_hex(8)}"
    handle = os.open(passing, _NEW, 0o666, dir_fd=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            if mode is not None:
                os.fchmod(handle, mode)
            file.write(data)
            file.flush()
            os.fsync(handle)
        os.replace(passing, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        os.unlink(passing, dir_fd=folder)
        raise
