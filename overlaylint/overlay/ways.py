"""Whether something is done on each way that leads to a call.

A call stands under guards. What has to be done before it is done on its way if one of the calls
that do it runs wherever it does: whatever the USE flags are, and whatever other tests say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from itertools import product

from overlaylint.records import dataclass
from overlaylint.shell.conditions import (
    Check,
    Condition,
    UseFlag,
    all_true,
    both,
    holds,
    leaves,
    negate,
)
from overlaylint.shell.values import Unknown, pieces_of

#: Commands that a build counts on: where one fails, the build does, or nobody cares.
COUNTED_ON = frozenset(
    {
        "cd", "chgrp", "chmod", "chown", "cp", "dodir", "doexe", "doins", "dosym", "eapply",
        "epatch", "fowners", "fperms", "insinto", "install", "keepdir", "ln", "mkdir", "mv",
        "newins", "popd", "pushd", "rm", "rmdir", "sed", "strip", "touch", "emake", "make",
    }
)  # fmt: skip

# More flags and tests than these are not looked at in all their combinations.
_MOST_LEAVES = 10


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a step does, by its index, whenever its guards hold.

    If it is not `is_certain`, the step may as well not do it.
    """

    index: int
    guards: tuple[Condition, ...]
    is_certain: bool = True


def stands(
    made: Iterable[Event], undoing: Iterable[Event], under: Sequence[Condition] = ()
) -> bool | None:
    """Whether one of several events holds wherever `under` does, and is not undone after it.

    None where that can't be told.
    """
    made, undoing = tuple(made), tuple(undoing)
    certain = [one for one in made if one.is_certain]
    if covered(_standing(certain, undoing), under):
        return True
    certainly_undoing = [one for one in undoing if one.is_certain]
    return False if covered(_standing(made, certainly_undoing), under) is False else None


def _standing(made: Iterable[Event], undoing: Iterable[Event]) -> Iterable[Sequence[Condition]]:
    """Yield the ways on which events are not undone."""
    for one in made:
        later = [other.guards for other in undoing if other.index > one.index]
        if () not in later:
            yield (*one.guards, *(negate(reduce(both, guards)) for guards in later))


def covered(
    ways: Iterable[Sequence[Condition]],
    under: Sequence[Condition] = (),
    use: Mapping[str, bool] | None = None,
) -> bool | None:
    """Whether one of several calls runs wherever `under` holds, each of `ways` being its guards.

    Flags in `use` are as they are there. False where there are USE flags with which none of them
    certainly runs; None where that depends on tests that can't be told, or there are too many of
    them. Commands such as `mkdir` are taken to succeed.
    """
    guards = [tuple(way) for way in ways]
    given = {guard for guard in under if not is_counted_on(guard)}
    if any(given.issuperset(g for g in way if not is_counted_on(g)) for way in guards):
        return True
    if not guards:
        return False
    found = {leaf for way in (*guards, tuple(under)) for guard in way for leaf in leaves(guard)}
    assumed = dict(use or {})
    flags = sorted({leaf.name for leaf in found if isinstance(leaf, UseFlag)} - assumed.keys())
    checks = [leaf for leaf in found if isinstance(leaf, Check) and not is_counted_on(leaf)]
    if len(flags) + len(checks) > _MOST_LEAVES:
        return None
    result: bool | None = True
    for states in product((True, False), repeat=len(flags)):
        flags_there = {**assumed, **dict(zip(flags, states, strict=True))}
        answers = set(_answers(guards, tuple(under), flags_there, checks))
        if answers == {False}:
            return False
        if False in answers:
            result = None
    return result


def _answers(
    ways: Sequence[Sequence[Condition]],
    under: Sequence[Condition],
    use: dict[str, bool],
    checks: Sequence[Check],
) -> Iterable[bool]:
    """Yield, for each outcome of the tests that leads there, whether one of `ways` holds."""
    for outcomes in product((True, False), repeat=len(checks)):
        said = dict(zip(checks, outcomes, strict=True))

        def decide(leaf: UseFlag | Check, said: dict[Check, bool] = said) -> bool | None:
            return use[leaf.name] if isinstance(leaf, UseFlag) else said.get(leaf, True)

        if all(holds(guard, decide) for guard in under):
            yield any(all(holds(guard, decide) for guard in way) for way in ways)


def is_counted_on(guard: Condition) -> bool:
    """Whether a guard says that a command succeeds which is taken to do so.

    A loop over files that wildcards name is taken to find some.
    """
    if not isinstance(guard, Check):
        return False
    if guard.words[0] == "for":
        parts = (part for word in guard.words for part in pieces_of(word))
        return any(isinstance(part, Unknown) and part.pattern for part in parts)
    return guard.words[0] in COUNTED_ON


def certain(
    guards: Iterable[Condition], known: Callable[[Check], bool | None] = lambda _: None
) -> bool | None:
    """Whether a call runs, as far as that follows from the commands that are taken to succeed.

    `known` tells of other tests.
    """

    def decide(leaf: UseFlag | Check) -> bool | None:
        if is_counted_on(leaf):
            return True
        return known(leaf) if isinstance(leaf, Check) else None

    return all_true(holds(guard, decide) for guard in guards)
