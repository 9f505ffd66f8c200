"""The answers of `overlaylint why`, and how they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from overlaylint.finding import Span
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.evaluation import Evaluated, evaluate
from overlaylint.overlay.history import Addition, History, Step, history
from overlaylint.overlay.metadata import KEYS, metadata
from overlaylint.overlay.profile import Profile
from overlaylint.overlay.use import FlagSource, UseState, candidate_of
from overlaylint.overlay.visibility import accepted_keywords, effective_keywords
from overlaylint.records import dataclass
from overlaylint.report.escape import plain, visible
from overlaylint.report.places import Places
from overlaylint.report.style import Style
from overlaylint.shell.values import Unknown, Value

#: Of a longer value only the start is shown to people; JSON has all of it.
_MOST_TEXT = 1000
#: Of a place with more lines only the first is shown.
_MOST_LINES = 6
#: What flags are worked out from, and what visibility needs besides.
_FOR_FLAGS = ("EAPI", "IUSE", "KEYWORDS", "SLOT", "RESTRICT")
_FOR_VISIBILITY = (*_FOR_FLAGS, "LICENSE", "PROPERTIES")


@dataclass(frozen=True, slots=True)
class Line:
    """A place, with what it says; a place without a file of its own is told in words only."""

    title: str
    span: Span | None = None
    text: str = ""
    facts: Mapping[str, Any] | None = None
    """More about it, for JSON."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Why something is as it is: what led to it, in order, and what it comes to."""

    ebuild: Ebuild
    about: str
    lines: tuple[Line, ...]
    outcome: tuple[str, ...]
    is_known: bool
    facts: Mapping[str, Any]
    """What it comes to, for JSON."""
    unknown: tuple[Unknown, ...] = ()


class VariableAnswer(Answer):
    """A variable of an ebuild."""

    @classmethod
    def of(cls, ebuild: Ebuild, name: str) -> VariableAnswer:
        """Return the answer. Raises TreeError where a file can't be read."""
        found = history(ebuild, name)
        lines = tuple(_grouped(found))
        outcome = [_outcome(found)]
        if found.left_out:
            outcome.append(f"{found.left_out} more assignments are not shown")
        failure = found.evaluation.failure
        if failure is not None:
            outcome.append(f"the ebuild can't be sourced: {failure.reason}")
        result = found.result
        facts = {
            "variable": name,
            "is_set": result is not None and _is_set(result),
            "value": None if result is None else _json_value(result),
            "origin": found.origin or None,
            "failure": None if failure is None else plain(failure.reason),
            "left_out": found.left_out,
        }
        is_known = not found.unknown and failure is None
        return cls(ebuild, name, lines, tuple(outcome), is_known, facts, found.unknown)


class FlagAnswer(Answer):
    """A USE flag of an ebuild under a profile."""

    @classmethod
    def of(cls, ebuild: Ebuild, profile: Profile, flag: str) -> Answer:
        """Return the answer. Raises TreeError where a file can't be read."""
        about = f"USE flag {flag} under {profile.name}"
        values = _values(ebuild, about, _FOR_FLAGS)
        if isinstance(values, Answer):
            return values
        state = profile.use(ebuild, values)
        lines = tuple(_flag_line(ebuild, one) for one in profile.explain_flag(ebuild, values, flag))
        facts = {
            "profile": plain(profile.name),
            "flag": plain(flag),
            "in_iuse": flag in state.on | state.off,
            "on": flag in state.enabled,
            "forced": flag in state.forced,
            "masked": flag in state.masked,
        }
        return cls(ebuild, about, lines, tuple(_flag_outcome(flag, state, lines)), True, facts)


