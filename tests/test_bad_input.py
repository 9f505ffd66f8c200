"""Input that is not as it should be: a finding or one clear line, and the rest is checked."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import CLEAN, HELLO, overlay, overlaylint, write

from overlaylint.engine.packs import load_catalog
from overlaylint.engine.run import Plan, run
from overlaylint.finding import Finding
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.repository import Repository
from overlaylint.rule import rule
from overlaylint.tree import DirectoryTree, Entry, TreeError

OTHER = "app-misc/other/other-1.ebuild"
BROKEN = "EAPI=7\n)\n"


def findings(root: Path) -> dict[str, set[str]]:
    """Return the rules that find something, by path, and check that the other file is seen."""
    write(root, OTHER, BROKEN)
    ran = overlaylint(["check", root, "--output-format", "json"])
    assert (ran.status, ran.err) == (1, "")
    found: dict[str, set[str]] = {}
    for one in json.loads(ran.out)["findings"]:
        found.setdefault(one["path"], set()).add(one["rule"])
    assert found.pop(OTHER) == {"parse-error"}
    # The text for people has to be made of it, too.
    assert overlaylint(["check", root]).status == 1
    return found


@pytest.mark.parametrize(
    ("content", "rules"),
    [
        (b'EAPI=7\nDESCRIPTION="caf\xe9"\n', {"not-utf-8"}),
        (b"", {"empty-ebuild"}),
        (b"\n\n# a comment\n", {"empty-ebuild"}),
        (b"EAPI=7\n\0\0SLOT=0\n", {"nul-byte"}),
        (b"\0" * 4096, {"nul-byte"}),
        (b"EAPI=7\r\nSLOT=0\r\n", {"carriage-return"}),
        (b'EAPI=7\nDESCRIPTION="' + b"x " * 5_000_000 + b'"', {"oversized-script"}),
        (b"a;" * 5_000_000, {"oversized-script"}),
        (
            b"# overlaylint: ignore[x] -- a" + b" " * 200_000 + b"b\n",
            {"empty-ebuild", "unknown-suppression"},
        ),
        (b"EAPI=7\n" + b"(" * 20_000, {"parse-error"}),
        (b'EAPI=7\nX="$(' * 3_000, {"parse-error"}),
        (b"\xff\xfeE\0A\0P\0I\0=\x007\0\n\0", {"not-utf-8", "nul-byte"}),
    ],
    ids=[
        "not-utf-8", "empty", "comments", "nul", "only-nul", "crlf", "one-line-of-10-mb",
        "10-mb-of-commands", "blanks-in-a-reason", "nested", "nested-quotes", "utf-16",
    ],
)  # fmt: skip
def test_content(content: bytes, rules: set[str], tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: content})
    assert findings(root) == {HELLO: rules}


@pytest.mark.parametrize(
    "target", ["nowhere.ebuild", "../../../../etc/passwd", "/etc/passwd", "hello-1.ebuild", "."]
)
def test_link(target: str, tmp_path: Path) -> None:
    root = overlay(tmp_path, {"app-misc/hello/hello-2.ebuild": CLEAN}, {HELLO: target})
    assert findings(root) == {HELLO: {"dangling-link"}}


def test_folder_called_ebuild(tmp_path: Path) -> None:
    root = overlay(tmp_path, {f"{HELLO}/files/x": "x", "app-misc/hello/hello-2.ebuild": CLEAN})
    assert findings(root) == {HELLO: {"misplaced-ebuild"}}


def test_version_that_is_none(tmp_path: Path) -> None:
    path = "app-misc/hello/hello-1.0rc1.ebuild"
    assert findings(overlay(tmp_path, {path: CLEAN})) == {path: {"misplaced-ebuild"}}


def test_name_that_is_no_text(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN})
    write(root, "app-misc/hello/\x1b[31m\n::error::-1.ebuild", CLEAN)
    assert {"misplaced-ebuild"} in findings(root).values()
    text = overlaylint(["check", root]).out
    assert "\\x1b[31m\\n::error::-1.ebuild" in text
    assert "\x1b" not in text


def test_pipe_is_not_waited_for(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN})
    os.mkfifo(root / "app-misc/hello/hello-2.ebuild")
    assert findings(root) == {"app-misc/hello/hello-2.ebuild": {"unreadable-file"}}


class Unreadable(DirectoryTree):
    """A tree in which some paths can't be read, as for somebody who is not root."""

    def __init__(self, root: Path, *paths: str) -> None:
        self.paths = paths
        super().__init__(root)

    def load_stored(self, path: str) -> bytes:
        if path in self.paths:
            raise TreeError(path, "permission denied")
        return super().load_stored(path)

    def entries(self, folder: str) -> tuple[Entry, ...]:
        if folder in self.paths:
            raise TreeError(folder, "permission denied")
        return super().entries(folder)


