"""Fixes at the command line: what is written, where, and what is left alone."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import CLEAN, HELLO, overlay, overlaylint, write

from overlaylint.engine.fix import apply_fixes
from overlaylint.engine.packs import Catalog, LoadedPack, load_catalog
from overlaylint.finding import Edit, Finding, Fix, Span
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.repository import Repository
from overlaylint.rule import Pack, Severity, rule
from overlaylint.tree import DirectoryTree, TreeError, write_file

#: A comment that suppresses nothing, which has a safe fix.
UNUSED = "# overlaylint: ignore[parse-error] -- it is right\n"
SPOILED = f"# Copyright\n{UNUSED}{CLEAN}"
FIXED = f"# Copyright\n{CLEAN}"
OTHER = "app-misc/other/other-1.ebuild"


@rule(severity=Severity.ERROR)
def old_slot(ebuild: Ebuild) -> Iterator[Finding]:
    """Wants SLOT=2; safe from 0 to 1, unsafe from 1 to 2."""
    data = ebuild.read()
    for old, new, is_safe in (("0", "1", True), ("1", "2", False)):
        at = data.find(f'SLOT="{old}"'.encode())
        if at >= 0:
            edit = Edit(Span(ebuild.path, at, at + 8), f'SLOT="{new}"')
            yield Finding(edit.span, "old", help="x", fix=Fix("renew", (edit,), is_safe))


@rule(severity=Severity.ERROR)
def missing_list(repository: Repository) -> Iterator[Finding]:
    """Wants a file, in a folder that may not be there."""
    if repository.tree.kind("profiles/new/list") is None:
        edit = Edit(Span("profiles/new/list"), "one\n")
        yield Finding(Span("profiles/repo_name"), "no list", help="x", fix=Fix.safe("add", edit))


@rule(severity=Severity.ERROR)
def to_and_fro(ebuild: Ebuild) -> Iterator[Finding]:
    """Never has enough."""
    at = ebuild.read().find(b"hello")
    new = "HELLO" if at >= 0 else "hello"
    at = at if at >= 0 else ebuild.read().find(b"HELLO")
    edit = Edit(Span(ebuild.path, at, at + 5), new)
    yield Finding(edit.span, "case", help="x", fix=Fix.safe("turn", edit))


@rule(severity=Severity.ERROR)
def outside(ebuild: Ebuild) -> Iterator[Finding]:
    """Its fixes lead where no fix may write."""
    for path in ("../outside", "/tmp/outside", "out/file", "app-misc", "a//b", "fifo"):
        edit = Edit(Span(path), "x")
        yield Finding(ebuild_span(ebuild), path, help="x", fix=Fix.safe("write", edit))
    edit = Edit(Span("eclass/x.eclass", 0, 0, "base"), "x")
    yield Finding(ebuild_span(ebuild), "master", help="x", fix=Fix.safe("write", edit))
    far = Edit(Span(ebuild.path, 10_000, 10_001), "x")
    yield Finding(ebuild_span(ebuild), "far", help="x", fix=Fix.safe("write", far))


def ebuild_span(ebuild: Ebuild) -> Span:
    return Span(ebuild.path)


@pytest.fixture(autouse=True)
def own_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add a pack `own`, which runs only when it is selected."""
    rules = (missing_list, old_slot, outside, to_and_fro)
    own = LoadedPack("own", Pack("Rules of this test", ("nowhere",)), rules)
    catalog = Catalog((*load_catalog().packs, own))
    monkeypatch.setattr("overlaylint.engine.packs.load_catalog", lambda: catalog)


def state(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


# What is fixed


def test_a_fix_is_written_and_what_is_left_is_reported(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: SPOILED, OTHER: "EAPI=7\n)\n"})
    ran = overlaylint(["check", root])
    assert "1 can be fixed with --fix" in ran.out
    ran = overlaylint(["check", root, "--fix"])
    assert (ran.status, ran.err) == (1, "")
    assert (root / HELLO).read_text() == FIXED
    assert "1 finding (1 error), fixed 1\n" in ran.out
    assert "parse-error" in ran.out
    assert "unused-suppression" not in ran.out


def test_fixing_twice_changes_nothing_more(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: SPOILED})
    assert overlaylint(["check", root, "--fix"]).status == 0
    before = (root / HELLO).lstat()
    ran = overlaylint(["check", root, "--fix"])
    assert ran.status == 0
    assert "fixed" not in ran.out
    assert (root / HELLO).lstat() == before


