"""What the calls of a phase install, as paths in the image (PMS 12.3.3 and on).

Only what a call names itself is seen, not what `make install` does.
"""

from __future__ import annotations

from collections.abc import Iterator

from overlaylint.overlay.trace import Trace
from overlaylint.shell.interpreter import Call
from overlaylint.shell.values import Unknown, Value

# Where helpers install to; None for where insinto or exeinto says.
_HELPERS: dict[str, str | None] = {
    "doinitd": "/etc/init.d", "newinitd": "/etc/init.d",
    "doconfd": "/etc/conf.d", "newconfd": "/etc/conf.d",
    "doins": None, "newins": None, "doexe": None, "newexe": None,
    "systemd_dounit": "/usr/lib/systemd/system", "systemd_newunit": "/usr/lib/systemd/system",
}  # fmt: skip


def targets(trace: Trace) -> Iterator[tuple[Call, str]]:
    """Yield what the calls of a phase install: paths in the image, `?*` for what is unknown."""
    folders = {"insinto": "/", "exeinto": "/"}
    for call in trace:
        name = str(call.name)
        values = [value for value in call.arguments if not str(value).startswith("-")]
        texts = [pattern_of(value) for value in values]
        names = [text.rstrip("/").rpartition("/")[2] for text in texts]
        if name in folders:
            folders[name] = texts[0] if texts else "/"
            continue
        if name in _HELPERS:
            into = _HELPERS[name] or folders["exeinto" if name.endswith("exe") else "insinto"]
            chosen = names[1:2] if "new" in name else names
            for one in chosen:
                yield call, _joined(into, one)
        elif name in ("keepdir", "dodir"):
            for text in texts:
                yield call, _joined("/", text)
        elif name == "mkdir" or (name == "install" and "-d" in call.arguments):
            for value in values:
                inside = in_image(value)
                if inside is not None:
                    yield call, inside
        elif name in ("cp", "mv", "install", "ln") and values:
            inside = in_image(values[-1])
            if inside is not None:
                yield call, inside
                for one in names[:-1]:
                    yield call, _joined(inside, one)


def pattern_of(value: Value) -> str:
    """Return a value as a pattern: what is unknown may be anything."""
    if isinstance(value, str):
        return value
    return "".join(map(pattern_of_piece, value.parts))


def pattern_of_piece(part: str | Unknown) -> str:
    """Return a piece of a value as a pattern: a word's wildcards, or `?*` for what is unknown."""
    return part if isinstance(part, str) else part.pattern or "?*"


def _joined(*parts: str) -> str:
    """Return a path in the image, with one slash between its parts."""
    return "/" + "/".join(one for part in parts for one in part.split("/") if one)


def in_image(value: Value) -> str | None:
    """Return the path in the image that a word names; None where it names another place."""
    if isinstance(value, str):
        return None
    first = value.parts[0]
    if isinstance(first, str) or first.symbol not in ("D", "ED"):
        return None
    return _joined("".join(map(pattern_of_piece, value.parts[1:])))
