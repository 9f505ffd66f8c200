"""Scripts that mean harm, or make no sense: nothing is raised, and all of them end.

`make mutants TREE=repository` breaks the scripts of a real repository, thousands of times.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from real_bash import examples
from shell_bombs import BOMBS
from shell_mutants import mutate
from shell_runs import evaluate, interpreter
from shell_scripts import Maker
from support import SMALL_OVERLAY

from overlaylint.shell.budget import MAXIMUM_STEPS

HERE = Path(__file__).parent
# every bash script in the fixtures' documents
SCRIPTS = [
    block.encode()
    for document in sorted(HERE.parent.glob("fixtures/*/*.md"))
    for block in re.findall(r"^```bash\n(.*?)^```", document.read_text(), re.DOTALL | re.MULTILINE)
]


def run(script: bytes, *, is_tracing: bool) -> None:
    """Evaluate a script, and check that it ended in time, or was given up."""
    shell = interpreter()
    if is_tracing:
        shell.calls, shell.is_tracing = [], True
    ours = evaluate(script, shell=shell)
    assert ours.exhausted or shell.steps <= MAXIMUM_STEPS


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_end(name: str) -> None:
    run(BOMBS[name].encode(), is_tracing=False)


@pytest.mark.parametrize("name", [name for name in BOMBS if re.match("unknown|endless|a f", name)])
def test_bombs_end_in_a_traced_function(name: str) -> None:
    run(b"phase() {\n" + BOMBS[name].encode() + b"\n}\nphase\n", is_tracing=True)


@pytest.mark.parametrize(
    "script",
    [
        "while :; do :; done", "f() { f; }; f", "x=({1..999999999})", "for ((;;)); do :; done",
        "x=aaaaaaaa\n" + "x=${x//?/$x$x}\n" * 10, "printf -v x '%999999999s' a",
    ],
)  # fmt: skip
def test_too_much_is_unknown(script: str) -> None:
    """It is not taken for known, and says why."""
    ours = evaluate(script.encode())
    state = ours.state
    values = [variable.value for variable in state.scopes[0].values()]
    assert ours.exhausted or state.havoc or any(not isinstance(v, str | dict) for v in values)


@examples(300)
@given(st.integers(0, (1 << 64) - 1))
def test_mutants_of_fixtures(seed: int) -> None:
    random = Random(seed)
    run(mutate(random, random.choice(SCRIPTS), SCRIPTS), is_tracing=bool(random.randrange(2)))


@examples(300)
@given(st.integers(0, (1 << 64) - 1))
def test_mutants_of_random_scripts(seed: int) -> None:
    random = Random(seed)
    script = Maker(random).script().encode()
    run(mutate(random, script, SCRIPTS), is_tracing=bool(random.randrange(2)))


def test_mutants_of_an_overlay() -> None:
    """Whole ebuilds, with a guard against reading elsewhere and starting processes."""
    ran = subprocess.run(
        [sys.executable, HERE / "real_mutants.py", "100", SMALL_OVERLAY],
        env={**os.environ, "MOST_SECONDS": "60", "TRACED": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