def test_fixes_that_touch_each_other_are_made_one_after_the_other(tmp_path: Path) -> None:
    both = UNUSED.replace("parse-error", "parse-error, nul-byte")
    root = overlay(tmp_path, {HELLO: f"# Copyright\n{both}{UNUSED}{UNUSED}{CLEAN}"})
    ran = overlaylint(["check", root, "--fix"])
    assert (ran.status, (root / HELLO).read_text()) == (0, FIXED)


def test_json_says_what_was_fixed(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: SPOILED})
    report = json.loads(overlaylint(["check", root, "--fix", "--output-format", "json"]).out)
    assert report["findings"] == []
    assert report["summary"]["fixed"] == 1
    (fixed,) = report["fixed"]
    assert (fixed["rule"], fixed["path"]) == ("unused-suppression", HELLO)
    assert fixed["fix"] == "remove the comment"


def test_exit_non_zero_on_fix(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: SPOILED})
    assert overlaylint(["check", root, "--fix", "--exit-non-zero-on-fix"]).status == 1
    assert overlaylint(["check", root, "--fix", "--exit-non-zero-on-fix"]).status == 0


def test_unsafe_fixes_only_when_asked_for(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN})
    ran = overlaylint(["check", root, "--select", "old-slot", "--fix"])
    assert ran.status == 1
    assert 'SLOT="1"' in (root / HELLO).read_text()
    assert "1 can be fixed with --fix --unsafe-fixes" in ran.out
    ran = overlaylint(["check", root, "--select", "old-slot", "--fix", "--unsafe-fixes"])
    assert ran.status == 0
    assert 'SLOT="2"' in (root / HELLO).read_text()


def test_one_run_goes_on_until_nothing_more_is_fixed(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN})
    ran = overlaylint(["check", root, "--select", "old-slot", "--fix", "--unsafe-fixes"])
    assert 'SLOT="2"' in (root / HELLO).read_text()
    assert "fixed 2" in ran.out


def test_fixes_that_undo_each_other_come_to_an_end(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN})
    ran = overlaylint(["check", root, "--select", "to-and-fro", "--fix"])
    assert ran.status == 1
    assert ran.err == "overlaylint: the fixes of to-and-fro undo each other; they are left out\n"


@pytest.mark.parametrize("option", ["--unsafe-fixes", "--exit-non-zero-on-fix"])
def test_an_option_that_says_nothing_alone(option: str, tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN})
    ran = overlaylint(["check", root, option])
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(f"overlaylint: {option}: it goes with")


# Where


def test_only_what_is_given_is_changed(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: SPOILED, OTHER: SPOILED})
    assert overlaylint(["check", root / HELLO, "--fix"]).status == 0
    assert (root / HELLO).read_text() == FIXED
    assert (root / OTHER).read_text() == SPOILED


def test_what_is_excluded_is_not_changed(tmp_path: Path) -> None:
    toml = 'exclude = ["app-misc/other"]\n'
    root = overlay(tmp_path, {HELLO: SPOILED, OTHER: SPOILED, "overlaylint.toml": toml})
    overlaylint(["check", root, "--fix"])
    assert (root / OTHER).read_text() == SPOILED


def test_a_fix_may_make_a_file(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN})
    ran = overlaylint(["check", root, "--select", "missing-list", "--fix"])
    assert ran.status == 0
    assert (root / "profiles/new/list").read_text() == "one\n"
    # but not where nobody asked for it
    (root / "profiles/new/list").unlink()
    overlaylint(["check", root / "profiles/repo_name", "--select", "missing-list", "--fix"])
    assert not (root / "profiles/new/list").exists()


def test_nothing_outside_of_the_overlay_is_changed(tmp_path: Path) -> None:
    files = {HELLO: CLEAN, "base::eclass/x.eclass": CLEAN}
    root = overlay(tmp_path / "trees", files)
    (tmp_path / "out").mkdir()
    write(tmp_path / "out", "file", "kept\n")
    (root / "out").symlink_to("../../out")
    os.mkfifo(root / "fifo")
    before = state(tmp_path)
    ran = overlaylint(["check", root, "--select", "outside", "--fix", "--unsafe-fixes"])
    assert ran.status == 1
    assert "fixed" not in ran.out.partition("8 findings")[2].partition("\n")[0]
    assert "8 findings" in ran.out
    assert state(tmp_path) == before


