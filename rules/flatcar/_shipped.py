"""What becomes of a file of the sources on its way into the image, as steps tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from overlaylint.overlay.ebuild import Ebuild
from overlaylint.records import dataclass

from ._tmpfiles import handed, written

if TYPE_CHECKING:
    from overlaylint.overlay.source_edits import SourceEdit
    from overlaylint.overlay.steps import Location
    from overlaylint.overlay.ways import Event

    from ._tmpfiles import Phase


def installs(phase: Phase, source: Location, image: Location) -> list[int]:
    """Return the steps that install the sources, or this file of them."""
    from overlaylint.overlay.programs import MAKE, installs_sources
    from overlaylint.overlay.steps import pattern_of

    found = set()
    for at in range(phase.image_start, len(phase.steps)):
        step = phase.steps[at]
        words = "".join(map(pattern_of, step.arguments))
        if installs_sources(step) or (step.name in MAKE and "DESTDIR" in words):
            found.add(at)
    for at, one in written(phase, len(phase.steps), image):
        place = None if one.source is None else one.step.at(one.source)
        if (
            place is not None
            and place.root == source.root
            and any(fnmatchcase(source.path, path) for path in (place.path, f"{place.path}/*"))
        ):
            found.add(at)
    return sorted(found)


@dataclass(slots=True)
class Changes:
    """What steps do to a file: take it away, leave nothing of use in it, or put a text there.

    What is done to it may be either if that is not known.
    """

    taken: list[Event]
    idled: list[Event]
    put: list[Event]


def changes(
    ebuild: Ebuild,
    phase: Phase,
    folder: Location,
    path: str,
    span: range,
    is_idle: Callable[[str], bool],
) -> Changes:
    """Return what a span of steps does to a file below a folder.

    `is_idle` says whether a text is of no use. A program that is given a folder of the image
    around the file may take it away.
    """
    from overlaylint.overlay.file_texts import source_edits
    from overlaylint.overlay.removals import removes

    found = Changes([], [], [])
    place = folder.below(path)
    for at in span:
        step = phase.steps[at]
        removed = removes(step, place)
        if removed is not False:
            found.taken.append(phase.event(at, is_certain=bool(removed)))
    if place.root == "D":
        found.taken += [one for one in handed(phase, span.stop, place) if one.index in span]
    edits: dict[int, list[SourceEdit]] = {}
    for edit in source_edits(ebuild, phase.steps[: span.stop], folder, ebuild.repository):
        if edit.is_in(path):
            edits.setdefault(id(edit.step), []).append(edit)
    for at in span:
        made = edits.get(id(phase.steps[at]), ())
        if not made:
            continue
        answer = _leave_it_idle(made, is_idle)
        replaces = not all(one.is_addition for one in made)
        if answer is not False and replaces:
            found.idled.append(phase.event(at, is_certain=bool(answer)))
        if answer is not True:
            found.put.append(phase.event(at, is_certain=answer is False))
    return found


def _leave_it_idle(made: Sequence[SourceEdit], is_idle: Callable[[str], bool]) -> bool | None:
    """Whether what one step makes of a file is of no use; None if that is unknown."""
    texts = [one.text for one in made if one.text is not None]
    if len(texts) == len(made):
        return is_idle("".join(texts))
    is_deleted = any(
        one.patch is not None and one.patch.is_deleted and not one.is_reversed for one in made
    )
    return True if is_deleted and len(made) == 1 else None
