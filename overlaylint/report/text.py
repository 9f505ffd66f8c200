"""Text for people: a code frame for each finding, and a summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from overlaylint.engine.result import Result
from overlaylint.finding import Finding, Related, Severity, Span, Undecided
from overlaylint.report import Settings
from overlaylint.report.counts import counted
from overlaylint.report.escape import visible, without_commands
from overlaylint.report.style import Style

if TYPE_CHECKING:
    from overlaylint.report.frame import Label


def render(results: Sequence[Result], settings: Settings) -> str:
    """Return the findings of each overlay with their frames, and a summary."""
    style = Style(settings.use_color)
    lines: list[str] = []
    for result in results:
        for finding in () if settings.show_statistics else result.findings:
            lines += _finding(result, finding, style, settings.width)
            lines.append("")
        lines += after_findings(result, settings, is_only=len(results) == 1)
    if settings.environment.get("GITHUB_ACTIONS") == "true":
        lines = [without_commands(line) for line in lines]
    return "".join(f"{line}\n" for line in lines)


def after_findings(result: Result, settings: Settings, *, is_only: bool) -> Iterator[str]:
    """Yield what is said below the findings of an overlay: the lists asked for, the summary."""
    if settings.show_undecided and result.undecided:
        yield from (f"undecided: {_undecided(result, one)}" for one in result.undecided)
        yield ""
    if settings.show_gone and result.gone:
        for one in result.gone:
            yield f"gone: {visible(one.path)}: {visible(one.rule)}: {visible(one.message)}"
        yield ""
    style = Style(settings.use_color)
    if settings.explain_silence:
        yield from _silence(result, style)
        yield ""
    if settings.show_statistics and result.findings:
        yield from _statistics(result, style)
        yield ""
    if not settings.is_quiet:
        yield from _summary(result, style, settings, is_only=is_only)


def severity_of(finding: Finding, style: Style) -> str:
    """Return `error[rule]` in the colour of the severity."""
    return style.severity(finding.severity, f"{finding.severity}[{visible(finding.rule)}]")


def place(result: Result, span: Span) -> str:
    """Return `path:line:column` of a place, the path alone where the file as a whole is meant.

    A place in a master has the master's name before it.
    """
    path = visible(span.path or ".")
    if span.repository:
        path = f"{visible(span.repository)}::{path}"
    index = result.sources.index(span)
    if index is None or span.end == 0:
        return path
    return f"{path}:{index.line(span.start)}:{index.character_column(span.start)}"


def _finding(result: Result, finding: Finding, style: Style, width: int) -> Iterator[str]:
    from overlaylint.report.frame import Label

    yield f"{severity_of(finding, style)}: {style.strong(visible(finding.message))}"
    yield f"  {style.gutter('-->')} {place(result, finding.span)}"
    own = [Label(finding.span.start, finding.span.end, "", True)]
    own += [_label(one) for one in finding.related if _is_in(one.span, finding.span)]
    yield from _frame(result, finding.span, own, style, width)
    others = [one for one in finding.related if not _is_in(one.span, finding.span)]
    for span in {(one.span.repository, one.span.path): one.span for one in others}.values():
        labels = [one for one in others if _is_in(one.span, span)]
        yield f"  {style.gutter(':::')} {place(result, labels[0].span)}"
        if result.sources.index(span) is None or not any(one.span.end for one in labels):
            yield from (f"      {visible(one.message)}" for one in labels)
        else:
            yield from _frame(result, span, [_label(one) for one in labels], style, width)
    if finding.help:
        yield f"  {style.strong('help')}: {visible(finding.help)}"
    if finding.fix is not None:
        kind = "fix" if finding.fix.is_safe else "unsafe fix"
        yield f"  {style.strong(kind)}: {visible(finding.fix.title)}"


def _frame(
    result: Result, span: Span, labels: Sequence[Label], style: Style, width: int
) -> Iterator[str]:
    index = result.sources.index(span)
    # What is wrong with a file as a whole needs no look at its first lines.
    if index is None or not index.data or not any(label.end for label in labels):
        return
    from overlaylint.report.frame import frame

    yield from frame(index, labels, style, width)


def _label(related: Related) -> Label:
    from overlaylint.report.frame import Label

    return Label(related.span.start, related.span.end, related.message)


def _is_in(span: Span, other: Span) -> bool:
    return (span.repository, span.path) == (other.repository, other.path)


def _undecided(result: Result, undecided: Undecided) -> str:
    return (
        f"{place(result, undecided.span)}: {visible(undecided.rule)}: {visible(undecided.reason)}"
    )


def _statistics(result: Result, style: Style) -> Iterator[str]:
    """Yield how many findings each rule has, the most first."""
    by_rule: dict[str, list[Finding]] = {}
    for finding in result.findings:
        by_rule.setdefault(finding.rule, []).append(finding)
    width = max(len(str(len(found))) for found in by_rule.values())
    for _, found in sorted(by_rule.items(), key=lambda one: (-len(one[1]), one[0])):
        safe = sum(one.fix is not None and one.fix.is_safe for one in found)
        fixable = f" ({safe} can be fixed with --fix)" if safe else ""
        yield f"{len(found):>{width}}  {severity_of(found[0], style)}{fixable}"


#: Of more paths than this, only so many are shown to people; JSON has all of them.
_MOST_PATHS = 3
_MOST_REASONS = 6


def _silence(result: Result, style: Style) -> Iterator[str]:
    """Yield for each rule where it held, where it did not apply and why, where it can't tell."""
    from overlaylint.engine.silence import silences

    for one in silences(result):
        yield style.strong(visible(one.rule))
        if one.findings:
            yield f"  found: {one.findings}"
        if one.held:
            yield f"  held: {len(one.held)}: {_paths(one.held)}"
        reasons: dict[tuple[str, str], list[str]] = {}
        for excuse in one.not_applicable:
            path = excuse.span.path if excuse.span is not None else ""
            reasons.setdefault(("not applicable", _about_it(excuse.reason, path)), []).append(path)
        for doubt in one.undecided:
            where = place(result, doubt.span)
            reason = _about_it(doubt.reason, doubt.span.path)
            reasons.setdefault(("undecided", reason), []).append(where)
        shown: Counter[str] = Counter()
        for (kind, reason), paths in sorted(reasons.items(), key=lambda one: -len(one[1])):
            shown[kind] += 1
            if shown[kind] > _MOST_REASONS:
                continue
            named = [path for path in paths if path]
            places = f": {_paths(named)}" if named else ""
            yield f"  {kind}: {len(paths)}: {visible(reason)}{places}"
        for kind, count in shown.items():
            if count > _MOST_REASONS:
                others = counted(count - _MOST_REASONS, "other reason")
                yield f"  {kind}: {others}, which --output-format json has"
        if one.reason:
            yield f"  did not look: {visible(one.reason)}"