class ProfileAnswer(Answer):
    """A variable of make.defaults; with ACCEPT_KEYWORDS, whether the ebuild is visible."""

    @classmethod
    def of(cls, ebuild: Ebuild, profile: Profile, name: str) -> Answer:
        """Return the answer. Raises TreeError where a file can't be read."""
        about = f"{name} under {profile.name}"
        variable = profile.variable(name)
        lines = [
            Line("make.defaults", span, text)
            for span, text in (() if variable is None else variable.assignments)
        ]
        outcome = [f"{name} is not set" if variable is None else f"{name} = {variable.text}"]
        facts: dict[str, Any] = {
            "profile": plain(profile.name),
            "variable": plain(name),
            "value": None if variable is None else plain(variable.text),
        }
        if name == "ACCEPT_KEYWORDS":
            values = _values(ebuild, about, _FOR_VISIBILITY)
            if isinstance(values, Answer):
                return values
            candidate = candidate_of(ebuild, values)
            accepted, entries = accepted_keywords(profile, candidate)
            lines += [
                Line("package.accept_keywords", one.span, " ".join(word.text for word in one.words))
                for one in entries
            ]
            keywords = effective_keywords(profile, candidate, values)
            shown = profile.visibility(ebuild, values)
            reasons = [reason.text for reason in shown.reasons]
            outcome += [
                f"accepted for this package: {' '.join(sorted(accepted)) or 'nothing'}",
                f"KEYWORDS: {' '.join(keywords) or 'none'}",
                "visible" if shown.is_visible else f"hidden: {'; '.join(reasons)}",
            ]
            facts |= {
                "accepted": sorted(map(plain, accepted)),
                "keywords": list(map(plain, keywords)),
                "visible": shown.is_visible,
                "reasons": list(map(plain, reasons)),
            }
        return cls(ebuild, about, tuple(lines), tuple(outcome), True, facts)


def _values(ebuild: Ebuild, about: str, needed: Iterable[str]) -> Mapping[str, str] | Answer:
    """Return an ebuild's metadata, or the answer that it is not known."""
    found = metadata(evaluate(ebuild))
    for key in needed:
        if key in found.unknown:
            reason = found.unknown[key]
            return Answer(ebuild, about, (), (f"{key} is unknown",), False, {}, (reason,))
    return found.values


# A variable


def _grouped(found: History) -> Iterator[Line]:
    """Yield the steps; those that a loop takes at one place are told once, with the last value."""
    previous: Step | None = None
    times = 0
    for step in found.steps:
        if isinstance(step, Step) and previous is not None and _is_again(step, previous):
            previous, times = step, times + 1
            continue
        if previous is not None:
            yield _step_line(previous, times)
        previous, times = (step, 1) if isinstance(step, Step) else (None, 0)
        if isinstance(step, Addition):
            facts = {"kind": "added", "eclass": plain(step.eclass), "value": _json_text(step.value)}
            title = f"{step.eclass}.eclass adds {_shown(step.value)}"
            yield Line(title, facts=facts)
    if previous is not None:
        yield _step_line(previous, times)


def _is_again(step: Step, other: Step) -> bool:
    return (step.result.span, step.eclasses, step.functions) == (
        other.result.span,
        other.eclasses,
        other.functions,
    )


def _step_line(step: Step, times: int) -> Line:
    words = []
    if step.result.name == "DEFINED_PHASES":
        words.append(f"phase {step.result.text}")
    if step.eclasses:
        words.append("eclass " + ", inheriting ".join(step.eclasses))
    if step.functions:
        words.append("function " + ", calling ".join(step.functions))
    if times > 1:
        words.append(f"{times} times, the last value is shown")
    if step.is_local:
        words.append("a function's own variable of this name")
    if step.is_passing:
        words.append("in a subshell, not seen outside")
    words += [f"if {guard}" for guard in step.guards]
    facts = {
        "kind": "assigned",
        "value": _json_value(step.result),
        "times": times,
        "eclasses": list(map(plain, step.eclasses)),
        "functions": list(map(plain, step.functions)),
        "guards": [plain(str(guard)) for guard in step.guards],
        "local": step.is_local,
        "subshell": step.is_passing,
    }
    return Line("; ".join(words) or "ebuild", step.result.span, _result_text(step.result), facts)


def _outcome(found: History) -> str:
    result = found.result
    if result is None or not _is_set(result):
        if found.origin:
            return f"{found.name} is not set here: {found.origin}"
        return f"{found.name} is {'unknown' if found.unknown else 'not set'}"
    origin = f" ({found.origin})" if found.origin else ""
    text = _result_text(result)
    if found.name in KEYS:
        text = " ".join(text.split())
    return f"{found.name} = {text}{origin}"


def _is_set(result: Evaluated) -> bool:
    return result.value is not None or result.elements is not None


def _result_text(result: Evaluated) -> str:
    if result.elements is not None:
        return f"({' '.join(_shown(element) for element in result.elements)})"
    return "" if result.value is None else str(result.value)


def _shown(value: Value) -> str:
    return f'"{value}"'


