"""Patches: what they add and remove, held to patch(1) and diff(1)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from overlaylint.overlay.patch import Patch, parse_patch

TEXTS = st.lists(
    st.sampled_from(["a", "b", "-- c", "++ d", "", " e", "@@ f", "--- g"]), max_size=12
)


def added(patch: Patch) -> list[str]:
    return [line.text for _, line in patch.added()]


def removed(patch: Patch) -> list[str]:
    return [line.text for _, line in patch.removed()]


@pytest.mark.skipif(shutil.which("diff") is None, reason="needs diff(1)")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(old=TEXTS, new=TEXTS, style=st.sampled_from(["-u", "-U0", "-c"]))
def test_what_diff_writes_is_read(
    tmp_path: Path, old: list[str], new: list[str], style: str
) -> None:
    (tmp_path / "a").write_text("".join(f"{line}\n" for line in old))
    (tmp_path / "b").write_text("".join(f"{line}\n" for line in new))
    data = subprocess.run(
        ["diff", style, "a", "b"], cwd=tmp_path, capture_output=True, check=False
    ).stdout
    patch = parse_patch(data)
    assert not patch.problems
    lines = list(old)
    for _, line in sorted(patch.removed(), key=lambda pair: -pair[1].number):
        assert lines.pop(line.number - 1) == line.text
    for _, line in sorted(patch.added(), key=lambda pair: pair[1].number):
        lines.insert(line.number - 1, line.text)
    assert lines == new
    for _, line in patch.added():
        assert data[line.start : line.end].decode().endswith(line.text)


GIT = b"""From 1234 Mon Sep 17 00:00:00 2001
Subject: [PATCH] module
--- a remark, which is no header

diff --git a/net/Makefile b/net/Makefile
index 111..222 100644
--- a/net/Makefile
+++ b/net/Makefile
@@ -1,3 +1,3 @@ obj
 one
-two
+2
 three
diff --git a/net/new.c b/net/new.c
new file mode 100644
index 000..333
--- /dev/null
+++ b/net/new.c
@@ -0,0 +1 @@
+int x;
\\ No newline at end of file
diff --git a/old.c b/old.c
deleted file mode 100644
--- a/old.c
+++ /dev/null
@@ -1 +0,0 @@
-int y;
diff --git a/logo.png b/logo.png
GIT binary patch
literal 0
--\x20
2.26.2
"""


def test_what_git_writes() -> None:
    patch = parse_patch(GIT)
    assert not patch.problems
    assert [
        (file.path(), file.is_new, file.is_deleted, file.is_binary) for file in patch.files
    ] == [
        ("net/Makefile", False, False, False),
        ("net/new.c", True, False, False),
        ("old.c", False, True, False),
        ("logo.png", False, False, True),
    ]
    assert added(patch) == ["2", "int x;"]
    assert removed(patch) == ["two", "int y;"]


def test_the_place_of_an_added_line() -> None:
    ((file, line), _) = parse_patch(GIT).added()
    assert GIT[line.start : line.end] == b"+2"
    assert line.number == 2
    assert file.start == GIT.index(b"diff --git")


@pytest.mark.parametrize(
    ("header", "path"),
    [
        (b"--- a/x.c\n+++ b/x.c\n", "x.c"),
        (b"--- x.c.orig\t2020-01-01 00:00:00.0 +0000\n+++ x.c\t2020-01-01\n", "x.c"),
        (b"--- dir/x.c 2009-10-03 12:00:00 +0200\n+++ dir/x.c 2009-10-03 12:01:00 +0200\n", "x.c"),
        (b"+++ b/x.c\n", "x.c"),
        (b"Index: src/x.c\n", "x.c"),
        (b"Index: x.c\n=====\n--- a/x.c\n+++ b/x.c\n", "x.c"),
        (b'--- "a/x\\303.c"\n+++ "b/x\\303.c"\n', "x\\303.c"),
    ],
)
def test_headers_of_old_and_odd_kinds(header: bytes, path: str) -> None:
    patch = parse_patch(header + b"@@ -1 +1 @@\n-old\n+new\n")
    assert [file.path() for file in patch.files] == [path]
    assert (added(patch), removed(patch)) == (["new"], ["old"])


def test_a_hunk_that_is_too_short_is_a_problem_and_the_rest_is_read() -> None:
    data = b"--- a/x\n+++ b/x\n@@ -1,9 +1,9 @@\n-old\n+new\n--- a/y\n+++ b/y\n@@ -1 +1 @@\n-1\n+2\n"
    patch = parse_patch(data)
    assert patch.files[0].path() == "x"
    assert "new" in added(patch)
    assert patch.problems


def test_a_context_line_without_its_blank() -> None:
    data = b"--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\n\n-old\n+new\n"
    patch = parse_patch(data)
    assert not patch.problems
    assert added(patch) == ["new"]


@pytest.mark.parametrize(
    ("data", "is_new"),
    [
        (b"--- a/x.c.orig\n+++ b/x.c\n@@ -0,0 +1 @@\n+1\n", True),
        (b"--- a/x.c\n+++ b/x.c\n@@ -1,0 +2 @@\n+1\n", False),
        (b"*** a/x.c\n--- b/x.c\n***************\n*** 0 ****\n--- 1 ----\n+ 1\n", True),
        (b"*** a/x.c\n--- b/x.c\n***************\n*** 1 ****\n--- 1,2 ----\n  0\n+ 1\n", False),
    ],
)
def test_a_file_that_is_empty_before_is_made_whatever_the_header_says(
    data: bytes, is_new: bool
) -> None:
    patch = parse_patch(data)
    assert [file.is_new for file in patch.files] == [is_new]
    assert added(patch) == ["1"]


@given(st.binary(max_size=200))
def test_any_bytes_come_to_an_end(data: bytes) -> None:
    for _, line in parse_patch(b"--- a/x\n+++ b/x\n@@ -1,5 +1,5 @@\n" + data).added():
        assert line.start < line.end


def test_commented_upstream_code_is_text_and_not_a_header() -> None:
    data = b"--- a/x\n+++ b/x\n@@ -1,2 +1,3 @@\n ctx\n--- gone\n+++ i;\n+-- SQL comment\n"
    patch = parse_patch(data)
    assert [file.path() for file in patch.files] == ["x"]
    assert added(patch) == ["++ i;", "-- SQL comment"]
    assert removed(patch) == ["-- gone"]


def test_a_header_of_blanks_comes_to_an_end() -> None:
    blanks = b" " * 300_000
    patch = parse_patch(b"--- a/x" + blanks + b"\n+++ b/x" + blanks + b"y\n@@ -1 +1 @@\n-1\n+2\n")
    assert added(patch) == ["2"]