@rule()
def sees_ebuilds(ebuild: Ebuild) -> Iterator[Finding]:
    if ebuild.package == "other":
        yield Finding(ebuild.span(), "seen")


def unreadable(tmp_path: Path, *paths: str) -> Iterator[tuple[str, str]]:
    files = {HELLO: CLEAN, OTHER: BROKEN, "profiles/base/eapi": "7\n", "eclass/x.eclass": CLEAN}
    root = overlay(tmp_path, files)
    catalog = load_catalog()
    rules = (*catalog.select("overlay"), sees_ebuilds)
    plan = Plan(rules, frozenset(catalog.rules))
    for one in run(Repository(Unreadable(root, *paths)), plan).findings:
        yield one.span.path, one.rule


@pytest.mark.parametrize(
    "path", [HELLO, "app-misc/hello", "profiles/base/eapi", "profiles/base", "profiles", "eclass"]
)
def test_permission_denied(path: str, tmp_path: Path) -> None:
    assert sorted(unreadable(tmp_path, path)) == sorted(
        [(path, "unreadable-file"), (OTHER, "parse-error"), (OTHER, "sees-ebuilds")]
    )


def test_permission_denied_for_a_category(tmp_path: Path) -> None:
    assert list(unreadable(tmp_path, "app-misc")) == [("app-misc", "unreadable-file")]


def test_no_profiles_at_all(tmp_path: Path) -> None:
    file = tmp_path / HELLO
    file.parent.mkdir(parents=True)
    file.write_text(CLEAN)
    ran = overlaylint(["check", tmp_path])
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == (
        f"overlaylint: {tmp_path}: no overlay is there: neither it nor a folder above it has"
        " profiles/repo_name\n"
    )


def test_no_name(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: BROKEN})
    (root / "profiles/repo_name").write_bytes(b"\xff\xfe \n")
    ran = overlaylint(["check", root, "--output-format", "json"])
    assert {one["rule"] for one in json.loads(ran.out)["findings"]} == {"not-utf-8", "parse-error"}


def test_layout_that_is_no_text(tmp_path: Path) -> None:
    files = {HELLO: CLEAN, "metadata/layout.conf": b"masters = \xff \0\n=\n\x1b[31m\n"}
    found = findings(overlay(tmp_path, files))
    assert found["metadata/layout.conf"] == {"not-utf-8", "nul-byte"}


def test_arguments_that_are_no_text(tmp_path: Path) -> None:
    ran = overlaylint(["check", f"{tmp_path}/\udcff\x1b[31m"])
    assert ran.status == 2
    assert ran.err.endswith("\\xff\\x1b[31m: no such file or folder\n")


def test_a_given_file_that_can_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN, OTHER: BROKEN})

    def refuse(_: DirectoryTree, path: str) -> bytes:
        if path == HELLO:
            raise TreeError(path, "permission denied")
        return (root / path).read_bytes()

    monkeypatch.setattr(DirectoryTree, "load_stored", refuse)
    monkeypatch.setattr(os, "access", lambda *_args, **_named: False)
    ran = overlaylint(["check", root / HELLO, root / OTHER, "--output-format", "concise"])
    assert (ran.status, ran.err) == (1, "")
    assert "[unreadable-file]" in ran.out
    assert "[parse-error]" in ran.out
