"""Evaluation against bash itself: scripts that are odd, and scripts made up at random.

`make properties EXAMPLES=20000` makes up that many, with new ones each time.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from real_bash import examples
from shell_runs import NeverMatched, compare, evaluate, run_bash
from shell_scripts import Maker
from shell_unknowns import COMMANDS, TAKEN_FOR_GRANTED, VARIABLES, disagreements

# Each of these was evaluated wrongly once, or stands beside one that was.
ODD = (Path(__file__).parent / "shell_cases.txt").read_text().rstrip("\n").split("\n---\n")
RANDOMS = st.randoms(use_true_random=False)


def differences(script: str) -> tuple[list[str], dict[str, str]]:
    """Return what is known and differs from bash, and what is unknown."""
    ours = evaluate(script.encode())
    try:
        theirs = run_bash(script.encode())
    except NeverMatched:
        return [], ours.unknown
    wrong = compare(ours, theirs)
    if ours.unknown and theirs and any(text in theirs.errors for text in TAKEN_FOR_GRANTED):
        return [], ours.unknown
    return wrong, ours.unknown


@pytest.mark.parametrize("script", ODD)
def test_odd_scripts(script: str) -> None:
    wrong, _ = differences(script)
    assert not wrong


def test_most_odd_scripts_are_known() -> None:
    """A comparison in which all is unknown would not fail."""
    assert sum(not differences(script)[1] for script in ODD) > 0.7 * len(ODD)


@examples(300)
@given(RANDOMS)
def test_random_scripts(random: Random) -> None:
    script = Maker(random).script()
    wrong, _ = differences(script)
    assert not wrong, script


def test_most_random_scripts_are_known() -> None:
    known = sum(not differences(Maker(Random(seed)).script())[1] for seed in range(100))
    assert known > 90


@examples(150)
@given(RANDOMS)
def test_scripts_with_unknown_input(random: Random) -> None:
    """What is known where some variables and commands are not holds whatever these are."""
    script = Maker(random, unknowns=VARIABLES, commands=COMMANDS).script()
    wrong, _ = disagreements(script, random, runs=2)
    assert not wrong, script


@pytest.mark.parametrize(
    "script",
    [
        "x=${v-$(false)}",
        "x=$(false)${v-$(:)}; y=$?",
        "x=${v:+$(false)}$?",
        "x=$(false)${v=$(y=2; false)}",
        "trap 'x=1' $u; y=$?; trap $u INT; z=$?",
        "exec $v; y=$?",
    ],
)
def test_what_an_unknown_value_decides(script: str) -> None:
    wrong, _ = disagreements(script, Random(script), runs=30)
    assert not wrong


def test_unknown_input_is_compared() -> None:
    """Some runs are left out, because bash complains of a number or a name; most are not."""
    compared = sum(
        disagreements(
            Maker(Random(seed), unknowns=VARIABLES, commands=COMMANDS).script(), Random(seed), 1
        )[1]
        for seed in range(60)
    )
    assert compared > 40
