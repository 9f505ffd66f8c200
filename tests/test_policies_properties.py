"""What policies take for certain holds whatever is unknown."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from overlaylint.overlay.atom import Atom, Candidate, parse_atom
from overlaylint.overlay.version import parse_version
from overlaylint.policies.dependencies import _meets
from overlaylint.policies.matching import matches, words_of
from overlaylint.shell.conditions import UseFlag, negate
from overlaylint.shell.values import Unknown, Value, join

TEXT = st.text("ab.*/", max_size=4)
GLOB = st.lists(st.sampled_from(("a", "b", ".", "*", "?", "[ab]", "[!a]", "/")), max_size=6).map(
    "".join
)
HOLE = Unknown("nobody knows")
CHOICE = Unknown("it depends", choices=((UseFlag("x"), "a"), (negate(UseFlag("x")), "b.")))
PIECES = st.lists(st.one_of(TEXT, st.just(HOLE), st.just(CHOICE)), max_size=4)


@given(GLOB, PIECES, st.lists(TEXT, min_size=4, max_size=4), st.booleans())
@example("*.0", ["1.", HOLE, ".0"], ["x"] * 4, True)
def test_a_certain_answer_holds_whatever_is_unknown(
    glob: str, pieces: list[str | Unknown], fillings: list[str], flag: bool
) -> None:
    answer = matches(glob, join(pieces))
    if answer is None:
        return
    filled = "".join(
        piece
        if isinstance(piece, str)
        else piece.choices[not flag][1]
        if piece.choices
        else fillings[at]
        for at, piece in enumerate(pieces)
    )
    assert fnmatchcase(filled, glob) is answer


@given(GLOB, TEXT)
def test_what_is_known_is_matched_as_fnmatch_does(glob: str, text: str) -> None:
    assert matches(glob, text) is fnmatchcase(text, glob)


@pytest.mark.parametrize(
    ("glob", "pieces", "answer"),
    [
        ("${D}/etc/*", [Unknown("", symbol="D", is_word=True), "/etc/x"], True),
        ("${D}/etc/*", [Unknown("", symbol="ROOT", is_word=True), "/etc/x"], False),
        ("${D}/etc/*", [HOLE, "/etc/x"], None),
        ("*/etc/*", [HOLE, "/etc/x"], True),
        ("--root=${D}", ["--root=", Unknown("", symbol="D", is_word=True)], True),
        ("--root=${D}", ["--root=/"], False),
        ("*.0", ["1.", HOLE, ".1"], False),
        ("*.0", ["1.", HOLE], None),
        ("[ab]*", [CHOICE], True),
        ("a*", [CHOICE], None),
        ("c*", [CHOICE], False),
    ],
)
def test_globs(glob: str, pieces: list[str | Unknown], answer: bool | None) -> None:
    assert matches(glob, join(pieces)) is answer


@pytest.mark.parametrize(
    ("value", "words", "is_open"),
    [
        (" a  b\n", ("a", "b"), False),
        ("", (), False),
        (join(("a ", HOLE)), ("a", join((HOLE,))), True),
        (join(("a", HOLE, " c")), (join(("a", HOLE)), "c"), True),
    ],
)
def test_words(value: Value, words: tuple[Value, ...], is_open: bool) -> None:
    assert words_of(value) == (words, is_open)


VERSIONS = ("1", "1-r1", "1.0", "1.1", "1.1_rc1", "1.1-r2", "2", "2.0.1")
OPERATORS = ("", ">=", ">", "<=", "<", "=", "~", "=*")
SLOTS = ("", ":0", ":1", ":0/2")


def _atoms() -> list[Atom]:
    found = []
    for operator in OPERATORS:
        for version in VERSIONS:
            for slot in SLOTS:
                text = f"{operator.rstrip('*')}a/b{f'-{version}' if operator else ''}"
                text += "*" if operator == "=*" else ""
                if operator == "~" and "-r" in version:
                    continue
                found.append(parse_atom(text + slot))
    return list(dict.fromkeys(found))


ATOMS = _atoms()


def test_a_dependency_that_is_enough_is_met_by_nothing_else() -> None:
    """Every candidate that meets it meets what is wanted; and some pairs are told to be enough."""
    candidates = []
    for version in VERSIONS:
        parsed = parse_version(version)
        assert parsed is not None
        candidates += [Candidate("a/b", parsed, slot) for slot in ("0", "0/2", "1")]
    enough = 0
    for dependency in ATOMS:
        met_by = {one for one in candidates if dependency.matches(one)}
        for wanted in ATOMS:
            if _meets(dependency.text, wanted):
                enough += dependency != wanted
                assert all(wanted.matches(one) for one in met_by), (dependency, wanted)
    assert enough > 1000
    assert not _meets("!a/b", parse_atom("a/b"))
    assert not _meets("a/b", parse_atom("a/b[x]"))
    assert _meets("a/b[x,-y]", parse_atom("a/b[x]"))
