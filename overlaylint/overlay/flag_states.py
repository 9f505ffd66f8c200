"""Which USE flags of an ebuild may be on together, and what its dependencies come to then.

A flag that is declared may be on or off, as far as profiles do not force or mask it and
REQUIRED_USE holds (PMS 5.2.11, 8.2). One that is implicit stands as the profile has it. Portage
refuses an ebuild with a condition on any other flag.

Only a few flags matter to a question, but they may be too many to try every state. So flags are
settled one after another, and given up as soon as those that are settled give the answer. What a
dependency comes to while some flags are open is the set of all that it may come to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING

from overlaylint.overlay.dependency import (
    Conditional,
    Dependency,
    DependencyError,
    Leaf,
    Node,
    Operator,
    parse_dependency,
)
from overlaylint.overlay.metadata import metadata
from overlaylint.overlay.profile import Profile
from overlaylint.overlay.use import known_flags
from overlaylint.records import dataclass

if TYPE_CHECKING:
    from overlaylint.overlay.ebuild import Ebuild
    from overlaylint.overlay.evaluation import Evaluation

#: So many times a search asks its question, before it is given up.
MOST_STEPS = 1_000

# Before EAPI 7, a choice of which flags leave nothing counts as met (PMS 8.2.3).
_EMPTY_CHOICE_IS_MET = frozenset("0123456")


class TooManyStatesError(Exception):
    """A question about flags takes too long to answer."""


class Reduced(Enum):
    """What flags make of a part of a dependency."""

    MET = "met"
    UNMET = "unmet"
    GONE = "gone"
    """No condition around anything in it holds."""


Flags = Mapping[str, bool]
"""Flags that are on or off; those that are not in it are open."""

Judge = Callable[[Leaf, Flags], frozenset[Reduced]]
"""Tells what one word may come to."""

NEVER = frozenset({False})
MET = frozenset({Reduced.MET})
UNMET = frozenset({Reduced.UNMET})


def outcomes(nodes: Iterable[Node], flags: Flags, eapi: str, judge: Judge) -> frozenset[Reduced]:
    """Return what all of some nodes may come to, as Portage reduces a dependency.

    What a choice is left with decides it: a branch whose conditions do not hold is none.
    """
    return _Reduction(flags, eapi, judge, is_required_use=False).all_of(nodes)


def allowed(required_use: Iterable[Node], flags: Flags, eapi: str) -> frozenset[bool]:
    """Return whether REQUIRED_USE may hold, as Portage checks it: True, False or both."""
    found = _Reduction(flags, eapi, _judge_flag, is_required_use=True).all_of(required_use)
    return frozenset(one is not Reduced.UNMET for one in found)


def _judge_flag(leaf: Leaf, flags: Flags) -> frozenset[Reduced]:
    wanted = not leaf.text.startswith("!")
    is_on = flags.get(leaf.text.removeprefix("!"))
    if is_on is None:
        return MET | UNMET
    return MET if is_on is wanted else UNMET


@dataclass(frozen=True, slots=True)
class _Reduction:
    """A walk through a dependency, or REQUIRED_USE: they differ in what is left of nothing."""

    flags: Flags
    eapi: str
    judge: Judge
    is_required_use: bool

    def all_of(self, nodes: Iterable[Node]) -> frozenset[Reduced]:
        found = frozenset({Reduced.GONE})
        for node in nodes:
            own = self._of(node)
            found = frozenset(_both(one, other) for one in found for other in own)
        return found

    def _of(self, node: Node) -> frozenset[Reduced]:
        if isinstance(node, Leaf):
            return self.judge(node, self.flags)
        if isinstance(node, Conditional):
            is_on = self.flags.get(node.flag)
            found: frozenset[Reduced] = frozenset()
            if is_on is None or is_on is node.is_negated:
                found = frozenset({Reduced.GONE})
            if is_on is None or is_on is not node.is_negated:
                inside = self.all_of(node.children)
                if self.is_required_use:
                    # Portage takes what is left of it for met, be that nothing.
                    inside = frozenset(_left(one) for one in inside)
                found |= inside
            return found
        if node.operator is Operator.ALL_OF:
            return self.all_of(node.children)
        return frozenset(
            self._choice(node.operator, count) for count in self._counts(node.children)
        )

    def _counts(self, branches: Iterable[Node]) -> frozenset[int]:
        """Return how many branches may be met, two for more; -1 where there is no branch."""
        found = frozenset({-1})
        for branch in branches:
            own = self._of(branch)
            found = frozenset(_counted(count, one) for count in found for one in own)
        return found

    def _choice(self, operator: Operator, count: int) -> Reduced:
        if count < 0 and self.eapi in _EMPTY_CHOICE_IS_MET:
            return Reduced.MET if self.is_required_use else Reduced.GONE
        is_met = {
            Operator.ANY_OF: count >= 1,
            Operator.EXACTLY_ONE_OF: count == 1,
            Operator.AT_MOST_ONE_OF: count <= 1,
        }[operator]
        return Reduced.MET if is_met else Reduced.UNMET


def _both(one: Reduced, other: Reduced) -> Reduced:
    if Reduced.UNMET in (one, other):
        return Reduced.UNMET
    return other if one is Reduced.GONE else one


def _left(outcome: Reduced) -> Reduced:
    return Reduced.MET if outcome is Reduced.GONE else outcome


def _counted(count: int, outcome: Reduced) -> int:
    if outcome is Reduced.GONE:
        return count
    return min(max(count, 0) + (outcome is Reduced.MET), 2)


# --- the states ---


Question = Callable[[Flags], frozenset[bool]]
"""What may be answered where some flags are settled: True, False or both."""


@dataclass(frozen=True, slots=True)
class FlagStates:
    """The states that an ebuild's flags may have under one profile.

    `profile` is None where no flag is asked about. `settled` are flags that are always on or off,
    `free` those that may be either, and `unsure` those of which it is unknown whether they may;
    `doubt` says why.
    """

    profile: Profile | None
    eapi: str
    settled: Flags
    free: tuple[str, ...]
    required_use: Dependency
    unsure: tuple[str, ...] = ()
    doubt: str | None = None

    def find(
        self,
        question: Question,
        given: Flags | None = None,
        about: tuple[str, ...] = (),
        most: int = MOST_STEPS,
    ) -> tuple[Flags, bool] | None:
        """Return a state with which the answer is True, and whether that is certain.

        With `given`, those flags are to be so. Where it takes flags that are unsure, it is not
        certain. None where the answer is False for all states. `about` are flags that the question
        is about, to be settled first. Raises TooManyStatesError after `most` steps.
        """
        start = dict(self.settled)
        for name, is_on in (given or {}).items():
            if start.setdefault(name, is_on) is not is_on:
                return None
        first = tuple(flag for flag in about if flag in self.free)
        last = (*(flag for flag in about if flag in self.unsure), *self.unsure)
        steps = 0
        unsure: Flags | None = None
        waiting = [(start, self.required_use.children)]
        while waiting:
            flags, rest = waiting.pop()
            steps += 1
            if steps > most:
                raise TooManyStatesError
            left = self._left(rest, flags)
            answers = NEVER if left is None else question(flags)
            if left is None or True not in answers:
                continue
            if False not in answers and not left:
                if not any(one in flags for one in self.unsure):
                    return flags, True
                unsure = unsure or flags
                continue
            flag = self._next(first, left, last, flags)
            if flag is None:
                unsure = unsure or flags
            else:
                waiting += [({**flags, flag: is_on}, left) for is_on in (True, False)]
        return None if unsure is None else (unsure, False)

    def _left(self, parts: tuple[Node, ...], flags: Flags) -> tuple[Node, ...] | None:
        """Return those parts of REQUIRED_USE that may still fail; None where one does."""
        left: list[Node] = []
        for part in parts:
            may_be = allowed((part,), flags, self.eapi)
            if True not in may_be:
                return None
            if False in may_be:
                left.append(part)
        return tuple(left)

    def _next(
        self, first: tuple[str, ...], left: tuple[Node, ...], last: tuple[str, ...], flags: Flags
    ) -> str | None:
        """Return the flag to settle next; of others, one that leaves REQUIRED_USE least choice."""
        for flag in first:
            if flag not in flags:
                return flag
        parts = (self._open(part, flags) for part in left)
        open_ones = min((one for one in parts if one), key=len, default=())
        others = (*open_ones, *self.free, *last)
        return next((one for one in others if one not in flags), None)

    def _open(self, part: Node, flags: Flags) -> tuple[str, ...]:
        named = _named(Dependency("", (part,)))
        return tuple(dict.fromkeys(one for one in named if one in self.free and one not in flags))


def flag_states(
    ebuild: Ebuild, evaluation: Evaluation, flags: Iterable[str], *, by_profile: bool = False
) -> tuple[FlagStates, ...]:
    """Return how the flags may stand that an ebuild's dependencies ask about, for each profile.

    `evaluation` is what the ebuild comes to. The profiles are those that show it, if there are
    any. One under which Portage refuses it counts only where it is so under all of them; then it
    is unknown how flags stand. Where no flags are asked about, the profiles are only looked at
    with `by_profile`.
    """
    asked = tuple(dict.fromkeys(flags))
    found = metadata(evaluation)
    values = found.values
    nothing = Dependency("", ())
    if not asked and not by_profile:
        return (FlagStates(None, evaluation.eapi, {}, (), nothing),)
    profiles = _profiles(ebuild)
    unsure = FlagStates(profiles[0], evaluation.eapi, {}, (), nothing, asked)
    for key in ("IUSE", "REQUIRED_USE"):
        if key in found.unknown:
            return (replace(unsure, doubt=f"{key} is unknown: {found.unknown[key].reason}"),)
    try:
        required_use = parse_dependency(values.get("REQUIRED_USE", ""))
    except DependencyError as error:
        return (replace(unsure, doubt=f"Portage refuses its REQUIRED_USE: {error}"),)
    involved = tuple(dict.fromkeys((*asked, *_named(required_use))))
    good: list[FlagStates] = []
    bad: list[FlagStates] = []
    for profile in profiles:
        states = _under(profile, ebuild, values, involved, required_use)
        refusal = _refusal(states, values, involved)
        if refusal is None:
            good.append(states)
        else:
            bad.append(replace(unsure, profile=profile, doubt=refusal))
    return tuple(good or bad[:1])


def _named(required_use: Dependency) -> Iterator[str]:
    yield from (leaf.text.removeprefix("!") for leaf, _ in required_use.leaves())
    yield from sorted(required_use.flags())


def _under(
    profile: Profile,
    ebuild: Ebuild,
    values: Mapping[str, str],
    involved: tuple[str, ...],
    required_use: Dependency,
) -> FlagStates:
    declared = {flag.lstrip("+-") for flag in values.get("IUSE", "").split()}
    known = known_flags(profile, values, involved)
    state = profile.use(ebuild, values)
    settled: dict[str, bool] = {}
    for flag in involved:
        if flag in declared:
            if flag in state.masked or flag in state.forced:
                settled[flag] = flag not in state.masked
        elif flag in known and not profile.problems:
            settled[flag] = flag in state.enabled
    # What is missing may mask and force a flag.
    doubt = profile.problems[0].message if profile.problems else None
    free = tuple(flag for flag in involved if flag in declared and flag not in settled)
    if doubt is not None:
        free = ()
    unsure = tuple(flag for flag in involved if flag not in settled and flag not in free)
    eapi = values.get("EAPI", "0")
    return FlagStates(profile, eapi, settled, free, required_use, unsure, doubt)


def _refusal(
    states: FlagStates, values: Mapping[str, str], involved: tuple[str, ...]
) -> str | None:
    """Return why Portage refuses an ebuild under a profile, None where it takes it."""
    profile = states.profile
    assert profile is not None
    if not profile.problems:
        known = known_flags(profile, values, involved)
        other = next((flag for flag in involved if flag not in known), None)
        if other is not None:
            return f"`{other}` is not in IUSE, so Portage refuses the ebuild"
    if states.find(lambda _: frozenset({True})) is None:
        return "no flags meet REQUIRED_USE"
    return None


def _profiles(ebuild: Ebuild) -> list[Profile]:
    """Return a profile for each way that flags are set: of those that show an ebuild, if any."""
    from overlaylint.overlay.available import Available

    offered = next((list(one.profiles) for one in ebuild.repository.family if one.profiles), [])
    # Without any, the repositories' own files speak of flags all the same.
    profiles = offered or [Profile(ebuild.repository, "")]
    shown = [
        one
        for one in profiles
        if one.problems
        or isinstance(visibility := Available.of(one).visibility(ebuild), str)
        or visibility.is_visible
    ]
    return list({one.flag_settings: one for one in reversed(shown or profiles)}.values())[::-1]
