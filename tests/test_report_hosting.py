"""Places as hosts show them: lines that exist, and paths from the root of their repository."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_cases import MemoryTree, result_of
from support import HELLO, overlay

from overlaylint.engine.result import Result, Sources
from overlaylint.finding import Edit, Fix, Span
from overlaylint.lines import LineIndex
from overlaylint.overlay.repository import Repository
from overlaylint.report import FORMATS
from overlaylint.report.escape import is_exact, plain, shortened
from overlaylint.report.hosting import HostPaths, Region, exact_region, one_edit, region

COLUMNS = (LineIndex.byte_column, LineIndex.character_column, LineIndex.utf16_column)


def result_with(data: bytes) -> Result:
    tree = MemoryTree({"profiles/repo_name": b"memory\n", HELLO: data})
    return Result(Sources(Repository(tree)), None, (), 1, ())


@pytest.mark.parametrize("column", COLUMNS)
@given(data=st.binary(max_size=40), start=st.integers(0, 45), length=st.integers(0, 45))
def test_a_region_is_in_the_file(column: object, data: bytes, start: int, length: int) -> None:
    where = region(result_with(data), Span(HELLO, start, start + length), column)  # type: ignore[arg-type]
    lines = data.split(b"\n")
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
    assert 1 <= where.line <= where.end_line <= len(lines)
    assert 1 <= where.column <= len(lines[where.line - 1]) + 1
    assert 1 <= where.end_column <= len(lines[where.end_line - 1]) + 1
    if where.line == where.end_line:
        assert where.column <= where.end_column


def test_each_column_has_its_unit() -> None:
    result = result_with("é👋x\n".encode())
    span = Span(HELLO, 6, 7)
    assert [region(result, span, one).column for one in COLUMNS] == [7, 3, 4]


def test_a_line_feed_at_the_end_of_a_place_adds_no_line() -> None:
    result = result_with(b"one\ntwo\n")
    assert region(result, Span(HELLO, 0, 4)) == Region(1, 1, 1, 4)
    assert region(result, Span(HELLO, 8, 8)) == Region(2, 4, 2, 4)
    # What an edit replaces is told to the byte.
    assert exact_region(result, Span(HELLO, 0, 4), LineIndex.byte_column) == Region(1, 1, 2, 1)


def test_what_has_no_content_is_at_its_start() -> None:
    assert region(result_with(b""), Span(HELLO, 3, 9)) == Region()
    assert region(result_with(b"x"), Span("no/such/file", 3, 9)) == Region()


def test_paths_start_where_the_host_does(tmp_path: Path) -> None:
    root = overlay(tmp_path / "work/scripts", {HELLO: "x\n"})
    result = result_of(root)
    inside = {"GITHUB_WORKSPACE": str(tmp_path / "work")}
    assert HostPaths(result, {}).of(Span(HELLO)) == HELLO
    assert HostPaths(result, inside).of(Span(HELLO)) == f"scripts/overlay/{HELLO}"
    assert HostPaths(result, {"CI_PROJECT_DIR": str(root)}).of(Span(HELLO)) == HELLO
    assert HostPaths(result, inside).of(Span("")) == "scripts/overlay"
    assert HostPaths(result, {}).of(Span("")) == "."
    (tmp_path / "work/scripts/.git").write_text("gitdir: elsewhere\n")
    assert HostPaths(result, {}).of(Span(HELLO)) == f"overlay/{HELLO}"
    assert HostPaths(result, {"GITHUB_WORKSPACE": "/none"}).of(Span(HELLO)) == f"overlay/{HELLO}"


def test_a_link_to_the_overlay_is_followed(tmp_path: Path) -> None:
    root = overlay(tmp_path / "real", {HELLO: "x\n"})
    (tmp_path / "link").symlink_to(root)
    paths = HostPaths(result_of(tmp_path / "link"), {"GITHUB_WORKSPACE": str(tmp_path)})
    assert paths.of(Span(HELLO)) == f"real/overlay/{HELLO}"


def test_a_master_has_a_path_where_it_lies_beside(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: "x\n", "base::eclass/x.eclass": "x\n"})
    span = Span("eclass/x.eclass", 0, 1, "base")
    assert HostPaths(result_of(root), {}).of(span) is None
    beside = HostPaths(result_of(root), {"GITHUB_WORKSPACE": str(tmp_path)})
    assert beside.of(span) == "base/eclass/x.eclass"
    assert beside.of(Span("x", 0, 1, "unknown")) is None


def test_edits_become_one() -> None:
    result = result_with(b"one two three\n")
    fix = Fix.safe("t", Edit(Span(HELLO, 8, 13), "3"), Edit(Span(HELLO, 0, 3), "1"))
    assert one_edit(result, fix) == Edit(Span(HELLO, 0, 13), "1 two 3")


def test_text_for_json_has_no_halves_of_characters() -> None:
    assert plain("a\udcff\ud800\x1bé") == "a\\xff\\ud800\x1bé"
    assert is_exact("a\n\té")
    assert not any(map(is_exact, ("\x1b", "\udcff", "\u202e", "\r")))
    assert shortened("x" * 9, 8) == "xxxxx..."
    assert shortened("x" * 8, 8) == "x" * 8


def test_every_format_is_documented() -> None:
    document = (Path(__file__).parent.parent / "docs" / "formats.md").read_text()
    table = document.partition("| --- |")[2].partition("\n\n")[0]
    listed = [one for row in table.splitlines() for one in re.findall(r"`(.*?)`", row[:26])]
    assert listed == list(FORMATS)
