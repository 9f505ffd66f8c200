"""Evaluation against bash itself, on the blocks of `shell_corpus.md`, which are all known."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from shell_runs import compare, evaluate, run_bash

_BLOCK = re.compile(
    r"^```bash\n(?:unknown: (?P<unknown>[^\n]*)\n)?(?P<script>.*?)^```$", re.DOTALL | re.MULTILINE
)
_TEXT = (Path(__file__).parent / "shell_corpus.md").read_text()
BLOCKS = [
    pytest.param(
        found["script"],
        frozenset((found["unknown"] or "").split()),
        id=f"line-{_TEXT.count(chr(10), 0, found.start()) + 1}",
    )
    for found in _BLOCK.finditer(_TEXT)
]


@pytest.mark.parametrize(("script", "unknown"), BLOCKS)
def test_corpus(script: str, unknown: frozenset[str]) -> None:
    ours = evaluate(script.encode())
    assert not compare(ours, run_bash(script.encode()))
    if "*" not in unknown:
        assert not ours.unknown.keys() - unknown


def test_every_block_is_read() -> None:
    assert len(BLOCKS) == _TEXT.count("```bash\n")