def _about_it(reason: str, path: str) -> str:
    """Return a reason without the name of what it is about, so that equal ones are told once."""
    return reason.replace(path, "it") if "/" in path else reason


def _paths(paths: Sequence[str]) -> str:
    shown = ", ".join(visible(path) for path in paths[:_MOST_PATHS])
    rest = len(paths) - _MOST_PATHS
    return f"{shown} and {rest} more" if rest > 0 else shown


def _summary(result: Result, style: Style, settings: Settings, *, is_only: bool) -> Iterator[str]:
    ran = len(result.rules) - len(result.skipped) - len(result.unfinished)
    parts = [_findings(result, style)]
    if result.undecided:
        hint = "" if settings.show_undecided else " (--show-undecided lists them)"
        parts.append(f"{len(result.undecided)} undecided{hint}")
    if result.fixed:
        parts.append(f"fixed {len(result.fixed)}")
    if result.known:
        parts.append(f"{len(result.known)} in the baseline")
    if result.gone:
        hint = "" if settings.show_gone else " (--show-gone lists them)"
        parts.append(f"{len(result.gone)} of the baseline gone{hint}")
    if result.suppressed:
        parts.append(f"{len(result.suppressed)} suppressed")
    if result.skipped:
        parts.append(f"{counted(len(result.skipped), 'rule')} skipped")
    name = "" if is_only else f"{visible(result.repository.name)}: "
    checked = f"{counted(result.files, 'file')} checked with {counted(ran, 'rule')}"
    yield f"{name}{checked}: {', '.join(parts)}"
    if result.unfinished:
        names = visible(", ".join(result.unfinished))
        yield f"stopped: {counted(len(result.unfinished), 'rule')} had not finished: {names}"
    reasons: dict[str, list[str]] = {}
    for one in result.skipped:
        reasons.setdefault(one.reason, []).append(one.rule)
    for reason, rules in reasons.items():
        yield f"skipped: {visible(', '.join(rules))}: {visible(reason)}"
    fixable = [one.fix for one in result.findings if one.fix is not None]
    safe = sum(fix.is_safe for fix in fixable)
    if safe:
        yield f"{safe} can be fixed with --fix"
    if len(fixable) > safe:
        yield f"{len(fixable) - safe} can be fixed with --fix --unsafe-fixes"
    for name, reason in result.missing_masters.items():
        yield (
            f"master {visible(name)} is missing: {visible(reason)};"
            f" --master {visible(name)}=PATH says where it is"
        )


def _findings(result: Result, style: Style) -> str:
    new = "new " if result.known else ""
    if not result.findings:
        return style.strong(f"no {new}findings")
    counts = [
        style.severity(severity, counted(result.count(severity), str(severity)))
        for severity in sorted(Severity, reverse=True)
        if result.count(severity)
    ]
    total = counted(len(result.findings), f"{new}finding")
    return f"{style.strong(total)} ({', '.join(counts)})"
