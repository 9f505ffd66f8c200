"""Whether a file is in the image in the end: what the calls of a build install and take away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.find import expression_start
from overlaylint.overlay.install_targets import (
    COMMANDS,
    COPYING,
    Write,
    copies_folders,
    name_of,
    writes,
)
from overlaylint.overlay.own_code import masters_functions
from overlaylint.overlay.programs import MAKE, is_harmless, may_put, may_write
from overlaylint.overlay.removals import REMOVING, removes
from overlaylint.overlay.scene import Thing, UnknownEffect, scene_with
from overlaylint.overlay.steps import Location, Step, pattern_of, steps
from overlaylint.overlay.trace import Trace, guarded
from overlaylint.records import dataclass
from overlaylint.shell.calls import Call
from overlaylint.shell.conditions import Check, Condition, any_true
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
    file. `is_named` is false where the file is there by a wildcard, or with all of a folder;
    `is_folder` tells that a folder is there.
    """

    is_there: bool | None
    trace: Trace | None = None
    call: Call | None = None
    is_named: bool = True
    is_folder: bool = False


def presence(traces: Iterable[Trace], path: str, use: Mapping[str, bool]) -> Presence:
    """Return whether a build with these USE flags leaves a file at `path` of its image.

    `traces` are those of `own_traces`. A word's wildcards, and a loop over them, are taken to
    find the file where it was built, unless it was taken away there before.
    """
    image = _Image(path, use)
    for trace in traces:
        if trace.phase == "src_compile":
            image.build(trace)
    for trace in in_order(traces):
        image.install(trace)
    return image.state


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


class _Image:
    """Follows a file through the steps of a build.

    `installed` is what is in the image so far, `before` the steps since the sources were built,
    with whether they run.
    """

    def __init__(self, path: str, use: Mapping[str, bool]) -> None:
        self.state = Presence(False)
        self._place = Location(_IMAGE, path)
        self._path = path
        self._use = use
        self._installed: list[Write] = []
        self._before: list[tuple[Step, bool | None]] = []
        # where it was moved, or a folder around it
        self._moved: Location | None = None

    def build(self, trace: Trace) -> None:
        """Take note of what is taken away where it was built, after the last step that builds."""
        for step in steps(trace):
            if not step.call.is_function and not is_harmless(step):
                self._before.clear()
            elif step.name in REMOVING and self._runs(step) is not False:
                self._before.append((step, self._runs(step)))

    def install(self, trace: Trace) -> None:
        """Follow one phase."""
        of = steps(trace)
        made: dict[int, list[Write]] = {}
        for one in writes(of):
            if one.location.root == _IMAGE:
                made.setdefault(id(one.step), []).append(one)
        for step in of:
            runs = self._runs(step)
            if runs is not False:
                self._step(trace, step, runs, made.get(id(step), []))
                self._before.append((step, runs))

    def _runs(self, step: Step) -> bool | None:
        return guarded(_deciding(step.call.guards), self._use)

    def _step(self, trace: Trace, step: Step, runs: bool | None, made: Sequence[Write]) -> None:
        comes_back = self._comes_back(step)
        removed = removes(step, self._place, self._thing())
        if removed is not False and self.state.is_there is not False:
            self.state = Presence(False if removed and runs else None, trace, step.call)
            self._moved = step.at(step.arguments[-1]) if step.name == "mv" else None
        added = any_true(self._puts(one) for one in made)
        self._installed += made
        place = self._place
        if added is False and (
            comes_back
            or may_put(step, place)
            or may_write(step, place)
            or self._may_install_found(step)
        ):
            added = None
        if added is not False and self.state.is_there is not True:
            is_named = any(one.location.path == self._path for one in made)
            is_there = True if added and runs else None
            is_folder = self._thing() in (Thing.EMPTY_FOLDER, Thing.FULL_FOLDER)
            self.state = Presence(is_there, trace, step.call, is_named or not is_there, is_folder)

    def _thing(self) -> Thing:
        """Return what is there if something is, as far as steps tell."""
        thing = Thing.FILE
        for one in self._installed:
            if one.location.path.startswith(f"{self._path}/"):
                if one.is_certain:
                    return Thing.FULL_FOLDER
                continue
            if one.location.path != self._path:
                continue
            if one.step.name == "keepdir":
                # It puts a file there, so that the package manager keeps the folder.
                return Thing.FULL_FOLDER
            if one.is_folder:
                thing = Thing.EMPTY_FOLDER
            elif one.step.name in ("dosym", "ln"):
                thing = Thing.LINK
        return thing

    def _puts(self, one: Write) -> bool | None:
        """Whether a step puts the file there, as far as what is done before tells."""
        answer = covers(one.location.path, self._path)
        if answer is False and not one.is_certain and copies_folders(one.step):
            # A folder that becomes one around the place may hold it.
            is_around = self._path.startswith(f"{one.location.path}/")
            return None if is_around else False
        if answer is False or one.source is None:
            return answer
        source = one.step.at(one.source)
        name = self._path.rpartition("/")[2]
        if source is None or source.root == _IMAGE or not fnmatchcase(name, name_of(one.source)):
            return answer
        place = Location(source.root, f"{source.path.rpartition('/')[0]}/{name}")
        gone = [(removes(step, place), runs) for step, runs in self._before]
        if (True, True) in gone:
            return False
        return None if any(removed is not False for removed, _ in gone) else answer

    def _comes_back(self, step: Step) -> bool:
        """Whether a step may bring the file back from where it was moved."""
        if self._moved is None or step.name not in ("cp", "mv") or not step.arguments:
            return False
        *sources, target = map(step.at, step.arguments)
        return (
            target is not None
            and f"{self._place}/".startswith(f"{target}/")
            and any(f"{place}/".startswith(f"{self._moved}/") for place in sources)
        )

    def _may_install_found(self, step: Step) -> bool:
        """Whether `find -exec` or `xargs` may install a file, if it is where it looks."""
        if step.name not in ("find", "xargs"):
            return False
        if not any(pattern_of(word) in _INSTALLS_FOUND for word in step.arguments):
            return False
        name = self._path.rpartition("/")[2]
        try:
            inner = list(_inner(step, name))
        except UnknownEffect:
            return True
        return any(
            one.location.root == _IMAGE and covers(one.location.path, self._path) is not False
            for of in inner
            for one in writes((of,))
        )


def _inner(step: Step, name: str) -> Iterator[Step]:
    """Yield the steps that `find` or `xargs` runs where a file of some name is built.

    Raises UnknownEffect.
    """
    look = step if step.name == "find" else step.reads
    if look is None or look.name != "find":
        yield from scene_with(Location("", "/"), name).fed_by(step)
        return
    end = expression_start([pattern_of(word) for word in look.arguments])
    for word in look.arguments[:end] or (".",):
        start = look.at(word)
        if start is None:
            raise UnknownEffect("where it looks is unknown")
        scene = scene_with(start, name)
        yield from scene.found_by(step)[1] if step is look else scene.fed_by(step)


def _deciding(guards: Iterable[Condition]) -> tuple[Condition, ...]:
    """Return the guards without those of a loop over what wildcards find."""
    return tuple(
        guard for guard in guards if not (isinstance(guard, Check) and guard.words[:1] == ("for",))
    )
