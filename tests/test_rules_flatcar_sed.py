"""What sed does to one line: held to GNU sed where it is at hand, and to what it said elsewhere."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from overlaylint.overlay.sed import UnknownEdit, extended, parse_call
from overlaylint.shell.values import Mixed, Unknown, Value

LINE = "sbin_PROGRAMS = auditd auditctl aureport ausearch autrace"

# Arguments without files, a line, and what GNU sed 4.9 printed for it.
EDITS: list[tuple[list[str], str, str]] = [
    (["-e", "/^sbin_PROGRAMS =/s/auditd//"], LINE, LINE.replace("auditd", "")),
    (["-e", "/^bin_PROGRAMS =/s/auditd//"], LINE, LINE),
    (
        ["-e", "s/auditd //", "-e", "s/aureport //"],
        LINE,
        "sbin_PROGRAMS = auditctl ausearch autrace",
    ),
    (["-E", r"s/(auditd|aureport) ?//g"], LINE, "sbin_PROGRAMS = auditctl ausearch autrace"),
    ([r"s/\(auditd\|aureport\) \?//g"], LINE, "sbin_PROGRAMS = auditctl ausearch autrace"),
    ([r"s/\<autrace$//"], LINE, LINE.removesuffix("autrace")),
    (["-r", r"s/^(sbin_PROGRAMS[ \t]*=).*/\1 auditctl/"], LINE, "sbin_PROGRAMS = auditctl"),
    (["s/au[a-z]*/<&>/2"], LINE, LINE.replace("auditctl", "<auditctl>")),
    (["s/aud/AUD/2g"], "aud aud aud", "aud AUD AUD"),
    (["s/a*/x/g"], "baac", "xbxcx"),
    (["s/^a/b/g"], "aaa", "baa"),
    (["s/a/b/I;s,b,c,"], "A", "c"),
    (["s/[/]/x/"], "a/b", "axb"),
    (["s/[]a]/x/g"], "]a", "xx"),
    (["s/[[:space:]]a/x/"], "b a", "bx"),
    (["s/*/x/"], "a*", "ax"),
    (["s/a\\{2\\}/x/"], "aaa", "xa"),
    (["s/${DESTDIR}/x/"], "a${DESTDIR}", "ax"),
    (["/^^/d"], "^a", ""),
    (["/sbin/!d"], "bin", ""),
    (["-n", "/sbin/p"], LINE, LINE),
    (["-n", "/nope/p"], LINE, ""),
    (["/sbin/{s/auditd //;s/autrace//}"], LINE, "sbin_PROGRAMS = auditctl aureport ausearch "),
    (["/sbin/a\\\nmore"], "sbin", "sbin\nmore"),
    (["/sbin/i more"], "sbin", "more\nsbin"),
    (["/sbin/c other"], "sbin", "other"),
    (["s/a/b/ # why\ns/b/c/"], "a", "c"),
    (["--expression=s/a/b/", "--regexp-extended"], "a", "b"),
]

UNKNOWN: list[list[Value]] = [
    ["1d"],
    ["$d"],
    ["/a/,/b/d"],
    ["N;s/a/b/"],
    ["y/a/b/"],
    ["s/a/b/w file"],
    [r"s/\(a\)\1/b/"],
    [r"s/a/\1/"],
    [r"s/a/\U&/"],
    ["s/a"],
    ["{s/a/b/"],
    ["-f", "script"],
    ["--posix", "s/a/b/"],
    [Mixed(("s/", Unknown("it is unknown"), "//"))],
]


@pytest.mark.parametrize(("arguments", "line", "wanted"), EDITS)
def test_edits(arguments: list[str], line: str, wanted: str) -> None:
    assert "\n".join(parse_call([*arguments]).edit(line)) == wanted


@pytest.mark.parametrize(("arguments", "line", "wanted"), EDITS)
def test_the_table_is_what_sed_prints(arguments: list[str], line: str, wanted: str) -> None:
    sed = shutil.which("sed")
    if (
        sed is None
        or "GNU"
        not in subprocess.run(
            [sed, "--version"], capture_output=True, text=True, check=False
        ).stdout.split(")", maxsplit=1)[0]
    ):
        pytest.skip("there is no GNU sed")
    found = subprocess.run(
        [sed, *arguments], input=f"{line}\n", capture_output=True, text=True, check=True
    )
    assert found.stdout.removesuffix("\n") == wanted


@pytest.mark.parametrize("arguments", UNKNOWN)
def test_what_is_not_understood_is_unknown(arguments: list[Value]) -> None:
    with pytest.raises(UnknownEdit):
        parse_call(arguments).edit("a b")


@pytest.mark.parametrize(
    ("script", "texts"),
    [
        ("/a.o/d", ()),
        ("s/a.o//;s/b/c&d/", ("", "c\0d")),
        ("/x/{a a.o\n}", ("a.o",)),
        ("/x/i\\\na.o", ("a.o",)),
    ],
)
def test_texts_that_a_script_puts_in(script: str, texts: tuple[str, ...]) -> None:
    assert parse_call(["-i", script, "Makefile"]).new_texts() == texts


def test_texts_of_a_script_that_is_not_understood_are_unknown() -> None:
    with pytest.raises(UnknownEdit):
        parse_call(["-i", "$a a.o", "Makefile"]).new_texts()


def test_an_unknown_piece_of_a_replacement_does_not_matter() -> None:
    script = Mixed(("s,auditd,", Unknown("it is unknown"), ","))
    (line,) = parse_call([script]).edit(LINE)
    assert "auditd" not in line.split()


@pytest.mark.parametrize(
    ("arguments", "files", "is_in_place"),
    [
        (["-i", "-e", "s/a/b/", "f", "g"], ("f", "g"), True),
        (["-e", "s/a/b/", "-i.bak", "f"], ("f",), True),
        (["-ie", "s/a/b/", "f"], ("f",), True),
        (["s/a/b/", "f"], ("f",), False),
        (["-nE", "--in-place=.bak", "s/a/b/p", "--", "-f"], ("-f",), True),
    ],
)
def test_command_lines(arguments: list[str], files: tuple[str, ...], is_in_place: bool) -> None:
    call = parse_call([*arguments])
    assert (call.files, call.is_in_place) == (files, is_in_place)


def test_hostile_expressions_take_no_time_and_give_no_answer() -> None:
    for script in ("s/" + "a*" * 2000 + "b//", "s/" + r"\(" * 500 + r"\)" * 500 + "//"):
        with pytest.raises(UnknownEdit):
            parse_call([script]).edit("a" * 400)


def test_basic_expressions_in_extended_form() -> None:
    assert extended(r"^*a(b\)") == r"^\*a\(b)"
    assert extended(r"[(*]\{1,2\}$x$") == r"[(*]{1,2}\$x$"
