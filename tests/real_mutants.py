"""Break real scripts at random, and see that nothing but findings comes of it.

    python tests/real_mutants.py NUMBER REPOSITORY [NAME=MASTER ...]

Each mutant of an ebuild, eclass or hook of REPOSITORY is parsed and evaluated, and each fifth one
(or each TRACED-th, from the environment) is traced as well, which takes most of the time.
Prints every exception, and every mutant that takes more than a second of processor time for one
of these (or MOST_SECONDS); exits with 1 if there is one. `SEED=n` in the environment makes
other mutants.
Nothing may be read outside the repositories: an audit hook refuses it.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from dataclasses import replace
from pathlib import Path
from random import Random

from shell_mutants import mutate

from overlaylint.overlay.evaluation import evaluate
from overlaylint.overlay.masters import find_repositories
from overlaylint.overlay.metadata import cache_entry, metadata
from overlaylint.overlay.repository import Repository
from overlaylint.overlay.trace import ORDER, ScriptTracer, Tracer
from overlaylint.shell.budget import Exhausted

TRACED = int(os.environ.get("TRACED", "5"))
_MOST_SECONDS = float(os.environ.get("MOST_SECONDS", "1"))


def guard(*roots: str) -> None:
    """Refuse to open what lies outside `roots` from now on, and to start a process."""
    here = str(Path(__file__).parent.parent)
    allowed = tuple(map(os.path.realpath, (*roots, sys.prefix, sys.base_prefix, here)))

    def audit(event: str, arguments: tuple[object, ...]) -> None:
        if event in ("subprocess.Popen", "os.system", "os.exec", "os.fork", "os.posix_spawn"):
            raise PermissionError(event)
        if event == "open" and isinstance(arguments[0], str | bytes):
            path = os.path.realpath(os.fsdecode(arguments[0]))
            if not path.startswith(allowed):
                raise PermissionError(f"open {path}")

    sys.addaudithook(audit)


class Mutants:
    """Breaks one script after another, and notes what comes of it."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.ebuilds = list(repository.ebuilds)
        folders = ("eclass", "profiles", "coreos/config/env")
        root = Path(repository.tree.name)
        self.others = sorted(
            str(path.relative_to(root))
            for folder in folders
            for path in (root / folder).rglob("*")
            if path.is_file() and (path.suffix in (".eclass", ".bashrc") or folder[0] == "c")
        )
        self.texts = [repository.tree.read(one.path) for one in self.ebuilds[:300]]
        self.faults: list[str] = []
        self.slowest = 0.0

    def try_one(self, seed: int) -> None:
        """Try one mutant."""
        random = Random(seed)
        is_ebuild = not self.others or random.randrange(3) > 0
        ebuild = random.choice(self.ebuilds)
        path = ebuild.source_path if is_ebuild else random.choice(self.others)
        script = mutate(random, self.repository.tree.read(path), self.texts)
        broken = self.repository.with_files({path: script})
        try:
            self.timed(seed, path, "parse", lambda: broken.script(path))
            if not is_ebuild:
                self.trace_script(seed, path, broken)
                return
            copy = replace(ebuild, repository=broken)
            found = self.timed(seed, path, "evaluate", lambda: evaluate(copy))
            values = metadata(found)
            if not values.unknown and found.failure is None:
                cache_entry(found, values)
            if seed % TRACED:
                return
            tracer = Tracer(found)
            for phase in ORDER:
                self.timed(seed, path, phase, lambda: tracer.trace(phase))  # noqa: B023
        except Exception:  # noqa: BLE001 - whatever it is, it is what is looked for
            self.faults.append(f"{seed} {path}\n{traceback.format_exc()}")

    def trace_script(self, seed: int, path: str, broken: Repository) -> None:
        """Source a script that is no ebuild, and call each of its functions."""
        if seed % TRACED:
            return
        tracer = self.timed(seed, path, "source", lambda: ScriptTracer(broken, path))
        for name in list(tracer.functions):
            try:
                self.timed(seed, path, name, lambda: tracer.function(name))  # noqa: B023
            except (Exhausted, RecursionError):
                continue

    def timed(self, seed: int, path: str, what: str, run):  # type: ignore[no-untyped-def]
        """Return what `run` returns; note if it takes long."""
        start = time.process_time()
        try:
            return run()
        finally:
            took = time.process_time() - start
            self.slowest = max(self.slowest, took)
            if took > _MOST_SECONDS:
                self.faults.append(f"{seed} {path}: {what} takes {took:.2f} s")


def main(number: str, tree: str, *masters: str) -> int:
    given = dict(one.split("=", 1) for one in masters)
    found = find_repositories(Path(tree), {name: Path(path) for name, path in given.items()})
    first = int(os.environ.get("SEED", "0"))
    mutants = Mutants(found.overlay)
    guard(tree, *given.values())
    faults = 0
    for seed in range(first, first + int(number)):
        mutants.try_one(seed)
        while mutants.faults:
            faults += 1
            print(mutants.faults.pop(), flush=True)
    print(
        f"{number} mutants, {faults} faults;"
        f" the slowest step took {mutants.slowest:.2f} s of processor time"
    )
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
