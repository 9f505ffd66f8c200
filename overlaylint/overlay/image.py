"""Whether a file is in the image in the end: what the calls of a build install and take away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from itertools import pairwise

from overlaylint.overlay.commands import COMMON
from overlaylint.overlay.eapi import SAME_PLACE
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.install_targets import COMMANDS, COPYING, name_of, pattern_of, targets
from overlaylint.overlay.own_code import masters_functions
from overlaylint.overlay.steps import Location, Step, location, steps
from overlaylint.overlay.trace import Trace, guarded
from overlaylint.records import dataclass
from overlaylint.shell.builtins import BUILTINS
from overlaylint.shell.calls import Call
from overlaylint.shell.conditions import Check, Condition
from overlaylint.shell.syntax import Function
from overlaylint.shell.values import Value, join, pieces_of

_IMAGE = "D"

# Commands that install what only their makefile knows.
_MAKE = frozenset({"emake", "make", "ninja", "eninja", "meson", "cmake"})

# What `find` and `xargs` may install programs with; copies say where to.
_INSTALLS_FOUND = COPYING | {"dobin", "dosbin", "doexe"}

_TAKING_AWAY = frozenset({"rm", "unlink", "mv", "find"})

# Words of a function that may change the image: commands that are followed here, and its names.
_CHANGING = COMMANDS | _MAKE | _TAKING_AWAY | {
    "einstall", "default_src_install", "xargs", "D", "ED",
}  # fmt: skip

# Programs that put no file into a folder that they are given, or that they run in.
_LEAVING = COMMANDS | _TAKING_AWAY | BUILTINS.keys() | COMMON.keys() | {
    "chmod", "chown", "chgrp", "fperms", "fowners", "rmdir", "ls", "sed", "grep", "strip",
    "dodoc", "doman", "dostrip", "docompress", "ldconfig", "systemd-tmpfiles",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Presence:
    """Whether a file is in the image; None where that can't be told.

    `trace` and `call` are what settled it, or left it open: None where no call speaks of the
    file. `is_named` is false where the file is there by a wildcard, or with all of a folder.
    """

    is_there: bool | None
    trace: Trace | None = None
    call: Call | None = None
    is_named: bool = True


def presence(traces: Iterable[Trace], path: str, use: Mapping[str, bool]) -> Presence:
    """Return whether a build with these USE flags leaves a file at `path` of its image.

    `traces` are those of `own_traces`. A word's wildcards, and a loop over them, are taken to
    find the file where it was built, unless the install phase has taken it away there before.
    """
    state = Presence(False)
    for trace in in_order(traces):
        state = _after(trace, path, use, state)
    return state


def changing_functions(ebuild: Ebuild, words: Iterable[str] = ()) -> Mapping[str, Function]:
    """Return the functions of masters that may change the image, or name one of `words`.

    They are for `own_traces` to follow. Those that unpack are not: there is no image yet, and what
    they do to fetch sources takes long to follow.
    """
    found = masters_functions(ebuild, _CHANGING.union(words))
    return {name: one for name, one in found.items() if not name.endswith("src_unpack")}


def in_order(traces: Iterable[Trace]) -> Iterator[Trace]:
    """Yield the traces that have to do with the image, in the order of running."""
    installing = [trace for trace in traces if "install" in trace.phase or "inst" in trace.phase]

    def position(trace: Trace) -> int:
        name = trace.phase
        if name.startswith("cros_pre_") and "src_install" in name:
            return 0
        if name.startswith("pkg_") or "_pkg_" in name:
            return 3
        return 2 if name.startswith("cros_") else 1

    return iter(sorted(installing, key=position))


def covers(pattern: str, path: str) -> bool | None:
    """Return whether a pattern of `targets` stands for a path; None if unknown text decides."""
    if not fnmatchcase(path, pattern):
        return False
    return None if "?*" in pattern else True


def _after(trace: Trace, path: str, use: Mapping[str, bool], state: Presence) -> Presence:
    """Return what one phase leaves of a file."""
    name = path.rpartition("/")[2]
    installed: dict[int, list[str]] = {}
    for call, target in targets(trace):
        installed.setdefault(id(call), []).append(target)
    is_gone: bool | None = False  # from where it was built
    for step in steps(trace):
        call = step.call
        runs = guarded(_deciding(call.guards), use)
        if runs is False:
            continue
        removed = removes(step, path)
        if removed is False:
            built = _takes_away(step, name)
            if built is not False:
                is_gone = True if built and runs else is_gone or None
        elif state.is_there is not False:
            is_there = False if removed and runs else None
            state = Presence(is_there, trace, call)
        named = installed.get(id(call), ())
        added = _best(covers(one, path) for one in named)
        if added is False and (
            _may_install(trace, step, path) or _may_install_what_it_finds(step, path)
        ):
            added = None
        if added is not False and is_gone is not True and state.is_there is not True:
            if added and runs and is_gone is False:
                state = Presence(True, trace, call, path in named)
            else:
                state = Presence(None, trace, call)
    return state


def _deciding(guards: Iterable[Condition]) -> tuple[Condition, ...]:
    """Return the guards without those of a loop over what wildcards find."""
    return tuple(
        guard for guard in guards if not (isinstance(guard, Check) and guard.words[:1] == ("for",))
    )


def _best(answers: Iterable[bool | None]) -> bool | None:
    """Return True if one is, else None if one is."""
    found = set(answers)
    return True if True in found else None if None in found else False


def _may_install(trace: Trace, step: Step, path: str) -> bool:
    """Whether a command installs what can't be seen: `make install`, or a master's phase.

    So may a program that is given a folder of the image, or runs there.
    """
    call, name = step.call, step.name
    if name in _MAKE and any("install" in str(argument) for argument in step.arguments):
        return True
    if name in ("einstall", "default_src_install"):
        return True
    if call.is_function or name in _LEAVING:
        return False
    if name.endswith("_src_install") and name != trace.phase:
        return True
    words = [*step.arguments, *(value for _, value in call.environment)]
    places = [step.folder, *map(_image_in, words)]
    return any(
        place is not None
        and place.root == _IMAGE
        and _is_at_or_below(place.path, path) is not False
        for place in places
    )


def _image_in(word: Value) -> Location | None:
    """Return the place in the image that a word names, or an option does: `--root=${D}/usr`."""
    parts = pieces_of(word)
    for at, part in enumerate(parts):
        if not isinstance(part, str) and SAME_PLACE.get(part.symbol, part.symbol) == _IMAGE:
            return location(join(parts[at:]))
    return None


def _may_install_what_it_finds(step: Step, path: str) -> bool:
    """Whether `find -exec` or `xargs` may install a file: by the program, its target and names."""
    if step.name not in ("find", "xargs"):
        return False
    texts = [pattern_of(value) for value in step.arguments]
    start = next((at for at, text in enumerate(texts) if text in _INSTALLS_FOUND), None)
    if start is None:
        return False
    place = Location(_IMAGE, path)
    if texts[start] in COPYING and _takes(step, step.arguments[start:], place) is False:
        return False
    if {"!", "-not", "-o", "-or"} & set(texts[:start]):
        return True
    name = path.rpartition("/")[2]
    names = [text for key, text in pairwise(texts[:start]) if key in ("-name", "-iname")]
    return all(fnmatchcase(name, one) for one in names)


def removes(step: Step, path: str) -> bool | None:
    """Return whether a step takes a file out of the image; None if that is unknown."""
    return removes_at(step, Location(_IMAGE, path))


def removes_at(step: Step, place: Location) -> bool | None:
    """Return whether a step takes away the file at a place; None if that is unknown."""
    if step.name in ("rm", "unlink", "mv"):
        return _takes(step, _taken(step), place)
    if step.name == "find":
        return _found_and_removed(step, place)
    return False


def _takes(step: Step, values: Iterable[Value], place: Location) -> bool | None:
    """Return whether one of some words names a place, or a folder that it lies in."""
    places = [step.at(value) for value in values]
    return _best(
        _is_at_or_below(one.path, place.path)
        for one in places
        if one is not None and one.root == place.root
    )


def _taken(step: Step) -> list[Value]:
    """Return what `rm`, `unlink` or `mv` takes away."""
    words = [value for value in step.arguments if not str(value).startswith("-")]
    return words[:-1] if step.name == "mv" else words


def _is_at_or_below(place: str, path: str) -> bool | None:
    at = covers(place, path)
    below = covers(f"{place.rstrip('/')}/*", path)
    return _best((at, below))


def _found_and_removed(step: Step, place: Location) -> bool | None:
    """Return whether `find` deletes a file: by its folders, and by `-name` and `-path`."""
    path = place.path
    name = path.rpartition("/")[2]
    words = step.arguments
    texts = [pattern_of(value) for value in words]
    if "-delete" not in texts and "rm" not in texts:
        return False
    starts = []
    for value, text in zip(words, texts, strict=True):
        if text.startswith(("-", "(", "!")):
            break
        starts.append(value)
    answer = _takes(step, starts, place)
    if answer is False:
        return False
    tests = [
        covers(text, name if key in ("-name", "-iname") else path)
        for key, text in pairwise(texts)
        if key in ("-name", "-iname", "-path", "-wholename")
    ]
    is_plain = not {"!", "-not", "-o", "-or"} & set(texts)
    if is_plain:
        if False in tests:
            return False
        others = [text for text in texts if text.startswith("-") and text not in _FIND_TESTS]
        return None if None in tests or others else answer
    return None


# What of find's expression is followed here; `-type f` is what a program is.
_FIND_TESTS = frozenset(
    {"-name", "-iname", "-path", "-wholename", "-delete", "-exec", "-type", "-f", "-rf", "-r"}
)


def _takes_away(step: Step, name: str) -> bool | None:
    """Return whether a step takes the file of a name away where it was built."""
    if step.name not in ("rm", "unlink", "mv"):
        return False
    places = [(value, step.at(value)) for value in _taken(step)]
    outside = [value for value, place in places if place is None or place.root != _IMAGE]
    return _best(covers(name_of(value), name) for value in outside)
