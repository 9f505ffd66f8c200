"""Workflow commands: escapes, columns, limits, and where paths start."""

from __future__ import annotations

import json
import re
from pathlib import Path

import host_tools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import HELLO, overlay, overlaylint, write

from overlaylint.engine.result import Result, Sources
from overlaylint.finding import Finding, Severity, Span
from overlaylint.overlay.masters import find_repositories
from overlaylint.report import Settings
from overlaylint.report.github import _MESSAGE, _PROPERTY, _escape, render, step_summary
from overlaylint.report.hosting import region

SCRIPT = "EAPI=7\nDESCRIPTION='é x'\nSLOT=0\n" + "#\n" * 200


def result_of(root: Path, *findings: Finding) -> Result:
    return Result(Sources(find_repositories(root).overlay), root, (), 1, findings)


def finding(start: int, end: int, message: str = "m", **more: object) -> Finding:
    return Finding(Span(HELLO, start, end), message, rule="a-rule", **more)  # type: ignore[arg-type]


def commands(result: Result, **environment: str) -> list[str]:
    return render([result], Settings(environment=environment)).splitlines()


def unescape(text: str) -> str:
    """Undo what the runner undoes, the percent sign last."""
    for escaped, plain in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(escaped, plain)
    return text


def test_a_command(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: SCRIPT})
    start = SCRIPT.encode().index(b"x'")
    assert commands(result_of(root, finding(start, start + 1, "50%: a, b", help="do it"))) == [
        (
            f"::error title=overlaylint%3A a-rule,file={HELLO},line=2,endLine=2,col=16,endColumn=17"
            f"::{HELLO}:2:16: a-rule: 50%25: a, b; do it"
        )
    ]


def test_a_place_of_several_lines_has_no_columns(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: SCRIPT})
    (line,) = commands(result_of(root, finding(0, 10)))
    assert ",line=1,endLine=2::" in line


def test_a_place_that_ends_with_its_line_is_of_one_line(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: SCRIPT})
    (line,) = commands(result_of(root, finding(5, 7)))
    assert ",line=1,endLine=1,col=6,endColumn=7::" in line


def test_a_place_at_the_end_of_the_file_is_in_the_last_line(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: "EAPI=7\n"})
    (line,) = commands(result_of(root, finding(7, 8)))
    assert ",line=1,endLine=1," in line


def test_a_file_without_content_has_a_line(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: SCRIPT}, {"app-misc/hello/hello-2.ebuild": "nowhere"})
    span = Span("app-misc/hello/hello-2.ebuild")
    (line,) = commands(result_of(root, Finding(span, "m", rule="a-rule")))
    assert "line=1,endLine=1,col=1,endColumn=1" in line


def test_severities(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: SCRIPT})
    found = [finding(i * 2, i * 2 + 1, severity=one) for i, one in enumerate(Severity, 20)]
    kinds = [line.split()[0] for line in commands(result_of(root, *found))]
    assert kinds == ["::error", "::warning", "::notice"]


def test_paths_start_at_the_repository(tmp_path: Path) -> None:
    folder = tmp_path / "work/scripts/third_party"
    root = overlay(folder, {HELLO: SCRIPT})
    result = result_of(root, finding(0, 1))
    assert f"file={HELLO}," in commands(result)[0]
    (tmp_path / "work/scripts/.git").mkdir()
    assert f"file=third_party/overlay/{HELLO}," in commands(result)[0]
    workspace = str(tmp_path / "work")
    named = commands(result, GITHUB_WORKSPACE=workspace)[0]
    assert f"file=scripts/third_party/overlay/{HELLO}," in named
    elsewhere = commands(result, GITHUB_WORKSPACE=str(tmp_path / "other"))[0]
    assert f"file=third_party/overlay/{HELLO}," in elsewhere


def test_one_annotation_for_a_rule_on_a_line(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: SCRIPT})
    assert len(commands(result_of(root, finding(0, 1, "a"), finding(2, 3, "b")))) == 1


def test_limits(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: SCRIPT})
    base = SCRIPT.encode().index(b"#\n")
    found = [
        finding(base + 2 * i, base + 2 * i + 1, severity=severity)
        for i, severity in enumerate(
            [Severity.NOTICE] * 11 + [Severity.WARNING] * 9 + [Severity.ERROR] * 30
        )
    ]
    lines = commands(result_of(root, *found))
    kinds = [line.split()[0] for line in lines]
    assert kinds.count("::error") == 10
    assert kinds.count("::warning") == 9
    # The last one is the count of the rest.
    assert kinds.count("::notice") == 10
    assert lines[-1] == "::notice title=overlaylint::22 more findings are in the log"
    assert len([line for line in lines if line.startswith("- ")]) == 22
    with_page = commands(result_of(root, *found), GITHUB_STEP_SUMMARY="file")
    assert with_page[-1].endswith("22 more findings are on the summary page and in the log")


def test_no_more_than_shown_needs_no_count(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: SCRIPT})
    base = SCRIPT.encode().index(b"#\n")
    found = [finding(base + 2 * i, base + 2 * i + 1, severity=Severity.NOTICE) for i in range(10)]
    lines = commands(result_of(root, *found))
    assert len(lines) == 10
    assert all("a-rule" in line for line in lines)


