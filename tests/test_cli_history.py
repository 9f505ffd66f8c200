"""`overlaylint history`: windows over real repositories of git, and what a tree was asked."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from project import run
from support import CLEAN, HELLO, overlay, overlaylint, write

from overlaylint.engine.replay import evenly
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.tree import GitTree, Tree, TreeError, changes_between, first_parents
from overlaylint.tree.recording import Record, RecordingTree

BROKEN = f"{CLEAN})\n"
OTHER = "app-misc/other/other-1.ebuild"


class Line:
    """A repository whose commits are a day apart, from 2020-01-01 on."""

    def __init__(self, folder: Path, inside: str = "") -> None:
        self.folder = folder
        self.root = folder / inside / "overlay"
        self.day = 0
        self.commits: list[str] = []
        folder.mkdir(parents=True, exist_ok=True)
        run("git", "init", "--quiet", "--initial-branch=main", cwd=folder)

    def commit(self, files: Mapping[str, str | None] | None = None, **options: str) -> str:
        for path, text in (files or {}).items():
            if text is None:
                (self.root / path).unlink()
            else:
                write(self.root, path, text)
        self.day += 1
        date = f"2020-01-{self.day:02}T12:00:00+00:00"
        run("git", "add", "--all", cwd=self.folder)
        run(
            "git", "commit", "--quiet", "--allow-empty", "-m", "x", cwd=self.folder,
            GIT_COMMITTER_DATE=date, GIT_AUTHOR_DATE=date,
        )  # fmt: skip
        self.commits.append(run("git", "rev-parse", "HEAD", cwd=self.folder).stdout.strip())
        return self.commits[-1]


def windows(path: Path, *options: str) -> list[dict[str, Any]]:
    ran = overlaylint(["history", path, "--output-format", "json", *options])
    assert ran.err == ""
    report = json.loads(ran.out)
    assert ran.status == (1 if report["windows"] else 0)
    found: list[dict[str, Any]] = report["windows"]
    return found


def days(window: Mapping[str, Any]) -> tuple[str, str, str | None]:
    until = window["until"]["date"][-2:] if window["until"] else None
    return window["path"], window["from"]["date"][-2:], until


@pytest.fixture(name="line")
def make_line(tmp_path: Path) -> Line:
    line = Line(tmp_path / "git")
    overlay(line.folder, {HELLO: CLEAN})
    line.commit()
    line.commit({HELLO: BROKEN})
    line.commit({OTHER: BROKEN})
    line.commit({"README.md": "x\n"})
    line.commit({HELLO: CLEAN})
    line.commit({HELLO: BROKEN})
    line.commit({HELLO: None})
    return line


EXPECTED = [(HELLO, "02", "05"), (OTHER, "03", None), (HELLO, "06", "07")]


def test_windows(line: Line) -> None:
    found = windows(line.root, "--select", "parse-error")
    assert [days(one) for one in found] == EXPECTED
    first = found[0]
    assert first["rule"] == "parse-error"
    assert first["from"]["commit"] == line.commits[1]
    assert first["absent_before"]["commit"] == line.commits[0]
    assert first["last_seen"]["commit"] == line.commits[3]
    assert first["until"]["commit"] == line.commits[4]


def test_windows_as_text(line: Line) -> None:
    ran = overlaylint(["history", line.root, "--select", "parse-error"])
    assert (ran.status, ran.err) == (1, "")
    lines = ran.out.splitlines()
    ids = [commit[:12] for commit in line.commits]
    assert lines[0].startswith(
        f"parse-error: {HELLO}: from 2020-01-02 {ids[1]}, until 2020-01-05 {ids[4]}: bash can't"
    )
    assert f"{OTHER}: from 2020-01-03 {ids[2]}, still there: " in lines[1]
    assert lines[-1] == f"3 windows in 7 commits from 2020-01-01 {ids[0]} to 2020-01-07 {ids[6]}"


def test_it_equals_a_check_of_each_commit(line: Line) -> None:
    """Nothing is lost by running rules only where what they read has changed."""
    found = windows(line.root, "--select", "ALL")
    for at, commit in enumerate(line.commits):
        run("git", "checkout", "--quiet", commit, cwd=line.folder)
        options = ["--select", "ALL", "--output-format", "json"]
        report = json.loads(overlaylint(["check", line.root, *options]).out)
        checked = {(one["rule"], one["path"]) for one in report["findings"]}
        then = {
            (one["rule"], one["path"])
            for one in found
            if line.commits.index(one["from"]["commit"]) <= at
            and (one["until"] is None or at < line.commits.index(one["until"]["commit"]))
        }
        assert then == checked


def test_samples_and_bisecting(line: Line) -> None:
    options = ("--select", "parse-error", "--samples", "2")
    (sampled,) = windows(line.root, *options)
    assert days(sampled) == (OTHER, "07", None)
    ran = overlaylint(["history", line.root, *options])
    assert "from ~2020-01-07 " in ran.out
    assert ran.out.endswith("\n2 of them were looked at\n")
    (exact,) = windows(line.root, *options, "--bisect")
    assert days(exact) == (OTHER, "03", None)
    assert exact["absent_before"]["commit"] == line.commits[1]
    every = windows(line.root, "--select", "parse-error", "--every", "3")
    assert [days(one) for one in every] == [(HELLO, "04", "07"), (OTHER, "04", None)]
    narrowed = windows(line.root, "--select", "parse-error", "--every", "3", "--bisect")
    assert [days(one) for one in narrowed] == [(HELLO, "02", "05"), (OTHER, "03", None)]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--from", "2020-01-06"], [(OTHER, "06", None), (HELLO, "06", "07")]),
        (["--since", "2020-01-06T00:00:00+00:00"], [(OTHER, "06", None), (HELLO, "06", "07")]),
        (["--from", "HEAD~1"], [(OTHER, "06", None), (HELLO, "06", "07")]),
        (["--to", "2020-01-03"], [(HELLO, "02", None)]),
        (["--to", "HEAD~5"], [(HELLO, "02", None)]),
        (["--from", "HEAD~4", "--to", "HEAD~4"], [(HELLO, "03", None), (OTHER, "03", None)]),
    ],
)
def test_from_and_to(
    line: Line, options: list[str], expected: list[tuple[str, str, str | None]]
) -> None:
    found = windows(line.root, "--select", "parse-error", *options)
    assert sorted(map(days, found), key=str) == sorted(expected, key=str)


def test_an_overlay_in_a_folder_with_its_master_in_the_same_repository(tmp_path: Path) -> None:
    line = Line(tmp_path / "git", "sdk/third_party")
    files = {HELLO: CLEAN, "base::eclass/x.eclass": "", OTHER: f"{CLEAN}inherit x\n"}
    overlay(line.root.parent, files)
    line.commit()
    write(line.folder, "other", "of no interest\n")
    line.commit()
    line.commit({OTHER: BROKEN})
    found = windows(line.root, "--select", "parse-error")
    assert [days(one) for one in found] == [(OTHER, "03", None)]
    ran = overlaylint(["history", line.root, "--select", "parse-error"])
    assert "in 2 commits from 2020-01-01" in ran.out


def test_a_master_in_a_repository_of_its_own_is_taken_as_it_was_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule reads an eclass of the master, which is right only from the third to the fifth."""
    base = Line(tmp_path / "base")
    overlay(base.folder, {"eclass/x.eclass": "X=bad\n"})
    base.commit()
    line = Line(tmp_path / "git")
    overlay(line.folder, {HELLO: f"{CLEAN}inherit x\n", "metadata/layout.conf": "masters = base\n"})
    line.commit()
    line.commit({"README.md": "1\n"})
    base.day = 2
    base.commit({"eclass/x.eclass": "X=good\n"})
    line.commit({"README.md": "2\n"})
    line.commit({"README.md": "3\n"})
    base.day = 4
    base.commit({"eclass/x.eclass": "X=bad\n"})
    line.commit({"README.md": "4\n"})

    from overlaylint.engine.packs import Catalog, LoadedPack, load_catalog
    from overlaylint.finding import Finding, Span
    from overlaylint.rule import Pack, Rule, Severity

    def bad(ebuild: Ebuild) -> list[Finding]:
        found = ebuild.variable("X")
        return [Finding(Span(ebuild.path), "bad")] if found and found.value == "bad" else []

    pack = LoadedPack("own", Pack("Own", ("nowhere",)), (Rule("bad", bad, Severity.ERROR),))
    catalog = Catalog((*load_catalog().packs, pack))
    monkeypatch.setattr("overlaylint.engine.packs.load_catalog", lambda: catalog)
    found = windows(line.root, "--select", "bad", "--master", f"base={base.root}")
    assert [days(one) for one in found] == [(HELLO, "01", "03"), (HELLO, "05", None)]


