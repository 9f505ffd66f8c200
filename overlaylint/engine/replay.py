"""Rules over the revisions of an overlay: from when until when something was found.

A rule runs again only where something has changed that it asked for. Those that are not about
a few packages, or read much of the overlay for them, run together and share what they read.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from overlaylint.engine.packs import INTERNAL_ERROR
from overlaylint.engine.run import Found, Plan, find
from overlaylint.finding import Finding, Severity
from overlaylint.overlay.repository import Repository
from overlaylint.overlay.shared import Shared
from overlaylint.records import dataclass
from overlaylint.rule import Rule
from overlaylint.tree import Tree
from overlaylint.tree.git import RawChange
from overlaylint.tree.recording import Record, RecordingTree

#: A rule that asks for more files and folders than this runs together with the others like it.
MOST_FILES = 400


@dataclass(frozen=True, slots=True)
class Revision:
    """The overlay and its masters at one time.

    `trees` are the overlay's, under "", and the masters' by their names. Empty where there was
    no overlay then. `changes` has, under the same names, what changed since the revision
    before, None where everything may have.
    """

    commit: str
    time: int
    trees: Callable[[], Mapping[str, Tree]]
    changes: Mapping[str, tuple[RawChange, ...] | None]


@dataclass(frozen=True, slots=True)
class Window:
    """A rule found something in a file from one revision on until another.

    All are places in the sequence of revisions: `first` and `last` are those in which it was
    found, `before` and `until` those next to them that were looked at in which it was not; None
    where the sequence begins or ends with it.
    """

    rule: str
    path: str
    severity: Severity
    message: str
    first: int
    last: int
    before: int | None
    until: int | None


#: The rule that ran, what it is reported as (`internal-error` where it failed), and the path.
_Key = tuple[str, str, str]

Open = Callable[[Mapping[str, Tree]], tuple[Repository, Plan]]


class Replay:
    """The state of one replay; `windows` is what there is of it so far.

    `open_` makes a repository of trees, with the plan for it. `samples` are the places of the
    revisions that are looked at. `watch` is told the place of each revision.
    """

    def __init__(
        self,
        revisions: Sequence[Revision],
        rules: Sequence[Rule],
        open_: Open,
        samples: frozenset[int],
        watch: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.revisions = revisions
        self.samples = samples
        self.runs = 0
        self._open = open_
        self._shared = Shared()
        self._watch = watch
        self._rules = tuple(rules)
        self._asked: dict[tuple[str, int], frozenset[str]] = {}
        self._alone = [_Unit([rule]) for rule in rules if rule.packages]
        self._wide = _Unit([rule for rule in rules if not rule.packages])
        self._closed: list[Window] = []
        self._found: dict[_Key, Window] = {}
        self._looked: dict[str, int] = {}

    def run(self) -> None:
        """Go through all revisions. Where it is stopped, `windows` is right as far as it came."""
        for at, revision in enumerate(self.revisions):
            self._watch(at)
            runs = self.runs
            for unit in (*self._alone, self._wide):
                unit.take(revision)
                if unit.rules and at in self.samples:
                    if unit.record is None:
                        self._run(unit, at)
                    else:
                        self._keep(unit, at)
            if self.runs > runs:
                # Repositories and what was worked out of them lead to one another.
                gc.collect()

    @property
    def windows(self) -> tuple[Window, ...]:
        """What was found, by rule, time and path."""
        found = (*self._closed, *self._found.values())
        return tuple(sorted(found, key=lambda one: (one.rule, one.first, one.path, one.last)))

    def narrow(self) -> None:
        """Look for the revisions between two samples in which a window really begins and ends.

        Where something came and went more than once between two samples, it is one of the
        times that is found. Raises KeyboardInterrupt where it is stopped.
        """
        for at, window in enumerate(self._closed):
            self._closed[at] = self._narrowed(window)
        for key, window in list(self._found.items()):
            self._found[key] = self._narrowed(window)

    def _narrowed(self, window: Window) -> Window:
        if window.rule == INTERNAL_ERROR:
            return window
        if window.before is not None:
            before, first = self._between(window, window.before, window.first, found_last=True)
            window = replace(window, before=before, first=first)
        if window.until is not None:
            last, until = self._between(window, window.last, window.until, found_last=False)
            window = replace(window, last=last, until=until)
        return window

    def _between(self, window: Window, low: int, high: int, *, found_last: bool) -> tuple[int, int]:
        """Return two neighbours of which it was found in one, the later if `found_last`."""
        while high - low > 1:
            self._watch(low)
            middle = (low + high) // 2
            if (window.path in self._paths(window, middle)) is found_last:
                high = middle
            else:
                low = middle
        return low, high

    def _paths(self, window: Window, at: int) -> frozenset[str]:
        """Return the paths in which a rule finds something in one revision."""
        key = (window.rule, at)
        if key not in self._asked:
            gc.collect()
            trees = self.revisions[at].trees()
            rules = tuple(rule for rule in self._rules if rule.name == window.rule)
            found: tuple[Finding, ...] = ()
            if trees:
                found = self._find(trees, rules).findings
            self._asked[key] = frozenset(one.span.path for one in found)
        return self._asked[key]

    def _run(self, unit: _Unit, at: int) -> None:
        trees = self.revisions[at].trees()
        if not trees:
            unit.record = {}
            self._update(unit, at, Found((), (), frozenset()))
            return
        unit.record = {name: Record() for name in trees}
        recording = {name: RecordingTree(tree, unit.record[name]) for name, tree in trees.items()}
        found = self._find(recording, tuple(unit.rules))
        self._update(unit, at, found)
        if unit is not self._wide and sum(map(len, unit.record.values())) > MOST_FILES:
            self._alone.remove(unit)
            self._wide.rules += unit.rules
            self._wide.record = None

    def _find(self, trees: Mapping[str, Tree], rules: tuple[Rule, ...]) -> Found:
        repository, plan = self._open(trees)
        self._shared.serve(repository)
        self.runs += 1
        try:
            return find(repository, replace(plan, rules=rules))
        finally:
            self._shared.forget()

    def _keep(self, unit: _Unit, at: int) -> None:
        """Take note that a unit would find here what it found before."""
        names = unit.ran
        self._looked.update(dict.fromkeys(names, at))
        for key, window in self._found.items():
            if key[0] in names:
                self._found[key] = replace(window, last=at)

    def _update(self, unit: _Unit, at: int, found: Found) -> None:
        unit.ran = frozenset(rule.name for rule in unit.rules) - found.skipped
        windows: dict[_Key, Window] = {}
        for one in found.failures:
            message = f"{one.rule} failed: {one.error} ({one.place})"
            window = Window(
                INTERNAL_ERROR, one.span.path, Severity.ERROR, message, at, at, None, None
            )
            windows.setdefault((one.rule, INTERNAL_ERROR, one.span.path), window)
        for finding in found.findings:
            rule, path = finding.rule, finding.span.path
            window = Window(rule, path, finding.severity, finding.message, at, at, None, None)
            windows.setdefault((rule, rule, path), window)
        for key, known in list(self._found.items()):
            if key[0] in unit.ran and key not in windows:
                self._closed.append(replace(known, until=at))
                del self._found[key]
        for key, window in windows.items():
            known = self._found.get(key, replace(window, before=self._looked.get(key[0])))
            self._found[key] = replace(known, last=at)
        self._looked.update(dict.fromkeys(unit.ran, at))


@dataclass(slots=True)
class _Unit:
    """Rules that run together, and what they asked for when they last ran; None to run again."""

    rules: list[Rule]
    record: dict[str, Record] | None = None
    ran: frozenset[str] = frozenset()
    """Those of them that could run then."""

    def take(self, revision: Revision) -> None:
        """Take note of what has changed."""
        if self.record is None:
            return
        for name, changes in revision.changes.items():
            if changes is None or self._is_touched(name, changes):
                self.record = None
                return

    def _is_touched(self, name: str, changes: Sequence[RawChange]) -> bool:
        assert self.record is not None
        record = self.record.get(name)
        # Where there was no overlay, or no such master, anything may bring it about.
        return bool(changes) if record is None else record.is_touched_by(changes)


def evenly(times: Sequence[int], count: int) -> frozenset[int]:
    """Return the places of `count` times that are spread evenly, the first and last included."""
    if len(times) <= count or count < 2:
        return frozenset(range(len(times))) if count >= 2 else frozenset({len(times) - 1})
    return frozenset(_evenly(times, count))


def _evenly(times: Sequence[int], count: int) -> Iterator[int]:
    at = 0
    for step in range(count):
        wanted = times[0] + (times[-1] - times[0]) * step / (count - 1)
        # Times may go back a little: a commit's time is what its machine's clock said.
        while at + 1 < len(times) and times[at + 1] <= wanted:
            at += 1
        yield at
    yield len(times) - 1
