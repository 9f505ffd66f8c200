"""Lines and columns, held against what Python itself says of the text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from overlaylint.lines import TAB_WIDTH, LineIndex, display_width

TEXT = st.text(alphabet=st.sampled_from("ab \t\n\r\u00e9\u4f60\U0001f44b\u0301"), max_size=40)


@given(TEXT, st.data())
def test_columns_agree_with_python(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    index = LineIndex(text.encode())
    offset = len(text[:at].encode())
    before = text[:at].rpartition("\n")[2]
    assert index.line(offset) == text[:at].count("\n") + 1
    assert index.byte_column(offset) == len(before.encode()) + 1
    assert index.character_column(offset) == len(before) + 1
    assert index.utf16_column(offset) == len(before.encode("utf-16-le")) // 2 + 1


@given(TEXT)
def test_lines_put_together_are_the_text(text: str) -> None:
    index = LineIndex(text.encode())
    lines = [index.text(line) for line in range(1, index.count + 1)]
    expected = text.split("\n")
    if len(expected) > 1 and not expected[-1]:
        expected.pop()
    assert lines == [line.removesuffix("\r") for line in expected]


@given(st.binary(max_size=40), st.integers(0, 50))
def test_any_bytes_and_any_offset_have_a_place(data: bytes, offset: int) -> None:
    index = LineIndex(data)
    line = index.line(offset)
    assert 1 <= line <= data.count(b"\n") + 1
    assert index.byte_column(offset) >= index.character_column(offset) >= 1
    assert index.utf16_column(offset) >= index.character_column(offset)


def test_an_offset_inside_a_character_is_its_start() -> None:
    index = LineIndex("aéb你".encode())
    columns = [index.character_column(offset) for offset in range(8)]
    assert columns == [1, 2, 2, 3, 4, 4, 4, 5]


def test_bytes_that_are_not_utf_8_are_a_character_each() -> None:
    index = LineIndex(b"\xff\xe9x")
    assert [index.character_column(offset) for offset in range(4)] == [1, 2, 3, 4]


def test_the_end_after_a_line_feed_is_a_line_of_its_own() -> None:
    index = LineIndex(b"one\ntwo\n")
    assert (index.line(8), index.character_column(8), index.count) == (3, 1, 2)


def test_an_empty_file_has_one_line() -> None:
    index = LineIndex(b"")
    assert (index.count, index.line(0), index.text(1), index.character_column(7)) == (1, 1, "", 1)


def test_display_columns_count_tabs_and_wide_characters() -> None:
    index = LineIndex("a\t你é\u0301x".encode())
    offsets = [0, 1, 2, 5, 7, 9]
    assert [index.display_column(one) for one in offsets] == [1, 2, TAB_WIDTH + 1, 7, 8, 8]
    assert display_width("\t", 3) == 1