def test_a_link_in_the_overlay_is_fixed_where_its_text_lies(tmp_path: Path) -> None:
    live = "app-misc/hello/hello-9999.ebuild"
    root = overlay(tmp_path, {live: SPOILED}, {HELLO: "hello-9999.ebuild"})
    assert overlaylint(["check", root, "--fix"]).status == 0
    assert (root / HELLO).is_symlink()
    assert (root / live).read_text() == FIXED


def test_mode_and_line_ends_are_kept(tmp_path: Path) -> None:
    text = CLEAN.replace("\n", "\r\n")
    root = overlay(tmp_path, {HELLO: text})
    (root / HELLO).chmod(0o640)
    overlaylint(["check", root, "--select", "old-slot", "--fix"])
    assert (root / HELLO).read_bytes() == text.replace('"0"', '"1"').encode()
    assert stat.S_IMODE((root / HELLO).stat().st_mode) == 0o640


def test_lines_that_a_fix_adds_end_as_the_others_do(tmp_path: Path) -> None:
    write(tmp_path, "file", b"one\r\ntwo\r\n")
    fix = Fix.safe("add", Edit(Span("file", 5, 5), "and\n"))
    applied = apply_fixes([Finding(Span("file"), "x", fix=fix)], DirectoryTree(tmp_path))
    assert applied.files == {"file": b"one\r\nand\r\ntwo\r\n"}


def test_no_trace_of_writing_is_left(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: SPOILED})
    names = set(state(root))
    overlaylint(["check", root, "--fix"])
    assert set(state(root)) == names


def test_the_index_of_git_is_not_touched(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: SPOILED})
    for arguments in (("init", "--quiet"), ("add", "--all")):
        subprocess.run(["git", *arguments], cwd=root, check=True)
    before = (root / ".git/index").read_bytes(), (root / ".git/index").stat().st_mtime_ns
    assert overlaylint(["check", root, "--fix"]).status == 0
    assert before == ((root / ".git/index").read_bytes(), (root / ".git/index").stat().st_mtime_ns)


def test_a_folder_that_can_not_be_written_to(without_root: Path) -> None:
    root = overlay(without_root, {HELLO: SPOILED, OTHER: SPOILED})
    (root / HELLO).parent.chmod(0o555)
    ran = overlaylint(["check", root, "--fix"])
    (root / HELLO).parent.chmod(0o755)
    assert ran.status == 2
    assert ran.err.count("\n") == 1
    assert (root / HELLO).read_text() == SPOILED
    assert (root / OTHER).read_text() == FIXED


def test_a_file_that_changed_meanwhile_is_not_written(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: SPOILED, OTHER: SPOILED})

    def busy(*arguments: object) -> None:
        (root / HELLO).write_text("EAPI=8\n")
        return write_file(*arguments)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("overlaylint.tree.write_file", busy)
        ran = overlaylint(["check", root, "--fix"])
    assert ran.status == 2
    assert ran.err == (
        f"overlaylint: {HELLO}: has changed since it was read, and is not written"
        " (1 other file is fixed)\n"
    )
    assert (root / HELLO).read_text() == "EAPI=8\n"
    assert (root / OTHER).read_text() == FIXED


# Writing


@pytest.mark.parametrize("path", ["../x", "a/../b", "/x", "a//b", ""])
def test_writing_takes_no_path_that_leads_out(path: str, tmp_path: Path) -> None:
    with pytest.raises(TreeError):
        write_file(tmp_path, path, b"x", None)
    assert not list(tmp_path.iterdir())


def test_writing_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write(tmp_path / "out", "file", "kept")
    root = tmp_path / "root"
    root.mkdir()
    (root / "folder").symlink_to("../out")
    (root / "file").symlink_to("../out/file")
    for path, before in (("folder/file", b"kept"), ("file", b"kept"), ("folder/new", None)):
        with pytest.raises(TreeError):
            write_file(root, path, b"lost", before)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["file"]
    assert (tmp_path / "out/file").read_text() == "kept"


