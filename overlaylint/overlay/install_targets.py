"""What the calls of a phase install, as paths in the image (PMS 12.3.3 and on).

Only what a call names itself is seen, not what `make install` does.
"""

from __future__ import annotations

from collections.abc import Iterator

from overlaylint.overlay.trace import Trace
from overlaylint.shell.interpreter import Call
from overlaylint.shell.values import Unknown, Value, join, pieces_of

# Where helpers install to: below what `insinto` and the like have set, or in a fixed folder.
_HELPERS: dict[str, tuple[str, str]] = {
    "doinitd": ("", "/etc/init.d"), "newinitd": ("", "/etc/init.d"),
    "doconfd": ("", "/etc/conf.d"), "newconfd": ("", "/etc/conf.d"),
    "doins": ("insinto", ""), "newins": ("insinto", ""),
    "doexe": ("exeinto", ""), "newexe": ("exeinto", ""),
    "dobin": ("into", "/bin"), "newbin": ("into", "/bin"),
    "dosbin": ("into", "/sbin"), "newsbin": ("into", "/sbin"),
    "systemd_dounit": ("", "/usr/lib/systemd/system"),
    "systemd_newunit": ("", "/usr/lib/systemd/system"),
}  # fmt: skip

_COPYING = frozenset({"cp", "mv", "install", "ln"})


def targets(trace: Trace) -> Iterator[tuple[Call, str]]:
    """Yield what the calls of a phase install: paths in the image, `?*` for what is unknown."""
    folders = {"insinto": "/", "exeinto": "/", "into": "/usr"}
    for call, folder in with_folders(trace):
        name = str(call.name)
        values = [value for value in call.arguments if not str(value).startswith("-")]
        texts = [pattern_of(value) for value in values]
        names = [text.rstrip("/").rpartition("/")[2] for text in texts]
        if name in folders:
            folders[name] = texts[0] if texts else "/"
            continue
        if name in _HELPERS:
            setting, below = _HELPERS[name]
            into = folders.get(setting, "") + below
            chosen = names[1:2] if name.startswith("new") or "_new" in name else names
            for one in chosen:
                yield call, _joined(into, one)
        elif name in ("keepdir", "dodir"):
            for text in texts:
                yield call, _joined("/", text)
        elif name == "dosym":
            for text in texts[1:2]:
                yield call, _joined("/", text)
        elif name == "mkdir" or (name == "install" and "-d" in call.arguments):
            for value in values:
                inside = in_image(value, folder)
                if inside is not None:
                    yield call, inside
        elif name in _COPYING and values:
            yield from _copied(call, values, folder)


def _copied(call: Call, values: list[Value], folder: str | None) -> Iterator[tuple[Call, str]]:
    """Yield what `cp` and the like put into the image: the last word, and what may lie below it."""
    given = _folder_option(call)
    sources = [value for value in values if value is not given]
    if given is None:
        given = sources.pop()
    inside = in_image(given, folder)
    if inside is None:
        return
    yield call, inside
    copies_folders = call.name == "mv" or any(map(_is_recursive, call.arguments))
    for value in sources:
        name = pattern_of(value).rstrip("/").rpartition("/")[2]
        yield call, _joined(inside, name)
        if copies_folders:
            # a folder comes with all that it holds, and `.` brings that alone
            yield call, _joined(inside, "" if name == "." else name, "*")


def _is_recursive(option: Value) -> bool:
    text = str(option)
    if text.startswith("--"):
        return text in ("--recursive", "--archive")
    return text.startswith("-") and not set(text).isdisjoint("rRa")


def _folder_option(call: Call) -> Value | None:
    """Return what `-t` or `--target-directory` names."""
    for index, value in enumerate(call.arguments):
        if value == "-t" or value == "--target-directory":
            return call.arguments[index + 1] if index + 1 < len(call.arguments) else None
        if str(value).startswith("--target-directory="):
            parts = pieces_of(value)
            return join((str(parts[0]).partition("=")[2], *parts[1:]))
    return None


def with_folders(trace: Trace) -> Iterator[tuple[Call, str | None]]:
    """Yield the calls of a phase, each with the folder of the image that it is called in.

    That is None outside of the image. What a subshell changes is not undone at its end.
    """
    folder: str | None = None
    stack: list[str | None] = []
    for call in trace:
        yield call, folder
        if call.name == "pushd":
            stack.append(folder)
        if call.name in ("cd", "pushd") and call.arguments:
            folder = in_image(call.arguments[0], folder)
        elif call.name == "popd" and stack:
            folder = stack.pop()


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


def in_image(value: Value, folder: str | None = None) -> str | None:
    """Return the path in the image that a word names; None where it names another place.

    `folder` is the folder of the image that a relative path starts in.
    """
    first, *rest = pieces_of(value)
    if isinstance(first, Unknown) and first.symbol in ("D", "ED"):
        return _joined("".join(map(pattern_of_piece, rest)))
    text = pattern_of(value)
    return None if folder is None or text.startswith(("/", "?*")) else _joined(folder, text)
