"""What the calls of a phase install, as paths in the image (PMS 12.3.3 and on).

Only what a call names itself is seen, not what `make install` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from overlaylint.overlay.steps import (
    UNKNOWN,
    Location,
    Step,
    known_end,
    location,
    pattern_of,
    read_options,
    steps,
)
from overlaylint.overlay.trace import Trace
from overlaylint.records import dataclass
from overlaylint.shell.calls import Call
from overlaylint.shell.values import Value

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

#: Redirections that lead into a file.
WRITING = frozenset({">", ">>", ">|", "&>", "&>>", ">&"})

# What `insinto` and the like set, as long as none of them is called.
_SET_FOLDERS = {"insinto": "/", "exeinto": "/", "into": "/usr"}

#: Commands that put what they name into another place.
COPYING = frozenset({"cp", "mv", "install", "ln"})

#: The commands that `writes` follows.
COMMANDS = frozenset(
    {*_HELPERS, *_SET_FOLDERS, *COPYING, "dodir", "keepdir", "mkdir", "dosym", "tee", "touch",
     "truncate"}
)  # fmt: skip

# What names of folders end in, and of files that have no such end.
_FOLDER_ENDS = frozenset({"d", "dir", "git", "wants", "requires", "upholds"})
_FILE_NAMES = frozenset({"Makefile", "GNUmakefile", "Kbuild", "Kconfig", "configure"})
_FILE_END = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

# Folders of any image, by their own names.
_IMAGE_FOLDERS = frozenset(
    {
        "usr", "bin", "sbin", "lib", "lib64", "etc", "opt", "share", "include", "var", "systemd",
        "system", "user",
    }
)  # fmt: skip

#: Options that take a word: of install, and of mkdir, cp, mv and ln as far as they have them.
TAKING_WORD = frozenset(
    {"m", "mode", "o", "owner", "g", "group", "S", "suffix", "t", "target-directory"}
)


@dataclass(frozen=True, slots=True)
class Write:
    """Something that a step puts somewhere.

    `source` is the word that says what it is made of, None for a folder and for what is written
    by a redirection; `is_folder` marks what is certainly a folder. It may be made elsewhere
    instead if it is not `is_certain`: what copies into `x` may make `x` itself or `x/name`.
    """

    step: Step
    location: Location
    source: Value | None = None
    is_folder: bool = False
    is_certain: bool = True


@dataclass(frozen=True, slots=True)
class _Copies:
    """What a copy makes if `into` is no folder yet, and what if it is one."""

    into: Location
    itself: Write
    inside: tuple[Write, ...]


def targets(trace: Trace) -> Iterator[tuple[Call, str]]:
    """Yield what the calls of a phase install: paths in the image, `?*` for what is unknown."""
    for one in writes(steps(trace)):
        if one.location.root == _IMAGE:
            yield one.step.call, one.location.path


def writes(of: tuple[Step, ...]) -> Iterator[Write]:
    """Yield what steps create, in the image and elsewhere, as far as they name it themselves.

    What copies into `x` may make `x` itself or `x/name`: both are there, and neither is certain,
    where no name and no other step tells which it is.
    """
    found = tuple(_writes(of))
    certain = [one for one in found if isinstance(one, Write)]
    folders = {one.location for one in certain if one.is_folder}
    folders |= {step.folder for step in of if step.folder is not None}
    folders |= {place for one in certain for place in _above(one.location)}
    files = {one.location for one in certain if not one.is_folder} - folders
    for one in found:
        if isinstance(one, Write):
            yield one
        elif one.into in folders:
            yield from one.inside
        elif one.into in files:
            yield one.itself
        else:
            for guess in (one.itself, *one.inside):
                yield replace(guess, is_certain=False)


def _above(place: Location) -> Iterator[Location]:
    """Yield the folders that a place lies in."""
    path = place.path
    while path.strip("/"):
        path = path.rpartition("/")[0]
        yield Location(place.root, path or "/")


def _writes(of: tuple[Step, ...]) -> Iterator[Write | _Copies]:
    for step in of:
        name = step.name
        yield from _redirected(step)
        if name not in COMMANDS or name in _SET_FOLDERS:
            continue
        if name in _HELPERS:
            setting, below = _HELPERS[name]
            into = step.into.get(setting, _SET_FOLDERS.get(setting, "")) + below
            yield from _helped(step, Location(_IMAGE, "/").below(into))
        elif name in ("keepdir", "dodir"):
            for value in _operands(step):
                folder = Location(_IMAGE, "/").below(pattern_of(value))
                yield Write(step, folder, None, True)
        elif name == "mkdir" or (name == "install" and _has(step, "d", "directory")):
            for value in _operands(step):
                place = step.at(value)
                if place is not None:
                    yield Write(step, place, None, True)
        elif name == "dosym" and len(_operands(step)) > 1:
            made_of, link = _operands(step)[:2]
            yield Write(step, Location(_IMAGE, "/").below(pattern_of(link)), made_of)
        elif name in ("tee", "touch"):
            for value in _operands(step):
                place = written_to(step, value)
                if place is not None:
                    source = None if name == "tee" else "/dev/null"
                    yield Write(step, place, source, is_certain=step.at(value) is not None)
        elif name == "truncate":
            # What it cuts or fills to another size is unknown.
            options, values = _read(step)
            for value in values if options.get("s", options.get("size")) == "0" else ():
                place = step.at(value)
                if place is not None:
                    yield Write(step, place, "/dev/null")
        else:
            yield from _copied(step)


def _helped(step: Step, into: Location) -> Iterator[Write]:
    """Yield what a helper installs: its words by their own names, or the first by the second."""
    values = _operands(step)
    if step.name.startswith("new") or "_new" in step.name:
        if len(values) > 1:
            yield Write(step, into.below(name_of(values[1])), values[0])
        return
    is_recursive = step.name == "doins" and _has(step, "r")
    for value in values:
        yield Write(step, into.below(name_of(value)), value)
        if is_recursive:
            yield Write(step, into.below(f"{name_of(value)}/*"), value)


def _copied(step: Step) -> Iterator[Write | _Copies]:
    """Yield what `cp` and the like make: what the last word names, and what may lie below it."""
    options, values = _read(step)
    target = options.get("t", options.get("target-directory"))
    is_folder: bool | None = None if target is None else True
    if target is None:
        if not values:
            return
        # `ln` with one word makes a link of that name right here.
        target = "." if step.name == "ln" and len(values) == 1 else values.pop()
    into = step.at(target)
    if into is None or not values:
        return
    if is_folder is None:
        is_folder = _is_folder(step, target, into, values)
    inside: list[Write] = []
    for value in values:
        name = pattern_of(value) if "parents" in options else name_of(value)
        inside.append(Write(step, into.below(name), value, is_folder=name == "."))
        if copies_folders(step):
            # A folder comes with all that it holds, and `.` brings that alone.
            inside.append(Write(step, into.below(f"{name}/*"), value))
    itself = Write(step, into, values[0])
    if is_folder is None:
        yield _Copies(into, itself, tuple(inside))
    elif is_folder:
        yield from inside
    else:
        yield itself


def copies_folders(step: Step) -> bool:
    """Whether a step copies or moves folders with all that they hold."""
    return step.name == "mv" or _has(step, "r", "R", "recursive", "a", "archive")


def _is_file_name(name: str) -> bool:
    stem, _, end = name.rpartition(".")
    if stem and end not in _FOLDER_ENDS:
        return _FILE_END.fullmatch(end) is not None
    return name in _FILE_NAMES


def _is_folder(step: Step, target: Value, into: Location, values: Sequence[Value]) -> bool | None:
    """Whether what a copy names as its target is a folder, as far as the call itself tells."""
    if into.path == "/" or len(values) > 1 or _has(step, "parents"):
        return True
    if pattern_of(target).rpartition("/")[2] in ("", ".", "..") or name_of(values[0]) == ".":
        return True
    if _has(step, "T", "no-target-directory", "D"):
        return False
    name = into.path.rpartition("/")[2]
    if "*" in name:
        return None
    stem, _, end = name.rpartition(".")
    if (stem and end in _FOLDER_ENDS) or (into.root == _IMAGE and name in _IMAGE_FOLDERS):
        # A folder may be copied to become this one.
        return None if copies_folders(step) and not _is_file_name(name_of(values[0])) else True
    if _is_file_name(name):
        return False
    source = name_of(values[0])
    return False if source == name or source.startswith((f"{name}.", f"{name}-")) else None


def _redirected(step: Step) -> Iterator[Write]:
    for one in step.call.redirections:
        # `>&2` names no file.
        is_copy = one.operator == ">&" and str(one.target).rstrip("-").isdecimal()
        if one.operator in WRITING and one.descriptor in ("", "1") and not is_copy:
            place = written_to(step, one.target)
            if place is not None:
                yield Write(step, place, is_certain=step.at(one.target) is not None)


def written_to(step: Step, word: Value) -> Location | None:
    """Return where something is written that a word names.

    Of a word that starts with what is unknown, as `${x}/Makefile`, that may be anywhere below the
    step's folder.
    """
    place, end = step.at(word), known_end(word)
    if place is None and end is not None and step.folder is not None:
        return step.folder.below(f"{UNKNOWN}{end}")
    return place


def appends(step: Step) -> bool:
    """Whether a call of `tee` puts what it reads at the end of its files."""
    return _has(step, "a", "append")


def _operands(step: Step) -> list[Value]:
    """Return the words of a call that are no options."""
    return _read(step)[1]


def _has(step: Step, *options: str) -> bool:
    return not _read(step)[0].keys().isdisjoint(options)


def _read(step: Step) -> tuple[dict[str, Value], list[Value]]:
    if step.name == "truncate":
        return read_options(step.arguments, ("s", "size", "r", "reference"))
    return read_options(step.arguments, TAKING_WORD if step.name in (*COPYING, "mkdir") else ())


def name_of(value: Value) -> str:
    """Return the last part of a path."""
    return pattern_of(value).rstrip("/").rpartition("/")[2]


def in_image(value: Value) -> str | None:
    """Return the path in the image that a word names; None where it names another place."""
    place = location(value)
    return place.path if place is not None and place.root == _IMAGE else None
