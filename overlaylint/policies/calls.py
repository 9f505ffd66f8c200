"""The calls that an ebuild's own code makes in a build: which, under what, and in what order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from overlaylint.finding import NotApplicable, Outcome, Span, Undecided
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.policies.forms import CallPattern, ForbidCall, RequireCall, assumed
from overlaylint.policies.matching import matches, matches_any, reason_of
from overlaylint.policies.places import failed, finding_at
from overlaylint.records import dataclass
from overlaylint.shell.values import pieces_of

if TYPE_CHECKING:
    from overlaylint.overlay.trace import Trace
    from overlaylint.shell.calls import Call
    from overlaylint.shell.conditions import Condition
    from overlaylint.shell.syntax import Function
    from overlaylint.shell.values import Value

# More flags than these in a call's words are not looked at in all their combinations.
_MOST_FLAGS_IN_WORDS = 3


@dataclass(frozen=True, slots=True)
class Match:
    """A call that is one of those asked for, or may be: `doubt` says why that is unknown."""

    trace: Trace
    call: Call
    doubt: str = ""

    @property
    def span(self) -> Span:
        """Where the call stands."""
        return self.trace.span(self.call)

    @property
    def where(self) -> str:
        """The phase, and the functions through which it comes to the call."""
        return " of ".join(dict.fromkeys((*reversed(self.call.stack), self.trace.phase)))


def traces_of(
    ebuild: Ebuild,
    use: Mapping[str, bool] | None = None,
    phase: str | tuple[str, ...] = "*",
    follow: Mapping[str, Function] | None = None,
) -> Iterator[Trace | Undecided]:
    """Yield the phases, callbacks and hooks whose names match, and those that can't be followed.

    `follow` are functions of masters that are followed as well.
    """
    from overlaylint.overlay.own_code import own_traces

    for trace in own_traces(ebuild, use, follow=follow):
        if not matches_any(phase, trace.phase):
            continue
        if trace.unknown is not None and trace.is_defined:
            reason = f"{trace.phase} can't be followed: {trace.unknown.reason}"
            yield Undecided(ebuild.span(), reason)
        yield trace


def calls_made(
    ebuild: Ebuild,
    pattern: CallPattern,
    uses: Iterable[Mapping[str, bool]] = ({},),
    phase: str | tuple[str, ...] = "*",
    follow: Mapping[str, Function] | None = None,
) -> Iterator[Match | Undecided]:
    """Yield each call that matches, or may, once for its place, under each of some USE flags.

    `follow` is as for `traces_of`.
    """
    seen: set[Span] = set()
    for use in uses:
        for trace in traces_of(ebuild, use, phase, follow):
            if isinstance(trace, Undecided):
                yield trace
                continue
            for match in matching(trace, pattern):
                if match.span not in seen:
                    seen.add(match.span)
                    yield match


def matching(trace: Trace, pattern: CallPattern) -> Iterator[Match]:
    """Yield the calls of a phase that match a pattern, or may, in their order."""
    for call in trace:
        for reading in _readings(call):
            doubt = _doubt(reading, pattern)
            if doubt is not None:
                yield Match(trace, call, doubt)
                break


def _readings(call: Call) -> Iterator[Call]:
    """Yield a call as it is written, and what is run by `env`, `nonfatal` and the like in it."""
    from overlaylint.overlay.command_lines import unwrapped

    yield call
    name, arguments = unwrapped(call.name, call.arguments)
    if name and name != call.name:
        yield replace(call, name=name, arguments=arguments)
    elif call.name == "nonfatal" and call.arguments:
        # Its name is not known as a whole.
        yield replace(call, name=call.arguments[0], arguments=call.arguments[1:])


def _doubt(call: Call, pattern: CallPattern) -> str | None:
    """Return "" for a call that matches, why it may, or None where it does not."""
    is_called = matches(pattern.command, call.name)
    if is_called is False:
        return None
    if is_called is None and not _resembles(pattern.command, call.name):
        return None
    has_arguments = _have(call.arguments, pattern.arguments)
    if has_arguments is False:
        return None
    if is_called is None:
        return f"it is unknown what is called: {reason_of(call.name)}"
    if has_arguments is None:
        return f"it is unknown what {call.name} is called with"
    return ""


def _resembles(command: str, name: Value) -> bool:
    """Whether a name that is known in part only has anything of the command's about it.

    A name of which nothing is known may be any command, and says nothing.
    """
    if isinstance(name, str):
        return False
    known = name.head or name.tail
    return bool(known) and matches(command, name) is not False


def _have(arguments: Sequence[Value], globs: tuple[str, ...]) -> bool | None:
    """Whether some arguments match globs in their order; None where that is unknown."""
    if _run_through(arguments, globs, may_be=False):
        return True
    is_open = any(not isinstance(one, str) and one.is_many for one in arguments)
    return None if globs and (is_open or _run_through(arguments, globs, may_be=True)) else False


def _run_through(arguments: Sequence[Value], globs: tuple[str, ...], *, may_be: bool) -> bool:
    at = 0
    for argument in arguments:
        if at < len(globs):
            answer = matches(globs[at], argument)
            at += answer is True or (may_be and answer is None)
    return at == len(globs)


# --- forbidden calls ---


def forbidden_call(ebuild: Ebuild, form: ForbidCall) -> Iterator[Outcome]:
    """Report each call that a build would make, or may make, and that may not be."""
    failure = failed(ebuild)
    if failure is not None:
        yield failure
        return
    for one in calls_made(ebuild, form.pattern, _uses(ebuild, form), form.phase):
        if isinstance(one, Undecided):
            yield one
        elif _is_around(one, form) is False:
            continue
        elif one.doubt or _is_around(one, form) is None:
            yield Undecided(one.span, one.doubt or "it is unknown what comes before and after it")
        else:
            message = f"{ebuild.cp} calls {form.pattern.shown} in {one.where}"
            help_ = f"remove the call of {form.command}"
            yield finding_at(ebuild, one.span, message, help_, "it is called here")


def _is_around(match: Match, form: ForbidCall) -> bool | None:
    """Whether a call comes before and after those that it is forbidden before and after."""
    at = _place(match)
    answer: bool | None = True
    for pattern, calls in (
        (form.before, match.trace.calls[at + 1 :]),
        (form.after, match.trace.calls[:at]),
    ):
        if pattern is None:
            continue
        doubts = [_doubt(call, pattern) for call in calls]
        if "" not in doubts:
            if all(doubt is None for doubt in doubts):
                return False
            answer = None
    return answer


def _uses(ebuild: Ebuild, form: ForbidCall) -> tuple[Mapping[str, bool], ...]:
    """Return what the flags that such calls depend on are in a build, in every way there is.

    Without profiles they may be anything, save what the form assumes.
    """
    from overlaylint.policies.flags import settings_of

    use = assumed(form.when)
    calls = calls_made(ebuild, form.pattern, (use,), form.phase)
    made = [one for one in calls if isinstance(one, Match)]
    if not form.profiles:
        # What a call is called by may depend on a flag: either way is one that may be built.
        named = sorted({flag for one in made for flag in _flags_in_words(one.call)} - set(use))
        if len(named) > _MOST_FLAGS_IN_WORDS:
            return (use,)
        ways = product((True, False), repeat=len(named))
        return tuple({**use, **dict(zip(named, states, strict=True))} for states in ways)
    flags = {flag for one in made for flag in _flags_in_words(one.call)}
    flags |= {flag for one in made for guard in one.call.guards for flag in flags_of(guard)}
    by_profile: dict[str, dict[str, bool]] = {}
    for flag in sorted(flags - set(use)):
        for setting in settings_of(ebuild, flag, form.profiles):
            known = by_profile.setdefault(setting.profile.name, dict(use))
            if setting.missing is None:
                known[flag] = setting.is_on
    found = {tuple(sorted(one.items())): one for one in by_profile.values()}
    return tuple(found.values()) or (use,)


def _flags_in_words(call: Call) -> Iterator[str]:
    """Yield the flags on which it depends what the words of a call are."""
    for value in (call.name, *call.arguments):
        for piece in pieces_of(value):
            for condition, _ in () if isinstance(piece, str) else piece.choices:
                yield from flags_of(condition)


# --- required calls ---


def required_call(ebuild: Ebuild, form: RequireCall) -> Iterator[Outcome]:
    """Report a call that a build does not make whatever the flags are, or not in its order."""
    failure = failed(ebuild)
    if failure is not None:
        yield failure
        return
    use = assumed(form.when)
    traces = []
    for one in traces_of(ebuild, use, form.phase):
        if isinstance(one, Undecided):
            yield one
            return
        traces.append(one)
    if form.before is None and form.after is None:
        found = [match for trace in traces for match in matching(trace, form.pattern)]
        span = found[-1].span if found else _head(ebuild, traces)
        yield from _judged(ebuild, form, found, (), use, span, "")
        return
    others = 0
    for trace in traces:
        for outcome in _in_order(ebuild, form, trace, use):
            others += 1
            if outcome is not None:
                yield outcome
                break
    if not others:
        shown = " or ".join(one.shown for one in (form.before, form.after) if one is not None)
        yield NotApplicable(f"{ebuild.path} makes no call of {shown}")


def _in_order(
    ebuild: Ebuild, form: RequireCall, trace: Trace, use: Mapping[str, bool]
) -> Iterator[Outcome | None]:
    """Yield, for each call that the order is about, what is wrong there, None for nothing."""
    required = list(matching(trace, form.pattern))
    for pattern, word in ((form.before, "before"), (form.after, "after")):
        if pattern is None:
            continue
        for other in matching(trace, pattern):
            if other.doubt:
                yield Undecided(other.span, other.doubt)
                continue
            here = _place(other)
            in_time = [
                one
                for one in required
                if (_place(one) < here) is (word == "before") and one.call != other.call
            ]
            text = f" {word} this"
            wrong = list(_judged(ebuild, form, in_time, other.call.guards, use, other.span, text))
            yield wrong[0] if wrong else None


def _place(match: Match) -> int:
    """Return the place of a call among those of its phase."""
    return next(at for at, call in enumerate(match.trace) if call is match.call)


def _judged(
    ebuild: Ebuild,
    form: RequireCall,
    found: list[Match],
    given: tuple[Condition, ...],
    use: Mapping[str, bool],
    span: Span,
    order: str,
) -> Iterator[Outcome]:
    """Yield what is wrong if one of the calls found has to be made whenever `given` holds."""
    from overlaylint.overlay.ways import covered

    certain = covered([one.call.guards for one in found if not one.doubt], given, use)
    if certain:
        return
    possible = covered([one.call.guards for one in found], given, use)
    if certain is None or possible is not False:
        doubt = next((one.doubt for one in found if one.doubt), "")
        reason = doubt or "it is unknown under which conditions it runs"
        yield Undecided(span, f"whether {form.pattern.shown} is called{order}: {reason}")
        return
    when = f" when {' and '.join(form.when)}" if form.when else ""
    message = f"{ebuild.cp} does not call {form.pattern.shown}{order}{when}"
    if any(not one.doubt for one in found):
        message = f"{ebuild.cp} calls {form.pattern.shown}{order} under conditions only{when}"
    help_ = f"call {form.pattern.shown}{order}{when}, under no other condition"
    yield finding_at(ebuild, span, message, help_, "here")


def _head(ebuild: Ebuild, traces: Iterable[Trace]) -> Span:
    """Return where the call would go: the head of the first phase that the ebuild defines."""
    from overlaylint.overlay.own_code import own_functions

    functions = own_functions(ebuild)
    named = [functions[trace.phase] for trace in traces if trace.phase in functions]
    if not named:
        return ebuild.span()
    source, start, _ = named[0].source.place(named[0].start, named[0].end)
    path = source.name.partition(":")[2]
    return ebuild.repository.span(path, start, start + len(named[0].name))


# --- conditions ---


def flags_of(condition: Condition) -> Iterator[str]:
    """Yield the USE flags that a condition asks for."""
    from overlaylint.shell.conditions import UseFlag, leaves

    return (leaf.name for leaf in leaves(condition) if isinstance(leaf, UseFlag))