@given(st.text())
def test_escapes_are_undone_by_the_runner(text: str) -> None:
    assert unescape(_escape(text, _PROPERTY)) == text
    message = _escape(text, _MESSAGE)
    assert not re.search(r"[\r\n]", message)
    assert not re.search(r"[\r\n:,]", _escape(text, _PROPERTY))


def test_text_of_an_ebuild_starts_no_command(tmp_path: Path) -> None:
    name = "app-misc/a,b::c/::stop-commands::x-1.ebuild"
    root = overlay(tmp_path, {})
    write(root, name, SCRIPT)
    found = [
        Finding(Span(name, 2 * i, 2 * i + 1), text, help=text, rule="a-rule")
        for i, text in enumerate(
            ["\n::add-mask::x", "\r\n##[group]x", "x%0A::error::y", "##[error]x"] * 5, 20
        )
    ]
    lines = commands(result_of(root, *found))
    assert len(lines) == 21
    for line in lines:
        assert re.match(r"::(error|notice) [^:]*::|- error: ", line)
        if line.startswith("- "):
            assert "##[" not in line
        else:
            assert "%0A" not in line
    # No property of a command holds a raw comma or colon of the path.
    assert all("file=app-misc/a%2Cb%3A%3Ac/%3A%3Astop" in line for line in lines[:10])


# What GitHub's own library prints for the same annotations.

_PROGRAM = """
import { error, notice, warning } from "@actions/core";
import { readFileSync } from "node:fs";
for (const one of JSON.parse(readFileSync(0, "utf8")))
    ({ error, notice, warning })[one.kind](one.message, one.properties);
"""


def printed_by_github(annotations: list[dict[str, object]]) -> str:
    modules = host_tools.installed()
    program = modules.parent / "annotate.mjs"
    program.write_text(_PROGRAM)
    return host_tools.node(program, standard_input=json.dumps(annotations))


def annotation(kind: str, text: str, properties: dict[str, object]) -> dict[str, object]:
    return {"kind": kind, "message": text, "properties": properties}


def test_commands_are_what_githubs_own_library_prints(tmp_path: Path) -> None:
    name = "app-misc/a,b::c%0A/%25 é👋-1.ebuild"
    root = overlay(tmp_path, {})
    write(root, name, SCRIPT)
    start = SCRIPT.encode().index(b"x'")
    messages = ["50%: a, b", "%0A::error::y", "é👋", "'\"<&", "a\nb"]
    places = [(0, 4), (5, 7), (start, start + 1), (0, 20), (7, 9)]
    found = [
        Finding(Span(name, *place), text, help=text, rule="a-rule", severity=severity)
        for severity in Severity
        for text, place in zip(messages, places, strict=True)
    ]
    expected = []
    for one in sorted(found, key=lambda one: -one.severity):
        place = region(result_of(root), one.span)
        is_one_line = place.line == place.end_line
        shown = one.message.replace("\n", "\\n")
        properties = {
            "title": "overlaylint: a-rule",
            "file": name,
            "startLine": place.line,
            "endLine": place.end_line,
            **({"startColumn": place.column, "endColumn": place.end_column} if is_one_line else {}),
        }
        text = f"{name}:{place.line}:{place.column}: a-rule: {shown}; {shown}"
        expected.append(annotation(str(one.severity), text, properties))
    # Two findings of a rule on a line are one annotation, so each is reported by itself.
    ours = [
        line
        for one in sorted(found, key=lambda one: -one.severity)
        for line in commands(result_of(root, one))
    ]
    assert ours == printed_by_github(expected).splitlines()


@given(st.lists(st.text(), min_size=1, max_size=20))
@settings(max_examples=10)
def test_escapes_are_those_of_githubs_own_library(texts: list[str]) -> None:
    expected = printed_by_github([annotation("error", one, {"title": one}) for one in texts])
    # An empty property is left out.
    ours = [
        (f"::error title={_escape(one, _PROPERTY)}::" if one else "::error ::")
        + _escape(one, _MESSAGE)
        for one in texts
    ]
    assert ours == expected.split("\n")[:-1]


def test_summary_page_has_every_finding_and_no_markup(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: SCRIPT})
    found = [finding(2 * i + 40, 2 * i + 41, "<img src=x> | [a](b) `c` @d\n# e") for i in range(50)]
    page = step_summary([result_of(root, *found)], Settings())
    assert page.startswith("### overlaylint: 50 findings in 1 file\n")
    rows = [line for line in page.splitlines() if line.startswith("| error")]
    assert len(rows) == 50
    assert "<img" not in page
    assert r"\| \[a\]\(b\) \`c\` \@d\\n\# e" in rows[0]


def test_summary_page_stays_below_the_hosts_limit(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: SCRIPT})
    found = [finding(2 * i + 40, 2 * i + 41, "x" * 20_000) for i in range(100)]
    page = step_summary([result_of(root, *found)], Settings())
    assert len(page.encode()) < 1024 * 1024
    assert "more are in the log" in page


def test_summary_page_is_added_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "summary.md"
    page.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    root = overlay(tmp_path, {HELLO: "EAPI=7\n)\n"})
    ran = overlaylint(["check", root, "--output-format", "github"])
    assert ran.status == 1
    assert ran.out.startswith("::error title=")
    assert page.read_text().startswith("before\n### overlaylint: 1 finding in 4 files\n")
