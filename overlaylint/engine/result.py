"""What a run came to: all that a report needs, and nothing that it must work out itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from overlaylint.finding import Finding, NotApplicable, Severity, Span, Undecided
from overlaylint.lines import LineIndex
from overlaylint.overlay.repository import Repository
from overlaylint.records import dataclass
from overlaylint.rule import Rule
from overlaylint.tree import TreeError


class Sources:
    """The text behind the spans of a run, each file read and indexed once."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self._indexes: dict[tuple[str, str], LineIndex | None] = {}

    def read(self, span: Span) -> bytes | None:
        """Return the content of the file that a span lies in, None where it has none.

        A folder, a link that is not followed and an unreadable file have no content: what
        is wrong with them is said by findings of their own.
        """
        index = self.index(span)
        return None if index is None else index.data

    def index(self, span: Span) -> LineIndex | None:
        """Return the line index of the file that a span lies in, None where it has none."""
        key = (span.repository, span.path)
        if key not in self._indexes:
            self._indexes[key] = self._load(span)
        return self._indexes[key]

    def _load(self, span: Span) -> LineIndex | None:
        repository = self.repository
        if span.repository:
            named = repository.named(span.repository)
            if named is None:
                return None
            repository = named
        try:
            return LineIndex(repository.tree.read(span.path))
        except TreeError:
            return None


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A finding that a comment at `comment` suppresses, for `reason`."""

    finding: Finding
    comment: Span
    reason: str


@dataclass(frozen=True, slots=True)
class Held:
    """A rule applied to the subject at `path`, and it keeps to it."""

    rule: str
    path: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A rule did not run at all, for `reason`."""

    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Known:
    """A finding as a baseline holds it: what it is known by, and what helps who reads it."""

    repository: str
    path: str
    rule: str
    message: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one run on one overlay. Everything is in a fixed order.

    `findings`, `undecided`, `not_applicable` and `held` are sorted by path, place and
    rule; `rules` are those that ran or were skipped, sorted by name. `root` is the
    overlay's folder, None where it is not a folder on disk.
    """

    sources: Sources
    root: Path | None
    rules: tuple[Rule, ...]
    files: int
    findings: tuple[Finding, ...]
    suppressed: tuple[Suppressed, ...] = ()
    known: tuple[Finding, ...] = ()
    """What the baseline holds already, and is not reported."""
    gone: tuple[Known, ...] = ()
    """What the baseline holds of the checked files and rules, and is not found any more."""
    undecided: tuple[Undecided, ...] = ()
    not_applicable: tuple[NotApplicable, ...] = ()
    held: tuple[Held, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    fixed: tuple[Finding, ...] = ()
    """What was found and fixed before; their places are in the text of that time."""
    failed: tuple[str, ...] = ()
    """The names of the rules that raised."""
    unfinished: tuple[str, ...] = ()
    """The names of the rules that had not finished when the run was stopped."""
    missing_masters: Mapping[str, str] = field(default_factory=dict)
    """Why each master that could not be found is missing, by its name."""

    @property
    def repository(self) -> Repository:
        """The overlay that was checked."""
        return self.sources.repository

    def count(self, severity: Severity) -> int:
        """Return how many findings are of a severity."""
        return sum(finding.severity is severity for finding in self.findings)
