"""The text output: frames, and text that wants to be more than text."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import CLEAN, HELLO, overlay, write

from overlaylint.engine.packs import load_catalog
from overlaylint.engine.result import Result, Skipped, Sources
from overlaylint.finding import Finding, Fix, Related, Severity, Span, Undecided
from overlaylint.lines import LineIndex
from overlaylint.overlay.masters import find_repositories
from overlaylint.report import Settings
from overlaylint.report.escape import visible
from overlaylint.report.frame import Label, frame
from overlaylint.report.style import Style
from overlaylint.report.text import render


def shown(data: bytes, *labels: Label, width: int = 80) -> list[str]:
    return frame(LineIndex(data), labels, Style(), width)


def result_of(root: Path, *findings: Finding, **more: object) -> Result:
    repository = find_repositories(root).overlay
    more = {"rules": (), **more}
    return Result(Sources(repository), root, files=1, findings=findings, **more)  # type: ignore[arg-type]


SCRIPT = b'EAPI=7\n\nDESCRIPTION="x"\nSLOT="0"\n\nRDEPEND="\n\tone\n\ttwo\n"\nIUSE="a"\n'


def test_frame_with_context() -> None:
    assert shown(SCRIPT, Label(8, 19, is_primary=True)) == [
        "  |",
        "1 | EAPI=7",
        "2 |",
        '3 | DESCRIPTION="x"',
        "  | ^^^^^^^^^^^",
        '4 | SLOT="0"',
        "5 |",
        "  |",
    ]


def test_frame_of_several_lines() -> None:
    start = SCRIPT.index(b'"\n\tone')
    end = SCRIPT.index(b"\nIUSE")
    assert shown(SCRIPT, Label(start, end, is_primary=True))[3:11] == [
        ' 6 | RDEPEND="',
        "   |         ^",
        " 7 |     one",
        "   |     ^^^",
        " 8 |     two",
        "   |     ^^^",
        ' 9 | "',
        "   | ^",
    ]


def test_frame_with_a_related_place_far_away() -> None:
    data = b"first\n" + b"\n" * 8 + b"last\n"
    assert shown(data, Label(14, 18, is_primary=True), Label(0, 5, "set here")) == [
        "   |",
        " 1 | first",
        "   | ----- set here",
        "...",
        " 8 |",
        " 9 |",
        "10 | last",
        "   | ^^^^",
        "   |",
    ]


def test_frame_leaves_out_no_single_line() -> None:
    data = b"one\ntwo\nthree\nfour\nfive\n"
    lines = shown(data, Label(19, 23, is_primary=True), Label(0, 3, "here"))
    assert "..." not in lines
    assert "2 | two" in lines


def test_frame_at_the_end_of_the_file() -> None:
    assert shown(b"if true\n", Label(8, 9, is_primary=True))[1:3] == ["1 | if true", "  |        ^"]


def test_frame_of_wide_characters_and_tabs() -> None:
    data = "\tx=你好 y\n".encode()
    start = data.index(b"y")
    assert shown(data, Label(start, start + 1, is_primary=True))[1:3] == [
        "1 |     x=你好 y",
        "  |            ^",
    ]


def test_frame_of_a_line_of_10_mb_is_short() -> None:
    data = b"x" * 5_000_000 + b"HERE" + b"y" * 5_000_000
    lines = shown(data, Label(5_000_000, 5_000_004, is_primary=True))
    assert all(len(line) <= 80 + 8 for line in lines)
    at = lines[1].index("HERE")
    assert lines[2][at : at + 4] == "^^^^"
    assert lines[1].startswith("1 | ...")
    assert lines[1].endswith("...")


def test_frame_of_many_lines_shows_both_ends() -> None:
    data = b"line\n" * 100
    lines = shown(data, Label(0, 500, is_primary=True))
    assert len(lines) < 30
    assert "  1 | line" in lines
    assert "100 | line" in lines


HOSTILE = "a\x1b[31mb\x07c\u202ed\x9be\x00f\u200bg\rh"


def test_control_characters_are_shown_and_not_sent() -> None:
    assert visible(HOSTILE) == ("a\\x1b[31mb\\x07c\\u202ed\\x9be\\x00f\\u200bg\\rh")
    data = HOSTILE.encode() + b"\xff\n"
    at = data.index(b"h")
    line, mark = shown(data, Label(at, at + 1, is_primary=True))[1:3]
    assert line.startswith("1 | a\\x1b[31mb\\x07c")
    assert line.endswith("h\\xff")
    assert line[mark.index("^")] == "h"


@given(st.text())
def test_nothing_visible_is_a_control_character(text: str) -> None:
    shown = visible(text)
    assert shown.isprintable()
    assert not {unicodedata.category(one) for one in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert visible(shown) == shown


@given(st.binary(max_size=200), st.integers(0, 210), st.integers(0, 210))
def test_any_place_in_any_file_has_a_frame(data: bytes, start: int, length: int) -> None:
    lines = shown(data, Label(start, start + length, "m", True), width=60)
    assert all(line.isprintable() for line in lines)
    assert any("^" in line for line in lines)


def test_everything_a_finding_has_is_shown(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: SCRIPT, "base::eclass/x.eclass": "one\ntwo\n"})
    finding = Finding(
        Span(HELLO, 8, 19),
        "the message",
        help="the help",
        related=(
            Related(Span(HELLO, 0, 4), "near"),
            Related(Span("eclass/x.eclass", 4, 7, "base"), "far"),
            Related(Span("app-misc/hello"), "whole"),
        ),
        fix=Fix.unsafe("the fix"),
        rule="the-rule",
        severity=Severity.WARNING,
    )
    text = render([result_of(root, finding)], Settings())
    assert text.split("\n\n")[0].splitlines() == [
        "warning[the-rule]: the message",
        f"  --> {HELLO}:3:1",
        "  |",
        "1 | EAPI=7",
        "  | ---- near",
        "2 |",
        '3 | DESCRIPTION="x"',
        "  | ^^^^^^^^^^^",
        '4 | SLOT="0"',
        "5 |",
        "  |",
        "  ::: base::eclass/x.eclass:2:1",
        "  |",
        "2 | two",
        "  | --- far",
        "  |",
        "  ::: app-misc/hello",
        "      whole",
        "  help: the help",
        "  unsafe fix: the fix",
    ]


def test_summary(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN})
    rules = load_catalog().rules
    result = result_of(
        root,
        rules=(rules["parse-error"], rules["dangling-link"]),
        undecided=(Undecided(Span(HELLO, 0, 4), "who knows", "the-rule"),),
        skipped=(Skipped("other-rule", "no masters"),),
    )
    assert render([result], Settings()).splitlines() == [
        (
            "1 file checked with 1 rule: no findings, 1 undecided (--show-undecided lists them),"
            " 1 rule skipped"
        ),
        "skipped: other-rule: no masters",
    ]
    shown = render([result], Settings(show_undecided=True))
    assert f"undecided: {HELLO}:1:1: the-rule: who knows\n" in shown


@pytest.mark.parametrize("text", ["\n::add-mask::secret", "##[add-mask]secret", "\r\n##[error]x"])
def test_text_starts_no_command_of_a_runner(text: str, tmp_path: Path) -> None:
    name = "app-misc/##[group]x/::error::x-1.ebuild"
    root = overlay(tmp_path, {})
    write(root, name, f"EAPI=7\n::error::x\n##[error]x{text}\n")
    finding = Finding(
        Span(name, 7, 20),
        text,
        help=text,
        related=(Related(Span(name, 0, 4), text),),
        fix=Fix.safe(text),
        rule="the-rule",
    )
    result = result_of(root, finding, skipped=(Skipped("a-rule", text),))
    shown = render([result], Settings(environment={"GITHUB_ACTIONS": "true"}))
    for line in shown.splitlines():
        assert not line.strip().startswith("::")
        assert "##[" not in line
