"""Which atoms of a dependency have nothing to meet them, and with which USE flags."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from overlaylint.overlay.dependency import Conditional, Dependency, Group, Leaf, Node, Operator
from overlaylint.overlay.flag_states import (
    MOST_STEPS,
    Flags,
    FlagStates,
    Judge,
    Question,
    Reduced,
    TooManyStatesError,
    outcomes,
)
from overlaylint.records import dataclass

if TYPE_CHECKING:
    from overlaylint.overlay.atom import Atom


@dataclass(frozen=True, slots=True)
class UnmetAtom:
    """An atom that is asked for, and that nothing meets.

    `condition` are the flags that are enough for that, as few as there are. `states` and `flags`
    are a profile and a state of flags in which it is so. `is_certain` tells that it surely is:
    else the `doubt` of `states` says why not.
    """

    atom: Atom
    condition: Flags
    states: FlagStates
    flags: Flags
    is_certain: bool


def flags_of(nodes: Iterable[Node]) -> tuple[str, ...]:
    """Return the flags of an ebuild on which its dependencies depend: in conditions, in brackets.

    Raises AtomError where a word is no atom.
    """
    found: dict[str, None] = {}
    for leaf, around in Dependency("", tuple(nodes)).leaves():
        found |= dict.fromkeys(node.flag for node in around if isinstance(node, Conditional))
        found |= dict.fromkeys(one.flag for one in leaf.atom().use if one.suffix)
    return tuple(found)


def unmet_atoms(
    nodes: Iterable[Node],
    possible: tuple[FlagStates, ...],
    judge: Callable[[FlagStates], Judge],
    is_wanted: Callable[[Leaf], bool],
) -> Iterator[UnmetAtom]:
    """Yield each wanted atom that nothing meets, once; of a choice, one of its atoms.

    Each of the nodes is a word or a choice, with the conditions around it. Of a choice it is an
    atom that is missing whenever the choice is not met, if there is one. Raises AtomError where
    a word is no atom, and TooManyStatesError.
    """
    found: dict[Atom, list[_Demand]] = {}
    # One that is asked for outside of a choice is named before others that would do.
    for node in sorted(nodes, key=_is_choice):
        demand = _Demand(node, judge, is_wanted)
        atom = demand.named(possible, found)
        if atom is not None:
            found.setdefault(atom, []).append(demand)
    for atom, demands in found.items():
        yield _unmet(atom, demands, possible)


class _Demand:
    """A word or a choice under its conditions, of which it is asked when it is not met."""

    def __init__(
        self,
        node: Node,
        judge: Callable[[FlagStates], Judge],
        is_wanted: Callable[[Leaf], bool],
    ) -> None:
        self.node = node
        self.about = flags_of((node,))
        self._judge = judge
        self._leaves = [
            (leaf.atom(), _under(leaf, around))
            for leaf, around in Dependency("", (node,)).leaves()
            if is_wanted(leaf)
        ]

    def question(self, states: FlagStates) -> Question:
        """Return what asks whether it is not met, and for want of one of its atoms at that."""

        def ask(flags: Flags) -> frozenset[bool]:
            whole = self._unmet(self.node, states, flags)
            if True not in whole or not _is_choice(self.node):
                return whole
            own = frozenset({False})
            for _, leaf in self._leaves:
                own = _pairs(own, self._unmet(leaf, states, flags), any)
            return _pairs(whole, own, all)

        return ask

    def named(self, possible: tuple[FlagStates, ...], known: Iterable[Atom]) -> Atom | None:
        """Return the atom to speak of, None where it is always met."""
        hit = _hit(possible, self.question, self.about)
        if hit is None:
            return None
        states, flags, _ = hit
        leaves = sorted(self._leaves, key=lambda one: one[0] not in known)
        missing = [one for one in leaves if True in self._unmet(one[1], states, flags)]
        for atom, leaf in missing:
            if _hit(possible, partial(self._without, leaf), self.about) is None:
                return atom
        return missing[0][0]

    def _without(self, leaf: Node, states: FlagStates) -> Question:
        """Return what asks whether it is not met, although one of its atoms is not missing."""
        question = self.question(states)
        return lambda flags: _pairs(
            question(flags), _negated(self._unmet(leaf, states, flags)), all
        )

    def _unmet(self, node: Node, states: FlagStates, flags: Flags) -> frozenset[bool]:
        found = outcomes((node,), flags, states.eapi, self._judge(states))
        return frozenset(one is Reduced.UNMET for one in found)


def _unmet(atom: Atom, demands: list[_Demand], possible: tuple[FlagStates, ...]) -> UnmetAtom:
    def question(states: FlagStates) -> Question:
        asked = [one.question(states) for one in demands]

        def ask(flags: Flags) -> frozenset[bool]:
            answer = frozenset({False})
            for one in asked:
                answer = _pairs(answer, one(flags), any)
            return answer

        return ask

    about = flags_of(one.node for one in demands)
    hit = _hit(possible, question, about)
    assert hit is not None
    states, flags, is_certain = hit
    if not is_certain:
        return UnmetAtom(atom, {}, states, flags, is_certain)
    return UnmetAtom(atom, _condition(possible, question, about, flags), states, flags, is_certain)


# To say it in few words is worth less than to say it at all.
_FEW_STEPS = MOST_STEPS // 5

_Asking = Callable[[FlagStates], Question]


def _hit(
    possible: tuple[FlagStates, ...],
    question: _Asking,
    about: tuple[str, ...],
    given: Flags | None = None,
    most: int = MOST_STEPS,
) -> tuple[FlagStates, Flags, bool] | None:
    """Return a state for which the answer is True, a certain one if there is one."""
    unsure: tuple[FlagStates, Flags, bool] | None = None
    for states in possible:
        found = states.find(question(states), given, about, most)
        if found is not None:
            if found[1]:
                return (states, *found)
            unsure = unsure or (states, *found)
    return unsure


def _condition(
    possible: tuple[FlagStates, ...], question: _Asking, about: tuple[str, ...], hit: Flags
) -> Flags:
    """Return few flags with which the answer is always True."""

    def is_enough(given: Flags) -> bool:
        found = _hit(possible, question, about, given, _FEW_STEPS)
        if found is None or not found[2]:
            return False
        return _hit(possible, lambda one: _not(question(one)), about, given, _FEW_STEPS) is None

    names = tuple(name for name in about if name in hit)
    given = {name: hit[name] for name in names}
    single = ({name: is_on} for name in names for is_on in (True, False))
    try:
        for few in ({}, *single):
            if is_enough(few):
                return few
        for name in names:
            fewer = {other: is_on for other, is_on in given.items() if other != name}
            if is_enough(fewer):
                given = fewer
    except TooManyStatesError:
        # They are enough, and more than are needed perhaps.
        return given
    return given


def _not(question: Question) -> Question:
    return lambda flags: _negated(question(flags))


def _negated(answers: frozenset[bool]) -> frozenset[bool]:
    return frozenset(not one for one in answers)


def _pairs(
    one: frozenset[bool], other: frozenset[bool], joined: Callable[[Iterable[bool]], bool]
) -> frozenset[bool]:
    return frozenset(joined((left, right)) for left in one for right in other)


def _is_choice(node: Node) -> bool:
    while isinstance(node, Conditional):
        node = node.children[0]
    return isinstance(node, Group) and node.operator is not Operator.ALL_OF


def _under(leaf: Leaf, around: Iterable[Node]) -> Node:
    """Return a word under its conditions alone, as if it were in no choice."""
    found: Node = leaf
    for node in reversed(tuple(around)):
        if isinstance(node, Conditional):
            found = replace(node, children=(found,))
    return found
