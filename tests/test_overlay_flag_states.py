"""The states of USE flags, and what a dependency comes to in them, beside Portage's own answers."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from overlaylint.overlay.dependency import (
    Conditional,
    Group,
    Leaf,
    Node,
    Operator,
    parse_dependency,
)
from overlaylint.overlay.flag_states import (
    MET,
    UNMET,
    Flags,
    FlagStates,
    Reduced,
    TooManyStatesError,
    allowed,
    outcomes,
)
from overlaylint.overlay.unmet_atoms import flags_of, unmet_atoms

FLAGS = ("a", "b", "c", "d")
EAPIS = st.sampled_from(("5", "7", "8"))
#: Atoms whose version says whether something meets them.
ATOMS = st.sampled_from(("=x/x-1", "=x/y-1", "=x/x-2", "=x/x-3", "=x/z-2"))


def trees(words: st.SearchStrategy[str], choices: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Return what makes up lists of words in groups, choices and conditions."""
    heads = ("", *choices, *(f"{sign}{flag}?" for flag in FLAGS for sign in ("", "!")))

    def grouped(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        bodies = st.lists(inner, min_size=1, max_size=3).map(" ".join)
        return st.builds("{} ( {} )".format, st.sampled_from(heads), bodies)

    return st.lists(st.recursive(words, grouped, max_leaves=6), max_size=3).map(" ".join)


REQUIRED = trees(
    st.sampled_from((*FLAGS, *(f"!{flag}" for flag in FLAGS))), ("||", "^^", "??", "||", "^^")
)
DEPENDS = trees(ATOMS, ("||", "||", "||"))


def states(flags: Flags | None = None) -> list[dict[str, bool]]:
    """Return every state of all flags in which some are as given."""
    every = (dict(zip(FLAGS, on, strict=True)) for on in product((False, True), repeat=len(FLAGS)))
    return [one for one in every if (flags or {}).items() <= one.items()]


def judge(leaf: Leaf, _: Flags) -> frozenset[Reduced]:
    return MET if leaf.text.endswith("-1") else UNMET


def is_met(reduced: Any) -> bool:
    """Whether what Portage leaves of a dependency is met."""
    if isinstance(reduced, list):
        choice = reduced[:1] == ["||"]
        return any(map(is_met, reduced[1:])) if choice else all(map(is_met, reduced))
    return str(reduced).endswith("-1")


PARTS = st.dictionaries(st.sampled_from(FLAGS), st.booleans())


@given(REQUIRED, EAPIS)
def test_required_use_holds_as_portage_checks_it(text: str, eapi: str) -> None:
    dep = pytest.importorskip("portage.dep")
    required_use = parse_dependency(text)
    for flags in states():
        use = [flag for flag, is_on in flags.items() if is_on]
        theirs = bool(dep.check_required_use(text, use, FLAGS.__contains__, eapi=eapi))
        assert allowed(required_use.children, flags, eapi) == {theirs}, use


@given(DEPENDS, EAPIS)
def test_what_is_left_of_a_dependency_is_met_as_portage_leaves_it(text: str, eapi: str) -> None:
    dep = pytest.importorskip("portage.dep")
    nodes = parse_dependency(text).children
    for flags in states():
        use = [flag for flag, is_on in flags.items() if is_on]
        theirs = dep.use_reduce(
            text, uselist=use, is_valid_flag=FLAGS.__contains__, opconvert=True, eapi=eapi
        )
        ours = outcomes(nodes, flags, eapi, judge)
        assert len(ours) == 1
        assert (Reduced.UNMET not in ours) is is_met(theirs), use


@given(REQUIRED, DEPENDS, PARTS, EAPIS)
def test_with_open_flags_nothing_is_left_out(
    required: str, depends: str, flags: Mapping[str, bool], eapi: str
) -> None:
    required_use, nodes = parse_dependency(required), parse_dependency(depends).children
    for full in states(flags):
        assert allowed(required_use.children, full, eapi) <= allowed(
            required_use.children, flags, eapi
        )
        assert outcomes(nodes, full, eapi, judge) <= outcomes(nodes, flags, eapi, judge)


def is_unmet(flags: Flags, nodes: tuple[Node, ...], eapi: str) -> bool:
    return outcomes(nodes, flags, eapi, judge) == UNMET


@given(REQUIRED, DEPENDS, PARTS, EAPIS)
def test_a_state_is_found_if_there_is_one(
    required: str, depends: str, settled: Mapping[str, bool], eapi: str
) -> None:
    nodes = parse_dependency(depends).children
    required_use = parse_dependency(required)
    free = tuple(flag for flag in FLAGS if flag not in settled)
    found = FlagStates(None, eapi, settled, free, required_use).find(
        lambda flags: frozenset(one is Reduced.UNMET for one in outcomes(nodes, flags, eapi, judge))
    )
    legal = [one for one in states(settled) if allowed(required_use.children, one, eapi) == {True}]
    there = [one for one in legal if is_unmet(one, nodes, eapi)]
    assert (found is not None) is bool(there)
    if found is not None:
        flags, is_certain = found
        assert is_certain
        # Whatever the others are, it is so.
        assert all(one in there for one in states(flags) if one in legal)


def apart(nodes: tuple[Node, ...]) -> list[Node]:
    """Return each word and choice by itself, under its conditions."""
    found: list[Node] = []
    for node in nodes:
        if isinstance(node, Conditional):
            found += [
                Conditional(node.flag, node.is_negated, (inner,), node.start, node.end)
                for inner in apart(node.children)
            ]
        elif isinstance(node, Group) and node.operator is Operator.ALL_OF:
            found += apart(node.children)
        else:
            found.append(node)
    return found


@given(REQUIRED, DEPENDS, PARTS, EAPIS)
def test_atoms_are_unmet_with_the_flags_that_are_told(
    required: str, depends: str, settled: Mapping[str, bool], eapi: str
) -> None:
    nodes = apart(parse_dependency(depends).children)
    required_use = parse_dependency(required)
    free = tuple(flag for flag in FLAGS if flag not in settled)
    possible = (FlagStates(None, eapi, settled, free, required_use),)
    found = list(unmet_atoms(nodes, possible, lambda _: judge, lambda _: True))
    legal = [one for one in states(settled) if allowed(required_use.children, one, eapi) == {True}]
    unmet = [one for one in legal if is_unmet(one, tuple(nodes), eapi)]
    assert not found or unmet
    texts = [str(one.atom) for one in found]
    assert len(texts) == len(set(texts))
    for one in found:
        assert one.is_certain
        assert one.atom.text.endswith(("-2", "-3"))
        enough = [state for state in states(one.condition) if state in legal]
        assert enough
        assert all(state in unmet for state in enough)
        # None is said that would do without; from EAPI 7 on, choices of nothing are unmet as well.
        if eapi == "5" and len(found) == 1:
            for flag in one.condition:
                fewer = {name: is_on for name, is_on in one.condition.items() if name != flag}
                assert not all(state in unmet for state in states(fewer) if state in legal)


def test_flags_in_brackets_count() -> None:
    text = "a? ( x/x[b?,c(+),d=] ) !e? ( x/y )"
    assert flags_of(parse_dependency(text).children) == ("a", "b", "d", "e")


def test_a_choice_is_named_by_what_is_missing_whenever_it_is() -> None:
    nodes = parse_dependency("|| ( a? ( =x/x-2 ) =x/x-3 )").children
    possible = (FlagStates(None, "7", {}, ("a",), parse_dependency("")),)
    (found,) = unmet_atoms(nodes, possible, lambda _: judge, lambda _: True)
    assert (found.atom.text, found.condition) == ("=x/x-3", {})


def test_flags_that_are_unsure_make_it_uncertain() -> None:
    possible = (FlagStates(None, "7", {}, (), parse_dependency(""), ("a",), "why"),)
    for text, expected in (
        ("a? ( =x/x-2 )", [("=x/x-2", False)]),
        ("a? ( !a? ( =x/x-2 ) )", []),
        ("a? ( =x/x-2 ) !a? ( =x/x-3 )", [("=x/x-2", False), ("=x/x-3", False)]),
        ("a? ( =x/x-2 ) =x/x-3", [("=x/x-2", False), ("=x/x-3", True)]),
    ):
        nodes = parse_dependency(text).children
        found = unmet_atoms(nodes, possible, lambda _: judge, lambda _: True)
        assert [(str(one.atom), one.is_certain) for one in found] == expected


def test_what_takes_too_long_is_given_up() -> None:
    flags = tuple(f"f{index}" for index in range(30))
    text = " ".join(f"^^ ( {one} {other} )" for one, other in pairwise(flags))
    odd = parse_dependency(f"{text} ^^ ( {flags[0]} {flags[-1]} )")
    # Every other flag is on: there is a state, and it is found at once.
    assert FlagStates(None, "7", {}, flags, odd).find(lambda _: frozenset({True})) is not None
    hidden = parse_dependency(f"|| ( {' '.join(flags)} )")

    def never_told(found: Flags) -> frozenset[bool]:
        return frozenset({False}) if len(found) == len(flags) else frozenset({True, False})

    with pytest.raises(TooManyStatesError):
        FlagStates(None, "7", {}, flags, hidden).find(never_told)
