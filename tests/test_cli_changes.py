"""What a change can affect: `check --since`, `--staged` and `-`."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from project import run
from support import CLEAN, HELLO, overlay, overlaylint, write

from overlaylint.engine.selection import Selection
from overlaylint.finding import Finding, Related, Span

#: A comment that is a finding wherever it stands, and changes nothing.
MARK = "# overlaylint: ignore[parse-error] -- it is right\n"
MARKED = f"# Copyright\n{MARK}{CLEAN}"

FILES = {
    "eclass/base.eclass": MARK,
    "eclass/middle.eclass": f"{MARK}inherit base\n",
    "eclass/other.eclass": MARK,
    "app-misc/heir/heir-1.ebuild": f"{MARKED}inherit middle\n",
    "app-misc/heir/Manifest": "",
    "app-misc/heir/files/heir.conf": "x\n",
    "app-misc/heir/metadata.xml": "<pkgmetadata/>\n",
    "app-misc/child/child-9999.ebuild": f"{MARKED}inherit base\n",
    "app-misc/plain/plain-1.ebuild": MARKED,
    "app-misc/plain/plain-2.ebuild": MARKED,
    "dev-libs/other/other-1.ebuild": f"{MARKED}inherit other\n",
    "coreos/config/env/app-misc/plain": MARK,
    "coreos/config/env/dev-libs/other-1": MARK,
    "coreos/user-patches/app-misc/plain/0001-fix.patch": "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n",
    "profiles/base/make.defaults": f'{MARK}ARCH="amd64"\n',
    "profiles/base/package.use/some": f"{MARK}app-misc/plain x\n",
    "profiles/base/package.mask": f"{MARK}dev-libs/other\n",
    "profiles/leaf/parent": f"{MARK}../base\n",
    "profiles/alone/make.defaults": f'{MARK}ARCH="arm64"\n',
    "metadata/layout.conf": "masters =\nprofile-formats = portage-2\n",
    "README.md": "# An overlay\n",
}
LINKS = {"dev-libs/other/other-2.ebuild": "../../app-misc/plain/plain-2.ebuild"}

HEIR = {"app-misc/heir/heir-1.ebuild"}
CHILD = {"app-misc/child/child-9999.ebuild"}
PLAIN = {
    "app-misc/plain/plain-1.ebuild",
    "app-misc/plain/plain-2.ebuild",
    "coreos/config/env/app-misc/plain",
}
OTHER = {"dev-libs/other/other-1.ebuild", "coreos/config/env/dev-libs/other-1"}
BASE_PROFILE = {
    "profiles/base/make.defaults",
    "profiles/base/package.use/some",
    "profiles/base/package.mask",
}
LEAF = {"profiles/leaf/parent"}
ALONE = {"profiles/alone/make.defaults"}
ECLASSES = {"eclass/base.eclass", "eclass/middle.eclass", "eclass/other.eclass"}
ALL = HEIR | CHILD | PLAIN | OTHER | BASE_PROFILE | LEAF | ALONE | ECLASSES


class Repository:
    """A git repository with an overlay in a folder of it, everything committed."""

    def __init__(
        self,
        folder: Path,
        files: Mapping[str, str] = FILES,
        links: Mapping[str, str] = LINKS,
        inside: str = "",
    ) -> None:
        self.folder = folder
        self.git("init", "--quiet", "--initial-branch=main")
        self.overlay = overlay(folder / inside, files, links)
        self.commit()

    def git(self, *arguments: str) -> str:
        self.folder.mkdir(parents=True, exist_ok=True)
        return run("git", *arguments, cwd=self.folder).stdout

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "Change")

    def append(self, path: str, text: str = "\n") -> None:
        write(self.overlay, path, (self.overlay / path).read_text() + text)

    def found(self, *options: str | Path) -> set[str]:
        ran = overlaylint(["check", self.overlay, *options, "--output-format", "json"])
        report = json.loads(ran.out)
        assert ran.status == (1 if report["findings"] else 0), ran.err
        return {one["path"] for one in report["findings"]}


@pytest.fixture(name="repository")
def make_repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "git")


# What a change can affect


def test_everything_is_marked(repository: Repository) -> None:
    assert repository.found() == ALL


def test_no_change(repository: Repository) -> None:
    assert repository.found("--since", "HEAD") == set()
    assert repository.found("--staged") == set()
    ran = overlaylint(["check", repository.overlay, "--since", "HEAD"])
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.startswith("0 files checked")


@pytest.mark.parametrize(
    ("path", "affected"),
    [
        ("eclass/base.eclass", HEIR | CHILD | ECLASSES - {"eclass/other.eclass"}),
        ("eclass/middle.eclass", HEIR | {"eclass/middle.eclass"}),
        ("eclass/other.eclass", OTHER | {"eclass/other.eclass"}),
        ("app-misc/heir/files/heir.conf", HEIR),
        ("app-misc/heir/Manifest", HEIR),
        ("app-misc/heir/metadata.xml", HEIR),
        ("app-misc/plain/plain-1.ebuild", PLAIN),
        # a link of another package leads there
        ("app-misc/plain/plain-2.ebuild", PLAIN | OTHER),
        ("coreos/config/env/app-misc/plain", PLAIN),
        ("coreos/config/env/dev-libs/other-1", OTHER),
        ("coreos/user-patches/app-misc/plain/0001-fix.patch", PLAIN),
        ("profiles/base/make.defaults", BASE_PROFILE | LEAF),
        ("profiles/base/package.use/some", BASE_PROFILE | LEAF),
        ("profiles/leaf/parent", LEAF),
        ("profiles/alone/make.defaults", ALONE),
        ("profiles/repo_name", ALL),
        ("metadata/layout.conf", ALL),
        ("README.md", set()),
    ],
)
def test_a_changed_file(repository: Repository, path: str, affected: set[str]) -> None:
    repository.append(path)
    assert repository.found("--since", "HEAD") == affected
    repository.git("add", "--all")
    assert repository.found("--staged") == affected
    repository.commit()
    assert repository.found("--since", "HEAD~1") == affected


@pytest.mark.parametrize(
    ("path", "affected"),
    [
        ("eclass/base.eclass", HEIR | CHILD | {"eclass/middle.eclass"}),
        ("app-misc/heir/files/heir.conf", HEIR),
        ("app-misc/plain/plain-1.ebuild", PLAIN - {"app-misc/plain/plain-1.ebuild"}),
        ("profiles/base/package.mask", (BASE_PROFILE | LEAF | OTHER)
         - {"profiles/base/package.mask"}),
    ],
)  # fmt: skip
def test_a_deleted_file(repository: Repository, path: str, affected: set[str]) -> None:
    (repository.overlay / path).unlink()
    assert repository.found("--since", "HEAD") == affected
    repository.git("add", "--all")
    assert repository.found("--staged") == affected


def test_a_link_to_a_deleted_file_of_another_package(repository: Repository) -> None:
    (repository.overlay / "app-misc/plain/plain-2.ebuild").unlink()
    found = repository.found("--since", "HEAD")
    assert "dev-libs/other/other-2.ebuild" in found
    assert found >= OTHER


def test_lines_of_a_profile_name_packages(repository: Repository) -> None:
    repository.append("profiles/base/package.mask", ">=app-misc/heir-2\n-app-misc/plain\n")
    affected = BASE_PROFILE | LEAF | HEIR | PLAIN
    assert repository.found("--since", "HEAD") == affected


def test_a_file_that_git_does_not_know_counts_unless_it_is_ignored(repository: Repository) -> None:
    write(repository.overlay, "app-misc/plain/plain-3.ebuild", MARKED)
    write(repository.overlay, "app-misc/heir/heir-2.ebuild", MARKED)
    write(repository.overlay, ".gitignore", "heir-2.ebuild\n")
    assert repository.found("--since", "HEAD") == PLAIN | {"app-misc/plain/plain-3.ebuild"}
    assert repository.found("--staged") == set()


def test_a_file_that_is_only_younger_has_not_changed(repository: Repository) -> None:
    for path in (HELLO, *FILES):
        if (repository.overlay / path).exists():
            os.utime(repository.overlay / path, (1, 1))
    before = (repository.folder / ".git/index").read_bytes()
    assert repository.found("--since", "HEAD") == set()
    assert (repository.folder / ".git/index").read_bytes() == before


def test_the_configuration_changes_everything(repository: Repository) -> None:
    write(repository.overlay, "overlaylint.toml", 'ignore = ["nul-byte"]\n')
    assert repository.found("--since", "HEAD") == ALL


def test_only_what_is_given_of_it(repository: Repository) -> None:
    repository.append("eclass/base.eclass")
    ran = overlaylint(
        ["check", repository.overlay / "app-misc", "--since", "HEAD", "--output-format", "json"]
    )
    paths = {one["path"] for one in json.loads(ran.out)["findings"]}
    assert paths == HEIR | CHILD


def test_a_finding_elsewhere_that_is_about_what_has_changed() -> None:
    """Where a rule finds a line of a profile that is wrong for a package, say."""
    selection = Selection(exclude=("profiles/old",), affected=frozenset({"app-misc/heir"}))
    changed = Related(Span("app-misc/heir/heir-1.ebuild", 1, 2), "this ebuild")
    of_master = Related(Span("app-misc/heir/heir-1.ebuild", 1, 2, "base"), "this ebuild")
    for finding, subject, is_reported in (
        (Finding(Span("app-misc/heir/files/x"), ""), "profiles/leaf", True),
        (Finding(Span("profiles/leaf/package.use"), ""), "app-misc/heir/heir-1.ebuild", True),
        (Finding(Span("profiles/leaf/package.use"), "", related=(changed,)), "x", True),
        (Finding(Span("profiles/leaf/package.use"), "", related=(of_master,)), "x", False),
        (Finding(Span("profiles/leaf/package.use"), ""), "profiles/leaf", False),
        (Finding(Span("profiles/old/package.use"), ""), "app-misc/heir", False),
    ):
        assert selection.reports(finding, subject) is is_reported


# Revisions


def test_what_others_did_meanwhile_does_not_count(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "-b", "topic")
    repository.append("app-misc/heir/Manifest")
    repository.commit()
    repository.git("checkout", "--quiet", "main")
    repository.append("eclass/other.eclass")
    repository.commit()
    repository.git("checkout", "--quiet", "topic")
    assert repository.found("--since", "main") == HEIR


def test_an_overlay_in_a_subfolder_with_its_master_beside_it(tmp_path: Path) -> None:
    files = {
        **FILES,
        "base::eclass/far.eclass": "",
        "base::profiles/far/package.use": "",
        "app-misc/far/far-1.ebuild": f"{MARKED}inherit far\n",
        "profiles/far/parent": f"{MARK}base:far\n",
    }
    files["metadata/layout.conf"] = "masters = base\nprofile-formats = portage-2\n"
    repository = Repository(tmp_path / "git", files, {}, inside="sdk/third_party")
    base = repository.folder / "sdk/third_party/base"
    assert (base / "eclass/far.eclass").exists()
    write(repository.folder, "sdk/other", "x\n")
    assert repository.found("--since", "HEAD") == set()
    write(base, "eclass/far.eclass", "# changed\n")
    assert repository.found("--since", "HEAD") == {"app-misc/far/far-1.ebuild"}
    write(base, "profiles/far/package.use", "app-misc/heir x\n")
    expected = {"app-misc/far/far-1.ebuild", "profiles/far/parent"} | HEIR
    assert repository.found("--since", "HEAD") == expected
    assert repository.found("--staged") == set()
    repository.git("add", "--all")
    assert repository.found("--staged") == expected
    # a master's eclass that the overlay stands before changes nothing
    write(repository.overlay, "eclass/far.eclass", "# own\n")
    repository.commit()
    write(base, "eclass/far.eclass", "# changed again\n")
    assert repository.found("--since", "HEAD") == set()


@pytest.mark.parametrize("revision", ["nothing", "--output=x", "", "HEAD..HEAD"])
def test_a_revision_that_is_none(repository: Repository, revision: str) -> None:
    ran = overlaylint(["check", repository.overlay, f"--since={revision}"])
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == f"overlaylint: --since {revision}: no such revision: {revision!r}\n"


def test_histories_that_have_nothing_in_common(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "--orphan", "other")
    repository.append("README.md")
    repository.commit()
    ran = overlaylint(["check", repository.overlay, "--since", "main"])
    assert ran.status == 2
    assert "no commit is common to HEAD and 'main'; a shallow clone may need" in ran.err


@pytest.mark.parametrize("option", [["--since", "HEAD"], ["--staged"]])
def test_no_git_repository(option: list[str], tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN})
    ran = overlaylint(["check", root, *option])
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == f"overlaylint: {option[0]}: {root} lies in no git work tree\n"


# What is staged


def test_what_is_staged_is_checked_and_not_what_lies_there(repository: Repository) -> None:
    path = "app-misc/plain/plain-1.ebuild"
    repository.append(path, ")\n")
    repository.git("add", "--all")
    write(repository.overlay, path, CLEAN)
    ran = overlaylint(["check", repository.overlay, "--staged", "--select", "parse-error"])
    assert ran.status == 1
    assert f"{path}:6:1" in ran.out
    assert repository.found("--select", "parse-error") == set()


def test_the_first_commit(tmp_path: Path) -> None:
    root = overlay(tmp_path / "git", {HELLO: MARKED})
    run("git", "init", "--quiet", cwd=root)
    run("git", "add", "--all", cwd=root)
    ran = overlaylint(["check", root, "--staged"])
    assert (ran.status, ran.err) == (1, "")
    assert HELLO in ran.out


def test_fixes_go_into_files_and_not_into_the_index(repository: Repository) -> None:
    ran = overlaylint(["check", repository.overlay, "--staged", "--fix"])
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("overlaylint: --fix: it changes files, and not what is staged")
    repository.append("app-misc/plain/plain-1.ebuild")
    repository.git("add", "--all")
    ran = overlaylint(["check", repository.overlay, "--staged", "--diff"])
    assert ran.status == 1
    assert "--- a/app-misc/plain/plain-1.ebuild" in ran.out


def test_fixes_of_what_a_change_affects_only(repository: Repository) -> None:
    repository.append("eclass/other.eclass")
    overlaylint(["check", repository.overlay, "--since", "HEAD", "--fix"])
    changed = set(repository.git("diff", "--name-only", "--relative=overlay").split())
    assert changed == OTHER | {"eclass/other.eclass"}


@pytest.mark.parametrize("commit", [["--all"], ["--only", "overlay/app-misc/plain"]])
def test_a_hook_sees_the_index_of_its_commit(repository: Repository, commit: list[str]) -> None:
    """`git commit --all`, and with paths, have an index of their own."""
    command = f'"{sys.executable}" -m overlaylint check overlay --staged --select parse-error'
    hook = write(repository.folder, ".git/hooks/pre-commit", f"#!/bin/sh\n{command}\n")
    hook.chmod(0o755)
    repository.append("app-misc/plain/plain-1.ebuild", ")\n")
    ran = run("git", "commit", *commit, "-m", "x", cwd=repository.folder, check=False)
    assert ran.returncode == 1
    assert "app-misc/plain/plain-1.ebuild:6:1" in ran.stdout + ran.stderr


# Standard input


def from_editor(
    text: bytes, path: Path, monkeypatch: pytest.MonkeyPatch, *options: str
) -> tuple[int, list[tuple[str, str]]]:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
    ran = overlaylint(["check", "-", "--stdin-filename", path, "--output-format", "json", *options])
    findings = json.loads(ran.out)["findings"]
    return ran.status, [(one["path"], one["rule"]) for one in findings]


def test_unsaved_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN, "app-misc/other/other-1.ebuild": "EAPI=7\n)\n"})
    found = from_editor(b"EAPI=7\n)\n", root / HELLO, monkeypatch)
    assert found == (1, [(HELLO, "parse-error")])
    assert from_editor(CLEAN.encode(), root / HELLO, monkeypatch) == (0, [])
    assert (root / HELLO).read_text() == CLEAN


def test_unsaved_text_of_a_file_that_is_not_there_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN})
    new = root / "app-misc/hello/hello-2.ebuild"
    expected = [("app-misc/hello/hello-2.ebuild", "parse-error")]
    assert from_editor(b")\n", new, monkeypatch) == (1, expected)
    monkeypatch.chdir(new.parent)
    assert from_editor(b")\n", Path("hello-2.ebuild"), monkeypatch) == (1, expected)
    assert not new.exists()


def test_unsaved_text_of_a_file_that_is_none_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN})
    assert from_editor(b"# Read me\n", root / "README.md", monkeypatch) == (0, [])


def test_unsaved_text_of_an_eclass_with_the_overlay_as_context(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = overlay(tmp_path, {HELLO: f"{CLEAN}inherit x\n", "eclass/x.eclass": ""})
    found = from_editor(b")\n", root / "eclass/x.eclass", monkeypatch)
    assert found == (1, [("eclass/x.eclass", "parse-error")])


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["-"], "-: --stdin-filename must say which file this is the text of"),
        (["-", "{root}", "--stdin-filename", "x"], "-: nothing else can be checked with standard"),
        (["{root}", "--stdin-filename", "x"], "--stdin-filename: it goes with the path `-`"),
        (["-", "--stdin-filename", "x", "--staged"], "-: neither --since nor --staged goes with"),
        (["-", "--stdin-filename", "{root}/app-misc"], "{root}/app-misc: it is a folder, and"),
        (
            ["-", "--stdin-filename", "{root}/x", "--fix"],
            "--fix: it changes files, and not unsaved",
        ),
        (["{root}", "--since", "HEAD", "--staged"], "--since and --staged: only one of them can"),
    ],
)
def test_what_does_not_go_together(
    arguments: list[str], line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"")))
    root = overlay(tmp_path, {HELLO: CLEAN})
    ran = overlaylint(["check", *(one.replace("{root}", str(root)) for one in arguments)])
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(f"overlaylint: {line.replace('{root}', str(root))}")
