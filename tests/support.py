"""What several tests need: an overlay on disk, and a run of the command line on it."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from fixture_cases import Case, write_overlay

from overlaylint.cli import main

#: An ebuild in which no rule finds anything.
CLEAN = 'EAPI=7\nDESCRIPTION="Says hello"\nSLOT="0"\n'
HELLO = "app-misc/hello/hello-1.ebuild"

SMALL_OVERLAY = Path(__file__).parent.parent / "fixtures" / "overlay"


@dataclass(frozen=True)
class Ran:
    """What a command line came to."""

    status: int
    out: str
    err: str


def overlay(
    folder: Path,
    files: Mapping[str, str | bytes],
    links: Mapping[str, str] | None = None,
    name: str = "overlay",
) -> Path:
    """Write an overlay below `folder`, with what the files don't give, and return its root."""
    contents = {
        path: content.encode() if isinstance(content, str) else content
        for path, content in files.items()
    }
    return write_overlay(Case("", 1, contents, dict(links or {})), folder, name)


def write(root: Path, path: str, content: str | bytes) -> Path:
    """Write one more file of an overlay; its name may be anything."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def overlaylint(arguments: Sequence[str | Path]) -> Ran:
    """Run a command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = main([str(argument) for argument in arguments])
    return Ran(status, out.getvalue(), err.getvalue())
