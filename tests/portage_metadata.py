"""Real Portage, asked of overlays that tests write: for their metadata, and what it makes of it."""

from __future__ import annotations

import getpass
import grp
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_PROFILE = 'ARCH="amd64"\nCHOST="x86_64-pc-linux-gnu"\n'
#: Portage protects builds from one another by means that need root, or a Gentoo system.
_FEATURES = (
    "sandbox", "usersandbox", "userpriv", "usersync", "userfetch", "ipc-sandbox",
    "network-sandbox", "pid-sandbox", "mount-sandbox", "cgroup", "news", "strict",
)  # fmt: skip


def egencache() -> str | None:
    """Return the path of `egencache`, None where Portage is not installed."""
    beside = str(Path(sys.executable).parent)
    return shutil.which("egencache", path=os.pathsep.join((beside, os.environ.get("PATH", ""))))


def asked_of_portage(script: str, roots: Iterable[Path]) -> Any:
    """Return what a script that uses Portage's modules prints, as JSON, for overlays.

    It reads their paths from its standard input, one to a line, each as JSON.
    """
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        input="".join(f"{json.dumps(str(root))}\n" for root in roots),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-4000:]
    return json.loads(run.stdout)


def sourced_by_portage(
    overlay: Path, masters: Iterable[Path], work: Path, *, jobs: int = 2, parent: Path | None = None
) -> dict[str, dict[str, str]]:
    """Return `category/pf` -> key -> value for each ebuild that Portage can source.

    `parent` is the folder of the profile to do so under; without it, it is one for amd64.

    The cache is written into the overlay itself, whose layout.conf must have
    `cache-formats = md5-dict`. All else that Portage writes goes below `work`.
    """
    program = egencache()
    assert program is not None, "Portage is not installed"
    config = work / "config" / "etc" / "portage"
    profile = config / "make.profile"
    for folder in (profile, work / "cache", work / "tmp"):
        folder.mkdir(parents=True)
    repositories = [*masters, overlay]
    main = repositories[0].name
    sections = [f"[DEFAULT]\nmain-repo = {main}\n"]
    sections += [f"[{one.name}]\nlocation = {one}\nauto-sync = no\n" for one in repositories]
    (config / "repos.conf").write_text("".join(sections))
    if parent is None:
        (profile / "make.defaults").write_text(_PROFILE)
    else:
        (profile / "parent").write_text(f"{parent}\n")
    (profile / "eapi").write_text("8\n")
    (config / "make.conf").write_text(
        f'ACCEPT_KEYWORDS="**"\nFEATURES="{" ".join(f"-{one}" for one in _FEATURES)}"\n'
        f'PORTAGE_TMPDIR="{work / "tmp"}"\nDISTDIR="{work / "tmp"}"\n'
    )
    environment = {
        "PATH": os.pathsep.join((str(Path(program).parent), os.environ.get("PATH", ""))),
        "HOME": str(work / "tmp"),
        "PORTAGE_CONFIGROOT": str(work / "config"),
        "PORTAGE_USERNAME": getpass.getuser(),
        "PORTAGE_GRPNAME": grp.getgrgid(os.getgid()).gr_name,
        "LC_ALL": "C.UTF-8",
    }
    ran = subprocess.run(
        [
            program,
            "--update",
            f"--config-root={work / 'config'}",
            f"--cache-dir={work / 'cache'}",
            f"--repositories-configuration={''.join(sections)}",
            f"--repo={overlay.name}",
            f"--jobs={jobs}",
            "--tolerant",
        ],
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    (work / "log").write_text(ran.stdout + ran.stderr)
    cache = overlay / "metadata" / "md5-cache"
    assert cache.is_dir(), ran.stdout + ran.stderr
    return {
        file.relative_to(cache).as_posix(): dict(
            line.split("=", 1)
            for line in file.read_bytes().decode("utf-8", "surrogateescape").splitlines()
        )
        for file in cache.glob("*/*")
        if not file.name.startswith(("Manifest", "."))
    }
