"""What a rule says: a finding, or why there is none.

Everything here is plain data. A rule yields these; the engine fills in the rule's
name and severity, and the reports show them.
"""

from __future__ import annotations

from enum import IntEnum

from overlaylint.records import dataclass


class Severity(IntEnum):
    """How bad a finding is; larger is worse, so that the worst sorts last."""

    NOTICE = 1
    WARNING = 2
    ERROR = 3

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Span:
    """A place: bytes `start` to `end` (exclusive) of the file at `path`.

    `path` is relative to the overlay's root, with `/` between its parts. Offsets count
    bytes from 0; lines and columns are worked out by the reports, each in its own unit.
    `repository` names a master where the place is not in the checked overlay itself.
    """

    path: str
    start: int = 0
    end: int = 0
    repository: str = ""


@dataclass(frozen=True, slots=True)
class Related:
    """A further place that explains a finding, with what is to be seen there."""

    span: Span
    message: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Bytes `span.start` to `span.end` of a file become `text`; an empty span inserts."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that remove a finding. A fix is safe where the right edit is certain."""

    title: str
    edits: tuple[Edit, ...]
    is_safe: bool = True

    @classmethod
    def safe(cls, title: str, *edits: Edit) -> Fix:
        """Return a fix that `check --fix` applies."""
        return cls(title, edits, True)

    @classmethod
    def unsafe(cls, title: str, *edits: Edit) -> Fix:
        """Return a fix that only `check --fix --unsafe-fixes` applies."""
        return cls(title, edits, False)


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation. It cannot be built without a place and a message.

    `message` says what is wrong, `help` what to do about it. `rule` and `severity` are
    left to the engine, which knows the configuration.
    """

    span: Span
    message: str
    help: str = ""
    related: tuple[Related, ...] = ()
    fix: Fix | None = None
    rule: str = ""
    severity: Severity = Severity.ERROR

    def order(self) -> tuple[str, int, int, str, str]:
        """Return what findings are sorted by: path, place, rule, message."""
        span = self.span
        return (span.path, span.start, span.end, self.rule, self.message)


@dataclass(frozen=True, slots=True)
class Undecided:
    """The rule applies at `span`, but a value that it needs is unknown, for `reason`."""

    span: Span
    reason: str
    rule: str = ""


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """The rule has nothing to say of this subject, for `reason`."""

    reason: str
    rule: str = ""
    span: Span | None = None


Outcome = Finding | Undecided | NotApplicable
