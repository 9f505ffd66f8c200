"""JSON for programs: one object, described in docs/json.md."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from overlaylint.engine.fingerprint import fingerprints
from overlaylint.engine.result import Result
from overlaylint.finding import Finding, Fix, Related, Severity, Span
from overlaylint.report import Settings
from overlaylint.report.escape import plain

#: Raised when something is removed or changes its meaning; additions leave it as it is.
SCHEMA = 1

Value = str | int | None | list["Value"] | dict[str, "Value"]


def render(results: Sequence[Result], settings: Settings) -> str:
    """Return the object, indented, with its keys in a fixed order."""
    return json.dumps(report(results, settings), indent=2) + "\n"


def report(results: Sequence[Result], settings: Settings) -> dict[str, Value]:
    """Return the object as plain data."""
    parts: dict[str, Value] = {
        name: [one for result in results for one in make(result)]
        for name, make in lists(settings).items()
    }
    return {"schema": SCHEMA, **parts, "summary": summary(results)}


def _findings(result: Result) -> list[Value]:
    known_by = fingerprints(result)
    return [_finding(result, one, known_by[one]) for one in result.findings]


def _undecided(result: Result) -> list[Value]:
    return [
        {
            "rule": one.rule,
            "path": plain(one.span.path),
            "repository": plain(result.repository.name),
            "start": _position(result, one.span, one.span.start),
            "reason": plain(one.reason),
        }
        for one in result.undecided
    ]


def _skipped(result: Result) -> list[Value]:
    return [
        {
            "rule": one.rule,
            "repository": plain(result.repository.name),
            "reason": plain(one.reason),
        }
        for one in result.skipped
    ]


def _suppressed(result: Result) -> list[Value]:
    known_by = fingerprints(result)
    return [
        {**_finding(result, one.finding, known_by[one.finding]), "reason": plain(one.reason)}
        for one in result.suppressed
    ]


def _fixed(result: Result) -> list[Value]:
    return [
        {
            "rule": one.rule,
            "repository": plain(result.repository.name),
            "path": plain(one.span.path),
            "message": plain(one.message),
            "fix": plain(one.fix.title if one.fix is not None else ""),
        }
        for one in result.fixed
    ]


def _gone(result: Result) -> list[Value]:
    return [
        {
            "rule": one.rule,
            "repository": plain(one.repository),
            "path": plain(one.path),
            "message": plain(one.message),
            "fingerprint": one.fingerprint,
        }
        for one in result.gone
    ]


#: The lists of the report: what of an overlay's result each one holds.
LISTS: dict[str, Callable[[Result], list[Value]]] = {
    "findings": _findings,
    "undecided": _undecided,
    "fixed": _fixed,
    "skipped": _skipped,
    "suppressed": _suppressed,
    "gone": _gone,
}


def lists(settings: Settings) -> Mapping[str, Callable[[Result], list[Value]]]:
    """Return the lists that are asked for."""
    return {**LISTS, "silence": _silence} if settings.explain_silence else LISTS


def _silence(result: Result) -> list[Value]:
    from overlaylint.engine.silence import silences

    found: list[Value] = []
    for one in silences(result):
        held: list[Value] = [plain(path) for path in one.held]
        not_applicable: list[Value] = [
            {"path": plain(excuse.span.path if excuse.span else ""), "reason": plain(excuse.reason)}
            for excuse in one.not_applicable
        ]
        undecided: list[Value] = [
            {
                "path": plain(doubt.span.path),
                "start": _position(result, doubt.span, doubt.span.start),
                "reason": plain(doubt.reason),
            }
            for doubt in one.undecided
        ]
        found.append(
            {
                "rule": one.rule,
                "repository": plain(result.repository.name),
                "findings": one.findings,
                "held": held,
                "not_applicable": not_applicable,
                "undecided": undecided,
                "reason": plain(one.reason) or None,
            }
        )
    return found


def summary(results: Sequence[Result]) -> dict[str, Value]:
    """Return how many there are of everything."""
    by_severity: dict[str, Value] = {
        f"{severity}s": sum(result.count(severity) for result in results)
        for severity in sorted(Severity, reverse=True)
    }
    skipped = [{*(one.rule for one in result.skipped), *result.unfinished} for result in results]
    by_rule: dict[str, Value] = dict(
        sorted(Counter(one.rule for result in results for one in result.findings).items())
    )
    ran = {
        rule.name
        for result, not_run in zip(results, skipped, strict=True)
        for rule in result.rules
        if rule.name not in not_run
    }
    return {
        "files": sum(result.files for result in results),
        "rules": len(ran),
        "findings": sum(len(result.findings) for result in results),
        **by_severity,
        "by_rule": by_rule,
        "undecided": sum(len(result.undecided) for result in results),
        "fixed": sum(len(result.fixed) for result in results),
        "suppressed": sum(len(result.suppressed) for result in results),
        "known": sum(len(result.known) for result in results),
        "gone": sum(len(result.gone) for result in results),
        "skipped": sum(len(result.skipped) for result in results),
        "unfinished": list[Value](
            sorted({name for result in results for name in result.unfinished})
        ),
        "missing_masters": [
            {"master": plain(name), "reason": plain(reason)}
            for result in results
            for name, reason in result.missing_masters.items()
        ],
    }


def _finding(result: Result, finding: Finding, fingerprint: str) -> dict[str, Value]:
    return {
        "rule": finding.rule,
        "severity": str(finding.severity),
        "message": plain(finding.message),
        "help": plain(finding.help),
        "repository": plain(result.repository.name),
        **_place(result, finding.span),
        "related": [_related(result, one) for one in finding.related],
        "fix": None if finding.fix is None else _fix(result, finding.fix),
        "fingerprint": fingerprint,
    }


def _related(result: Result, related: Related) -> dict[str, Value]:
    return {
        "message": plain(related.message),
        "repository": plain(related.span.repository or result.repository.name),
        **_place(result, related.span),
    }


def _fix(result: Result, fix: Fix) -> dict[str, Value]:
    return {
        "title": plain(fix.title),
        "safe": fix.is_safe,
        "edits": [{**_place(result, edit.span), "text": plain(edit.text)} for edit in fix.edits],
    }


def _place(result: Result, span: Span) -> dict[str, Value]:
    return {
        "path": plain(span.path),
        "start": _position(result, span, span.start),
        "end": _position(result, span, max(span.start, span.end)),
    }


def _position(result: Result, span: Span, offset: int) -> dict[str, Value]:
    index = result.sources.index(span)
    if index is None:
        return {"line": 1, "column": 1}
    return {"line": index.line(offset), "column": index.character_column(offset)}
