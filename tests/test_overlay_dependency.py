"""Dependency strings as trees, held to Portage's use_reduce."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from overlaylint.overlay.dependency import (
    Conditional,
    DependencyError,
    Group,
    Leaf,
    Operator,
    parse_dependency,
)

FLAGS = ("a", "b", "c")
LEAVES = st.sampled_from(["cat/x", ">=cat/y-1:0=[a?]", "!cat/z", "~cat/w-1"])
TREES = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        "{} ( {} )".format,
        st.sampled_from(["", "||", "a?", "!b?", "c?"]),
        st.lists(inner, min_size=1, max_size=3).map(" ".join),
    ),
    max_leaves=8,
)
STRINGS = st.lists(TREES, max_size=4).map("  ".join)
NOISE = st.lists(
    st.sampled_from(
        ["(", ")", "||", "a?", "!a?", "cat/x", "(cat/x", "cat/x)", "?", "!?", "-a?", "|| (", "^^"]
    ),
    max_size=6,
).map(" ".join)


@given(STRINGS, st.sets(st.sampled_from(FLAGS)))
def test_what_is_active_is_what_portage_leaves(text: str, use: set[str]) -> None:
    dep = pytest.importorskip("portage.dep")
    theirs = [word for word in dep.use_reduce(text, uselist=use, flat=True) if word != "||"]
    assert [leaf.text for leaf, _ in parse_dependency(text).active(use)] == theirs


@given(st.one_of(STRINGS, NOISE))
@example("|| ( a? ) b")
@example("a? b")
@example("|| ( )")
@example("( ( ) )")
def test_what_is_malformed_is_so_for_portage(text: str) -> None:
    dep = pytest.importorskip("portage.dep")
    try:
        dep.use_reduce(text, matchall=True, token_class=dep.Atom, eapi="8")
        is_good = True
    except dep.InvalidDependString:
        is_good = False
    if is_good:
        parse_dependency(text)
    else:
        with pytest.raises(DependencyError):
            parse_dependency(text)


@given(STRINGS)
def test_every_word_stands_where_it_says(text: str) -> None:
    for leaf, around in parse_dependency(text).leaves():
        assert text[leaf.start : leaf.end] == leaf.text
        for node in around:
            assert node.start <= leaf.start < leaf.end <= node.end
            assert text[node.end - 1] == ")"


def test_a_tree_keeps_conditions_and_groups() -> None:
    found = parse_dependency("a? ( !b? ( cat/x ) ) || ( cat/y ( cat/z ) )")
    condition, choice = found.children
    assert isinstance(condition, Conditional)
    assert (condition.flag, condition.is_negated) == ("a", False)
    assert isinstance(choice, Group)
    assert choice.operator is Operator.ANY_OF
    assert [(leaf.text, len(around)) for leaf, around in found.leaves()] == [
        ("cat/x", 2),
        ("cat/y", 1),
        ("cat/z", 2),
    ]
    assert found.flags() == {"a", "b"}
    assert list(found.unconditional()) == []


def test_what_always_counts() -> None:
    found = parse_dependency("cat/a ( cat/b ) a? ( cat/c ) || ( cat/d cat/x ) !cat/e")
    assert [leaf.text for leaf in found.unconditional()] == ["cat/a", "cat/b", "!cat/e"]


def test_a_choice_of_one_is_none() -> None:
    text = "|| ( cat/a ) || ( ( cat/b cat/c ) ) ^^ ( cat/d ) ?? ( e ) || ( f? ( g ) )"
    found = parse_dependency(text)
    assert [leaf.text for leaf in found.unconditional()] == ["cat/a", "cat/b", "cat/c", "cat/d"]


def test_arrows_of_src_uri() -> None:
    text = "https://x/a.tar -> b.tar a? ( https://x/c )"
    found = [leaf for leaf, _ in parse_dependency(text, has_arrows=True).leaves()]
    assert found == [Leaf("https://x/a.tar", 0, 24, "b.tar"), Leaf("https://x/c", 30, 41)]


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("cat/a )", "`)` without `(`", ")"),
        ("cat/a ( cat/b", "`(` without `)`", "("),
        ("|| cat/a", "'||' is not followed by `(`", "||"),
        ("cat/a flag?", "'flag?' is not followed by `(`", "flag?"),
        ("-a? ( x )", "'-a?' is not a condition", "-a?"),
        ("(cat/a )", "blanks are missing around a parenthesis in '(cat/a'", "(cat/a"),
        ("cat/a ( || ( ) )", "a group is empty", "|| ( )"),
        ("( " * 200, "groups are nested too deeply", "("),
    ],
)
def test_the_error_tells_the_place(text: str, message: str, place: str) -> None:
    with pytest.raises(DependencyError) as caught:
        parse_dependency(text)
    assert str(caught.value) == message
    assert text[caught.value.start : caught.value.end] == place


def test_an_atom_of_a_leaf() -> None:
    ((leaf, _),) = parse_dependency(">=cat/x-1:0=[a]").leaves()
    assert leaf.atom("8").cp == "cat/x"