def test_a_reader_sees_the_old_text_or_the_new(tmp_path: Path) -> None:
    old, new = b"a" * 500_000, b"b" * 500_000
    write(tmp_path, "file", old)
    seen = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add((tmp_path / "file").read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for before, after in [(old, new), (new, old)] * 10:
        write_file(tmp_path, "file", after, before)
    done.set()
    reader.join()
    assert seen <= {old, new}


# --diff


def test_diff_changes_nothing_and_is_a_patch(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: SPOILED, OTHER: CLEAN})
    before = state(root)
    ran = overlaylint(["check", root, "--diff"])
    assert ran.status == 1
    assert ran.err == "overlaylint: 1 finding would be fixed in 1 file\n"
    assert ran.out.startswith(f"--- a/{HELLO}\n+++ b/{HELLO}\n@@")
    assert f"-{UNUSED}" in ran.out
    assert state(root) == before
    assert overlaylint(["check", root / OTHER, "--diff"]).status == 0


def test_diff_with_fix_writes_nothing(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: SPOILED})
    assert overlaylint(["check", root, "--fix", "--diff"]).status == 1
    assert (root / HELLO).read_text() == SPOILED


@pytest.mark.parametrize("tool", [["git", "apply", "--unidiff-zero"], ["patch", "-p1", "-s"]])
def test_other_programs_take_the_diff(tool: list[str], tmp_path: Path) -> None:
    spoiled = (SPOILED + "# no line feed, and not UTF-8: ").encode() + b"\xff"
    odd = "app-misc/hello/hello-1_p\u00fc.ebuild"
    root = overlay(tmp_path, {HELLO: spoiled, OTHER: SPOILED.replace("\n", "\r\n"), odd: SPOILED})
    options = ["--select", "unused-suppression,parse-error"]
    ran = subprocess.run(
        [sys.executable, "-m", "overlaylint", "check", str(root), *options, "--diff"],
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 1
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", str(root), str(copy)], check=True)
    subprocess.run(tool, input=ran.stdout, cwd=copy, check=True)
    overlaylint(["check", root, *options, "--fix"])
    assert state(copy) == state(root)
    assert state(root)[HELLO] == spoiled.replace(UNUSED.encode(), b"")


def test_a_new_file_is_new_in_the_diff(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN})
    ran = overlaylint(["check", root, "--select", "missing-list", "--diff"])
    assert ran.out == "--- /dev/null\n+++ b/profiles/new/list\n@@ -0,0 +1 @@\n+one\n"


def test_nothing_in_a_diff_reaches_a_terminal_raw(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: f"# \x1b[2J\u202e\n{SPOILED}\tx=1\n"})
    ran = overlaylint(["check", root, "--diff", "--color", "always"])
    assert "\x1b[2J" not in ran.out
    assert "\u202e" not in ran.out
    assert "\\x1b[2J\\u202e" in ran.out
    assert f"\x1b[31m-{UNUSED.rstrip()}\x1b[0m" in ran.out


# Properties


LINES = st.lists(st.sampled_from(["one\n", "two\n", "\n", "x" * 9 + "\n", "\u00fc\n"]), max_size=8)


@settings(max_examples=60, deadline=None)
@given(lines=LINES, cuts=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9)), max_size=6))
def test_edits_that_do_not_touch_are_independent(
    lines: list[str], cuts: list[tuple[int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What comes out is the text with each accepted piece replaced, and nothing else."""
    folder = tmp_path_factory.mktemp("tree")
    data = "".join(lines).encode()
    write(folder, "file", data)
    findings = []
    for number, (start, length) in enumerate(cuts):
        edit = Edit(Span("file", start, start + length), f"<{number}>")
        findings.append(Finding(Span("file"), str(number), fix=Fix.safe("x", edit)))
    applied = apply_fixes(findings, DirectoryTree(folder))
    expected, at = b"", 0
    accepted = sorted(
        (one.fix.edits[0].span.start, one.fix.edits[0].span.end, one.fix.edits[0].text)
        for one in applied.findings
        if one.fix is not None
    )
    for start, end, text in accepted:
        assert at <= start <= end <= len(data)
        expected += data[at:start] + text.encode()
        at = end
    assert applied.files.get("file", data) == expected + data[at:]
    fitting = [one for one in findings if one.fix and one.fix.edits[0].span.end <= len(data)]
    assert bool(applied.findings) == bool(fitting)
