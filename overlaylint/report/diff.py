"""What fixes change, as a unified diff that `git apply` and `patch -p1` take."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

from overlaylint.report.escape import visible
from overlaylint.report.style import Style

_NO_NEWLINE = b"\\ No newline at end of file"


def diff(before: Mapping[str, bytes | None], after: Mapping[str, bytes]) -> bytes:
    """Return the changes of all files, by path; None stands for a file that was not there."""
    lines = [
        line for path, data in sorted(after.items()) for line in _file(path, before[path], data)
    ]
    return b"".join(line + b"\n" for line in lines)


def shown(changes: bytes, style: Style) -> str:
    """Return a diff for a terminal: coloured, and with nothing in it that a terminal obeys."""
    lines = []
    for line in changes.decode("utf-8", "surrogateescape").split("\n"):
        text = "\t".join(map(visible, line.split("\t")))
        if line.startswith(("--- ", "+++ ")):
            text = style.strong(text)
        elif line.startswith("@@"):
            text = style.gutter(text)
        elif line.startswith("+"):
            text = style.added(text)
        elif line.startswith("-"):
            text = style.removed(text)
        lines.append(text)
    return "\n".join(lines)


def _file(path: str, before: bytes | None, after: bytes) -> Iterator[bytes]:
    old, new = (b"" if before is None else before), after
    source = b"/dev/null" if before is None else _name("a/", path)
    found = difflib.diff_bytes(
        difflib.unified_diff,
        _lines(old),
        _lines(new),
        source,
        _name("b/", path),
        lineterm=b"\n",
    )
    for line in found:
        yield line.removesuffix(b"\n")
        if not line.endswith(b"\n"):
            yield _NO_NEWLINE


def _lines(data: bytes) -> list[bytes]:
    """Return the lines with their line feeds; a carriage return is part of its line."""
    parts = data.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _name(prefix: str, path: str) -> bytes:
    """Return a path as git writes it, in quotes where it holds what would end or hide it."""
    raw = (prefix + path).encode("utf-8", "surrogateescape")
    if all(0x20 < byte < 0x7F and byte not in b'"\\' for byte in raw):
        return raw
    plain = {0x22: b'\\"', 0x5C: b"\\\\", 0x0A: b"\\n", 0x09: b"\\t", 0x0D: b"\\r"}
    quoted = b"".join(
        plain.get(byte, bytes([byte]) if 0x20 <= byte < 0x7F else b"\\%03o" % byte) for byte in raw
    )
    return b'"' + quoted + b'"'
