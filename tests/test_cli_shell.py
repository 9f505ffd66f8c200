"""What a shell is given: completion, and manual pages."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from project import PROJECT, run
from support import overlaylint

from overlaylint.cli import COMMANDS

BIN = Path(sys.executable).parent


def completed(words: str) -> list[str]:
    """Return what bash offers after words, by the function of our script."""
    script = f"""
        eval "$("{BIN}/overlaylint" completion bash)"
        COMP_WORDS=({words}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 )); COMPREPLY=()
        _overlaylint_completion overlaylint
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    ran = subprocess.run(
        ["bash", "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    return ran.stdout.split()


def test_bash_completes_commands_options_and_rules() -> None:
    assert completed("overlaylint ex") == ["explain"]
    assert completed("overlaylint check --unsafe") == ["--unsafe-fixes"]
    assert completed("overlaylint explain stage0") == ["stage0-patchlevel"]
    assert completed("overlaylint check --select nul-b") == ["nul-byte"]
    assert completed("overlaylint check --select nul-byte,flat") == ["nul-byte,flatcar"]
    assert completed("overlaylint check --ignore AL") == ["ALL"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell(shell: str) -> None:
    ran = overlaylint(["completion", shell])
    assert (ran.status, ran.err) == (0, "")
    assert f"_OVERLAYLINT_COMPLETE={shell}_complete" in ran.out
    program = shutil.which(shell)
    if program is not None:
        subprocess.run([program, "-n"], input=ran.out, text=True, check=True)


def test_another_shell() -> None:
    ran = overlaylint(["completion", "tcsh"])
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.count("\n") == 1


def test_manual_pages(tmp_path: Path) -> None:
    run(sys.executable, PROJECT / "docs/make_man.py", tmp_path, cwd=tmp_path)
    names = {"overlaylint", *(f"overlaylint-{name}" for name in COMMANDS)}
    assert {page.name for page in tmp_path.iterdir()} == {f"{name}.1" for name in names}
    check = (tmp_path / "overlaylint-check.1").read_text()
    assert r"\fB\-\-unsafe\-fixes\fP" in check
    whole = (tmp_path / "overlaylint.1").read_text()
    assert "..." not in whole.partition(".SH COMMANDS")[2]
    groff = shutil.which("groff")
    for page in tmp_path.iterdir() if groff else ():
        assert groff is not None
        ran = run(groff, "-man", "-ww", "-Tutf8", page, cwd=tmp_path)
        assert ran.stderr == "", page
