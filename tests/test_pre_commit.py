"""The hooks, as the real pre-commit runs them in a repository with an overlay in it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from project import copy_project, run
from support import CLEAN, HELLO, overlay, write

BROKEN = "EAPI=7\n)\n"
FOLDER = "third_party"
PRE_COMMIT = Path(sys.executable).parent / "pre-commit"


class Repository:
    """A git repository with an overlay in a folder of it, and hooks that guard its commits."""

    def __init__(self, folder: Path, hooks: Path) -> None:
        self.folder = folder
        self.environment = {
            "PRE_COMMIT_HOME": str(folder.parent / "cache"),
            "PATH": f"{PRE_COMMIT.parent}{os.pathsep}{os.environ['PATH']}",
        }
        self.overlay = overlay(folder / FOLDER, {HELLO: CLEAN})
        revision = run("git", "rev-parse", "HEAD", cwd=hooks).stdout.strip()
        write(
            folder,
            ".pre-commit-config.yaml",
            f"repos:\n  - repo: {hooks}\n    rev: {revision}\n    hooks:\n"
            "      - id: overlaylint-fix\n"
            "      - id: overlaylint\n"
            f"      - id: overlaylint-overlay\n        args: [{FOLDER}/overlay]\n",
        )
        self.git("init", "--quiet")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "Start")
        run(PRE_COMMIT, "install", cwd=folder, **self.environment)

    def git(self, *arguments: str) -> None:
        run("git", *arguments, cwd=self.folder, **self.environment)

    def commit(self, message: str) -> tuple[bool, str]:
        """Commit all there is; return whether it was let through, and what was printed."""
        self.git("add", "--all")
        ran = run("git", "commit", "-m", message, cwd=self.folder, check=False, **self.environment)
        return ran.returncode == 0, ran.stdout + ran.stderr

    def restore(self) -> None:
        self.git("reset", "--quiet", "--hard")


def hooks_in(folder: Path) -> Path:
    """Commit the project as it is now to a repository of its own."""
    hooks = copy_project(folder)
    for arguments in (("init", "--quiet"), ("add", "--all"), ("commit", "-qm", "Hooks")):
        run("git", *arguments, cwd=hooks)
    return hooks


def test_commits_are_guarded(tmp_path: Path) -> None:
    # One test, since making the hooks' environment takes longer than all the rest.
    (tmp_path / "work").mkdir()
    repository = Repository(tmp_path / "work", hooks_in(tmp_path / "hooks"))

    # A good commit passes.
    write(repository.overlay, "app-misc/hello/hello-2.ebuild", CLEAN)
    passed, printed = repository.commit("Add hello 2")
    assert passed, printed

    # A bad one is stopped, and all hooks say why.
    write(repository.overlay, "app-misc/hello/hello-3.ebuild", BROKEN)
    passed, printed = repository.commit("Add hello 3")
    assert not passed
    assert printed.count("app-misc/hello/hello-3.ebuild:2:1") == 3, printed
    repository.restore()

    # So is a link that leads nowhere.
    (repository.overlay / "app-misc/hello/hello-4.ebuild").symlink_to("hello-9999.ebuild")
    passed, printed = repository.commit("Link hello 4")
    assert not passed
    assert printed.count("error[dangling-link]") == 3, printed
    repository.restore()

    # What breaks elsewhere is seen by the hook for the whole overlay alone.
    (repository.overlay / "app-misc/hello/hello-5.ebuild").symlink_to("hello-2.ebuild")
    assert repository.commit("Link hello 5")[0]
    old = repository.overlay / "app-misc/hello/hello-2.ebuild"
    old.rename(old.with_name("hello-2-r1.ebuild"))
    passed, printed = repository.commit("Rename hello 2")
    assert not passed
    assert printed.count("error[dangling-link]") == 1, printed
    repository.restore()

    # An excluded file is let through by name, too.
    write(repository.overlay, "overlaylint.toml", 'exclude = ["app-misc/hello/hello-6.ebuild"]\n')
    write(repository.overlay, "app-misc/hello/hello-6.ebuild", BROKEN)
    passed, printed = repository.commit("Add hello 6, which is excluded")
    assert passed, printed

    # The name of a file is never taken for an option.
    taken = f"{FOLDER}/overlay/profiles/taken"
    write(repository.folder, f"--output-file={taken}", "")
    write(repository.overlay, "app-misc/hello/hello-8.ebuild", CLEAN)
    passed, printed = repository.commit("Add hello 8, and a file with a strange name")
    assert not passed
    assert not (repository.folder / taken).exists()
    assert printed.count("no overlay is there") == 2, printed
    repository.restore()

    # Files that are not an overlay's are none of the hooks' business.
    write(repository.folder, "README.md", "# A project\n")
    assert repository.commit("Add a README")[0]

    # What can be fixed is fixed, and the commit stops so that somebody looks at it.
    ignored = f"# overlaylint: ignore[parse-error] -- none is left\n{CLEAN}"
    fixed = write(repository.overlay, "app-misc/hello/hello-7.ebuild", ignored)
    passed, printed = repository.commit("Add hello 7")
    assert not passed
    assert fixed.read_text() == CLEAN, printed
    passed, printed = repository.commit("Add hello 7")
    assert passed, printed
