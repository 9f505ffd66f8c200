"""Measurements, run by `make bench` and never by `make test`. OVERLAY names a real overlay.

The measure of a whole run is what it costs to read and parse the same scripts with
tree-sitter, in an interpreter of its own. The measure of a rule is what evaluating the same
overlay's ebuilds costs: in a row `test_rule`, that has been done already, and the rest is the
rule's own. These rows count the time of the processor, the others that of the clock.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from portage_metadata import egencache, sourced_by_portage
from pytest_benchmark.fixture import BenchmarkFixture
from support import SMALL_OVERLAY

from overlaylint.cli.overlays import Opened, open_overlay
from overlaylint.engine.packs import load_catalog
from overlaylint.engine.run import Plan, find, is_about_the_overlay
from overlaylint.overlay.evaluation import Evaluator
from overlaylint.overlay.masters import find_repositories
from overlaylint.overlay.trace import ScriptTracer, Tracer
from overlaylint.rule import Rule
from overlaylint.tree import DirectoryTree

pytestmark = pytest.mark.bench

OVERLAY = Path(os.environ.get("OVERLAY", SMALL_OVERLAY)).resolve()
OVERLAYLINT = Path(sys.executable).parent / "overlaylint"

TREE_SITTER = """
import sys
from pathlib import Path
import tree_sitter_bash
from tree_sitter import Language, Parser

parser = Parser(Language(tree_sitter_bash.language()))
root = Path(sys.argv[1])
for pattern in ("*/*/*.ebuild", "eclass/*.eclass"):
    for path in root.glob(pattern):
        if path.is_file() and not path.is_symlink():
            parser.parse(path.read_bytes())
"""

OWN_PARSER = """
import sys
from pathlib import Path
from overlaylint.shell import parse

root = Path(sys.argv[1])
for pattern in ("*/*/*.ebuild", "eclass/*.eclass"):
    for path in root.glob(pattern):
        if path.is_file() and not path.is_symlink():
            parse(path.read_bytes())
"""


# Without compiled modules kept, each run would compile them anew.
ENVIRONMENT = {
    name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
}


def run(*command: str | Path) -> None:
    ran = subprocess.run(
        command,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    assert ran.returncode in (0, 1), ran.stderr


def first_ebuild() -> Path:
    return next(path for path in sorted(OVERLAY.glob("*/*/*.ebuild")) if path.is_file())


def test_interpreter_start(benchmark: BenchmarkFixture) -> None:
    benchmark(run, sys.executable, "-c", "pass")


def test_read_and_parse_with_tree_sitter(benchmark: BenchmarkFixture) -> None:
    benchmark(run, sys.executable, "-c", TREE_SITTER, OVERLAY)


def test_read_and_parse_with_own_parser(benchmark: BenchmarkFixture) -> None:
    benchmark(run, sys.executable, "-c", OWN_PARSER, OVERLAY)


def test_help(benchmark: BenchmarkFixture) -> None:
    benchmark(run, OVERLAYLINT, "--help")


def test_one_file(benchmark: BenchmarkFixture) -> None:
    benchmark(run, OVERLAYLINT, "check", first_ebuild())


def test_whole_overlay_cold(benchmark: BenchmarkFixture) -> None:
    benchmark(run, OVERLAYLINT, "check", "--no-cache", OVERLAY)


def test_whole_overlay_warm(
    benchmark: BenchmarkFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENVIRONMENT, "XDG_CACHE_HOME", str(tmp_path))
    run(OVERLAYLINT, "check", OVERLAY)
    benchmark(run, OVERLAYLINT, "check", OVERLAY)


ROUNDS = 3
OF_THE_PROCESSOR = pytest.mark.benchmark(timer=time.process_time)


def evaluate(opened: Opened) -> None:
    for ebuild in opened.overlay.ebuilds:
        assert ebuild.evaluation


@OF_THE_PROCESSOR
def test_evaluation(benchmark: BenchmarkFixture) -> None:
    def setup() -> tuple[tuple[Opened], dict[str, object]]:
        return (open_overlay(OVERLAY, {}),), {}

    benchmark.pedantic(evaluate, setup=setup, rounds=ROUNDS)


RULES = [rule for rule in load_catalog().rules.values() if is_about_the_overlay(rule)]


@OF_THE_PROCESSOR
@pytest.mark.parametrize("name", [rule.name for rule in RULES])
def test_rule(benchmark: BenchmarkFixture, name: str) -> None:
    rules_beside_evaluation(benchmark, tuple(rule for rule in RULES if rule.name == name))


@OF_THE_PROCESSOR
def test_all_rules(benchmark: BenchmarkFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    spent = time_of_evaluation(monkeypatch)
    rules_beside_evaluation(benchmark, tuple(RULES))
    for name, seconds in spent.items():
        benchmark.extra_info[name] = round(seconds / ROUNDS, 3)


def time_of_evaluation(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Add up what evaluating takes from now on, of ebuilds and of phases."""
    spent = {"ebuilds": 0.0, "phases": 0.0}
    is_running: list[str] = []

    def timed(owner: type, name: str, kind: str) -> None:
        original = getattr(owner, name)

        def call(*arguments: object, **named: object) -> object:
            if is_running:
                return original(*arguments, **named)
            is_running.append(kind)
            start = time.process_time()
            try:
                return original(*arguments, **named)
            finally:
                spent[kind] += time.process_time() - start
                is_running.clear()

        monkeypatch.setattr(owner, name, call)

    timed(Evaluator, "evaluate", "ebuilds")
    timed(Tracer, "trace", "phases")
    timed(ScriptTracer, "function", "phases")
    return spent


