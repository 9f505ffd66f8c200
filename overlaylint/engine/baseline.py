"""What was found before, and is not to be reported again: the baseline.

A baseline is a JSON file with a line for each known finding, sorted, so that its changes can
be reviewed: docs/baseline.md.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields, replace

from overlaylint.engine.errors import UsageError
from overlaylint.engine.fingerprint import fingerprints
from overlaylint.engine.packs import INTERNAL_ERROR
from overlaylint.engine.result import Known, Result
from overlaylint.finding import Finding
from overlaylint.records import dataclass

#: Raised when an older overlaylint would misread the file.
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Baseline:
    """The known findings, sorted."""

    entries: tuple[Known, ...] = ()

    def of(self, repository: str) -> Mapping[str, Known]:
        """Return the known findings of an overlay by their fingerprint."""
        return {one.fingerprint: one for one in self.entries if one.repository == repository}


def read_baseline(data: bytes, name: str) -> Baseline:
    """Return the baseline that a file holds; `name` is what the file is called in messages.

    Raises UsageError where it is no baseline.
    """
    try:
        report = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name} is no baseline: {error}") from error
    if not isinstance(report, dict) or "findings" not in report or "schema" not in report:
        raise UsageError(
            f"{name} is no baseline: it must hold an object with `schema` and `findings`"
        )
    if report["schema"] != SCHEMA:
        raise UsageError(
            f"{name} is a baseline of another schema than {SCHEMA}, which this overlaylint reads"
        )
    entries = report["findings"]
    if not isinstance(entries, list):
        raise UsageError(f"{name} is no baseline: `findings` must be a list")
    return Baseline(tuple(_entry(one, at, name) for at, one in enumerate(entries, 1)))


def write_baseline(baseline: Baseline) -> str:
    """Return the text of a baseline's file; the same findings always give the same text."""
    lines = [json.dumps(asdict(one)) for one in sorted(set(baseline.entries), key=_order)]
    body = ",\n    ".join(lines)
    findings = f"[\n    {body}\n  ]" if lines else "[]"
    return f'{{\n  "schema": {SCHEMA},\n  "findings": {findings}\n}}\n'


def with_baseline(
    result: Result, baseline: Baseline, reports_on: Callable[[str], bool] = lambda _: True
) -> Result:
    """Return a result with what the baseline knows in `known`, and the rest in `findings`.

    `gone` is what the baseline holds and is not found any more, where this run can tell:
    in files that it reports on (`reports_on`), by rules that ran and could.
    """
    known_by = fingerprints(result)
    entries = baseline.of(result.repository.name)
    findings = sorted((*result.findings, *result.known), key=Finding.order)
    # What a rule fails on hides what it would have said, and must not go unseen.
    known = {
        one: known_by[one]
        for one in findings
        if known_by[one] in entries and one.rule != INTERNAL_ERROR
    }
    found = set(known.values())
    return replace(
        result,
        findings=tuple(one for one in findings if one not in known),
        known=tuple(known),
        gone=tuple(
            one
            for one in entries.values()
            if one.fingerprint not in found and _can_tell(result, one, reports_on)
        ),
    )


def baseline_of(results: Sequence[Result], before: Baseline) -> Baseline:
    """Return a baseline of everything found, and of what was known that no run could judge."""
    entries: list[Known] = []
    gone = {one for result in results for one in result.gone}
    for result in results:
        known_by = fingerprints(result)
        entries += [
            Known(
                result.repository.name,
                one.span.path,
                one.rule,
                # For people only; JSON can't tell two halves of a UTF-16 pair from a character.
                one.message.encode("utf-8", "backslashreplace").decode(),
                known_by[one],
            )
            for one in (*result.findings, *result.known)
            if one.rule != INTERNAL_ERROR
        ]
    taken = {(one.repository, one.fingerprint) for one in entries}
    kept = [
        one
        for one in before.entries
        if one not in gone and (one.repository, one.fingerprint) not in taken
    ]
    return Baseline(tuple(sorted({*entries, *kept}, key=_order)))


def _can_tell(result: Result, entry: Known, reports_on: Callable[[str], bool]) -> bool:
    if not reports_on(entry.path):
        return False
    ran = {rule.name for rule in result.rules}
    not_run = {one.rule for one in result.skipped} | set(result.failed) | set(result.unfinished)
    doubtful = {(one.rule, one.span.path) for one in result.undecided}
    return entry.rule in ran - not_run and (entry.rule, entry.path) not in doubtful


def _entry(value: object, at: int, name: str) -> Known:
    wanted = {field.name for field in fields(Known)}
    if not isinstance(value, dict) or set(value) != wanted:
        raise UsageError(
            f"{name} is no baseline: finding {at} must have {', '.join(sorted(wanted))}"
        )
    if not all(isinstance(one, str) for one in value.values()):
        raise UsageError(f"{name} is no baseline: what finding {at} has must be strings")
    return Known(**value)


def _order(one: Known) -> tuple[str, ...]:
    return (one.repository, one.path, one.rule, one.message, one.fingerprint)
