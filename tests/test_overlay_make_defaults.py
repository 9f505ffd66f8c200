"""make.defaults, held to Portage's getconfig; and the place of every word."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from overlaylint.overlay.make_defaults import MakeDefaults, read_make_defaults

PIECES = st.sampled_from(
    [
        "a",
        "B",
        "FOO",
        "$FOO",
        "${FOO}",
        "${NONE}",
        "$",
        "${",
        "}",
        "${}",
        "\\",
        "\\\\",
        "\\$",
        '\\"',
        "\\'",
        "\n",
        "\\\n",
        " ",
        "\t",
        "#",
        " # note\n",
        "'",
        '"',
        "=",
        "-",
        "*",
        "+",
        "é",
        "(",
        "\r\n",
        "x=y",
        "export",
    ]
)
VALUES = st.lists(PIECES, max_size=6).map("".join)
QUOTES = st.sampled_from(['"', "'", ""])
NAMES = st.sampled_from(["FOO", "BAR", "USE", "_x1"])
LINES = st.builds(
    lambda name, quote, value, end: f"{name}={quote}{value}{quote}{end}",
    NAMES,
    QUOTES,
    VALUES,
    st.sampled_from(["\n", "\n", " # why\n", "\nexport "]),
)
TEXTS = st.lists(st.one_of(LINES, VALUES.map("# {}".format)), max_size=5).map("".join)


def read(text: bytes, known: dict[str, str] | None = None) -> MakeDefaults:
    return read_make_defaults({"make.defaults": text}, {} if known is None else known)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS)
@example("FOO=a#b\nBAR=c\n")
@example("FOO='$BAR' BAR=\"it's $FOO\"\n")
@example('FOO="a\\\nb" BAR=a\\\nb\n')
@example('FOO="\\\\$FOO \\$FOO"\n')
@example("FOO=\nBAR=x\n")
@example('FOO="é${FOO}"\r\nBAR="a\r\nb"\n')
def test_assignments_are_read_as_portage_reads_them(tmp_path: Path, text: str) -> None:
    util = pytest.importorskip("portage.util")
    exception = pytest.importorskip("portage.exception")
    place = tmp_path / "make.defaults"
    place.write_bytes(text.encode())
    theirs: dict[str, str] | None = None
    with (
        contextlib.redirect_stderr(io.StringIO()),
        contextlib.suppress(exception.ParseError, ValueError),
    ):
        theirs = util.getconfig(str(place), expand={"FOO": "given"})
    ours = read(text.encode(), {"FOO": "given"})
    if theirs is None:
        assert ours.problems
    else:
        assert not ours.problems
        assert {name: last.value.text for name, last in ours.latest().items()} == theirs


@given(TEXTS)
def test_every_literal_word_stands_where_it_says(text: str) -> None:
    data = text.encode()
    for assignment in read(data).assignments:
        assert 0 <= assignment.start < assignment.end <= len(data)
        for word in assignment.value.words():
            assert assignment.start <= word.start < word.end <= assignment.end
        for piece in assignment.value.pieces:
            if piece.is_literal:
                written = data[piece.start : piece.end].replace(b"\r", b"")
                assert written == piece.text.encode()


def words(text: bytes, name: str, known: dict[str, str] | None = None) -> list[tuple[str, bytes]]:
    value = read(text, known).latest()[name].value
    return [(word.text, text[word.start : word.end]) for word in value.words()]


def test_a_word_out_of_a_reference_has_the_place_of_the_reference() -> None:
    text = b'USE="one ${MORE} x${Y}z"\n'
    assert words(text, "USE", {"MORE": "two three", "Y": "y"}) == [
        ("one", b"one"),
        ("two", b"${MORE}"),
        ("three", b"${MORE}"),
        ("xyz", b"x${Y}z"),
    ]


def test_words_over_several_lines() -> None:
    text = 'USE="é-flag\n  -minus \\\n  con\\\ntinued"\n'.encode()
    assert words(text, "USE") == [
        ("é-flag", "é-flag".encode()),
        ("-minus", b"-minus"),
        ("continued", b"con\\\ntinued"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'FOO="a', "a quotation is not closed"),
        (b"FOO 'x'", "'x' stands where `=` was expected"),
        (b"FOO", "the file ends where `=` was expected"),
        (b"FOO=", "the file ends where a value for FOO was expected"),
        (b"1FOO=x", "'1FOO' is not the name of a variable"),
        (b"if [ -f x ]; then", "'[' stands where `=` was expected"),
        (b"source other", "'other' stands where `=` was expected"),
    ],
)
def test_what_portage_refuses_is_a_problem_and_what_stood_before_counts(
    text: bytes, message: str
) -> None:
    found = read(b"BEFORE=1\n" + text)
    assert [problem.message for problem in found.problems] == [message]
    assert [assignment.name for assignment in found.assignments] == ["BEFORE"]


def test_nothing_is_run_or_opened(tmp_path: Path) -> None:
    made = tmp_path / "made"
    found = read(f'FOO="$(touch {made})`touch {made}`"\n'.encode())
    assert not made.exists()
    # Portage takes `$(` for a reference without a name, and the value is empty then.
    assert found.latest()["FOO"].value.text == ""


def test_a_long_value_is_read_quickly_enough() -> None:
    text = b'USE="' + b"flag " * 200_000 + b'"\n' + b"A=" + b"'x'" * 100_000 + b"\n"
    found = read(text)
    assert not found.problems
    assert sum(1 for _ in found.latest()["USE"].value.words()) == 200_000
