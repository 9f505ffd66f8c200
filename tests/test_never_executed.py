"""Nothing of a checked overlay is executed, and nothing is written into it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from project import run
from support import overlay, write

from overlaylint.cli import COMMANDS
from overlaylint.engine.packs import load_catalog
from overlaylint.report import FORMATS

EBUILD = "app-misc/hello/hello-1.ebuild"

#: Every command, in each form in which it looks at an overlay. `{root}` is the overlay.
COMMAND_LINES = [
    *(["check", "--select", "ALL", "--output-format", one, "{root}"] for one in FORMATS),
    ["check", "--show-undecided", "{root}/" + EBUILD, "{root}/profiles", "{root}/eclass"],
    ["check", "--select", "ALL", "--diff", "--unsafe-fixes", "{root}"],
    ["check", "{root}", "--master", "base={root}/../base", "--force-exclude"],
    ["check", "{root}", "--since", "HEAD"],
    ["check", "{root}", "--staged"],
    ["check", "-", "--stdin-filename", "{root}/" + EBUILD],
    ["config", "{root}"],
    ["config", "--schema"],
    ["rules", "--overlay", "{root}"],
    *(["explain", name] for name in sorted(load_catalog().rules)[:3]),
    ["history", "{root}"],
    *(["completion", shell] for shell in ("bash", "zsh", "fish")),
    ["metadata", "{root}"],
    ["why", "{root}/" + EBUILD, "DESCRIPTION"],
    ["why", "app-misc/hello-1", "USE=a", "--profile", "base", "--overlay", "{root}"],
    ["packages", "--profile", "base", "--use", "--overlay", "{root}"],
]


# Each form of a policy looks at the overlay in a way of its own.
POLICIES = """
exclude = ["nothing"]
[[policy]]
name = "policy-of-dependencies"
why = "we said so"
require-dependency = { atom = "app-misc/hello" }
[[policy]]
name = "policy-of-flags"
why = "we said so"
forbid-use = { flag = "a", state = "on" }
[[policy]]
name = "policy-of-eclasses"
why = "we said so"
require-inherit = { eclass = "nothing" }
[[policy]]
name = "policy-of-calls"
why = "we said so"
require-call = { command = "touch", phase = "*" }
[[policy]]
name = "policy-of-values"
why = "we said so"
forbid-value = { variable = "DESCRIPTION", matches = "*" }
[[policy]]
name = "policy-of-kernels"
why = "we said so"
require-kernel-option = { option = "X" }
[[policy]]
name = "policy-of-files"
why = "we said so"
forbid-file = { path = "*" }
[[policy]]
name = "policy-of-keywords"
why = "we said so"
require-keywords = { accepted-by = "*" }
"""


def hostile(folder: Path, mark: Path) -> Path:
    """Write an overlay each of whose scripts would make files in `mark`, if it were run."""

    def bash(name: str) -> str:
        return (
            f'touch "{mark}/{name}-1"\n'
            f': $(touch "{mark}/{name}-2") `touch "{mark}/{name}-3"` > "{mark}/{name}-4"\n'
            f"eval 'touch \"{mark}/{name}-5\"'\n"
            f'X=<(touch "{mark}/{name}-6")\n'
            f'x[$(touch "{mark}/{name}-7")]=1\n'
            f'(( y = z[$(touch "{mark}/{name}-8")] ))\n'
            f'[[ -n "$(touch "{mark}/{name}-9")" ]] && exec touch "{mark}/{name}-10"\n'
            f"trap 'touch \"{mark}/{name}-11\"' EXIT\n"
        )

    phases = "".join(f"{phase}() {{\n{bash(phase)}}}\n" for phase in ("pkg_setup", "src_install"))
    python = f"open({str(mark / 'python')!r}, 'w')\n"
    root = overlay(
        folder,
        {
            EBUILD: f"EAPI=8\ninherit hostile\n{bash('ebuild')}{phases}",
            "eclass/hostile.eclass": bash("eclass"),
            "profiles/base/profile.bashrc": bash("profile"),
            "profiles/base/make.defaults": f'USE="$(touch {mark}/defaults)"\n{bash("defaults")}',
            "profiles/base/package.use": f"app-misc/hello $(touch {mark}/use)\n",
            "coreos/config/env/app-misc/hello": bash("hook"),
            "base::eclass/base.eclass": bash("master"),
            # Python that tools of its kind pick up from where they stand.
            "conftest.py": python,
            "sitecustomize.py": python,
            "overlaylint.py": python,
            "overlaylint_rules/__init__.py": python,
            "hostile.dist-info/entry_points.txt": "[overlaylint.rules]\nhostile = conftest\n",
            "overlaylint.toml": POLICIES,
        },
        {"app-misc/hello/hello-2.ebuild": "hello-1.ebuild"},
        name="coreos",
    )
    for path in root.rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.chmod(0o755)
    make_hostile_repository(root, mark)
    return root


def make_hostile_repository(root: Path, mark: Path) -> None:
    """Commit the overlay to a repository whose configuration has git start programs."""
    write(root, ".gitattributes", "* filter=hostile diff=hostile\n")
    run("git", "init", "--quiet", cwd=root)
    run("git", "add", "--all", cwd=root)
    run("git", "commit", "--quiet", "--message", "Hostile", cwd=root)
    program = write(root, ".git/hostile", f"#!/bin/sh\ntouch {mark}/git-1\nexit 1\n")
    program.chmod(0o755)
    for name in (
        "core.fsmonitor", "core.pager", "core.sshCommand", "diff.external", "diff.hostile.command",
        "diff.hostile.textconv", "filter.hostile.clean", "filter.hostile.smudge",
        "filter.hostile.process",
    ):  # fmt: skip
        run("git", "config", name, program, cwd=root)
    # Not as they were committed, so that git has a reason to look.
    write(root, "profiles/base/package.use", "app-misc/hello b\n")
    (root / EBUILD).touch()


def state(folder: Path) -> dict[str, tuple[object, ...]]:
    """Return what can be told of every file below a folder, its times included."""

    def walk() -> Iterator[tuple[str, tuple[object, ...]]]:
        for path in sorted(folder.rglob("*")):
            status = path.lstat()
            content = path.read_bytes() if path.is_file() else b""
            target = str(path.readlink()) if path.is_symlink() else ""
            times = (status.st_mtime_ns, status.st_ctime_ns)
            yield str(path), (content, target, status.st_mode, status.st_ino, *times)

    return dict(walk())


def test_every_command_is_tried() -> None:
    assert {line[0] for line in COMMAND_LINES} == set(COMMANDS)


@pytest.mark.parametrize("command", COMMAND_LINES, ids=" ".join)
def test_nothing_is_executed_and_nothing_is_written(command: list[str], tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    mark.mkdir()
    root = hostile(tmp_path / "repositories", mark)
    before = state(tmp_path)
    arguments = [argument.replace("{root}", str(root)) for argument in command]
    # From the overlay's own folder, where a careless import would find its modules.
    ran = subprocess.run(
        [Path(sys.executable).parent / "overlaylint", *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    # a make.defaults with commands in it is no profile, and that is said in one line
    is_refused = ran.returncode == 2 and ran.stderr.count("\n") == 1
    assert ran.returncode in (0, 1) or is_refused, ran.stderr
    assert not list(mark.iterdir())
    assert state(tmp_path) == before


def test_the_scripts_would_have_made_their_files(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    mark.mkdir()
    root = hostile(tmp_path / "repositories", mark)
    for path in (EBUILD, "eclass/hostile.eclass", "profiles/base/profile.bashrc"):
        subprocess.run(["bash", root / path], cwd=tmp_path, capture_output=True, check=False)
    subprocess.run([sys.executable, root / "conftest.py"], check=True)
    assert {path.name.partition("-")[0] for path in mark.iterdir()} == {
        "ebuild",
        "eclass",
        "profile",
        "python",
    }


# Runs a command line under an audit hook: a process but git, or a file opened for writing in
# the overlay, is reported and refused. What the hook sees is printed as JSON.
AUDITED = """
import json, os, sys

