"""Whether a file is in the image in the end: what the calls of a build install and take away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase

from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.find import expression_start
from overlaylint.overlay.install_targets import (
    COMMANDS,
    COPYING,
    SET_FOLDERS,
    Write,
    name_of,
    writes,
)
from overlaylint.overlay.own_code import masters_functions
from overlaylint.overlay.programs import MAKE, may_put
from overlaylint.overlay.removals import REMOVING, removes
from overlaylint.overlay.scene import Thing, UnknownEffect, scene_with
from overlaylint.overlay.steps import Location, Step, pattern_of, steps
from overlaylint.overlay.trace import Trace, guarded
from overlaylint.records import dataclass
from overlaylint.shell.calls import Call
from overlaylint.shell.conditions import Check, Condition
from overlaylint.shell.syntax import Function

_IMAGE = "D"

# What `find` and `xargs` may install programs with; copies say where to.
_INSTALLS_FOUND = COPYING | {"dobin", "dosbin", "doexe"}

# Words of a function that may change the image: commands that are followed here, and its names.
_CHANGING = COMMANDS | MAKE | REMOVING | {"einstall", "default_src_install", "D", "ED"}


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
    so_far: list[Write] = []
    for trace in in_order(traces):
        state = _after(trace, path, use, state, so_far)
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


def _after(
    trace: Trace, path: str, use: Mapping[str, bool], state: Presence, so_far: list[Write]
) -> Presence:
    """Return what one phase leaves of a file; `so_far` is what is installed, and is added to."""
    place = Location(_IMAGE, path)
    of = steps(trace)
    installed: dict[int, list[Write]] = {}
    for one in writes(of):
        if one.location.root == _IMAGE:
            installed.setdefault(id(one.step), []).append(one)
    before: list[tuple[Step, bool | None]] = []
    for step in of:
        call = step.call
        runs = guarded(_deciding(call.guards), use)
        if runs is False:
            continue
        removed = removes(step, place, _thing(path, so_far))
        if removed is not False and state.is_there is not False:
            state = Presence(False if removed and runs else None, trace, call)
        made = installed.get(id(step), [])
        so_far += made
        added = _best(_puts(one, path, before) for one in made)
        earlier = [one for one, _ in before]
        if added is False and (
            may_put(step, place) or _may_install_what_it_finds(step, path, earlier)
        ):
            added = None
        if added is not False and state.is_there is not True:
            is_named = any(one.location.path == path for one in made)
            is_there = True if added and runs else None
            state = Presence(is_there, trace, call, is_named or not is_there)
        before.append((step, runs))
    return state


def _thing(path: str, so_far: Iterable[Write]) -> Thing:
    """Return what is at a path of the image if something is, as far as steps tell."""
    thing = Thing.FILE
    for one in so_far:
        if one.location.path.startswith(f"{path}/"):
            return Thing.FULL_FOLDER
        if one.location.path != path:
            continue
        if one.step.name == "keepdir":
            # It puts a file there, so that the package manager keeps the folder.
            return Thing.FULL_FOLDER
        if one.is_folder:
            thing = Thing.EMPTY_FOLDER
        elif one.step.name in ("dosym", "ln"):
            thing = Thing.LINK
    return thing


def _puts(one: Write, path: str, before: Iterable[tuple[Step, bool | None]]) -> bool | None:
    """Whether a step puts a file at a path of the image, as far as what is done before tells."""
    answer = covers(one.location.path, path)
    if answer is False or one.source is None:
        return answer
    source = one.step.at(one.source)
    name = path.rpartition("/")[2]
    if source is None or source.root == _IMAGE or not fnmatchcase(name, name_of(one.source)):
        return answer
    place = Location(source.root, f"{source.path.rpartition('/')[0]}/{name}")
    gone = [(removes(step, place), runs) for step, runs in before]
    if (True, True) in gone:
        return False
    return None if any(removed is not False for removed, _ in gone) else answer


def _deciding(guards: Iterable[Condition]) -> tuple[Condition, ...]:
    """Return the guards without those of a loop over what wildcards find."""
    return tuple(
        guard for guard in guards if not (isinstance(guard, Check) and guard.words[:1] == ("for",))
    )


def _best(answers: Iterable[bool | None]) -> bool | None:
    """Return True if one is, else None if one is."""
    found = set(answers)
    return True if True in found else None if None in found else False


def _may_install_what_it_finds(step: Step, path: str, before: Iterable[Step]) -> bool:
    """Whether `find -exec` or `xargs` may install a file, if it is where it looks."""
    if step.name not in ("find", "xargs"):
        return False
    if not any(pattern_of(word) in _INSTALLS_FOUND for word in step.arguments):
        return False
    look = step if step.name == "find" else step.reads
    if look is None or look.name != "find":
        return True
    settings = [one for one in before if one.name in SET_FOLDERS]
    name = path.rpartition("/")[2]
    for word in look.arguments[: expression_start(list(map(pattern_of, look.arguments)))] or (".",):
        start = look.at(word)
        if start is None:
            return True
        scene = scene_with(start, name)
        try:
            inner = scene.found_by(step)[1] if step is look else scene.fed_by(step)
        except UnknownEffect:
            return True
        made = [one for of in inner for one in writes((*settings, of)) if one.step is of]
        if any(
            one.location.root == _IMAGE and covers(one.location.path, path) is not False
            for one in made
        ):
            return True
    return False
