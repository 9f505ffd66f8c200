"""A shell's options: those that a script keeps and sets again."""

from __future__ import annotations

from random import Random

import pytest
from shell_unknowns import disagreements
from test_shell_bash import differences

SET_AGAIN = (
    "set +B; f() { local -; set -B; }; f; x=$(echo {a,b})",
    "set +B; f() { local -; }; f; x=$(echo {a,b}) y=$-",
    "set +B +h; y=$(shopt -po); set -B; eval \"$y\"; unset y; x=$(echo {a,b})",
    "shopt -s nullglob; y=$(shopt -p); eval \"$y\"; unset y; shopt -q nullglob; x=$?",
    "set -f -o pipefail; f() { local -; set +f +o pipefail; }; f; x=*; false | true; z=$?",
)  # fmt: skip

DOUBTFUL = (
    "if ask; then set -f; fi; f() { local -; set +f; }; f; x=$(echo /bi[n])",
    "if ask; then set +B; fi; f() { local -; }; f; x=$(echo {a,b})",
    "f() { if ask; then local -; fi; set +B; }; f; x=$(echo {a,b})",
    "if ask; then set -f; fi; y=$(shopt -po); set +f; eval \"$y\"; unset y; x=$(echo /bi[n])",
    "if ask; then shopt -s nullglob; fi; y=$(shopt -p); eval \"$y\"; unset y; x=$(echo /q*)",
)  # fmt: skip


@pytest.mark.parametrize("script", SET_AGAIN)
def test_options_that_are_set_again(script: str) -> None:
    wrong, unknown = differences(script)
    assert not wrong
    assert "x" not in unknown


@pytest.mark.parametrize("script", DOUBTFUL)
def test_options_that_may_be_set_again(script: str) -> None:
    wrong, compared = disagreements(script, Random(1), runs=6)
    assert not wrong
    assert compared