root, refused, started = sys.argv[1], [], []

def audit(event, arguments):
    if event in ("os.system", "os.exec", "os.fork", "os.forkpty", "os.spawn", "pty.spawn"):
        refused.append(event)
        raise PermissionError(event)
    if event in ("subprocess.Popen", "os.posix_spawn"):
        program = os.fsdecode(arguments[0])
        started.append(os.path.basename(program))
        if started[-1] != "git":
            refused.append(event)
            raise PermissionError(f"{event} {program}")
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        path, _, flags = arguments
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and os.fsdecode(path).startswith(root):
            refused.append(f"open {path}")
            raise PermissionError(path)
    if event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.symlink", "os.link",
                 "os.truncate", "os.chmod", "os.utime", "socket.connect", "socket.getaddrinfo"):
        refused.append(event)
        raise PermissionError(event)

sys.addaudithook(audit)
from overlaylint.cli import main
sys.dont_write_bytecode = True
status = main(sys.argv[2:])
print(json.dumps([status, refused, started]), file=sys.stderr)
"""


def audited(root: Path, command: list[str]) -> tuple[int, list[str], list[str]]:
    arguments = [argument.replace("{root}", str(root)) for argument in command]
    ran = subprocess.run(
        [sys.executable, "-B", "-c", AUDITED, str(root.parent), *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    status, refused, started = json.loads(ran.stderr.splitlines()[-1])
    return status, refused, started


@pytest.mark.parametrize("command", COMMAND_LINES, ids=" ".join)
def test_no_process_but_git_and_no_file_for_writing(command: list[str], tmp_path: Path) -> None:
    root = hostile(tmp_path / "repositories", tmp_path)
    status, refused, started = audited(root, command)
    assert status in (0, 1, 2)
    assert not refused
    assert set(started) <= {"git"}


def test_the_audit_would_have_seen_it(tmp_path: Path) -> None:
    script = AUDITED.replace(
        "status = main(sys.argv[2:])",
        "status = 0\n"
        "import subprocess\n"
        "for attempt in (\n"
        "    lambda: subprocess.run(['true']), lambda: os.system('true'),\n"
        "    lambda: open(root + '/x', 'w'), lambda: os.mkdir(root + '/y'),\n"
        "):\n"
        "    try:\n"
        "        attempt()\n"
        "    except PermissionError:\n"
        "        pass\n",
    )
    ran = subprocess.run(
        [sys.executable, "-B", "-c", script, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    _, refused, _ = json.loads(ran.stderr.splitlines()[-1])
    assert refused == ["subprocess.Popen", "os.system", f"open {tmp_path}/x", "os.mkdir"]


def test_pkgcore_starts_no_process_either() -> None:
    """It would ask bash for its version as it is imported."""
    script = """
import sys

def audit(event, arguments):
    if event in ("os.fork", "os.exec", "os.posix_spawn", "subprocess.Popen"):
        raise PermissionError(event)

sys.addaudithook(audit)
from overlaylint.overlay.atom import parse_atom

# One that is not read without it.
print(parse_atom("!!app-misc/hello", "8"))
assert "pkgcore.ebuild.atom" in sys.modules
"""
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert not ran.stderr
