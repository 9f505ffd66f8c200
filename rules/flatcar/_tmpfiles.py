"""What rules about `systemd-tmpfiles --root` have in common: when they apply, and order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from overlaylint.finding import NotApplicable, Span, Undecided
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.records import dataclass

if TYPE_CHECKING:
    from overlaylint.overlay.install_targets import Write
    from overlaylint.overlay.steps import Location, Step
    from overlaylint.overlay.tmpfiles import RootCall
    from overlaylint.overlay.trace import Trace
    from overlaylint.overlay.ways import Event


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase that runs systemd-tmpfiles on a root.

    `steps` are those of the build up to its end. The image is empty when src_install starts, at
    `image_start` of them, and stays until the merge.
    """

    trace: Trace
    steps: tuple[Step, ...]
    image_start: int
    calls: tuple[RootCall, ...]

    def span(self, step: Step) -> Span:
        """Return where a step stands."""
        return self.trace.span(step.call)

    def event(self, at: int, *, is_certain: bool = True) -> Event:
        """Return what a step does, whenever it runs."""
        from overlaylint.overlay.ways import Event

        return Event(at, self.steps[at].call.guards, is_certain)

    def start_of(self, place: Location) -> int:
        """Return the first step whose traces may be found at a place."""
        return self.image_start if place.root == "D" else 0


def phases_with_root_calls(
    ebuild: Ebuild, since: str, use: Mapping[str, bool], words: Iterable[str]
) -> Iterator[Phase | Undecided | NotApplicable]:
    """Yield each phase that does so, or why there is nothing to look at.

    Functions of masters are followed too, where they may change the image, run the tool or name
    one of `words`.
    """
    from overlaylint.overlay.image import changing_functions
    from overlaylint.overlay.own_code import in_build_order, own_traces
    from overlaylint.overlay.steps import steps
    from overlaylint.overlay.tmpfiles import TOOL, looks_users_up_in_root, root_calls

    failure = ebuild.evaluation.failure
    if failure is not None:
        yield Undecided(failure.span, f"sourcing the ebuild fails: {failure.reason}")
        return
    found: list[Phase | Undecided] = []
    so_far: tuple[Step, ...] = ()
    image_start: int | None = None
    follow = changing_functions(ebuild, {TOOL, *words})
    for trace in in_build_order(own_traces(ebuild, use, follow=follow)):
        if trace.unknown is not None and trace.is_defined:
            reason = f"{trace.phase} can't be followed: {trace.unknown.reason}"
            found.append(Undecided(ebuild.span(), reason))
        if image_start is None and _is_install(trace.phase):
            image_start = len(so_far)
        start = len(so_far)
        so_far += steps(trace)
        calls = tuple(call for call in root_calls(so_far) if call.index >= start)
        if calls:
            found.append(Phase(trace, so_far, start if image_start is None else image_start, calls))
    if not found:
        yield NotApplicable(f"{ebuild.path} does not run `{TOOL} --root`")
        return
    applies = looks_users_up_in_root(ebuild.repository, since)
    if applies is None:
        yield Undecided(ebuild.span(), f"it is unknown whether systemd {since} is in the tree")
    elif not applies:
        yield NotApplicable(f"there is no systemd {since} or later in the tree")
    else:
        yield from found


def _is_install(phase: str) -> bool:
    return phase == "src_install" or phase.startswith("cros_pre_src_install_")


def written(phase: Phase, until: int, place: Location) -> Iterator[tuple[int, Write]]:
    """Yield what steps before `until` put at a place or below it, with their own indices.

    What is unknown in part, or has wildcards, is there where it may be that.
    """
    from overlaylint.overlay.install_targets import writes

    inside = phase.steps[phase.start_of(place) : until]
    indices = {id(step): at for at, step in enumerate(inside, phase.start_of(place))}
    for one in writes(inside):
        path = one.location.path
        if one.location.root == place.root and (
            f"{path}/".startswith(f"{place.path}/") or fnmatchcase(place.path, path)
        ):
            yield indices[id(one.step)], one


def holds_at(
    phase: Phase,
    call: RootCall,
    place: Location,
    made: Iterable[Event],
    undoing: Iterable[Event] = (),
    full_from: int | None = None,
) -> bool | None:
    """Whether what was done at a place holds whenever a call runs; None if that can't be told.

    What takes the place away undoes it, and `undoing` does. The place is a file, or a folder that
    holds something from the step at `full_from` on.
    """
    from overlaylint.overlay.removals import removes
    from overlaylint.overlay.scene import Thing
    from overlaylint.overlay.ways import stands

    undone = list(undoing)
    for at in range(phase.start_of(place), call.index):
        thing = Thing.FILE
        if full_from is not None:
            thing = Thing.FULL_FOLDER if at > full_from else Thing.EMPTY_FOLDER
        removed = removes(phase.steps[at], place, thing)
        if removed is not False:
            undone.append(phase.event(at, is_certain=bool(removed)))
    return stands(made, undone, call.guards)


def handed(phase: Phase, until: int, place: Location) -> Iterator[Event]:
    """Yield what may do anything there: a program that is given the place, a copy to any place."""
    from overlaylint.overlay.programs import MAKE, is_handed, may_write

    for at in range(phase.start_of(place), until):
        step = phase.steps[at]
        if may_write(step, place) or (step.name not in MAKE and is_handed(step, place)):
            yield phase.event(at, is_certain=False)