def rules_beside_evaluation(benchmark: BenchmarkFixture, rules: tuple[Rule, ...]) -> None:
    """Measure what rules take where every ebuild of the overlay is evaluated already."""

    def setup() -> tuple[tuple[Opened], dict[str, object]]:
        opened = open_overlay(OVERLAY, {})
        evaluate(opened)
        return (opened,), {}

    def measure(opened: Opened) -> None:
        find(opened.overlay, Plan(rules, frozenset(rule.name for rule in rules)))

    benchmark.pedantic(measure, setup=setup, rounds=ROUNDS)


@contextmanager
def on_one_core() -> Iterator[None]:
    """Keep this process, and those that it starts, to one core."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def copied(folder: Path) -> list[Path]:
    """Copy the overlay and its masters, each into a folder of its name; the overlay is last."""
    copies = []
    for repository in reversed(find_repositories(OVERLAY, {}).overlay.family):
        assert isinstance(repository.tree, DirectoryTree)
        copy = shutil.copytree(repository.tree.root, folder / repository.name, symlinks=True)
        copies.append(copy)
    with (copies[-1] / "metadata" / "layout.conf").open("a") as layout:
        layout.write("\ncache-formats = md5-dict\n")
    shutil.rmtree(copies[-1] / "metadata" / "md5-cache", ignore_errors=True)
    return copies


@pytest.mark.skipif(egencache() is None, reason="Portage is not installed")
def test_metadata_against_egencache(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """The metadata of all ebuilds, and how often it is made while Portage makes it once."""
    *masters, overlay = copied(tmp_path / "repositories")
    output = tmp_path / "ours"
    with on_one_core():
        start = time.perf_counter()
        theirs = sourced_by_portage(overlay, masters, tmp_path / "portage", jobs=1)
        took = time.perf_counter() - start
        benchmark.pedantic(
            run,
            (OVERLAYLINT, "metadata", overlay, "--output-dir", output),
            setup=lambda: shutil.rmtree(output, ignore_errors=True),
            rounds=5,
        )
    assert theirs
    assert len([path for path in output.glob("*/*") if path.is_file()]) >= len(theirs)
    times = took / benchmark.stats.stats.median
    benchmark.extra_info["egencache"] = took
    benchmark.extra_info["times as fast as egencache"] = times
    print(f"\n{len(theirs)} ebuilds: egencache {took:.2f} s, {times:.1f} times as fast as that")
