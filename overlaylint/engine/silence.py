"""Why a rule said nothing: it held, it did not apply, it could not tell, or it did not look."""

from __future__ import annotations

from collections import defaultdict

from overlaylint.engine.result import Result
from overlaylint.finding import NotApplicable, Undecided
from overlaylint.records import dataclass


@dataclass(frozen=True, slots=True)
class Silence:
    """What one rule came to on everything that it looked at.

    `findings` counts what it found, be it suppressed or known; `held` are the paths of what
    keeps to it. `reason` says why it did not look at anything, if it did not.
    """

    rule: str
    findings: int
    held: tuple[str, ...]
    not_applicable: tuple[NotApplicable, ...]
    undecided: tuple[Undecided, ...]
    reason: str = ""


def silences(result: Result) -> tuple[Silence, ...]:
    """Return what each rule of a run came to, in the order of their names."""
    held: dict[str, list[str]] = defaultdict(list)
    for one in result.held:
        held[one.rule].append(one.path)
    not_applicable: dict[str, list[NotApplicable]] = defaultdict(list)
    for excuse in result.not_applicable:
        not_applicable[excuse.rule].append(excuse)
    undecided: dict[str, list[Undecided]] = defaultdict(list)
    for doubt in result.undecided:
        undecided[doubt.rule].append(doubt)
    findings: dict[str, int] = defaultdict(int)
    suppressed = (one.finding for one in result.suppressed)
    for finding in (*result.findings, *result.known, *suppressed):
        findings[finding.rule] += 1
    skipped = {one.rule: one.reason for one in result.skipped}
    found = []
    for rule in result.rules:
        name = rule.name
        said = findings[name] or held[name] or not_applicable[name] or undecided[name]
        if name in skipped:
            reason = skipped[name]
        elif name in result.unfinished:
            reason = "the run was stopped before it had finished"
        elif name in result.failed:
            reason = "it failed, which is a finding of its own"
        elif not said:
            reason = "nothing that is checked is of the kind that it looks at"
        else:
            reason = ""
        found.append(
            Silence(
                name,
                findings[name],
                tuple(held[name]),
                tuple(not_applicable[name]),
                tuple(undecided[name]),
                reason,
            )
        )
    return tuple(found)
