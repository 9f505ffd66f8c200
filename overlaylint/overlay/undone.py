"""Whether later steps of a build take away again what one of them puts somewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from overlaylint.overlay.removals import removes
from overlaylint.overlay.scene import Thing
from overlaylint.overlay.steps import Location, Step
from overlaylint.overlay.ways import covered
from overlaylint.shell.conditions import Condition


def is_undone(
    later: Iterable[Step],
    place: Location,
    thing: Thing,
    under: Sequence[Condition],
    use: Mapping[str, bool] | None = None,
) -> bool | None:
    """Return whether what is put at a place under some guards is taken away, whenever it is put.

    `later` are the steps that come after it. Flags in `use` are as they are there. None where
    that can't be told.
    """
    answers = [(step.call.guards, removes(step, place, thing)) for step in later]
    if covered([guards for guards, answer in answers if answer], under, use):
        return True
    possible = [guards for guards, answer in answers if answer is not False]
    return False if covered(possible, under, use) is False else None
