"""What the calls of a phase install, as paths in the image (PMS 12.3.3 and on).

Only what a call names itself is seen, not what `make install` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from overlaylint.overlay.steps import (
    Location,
    Step,
    location,
    pattern_of,
    pattern_of_piece,
    steps,
)
from overlaylint.overlay.trace import Trace
from overlaylint.records import dataclass
from overlaylint.shell.interpreter import Call
from overlaylint.shell.values import Value, join, pieces_of

__all__ = [
    "Write",
    "image_folder",
    "in_image",
    "pattern_of",
    "pattern_of_piece",
    "targets",
    "writes",
]

_IMAGE = "D"

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
    "dotmpfiles": ("", "/usr/lib/tmpfiles.d"), "newtmpfiles": ("", "/usr/lib/tmpfiles.d"),
    "systemd_dotmpfilesd": ("", "/usr/lib/tmpfiles.d"),
    "systemd_newtmpfilesd": ("", "/usr/lib/tmpfiles.d"),
}  # fmt: skip

_WRITING = frozenset({">", ">>", ">|", "&>", "&>>", ">&"})

# Options of coreutils' programs that take a word of their own.
_TAKES_WORD = frozenset({"-m", "-o", "-g", "-S", "--mode", "--owner", "--group"})

# `-d` among short options, before one that takes the rest of its word.
_CLUSTER_WITH_D = re.compile(r"-[^-mogSt]*d")


@dataclass(frozen=True, slots=True)
class Write:
    """Something that a step puts somewhere.

    `source` is the word that says what it is made of, None for a folder and for what is written
    by a redirection; `is_folder` marks what is certainly a folder.
    """

    step: Step
    location: Location
    source: Value | None = None
    is_folder: bool = False


def targets(trace: Trace) -> Iterator[tuple[Call, str]]:
    """Yield what the calls of a phase install: paths in the image, `?*` for what is unknown."""
    for one in writes(steps(trace)):
        if one.location.root == _IMAGE:
            yield one.step.call, one.location.path


def writes(of: tuple[Step, ...]) -> Iterator[Write]:
    """Yield what steps create, in the image and elsewhere, as far as they name it themselves.

    What copies into `x` may make `x` itself or `x/name`: both are there.
    """
    folders = {"insinto": "/", "exeinto": "/", "into": "/usr"}
    for step in of:
        name = step.name
        if name in folders:
            words = [pattern_of(value) for value in step.arguments]
            folders[name] = words[0] if words else "/"
            continue
        yield from _redirected(step)
        if name in _HELPERS:
            setting, below = _HELPERS[name]
            into = folders.get(setting, "") + below
            yield from _helped(step, Location(_IMAGE, "/").below(into))
        elif name in ("keepdir", "dodir"):
            for value in _operands(step):
                folder = Location(_IMAGE, "/").below(pattern_of(value))
                yield Write(step, folder, None, True)
        elif name == "mkdir" or (name == "install" and _makes_folders(step)):
            for value in _operands(step):
                place = step.at(value)
                if place is not None:
                    yield Write(step, place, None, True)
        elif name == "dosym" and len(_operands(step)) > 1:
            made_of, link = _operands(step)[:2]
            yield Write(step, Location(_IMAGE, "/").below(pattern_of(link)), made_of)
        elif name in ("tee", "touch"):
            for value in _operands(step):
                place = step.at(value)
                if place is not None:
                    yield Write(step, place, None if name == "tee" else "/dev/null")
        elif name in ("cp", "mv", "install", "ln"):
            yield from _copied(step)


def _helped(step: Step, into: Location) -> Iterator[Write]:
    """Yield what a helper installs: its words by their own names, or the first by the second."""
    values = _operands(step)
    if step.name.startswith("new") or "_new" in step.name:
        if len(values) > 1:
            yield Write(step, into.below(_name(values[1])), values[0])
        return
    is_recursive = step.name == "doins" and "-r" in step.arguments
    for value in values:
        yield Write(step, into.below(_name(value)), value)
        if is_recursive:
            yield Write(step, into.below(f"{_name(value)}/*"), value)


def _copied(step: Step) -> Iterator[Write]:
    """Yield what `cp` and the like make: what the last word names, and what may lie below it."""
    values = list(_operands(step))
    target = _target_folder(step)
    if target is None:
        if not values:
            return
        target = values.pop()
    else:
        values = [value for value in values if value is not target]
    into = step.at(target)
    if into is None:
        return
    yield Write(step, into, values[0] if values else None)
    copies_folders = step.name == "mv" or any(map(_is_recursive, step.arguments))
    for value in values:
        name = _name(value)
        yield Write(step, into.below(name), value)
        if copies_folders:
            # A folder comes with all that it holds, and `.` brings that alone.
            yield Write(step, into.below(f"{name}/*"), value)


def _is_recursive(option: Value) -> bool:
    text = str(option)
    if text.startswith("--"):
        return text in ("--recursive", "--archive")
    return text.startswith("-") and not set(text).isdisjoint("rRa")


def _redirected(step: Step) -> Iterator[Write]:
    for one in step.call.redirections:
        # `>&2` names no file.
        is_copy = one.operator == ">&" and str(one.target).rstrip("-").isdecimal()
        if one.operator in _WRITING and one.descriptor in ("", "1") and not is_copy:
            place = step.at(one.target)
            if place is not None:
                yield Write(step, place)


def _operands(step: Step) -> tuple[Value, ...]:
    """Return the words of a call that are no options, nor an option's own word."""
    found: list[Value] = []
    words = list(step.arguments)
    while words:
        word = words.pop(0)
        text = str(word)
        if text == "-":
            found.append(word)
        elif text in _TAKES_WORD and step.name in ("install", "mkdir", "cp", "mv", "ln"):
            words[:1] = []
        elif not text.startswith("-"):
            found.append(word)
    return tuple(found)


def _target_folder(step: Step) -> Value | None:
    """Return what `-t` or `--target-directory` names."""
    words = step.arguments
    for at, word in enumerate(words):
        if word in ("-t", "--target-directory"):
            return words[at + 1] if at + 1 < len(words) else None
        if str(word).startswith("--target-directory="):
            parts = pieces_of(word)
            return join((str(parts[0]).partition("=")[2], *parts[1:]))
    return None


def _makes_folders(step: Step) -> bool:
    """Whether `install` makes folders, not files."""
    return any(
        text == "--directory" or _CLUSTER_WITH_D.match(text) for text in map(str, step.arguments)
    )


def _name(value: Value) -> str:
    """Return the last part of a path."""
    return pattern_of(value).rstrip("/").rpartition("/")[2]


def image_folder(step: Step) -> str | None:
    """Return the folder of the image that a step runs in; None outside of the image."""
    folder = step.folder
    return None if folder is None or folder.root != _IMAGE else folder.path


def in_image(value: Value, folder: str | None = None) -> str | None:
    """Return the path in the image that a word names; None where it names another place.

    `folder` is the folder of the image that a relative path starts in.
    """
    place = location(value, None if folder is None else Location(_IMAGE, folder))
    return place.path if place is not None and place.root == _IMAGE else None