def test_a_bare_repository_and_a_folder_that_is_gone(line: Line, tmp_path: Path) -> None:
    line.commit({HELLO: BROKEN})
    run("git", "rm", "-rq", "overlay", cwd=line.folder)
    line.commit()
    bare = tmp_path / "bare"
    run("git", "clone", "--quiet", "--bare", line.folder, bare, cwd=tmp_path)
    for place in (line.folder, bare):
        found = windows(place, "--folder", "overlay", "--select", "parse-error")
        assert [days(one) for one in found] == [
            (HELLO, "02", "05"), (OTHER, "03", "09"), (HELLO, "06", "07"), (HELLO, "08", "09"),
        ]  # fmt: skip


def test_merges_count_as_one_commit(line: Line) -> None:
    run("git", "checkout", "--quiet", "-b", "topic", cwd=line.folder)
    line.commit({"app-misc/new/new-1.ebuild": BROKEN})
    line.commit({"app-misc/new/new-1.ebuild": CLEAN})
    run("git", "checkout", "--quiet", "main", cwd=line.folder)
    run("git", "merge", "--quiet", "--no-ff", "-m", "x", "topic", cwd=line.folder)
    found = windows(line.root, "--select", "parse-error")
    assert [days(one) for one in found] == EXPECTED


def test_ctrl_c_shows_what_there_is(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    from overlaylint.engine.replay import Replay, Revision, _Unit

    take = _Unit.take

    def stopped(self: _Unit, revision: Revision) -> None:
        if revision.commit == line.commits[3]:
            raise KeyboardInterrupt
        take(self, revision)

    monkeypatch.setattr(_Unit, "take", stopped)
    assert Replay is not None
    ran = overlaylint(["history", line.root, "--select", "parse-error"])
    assert ran.status == 130
    assert f"{HELLO}: from 2020-01-02" in ran.out
    assert ran.err == (
        "overlaylint: stopped before the end: the windows are right as far as it came\n"
    )


def test_a_rule_that_fails_is_an_internal_error(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raises(*_: object) -> None:
        raise ValueError("no")

    monkeypatch.setattr("overlaylint.overlay.files.TextFile.span", raises)
    found = windows(line.root, "--select", "parse-error")
    assert (found[0]["rule"], found[0]["path"]) == ("internal-error", HELLO)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["{git}", "--select", "parse-error"], "no commit there has an overlay in it"),
        (["{git}/nothing"], "no such file or folder"),
        (["{outside}"], "it lies in no git repository"),
        (["{root}", "--from", "nothing"], "no such revision: 'nothing'"),
        (["{root}", "--to", "--output=x"], "--to --output=x: neither a date nor a revision"),
        (["{root}", "--from", "2030-01-01"], "no commit of that time changed the overlay"),
        (["{root}", "--samples", "2", "--every", "2"], "only one of them can be"),
        (["{root}", "--select", "parse-eror"], "did you mean parse-error?"),
    ],
)
def test_what_can_not_be_done(line: Line, arguments: list[str], text: str, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    places = {"git": line.folder, "root": line.root, "outside": tmp_path / "outside"}
    ran = overlaylint(["history", *(one.format(**places) for one in arguments)])
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    assert text in ran.err


def test_evenly_in_time() -> None:
    assert evenly([0, 1, 2, 3, 100], 3) == frozenset({0, 3, 4})
    assert evenly([5, 6], 10) == frozenset({0, 1})
    assert evenly([5], 2) == frozenset({0})


# What a tree was asked


NAMES = ("a", "b")
PATHS = tuple(f"{one}/{two}" if two else one for one in NAMES for two in ("", *NAMES))
FILES = st.dictionaries(
    st.sampled_from(PATHS),
    st.one_of(
        st.sampled_from(["1", "2"]),
        st.sampled_from(["->a", "->b", "->../a", "->../b/a", "->b/b", "->nothing", "->/etc"]),
    ),
    max_size=4,
)
QUESTIONS = st.lists(
    st.tuples(st.sampled_from(["read", "kind", "resolve", "entries"]), st.sampled_from(PATHS)),
    min_size=1,
    max_size=3,
)


def commit_files(folder: Path, files: Mapping[str, str]) -> str:
    """Commit a tree of files and links, written as git stores them; return the commit."""
    index = {**os.environ, "GIT_INDEX_FILE": str(folder / "index")}
    (folder / "index").unlink(missing_ok=True)

    def git(*arguments: str, given: str = "") -> str:
        ran = subprocess.run(
            ["git", "-c", "user.name=x", "-c", "user.email=x", *arguments],
            cwd=folder, input=given, capture_output=True, text=True, check=True, env=index,
        )  # fmt: skip
        return ran.stdout.strip()

    entries = ""
    for path, text in files.items():
        if any(other.startswith(f"{path}/") for other in files):
            continue
        mode = "120000" if text.startswith("->") else "100644"
        name = git("hash-object", "-w", "--stdin", given=text.removeprefix("->"))
        entries += f"{mode} {name}\t{path}\n"
    git("update-index", "--add", "--index-info", given=entries)
    return git("commit-tree", git("write-tree"), "-m", "x")


def answer(tree: Tree, question: tuple[str, str]) -> object:
    name, path = question
    try:
        return getattr(tree, name)(path)
    except TreeError as error:
        return error.args


@settings(max_examples=80, deadline=None)
@given(before=FILES, after=FILES, questions=QUESTIONS)
def test_what_is_not_touched_has_the_same_answers(
    before: dict[str, str],
    after: dict[str, str],
    questions: list[tuple[str, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("git")
    run("git", "init", "--quiet", cwd=folder)
    old, new = commit_files(folder, before), commit_files(folder, after)
    record = Record()
    recording = RecordingTree(GitTree(folder, old), record)
    answers = [answer(recording, one) for one in questions]
    assert answers == [answer(GitTree(folder, old), one) for one in questions]
    changes = changes_between(folder, [(old, new)], "")[old, new]
    if not record.is_touched_by(changes):
        assert answers == [answer(GitTree(folder, new), one) for one in questions]
    assert not record.is_touched_by(())


def test_commits_of_a_folder(line: Line) -> None:
    found = first_parents(line.folder, "HEAD", ["overlay/app-misc/other"])
    assert [one.id for one in found] == [line.commits[2]]
    pairs = [(line.commits[0], line.commits[1]), (line.commits[1], line.commits[3])]
    changes = changes_between(line.folder, pairs, "overlay")
    assert ("M", HELLO) in [(one.status, one.path) for one in changes[pairs[0]]]
    added = {one.path for one in changes[pairs[1]] if one.status == "A"}
    assert added == {"app-misc/other", OTHER, "README.md"}
