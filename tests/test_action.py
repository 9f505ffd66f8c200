"""The GitHub Action: its steps' shell, run as the runner would, with the runner's variables."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from project import PROJECT, copy_project, run
from support import CLEAN, HELLO, overlay, write

ACTION = yaml.safe_load((PROJECT / "action.yml").read_text())
INSTALL, CHECK = ACTION["runs"]["steps"]
OLD = "app-misc/old/old-1.ebuild"
NEW = "app-misc/new/new-1.ebuild"
BROKEN = "EAPI=7\n)\n"
FOLDER = "third_party/over lay"


def evaluated(text: str, context: Mapping[str, Any]) -> str:
    """Return a text with its expressions replaced: names of the context, and `||` between them."""

    def value(match: re.Match[str]) -> str:
        found: Any = ""
        for name in match[1].split("||"):
            found = context
            for part in name.strip().split("."):
                found = found.get(part, "") if isinstance(found, Mapping) else ""
            if found:
                break
        return str(found)

    return re.sub(r"\$\{\{(.*?)\}\}", value, text)


@dataclass
class Runner:
    """A runner with a workspace, in which `steps` of the action are run."""

    workspace: Path
    temporary: Path
    action: Path
    github: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, step: Mapping[str, Any], **inputs: str) -> subprocess.CompletedProcess[str]:
        """Run one step as `shell: bash` is run; underscores in the inputs' names are hyphens."""
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        defaults = {name: one["default"] for name, one in ACTION["inputs"].items()}
        assert set(given) <= set(defaults)
        github = {"action_path": str(self.action), "event": {}, **self.github}
        context = {"inputs": {**defaults, **given}, "github": github}
        assert step["shell"] == "bash"
        assert "${{" not in step["run"]
        script = write(self.temporary, "step.sh", step["run"])
        own = {name: evaluated(text, context) for name, text in step["env"].items()}
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("GITHUB_", "VIRTUAL_ENV", "PYTHONPATH"))
        }
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
            cwd=self.workspace,
            env={
                **inherited,
                "CI": "true",
                "GITHUB_ACTIONS": "true",
                "GITHUB_WORKSPACE": str(self.workspace),
                "GITHUB_EVENT_NAME": str(self.github.get("event_name", "push")),
                "GITHUB_STEP_SUMMARY": str(self.temporary / "summary.md"),
                "RUNNER_TEMP": str(self.temporary),
                **self.environment,
                **own,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def summary(self) -> str:
        return (self.temporary / "summary.md").read_text()


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runner's folder for temporary files, after the first step."""
    folder = tmp_path_factory.mktemp("runner")
    action = copy_project(folder / "action")
    # A stranger's checkout, with modules that Python must not take for its own.
    workspace = tmp_path_factory.mktemp("workspace")
    for name in ("venv", "pip", "ensurepip", "argparse", "subprocess", "sitecustomize"):
        write(workspace, f"{name}.py", f"open({str(folder / 'imported')!r}, 'w')\n")
    runner = Runner(workspace, folder, action)
    ran = runner.run(INSTALL, python=sys.executable)
    assert not (folder / "imported").exists()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.startswith("overlaylint ")
    return folder


@pytest.fixture
def temporary(installed: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "temp"
    folder.mkdir()
    (folder / "overlaylint").symlink_to(installed / "overlaylint")
    return folder


class Origin:
    """A repository with an overlay, an old finding in it, and a branch that adds another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        # As the host lets anybody.
        self.git("config", "uploadpack.allowAnySHA1InWant", "true")
        overlay(folder / FOLDER, {HELLO: CLEAN, OLD: BROKEN}, name="overlay")
        self.base = self.commit("Start")
        self.git("checkout", "--quiet", "-b", "topic")
        write(folder, f"{FOLDER}/overlay/{NEW}", BROKEN)
        self.head = self.commit("Add new")
        self.git("checkout", "--quiet", "main")
        write(folder, "README", "read me\n")
        self.tip = self.commit("Say more")
        self.git("checkout", "--quiet", "--detach")
        self.git("merge", "--quiet", "--no-ff", "-m", "Merge", "topic")
        self.merge = self.git("rev-parse", "HEAD")
        self.git("update-ref", "refs/pull/1/merge", self.merge)

    def git(self, *arguments: str) -> str:
        return run("git", *arguments, cwd=self.folder).stdout.strip()

    def commit(self, message: str) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", message)
        return self.git("rev-parse", "HEAD")

    def checkout(self, folder: Path, revision: str, *options: str) -> Path:
        """Check a revision out as actions/checkout does: by its name, into an empty repository."""
        folder.mkdir()
        run("git", "init", "--quiet", cwd=folder)
        run("git", "remote", "add", "origin", f"file://{self.folder}", cwd=folder)
        run("git", "fetch", "--quiet", "--no-tags", *options, "origin", revision, cwd=folder)
        run("git", "checkout", "--quiet", "FETCH_HEAD", cwd=folder)
        return folder


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Origin:
    return Origin(tmp_path_factory.mktemp("hosted") / "origin")


def reported(ran: subprocess.CompletedProcess[str]) -> set[str]:
    """Return the files that are annotated as broken, as paths in the overlay."""
    found = re.findall(r"^::error [^:]*file=([^,:]*),", ran.stdout, re.MULTILINE)
    prefix = f"{FOLDER}/overlay/"
    assert all(path.startswith(prefix) for path in found), ran.stdout
    return {path.removeprefix(prefix) for path in found}


PULL_REQUEST = {"event_name": "pull_request"}
WHERE = f"{FOLDER}/overlay"


@pytest.mark.parametrize("depth", ["--depth=1", "--depth=2", "--depth=100"])
def test_a_pull_request_is_told_of_what_it_brings(
    origin: Origin, temporary: Path, tmp_path: Path, depth: str
) -> None:
    workspace = origin.checkout(tmp_path / "work", "refs/pull/1/merge", depth)
    github = {**PULL_REQUEST, "event": {"pull_request": {"base": {"sha": origin.base}}}}
    ran = Runner(workspace, temporary, PROJECT, github).run(CHECK, path=WHERE)
    assert ran.returncode == 1, ran.stderr
    assert reported(ran) == {NEW}
    assert OLD not in ran.stdout
    # The frame is for people who read the log.
    assert "error[parse-error]" in ran.stdout


def test_everything_is_reported_if_asked(origin: Origin, temporary: Path, tmp_path: Path) -> None:
    workspace = origin.checkout(tmp_path / "work", "refs/pull/1/merge", "--depth=1")
    runner = Runner(workspace, temporary, PROJECT, PULL_REQUEST)
    ran = runner.run(CHECK, path=WHERE, changed_only="false", sarif_file="out.sarif")
    assert ran.returncode == 1, ran.stderr
    assert reported(ran) == {NEW, OLD}
    assert OLD.replace("-", "\\-").replace(".", "\\.") in runner.summary
    assert '"parse-error"' in (workspace / "out.sarif").read_text()


def test_a_push_is_told_of_what_it_brings(origin: Origin, temporary: Path, tmp_path: Path) -> None:
    workspace = origin.checkout(tmp_path / "work", origin.head, "--depth=1")
    runner = Runner(workspace, temporary, PROJECT, {"event": {"before": origin.base}})
    ran = runner.run(CHECK, path=WHERE)
    assert ran.returncode == 1, ran.stderr
    assert reported(ran) == {NEW}


@pytest.mark.parametrize("before", ["0" * 40, "", "f" * 40])
def test_a_first_push_is_told_of_everything(
    origin: Origin, temporary: Path, tmp_path: Path, before: str
) -> None:
    workspace = origin.checkout(tmp_path / "work", origin.head, "--depth=1")
    runner = Runner(workspace, temporary, PROJECT, {"event": {"before": before}})
    ran = runner.run(CHECK, path=WHERE)
    assert ran.returncode == 1, ran.stderr
    assert reported(ran) == {NEW, OLD}
    assert "::notice title=overlaylint::It is not known what has changed" in ran.stdout


def test_a_change_that_breaks_nothing_passes(
    origin: Origin, temporary: Path, tmp_path: Path
) -> None:
    workspace = origin.checkout(tmp_path / "work", origin.tip)
    ran = Runner(workspace, temporary, PROJECT, {"event": {"before": origin.base}}).run(
        CHECK, path=WHERE
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert reported(ran) == set()


def test_arguments_are_passed_on(origin: Origin, temporary: Path, tmp_path: Path) -> None:
    workspace = origin.checkout(tmp_path / "work", origin.head)
    runner = Runner(workspace, temporary, PROJECT, PULL_REQUEST)
    ran = runner.run(
        CHECK, path=WHERE, changed_only="false", args="--exit-zero\n --ignore parse-error,*  "
    )
    assert ran.returncode == 2
    assert "no rule or pack is called *" in ran.stderr
    ran = runner.run(CHECK, path=WHERE, changed_only="false", args="--exit-zero")
    assert ran.returncode == 0
    assert reported(ran) == {NEW, OLD}


@pytest.mark.parametrize("name", ["path", "args", "sarif_file", "changed_only"])
def test_inputs_are_never_run(origin: Origin, temporary: Path, tmp_path: Path, name: str) -> None:
    workspace = origin.checkout(tmp_path / "work", origin.head)
    before = sorted(workspace.rglob("*"))
    inputs = {"path": WHERE, name: '$(touch ran)`touch ran`"; touch ran; #'}
    ran = Runner(workspace, temporary, PROJECT, PULL_REQUEST).run(CHECK, **inputs)
    assert ran.returncode == (1 if name == "sarif_file" else 2), ran.stdout + ran.stderr
    made = {path.name for path in workspace.rglob("*")} - {path.name for path in before}
    assert made <= {inputs.get("sarif_file")}


def test_an_old_python_is_said_to_be_one(tmp_path: Path) -> None:
    old = write(tmp_path, "python3.10", "#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    ran = Runner(tmp_path, tmp_path, PROJECT).run(INSTALL, python=str(old))
    assert ran.returncode == 2
    assert "Python 3.11 or later is needed" in ran.stdout
