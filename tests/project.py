"""The project itself as something to build, to install and to commit to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parent.parent


def run(
    *command: str | Path, cwd: Path, check: bool = True, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a program without this process's Python settings; its output goes into a failure."""
    dropped = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "GITHUB_ACTIONS", "GIT_DIR")
    inherited = {name: value for name, value in os.environ.items() if name not in dropped}
    identity = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "A Tester"), ("EMAIL", "tester@example.org"))
    }
    ran = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**inherited, **identity, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if check and ran.returncode:
        raise AssertionError(f"{command} ended with {ran.returncode}\n{ran.stdout}{ran.stderr}")
    return ran


def copy_project(folder: Path) -> Path:
    """Copy the files of the work tree, committed or not, but none that git ignores."""
    listed = run("git", "ls-files", "-coz", "--exclude-standard", cwd=PROJECT).stdout
    for name in filter(None, listed.split("\0")):
        source, target = PROJECT / name, folder / name
        if os.path.lexists(source):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    return folder


def make_environment(folder: Path) -> Path:
    """Make an empty virtual environment and return its `bin`."""
    run(sys.executable, "-m", "venv", folder, cwd=folder.parent)
    return folder / "bin"