def _json_value(result: Evaluated) -> Any:
    if result.elements is not None:
        return [_json_text(element) for element in result.elements]
    return None if result.value is None else _json_text(result.value)


def _json_text(value: Value) -> Any:
    """Return text, or where some of it is unknown a list of text and objects for what is."""
    if isinstance(value, str):
        return plain(value)
    return [
        plain(part)
        if isinstance(part, str)
        else {"unknown": plain(part.reason), "symbol": part.symbol or None}
        for part in value.parts
    ]


# A flag


def _flag_line(ebuild: Ebuild, source: FlagSource) -> Line:
    effects = {
        "use.force": ("forces it on", "no longer forces it"),
        "use.mask": ("masks it", "no longer masks it"),
    }
    kind = source.kind.removeprefix("package.").replace(".stable", "")
    on, off = effects.get(kind, ("turns it on", "turns it off"))
    span = source.span
    if source.kind == "IUSE":
        variable = ebuild.variable("IUSE")
        span = span if variable is None or not variable.span.path else variable.span
    facts = {"kind": source.kind, "text": plain(source.text), "turns_on": source.turns_on}
    return Line(f"{source.kind} {on if source.turns_on else off}", span, source.text, facts)


def _flag_outcome(flag: str, state: UseState, lines: tuple[Line, ...]) -> Iterator[str]:
    words = [flag, "is", "on" if flag in state.enabled else "off"]
    if flag in state.masked:
        words.append("(masked)")
    elif flag in state.forced:
        words.append("(forced)")
    yield " ".join(words)
    if flag not in state.on | state.off:
        yield "the ebuild has no such flag in IUSE"
    elif not lines:
        yield "nothing speaks of it; a flag is off then"


# How it is shown


def as_text(answer: Answer, places: Places, style: Style, width: int) -> Iterator[str]:
    """Yield the lines of an answer for people."""
    yield style.strong(visible(f"{answer.ebuild}: {answer.about}"))
    for line in answer.lines:
        yield visible(line.title)
        if line.span is not None:
            yield from _frame(line.span, line.text, places, style, width)
    for text in answer.outcome:
        yield style.strong(_cut(text))
    for reason in answer.unknown:
        yield f"unknown: {visible(reason.reason)}"
        yield from _frame(places.span(reason), "", places, style, width)
    yield ""


def _frame(span: Span, text: str, places: Places, style: Style, width: int) -> Iterator[str]:
    from overlaylint.report.frame import Label, frame

    where = places.text(span)
    if not where:
        return
    yield f"  {style.gutter('-->')} {where}"
    index = places.index(span)
    if index is not None and index.data and span.end:
        end = span.end
        first = index.line(span.start)
        if index.line(end) - first >= _MOST_LINES:
            # A function, or a long `case`: its first line tells which one.
            end = index.span(first)[1]
        # What is assigned here is shown, and not the lines around it.
        yield from frame(index, [Label(span.start, end)], style, width)
    if text:
        yield f"  {_cut(text)}"


def _cut(text: str) -> str:
    return visible(text) if len(text) <= _MOST_TEXT else f"{visible(text[:_MOST_TEXT])}..."


def as_json(answer: Answer, places: Places) -> Mapping[str, Any]:
    """Return an answer as plain data."""
    return {
        "ebuild": plain(str(answer.ebuild)),
        **answer.facts,
        "known": answer.is_known,
        "steps": [_json_line(line, places) for line in answer.lines],
        "unknown": [
            {"reason": plain(one.reason), **_json_place(places.span(one), places)}
            for one in answer.unknown
        ],
    }


def _json_line(line: Line, places: Places) -> Mapping[str, Any]:
    facts = line.facts or {"kind": plain(line.title), "text": plain(line.text)}
    return {**facts, **({} if line.span is None else _json_place(line.span, places))}


def _json_place(span: Span, places: Places) -> Mapping[str, Any]:
    if not span.path:
        return {"repository": None, "path": None, "start": None, "end": None}
    index = places.index(span)

    def position(offset: int) -> Mapping[str, int]:
        if index is None:
            return {"line": 1, "column": 1}
        return {"line": index.line(offset), "column": index.character_column(offset)}

    return {
        "repository": plain(span.repository or places.repository.name),
        "path": plain(span.path),
        "start": position(span.start),
        "end": position(max(span.start, span.end)),
    }
