"""A revision as a tree, read through one git process and nothing else."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from overlaylint.tree import GitTree, Kind, StagedTree, TreeError, find_git_root, walk
from overlaylint.tree.git import git_objects


def git(root: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"]
    return subprocess.run(
        ["git", "-C", str(root), *identity, *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init")
    return root


def commit(root: Path, **files: str) -> str:
    for name, text in files.items():
        (root / name).write_text(text)
    git(root, "add", "-A")
    git(root, "commit", "-m", "change")
    return git(root, "rev-parse", "HEAD")


def test_each_revision_has_its_own_text(repository: Path) -> None:
    first = commit(repository, a="one", b="same")
    second = commit(repository, a="two")
    (repository / "a").write_text("three")
    assert GitTree(repository, first).read("a") == b"one"
    assert GitTree(repository, second).read("a") == b"two"
    assert GitTree(repository, "HEAD~1").read("b") == b"same"
    assert GitTree(repository, first).object_name("b") == GitTree(repository, second).object_name(
        "b"
    )


def test_a_bare_repository_and_a_folder_of_a_work_tree(repository: Path, tmp_path: Path) -> None:
    commit(repository, a="one")
    git(tmp_path, "clone", "--bare", str(repository), "bare")
    assert GitTree(tmp_path / "bare", "main").read("a") == b"one"
    (repository / "folder").mkdir()
    assert GitTree(repository / "folder", "HEAD").read("a") == b"one"


def test_staged_in_the_middle_of_a_merge_is_our_side(repository: Path) -> None:
    commit(repository, a="before", b="before")
    git(repository, "checkout", "-b", "theirs")
    commit(repository, a="theirs")
    git(repository, "checkout", "main")
    commit(repository, a="ours")
    with pytest.raises(subprocess.CalledProcessError):
        git(repository, "merge", "theirs")
    tree = StagedTree(repository)
    assert (tree.read("a"), tree.read("b")) == (b"ours", b"before")


def test_one_process_serves_every_revision(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    revisions = [commit(repository, a=str(number)) for number in range(5)]
    started: list[object] = []
    popen = subprocess.Popen

    def counted(*arguments: object, **options: object) -> object:
        started.append(arguments)
        return popen(*arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", counted)
    assert [GitTree(repository, revision).read("a") for revision in revisions] == [
        b"0", b"1", b"2", b"3", b"4",
    ]  # fmt: skip
    assert len(started) == 1


@pytest.mark.parametrize(
    "revision", ["nothing", "", "HEAD\nHEAD", "--all", "HEAD:a", "HEAD~9", "\0"]
)
def test_a_revision_that_is_none(repository: Path, revision: str) -> None:
    commit(repository, a="one")
    with pytest.raises(TreeError, match="no such revision"):
        GitTree(repository, revision)
    # The process is still of use after a question it could not answer.
    assert GitTree(repository, "HEAD").read("a") == b"one"


def test_what_is_no_repository(tmp_path: Path) -> None:
    with pytest.raises(TreeError, match="not a git repository"):
        GitTree(tmp_path, "HEAD")


def test_a_folder_that_is_not_there(repository: Path) -> None:
    commit(repository, a="one")
    for folder in ("nothing", "a"):
        with pytest.raises(TreeError, match="no folder"):
            GitTree(repository, "HEAD", folder)


def test_a_missing_git_is_said_in_one_line(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    commit(repository, a="one")
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(TreeError, match="git can't be started"):
        GitTree(repository, "HEAD")


def test_the_environment_of_a_hook_does_not_mislead(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(repository, a="one")
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init")
    commit(other, a="other")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git/index"))
    assert GitTree(repository, "HEAD").read("a") == b"one"
    assert StagedTree(repository).read("a") == b"one"


def test_a_submodule_is_an_empty_folder(repository: Path) -> None:
    name = commit(repository, a="one")
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{name},sub")
    git(repository, "commit", "-m", "submodule")
    for tree in (GitTree(repository, "HEAD"), StagedTree(repository)):
        assert tree.kind("sub") is Kind.FOLDER
        assert tree.entries("sub") == ()


def test_names_that_are_not_utf8_survive(repository: Path) -> None:
    with open(os.fsencode(repository) + b"/caf\xe9\n", "wb") as file:  # noqa: PTH123
        file.write(b"coffee")
    commit(repository)
    for tree in (GitTree(repository, "HEAD"), StagedTree(repository)):
        (path,) = walk(tree)
        assert os.fsencode(path) == b"caf\xe9\n"
        assert tree.read(path) == b"coffee"


def test_staged_is_neither_the_commit_nor_the_work_tree(repository: Path) -> None:
    (repository / "sub").mkdir()
    commit(repository, a="committed")
    (repository / "sub/b").write_text("staged")
    (repository / "a").write_text("staged")
    git(repository, "add", "-A")
    (repository / "a").write_text("unsaved")
    assert StagedTree(repository).read("a") == b"staged"
    assert list(walk(StagedTree(repository, "sub"))) == ["b"]
    with pytest.raises(TreeError, match="no folder"):
        StagedTree(repository, "nothing")


def test_a_forked_child_has_a_git_of_its_own(repository: Path) -> None:
    commit(repository, a="one", b="two")
    tree = GitTree(repository, "HEAD")
    assert tree.read("a") == b"one"
    child = os.fork()
    if child == 0:
        os._exit(0 if tree.read("b") == b"two" else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert tree.read("b") == b"two"


def test_closed_objects_open_again(repository: Path) -> None:
    commit(repository, a="one")
    git_objects(repository).close()
    assert GitTree(repository, "HEAD").read("a") == b"one"


def test_the_work_tree_is_found_without_git(repository: Path, tmp_path: Path) -> None:
    inner = repository / "src/overlay"
    inner.mkdir(parents=True)
    assert find_git_root(inner) == (repository.resolve(), "src/overlay")
    assert find_git_root(repository) == (repository.resolve(), "")
    (tmp_path / "elsewhere").mkdir()
    assert find_git_root(tmp_path / "elsewhere") is None
