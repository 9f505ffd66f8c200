"""What a build leaves in the image: what its calls install, move and remove again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import TYPE_CHECKING

from overlaylint.finding import Outcome, Span, Undecided
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.policies.calls import flags_of
from overlaylint.policies.forms import ForbidInstalled, RequireInstalled, assumed
from overlaylint.policies.places import failed, finding_at
from overlaylint.syntax import each

if TYPE_CHECKING:
    from overlaylint.overlay.image import Presence
    from overlaylint.overlay.trace import Trace

# More flags than these around what installs a file are not looked at in all their combinations.
_MOST_FLAGS = 4


def required_installed(ebuild: Ebuild, form: RequireInstalled) -> Iterator[Outcome]:
    """Report an image without the file, or one of several that will do, with some USE flags."""
    traces = _traces(ebuild)
    if isinstance(traces, Undecided):
        yield traces
        return
    paths = each(form.path)
    names = " or ".join(paths)
    use = assumed(form.when)
    results = [
        (state, [_presence(traces, path, state) for path in paths])
        for state in _states(traces, paths, use)
    ]
    # Where nothing speaks of it with some flags, the call that installs it with others does.
    calls = [one for _, found in results for one in found if one.call is not None]
    other = next((one for one in calls if one.is_there), None)
    doubtful = None
    for state, found in results:
        if any(one.is_there for one in found):
            continue
        last = next((one for one in found if one.call is not None), other)
        if all(one.is_there is False for one in found):
            with_ = _told(state)
            message = f"{ebuild.cp} does not install {names}{with_}"
            help_ = f"install {names}{with_}"
            yield finding_at(ebuild, _span(ebuild, last), message, help_, "this leaves it out")
            return
        doubtful = last
    if doubtful is not None:
        reason = f"whether {ebuild.cp} installs {names} is unknown"
        yield Undecided(_span(ebuild, doubtful), reason)


def forbidden_installed(ebuild: Ebuild, form: ForbidInstalled) -> Iterator[Outcome]:
    """Report each file that is in the image with some USE flags, at the call that installs it."""
    traces = _traces(ebuild)
    if isinstance(traces, Undecided):
        yield traces
        return
    use = assumed(form.when)
    for path in each(form.path):
        doubt: Presence | None = None
        for state in _states(traces, (path,), use):
            found = _presence(traces, path, state)
            if found.is_there and found.is_named:
                with_ = _told(state)
                message = f"{ebuild.cp} installs {path}{with_}"
                help_ = f"don't install {path}{with_}"
                yield finding_at(ebuild, _span(ebuild, found), message, help_, "here")
                break
            if found.is_there is not False:
                doubt = found
        else:
            if doubt is not None:
                reason = f"whether {ebuild.cp} installs {path} is unknown"
                yield Undecided(_span(ebuild, doubt), reason)


def _traces(ebuild: Ebuild) -> tuple[Trace, ...] | Undecided:
    from overlaylint.overlay.own_code import own_traces

    failure = failed(ebuild)
    if failure is not None:
        return failure
    traces = tuple(own_traces(ebuild))
    for trace in traces:
        if trace.unknown is not None and trace.is_defined:
            reason = f"{trace.phase} can't be followed: {trace.unknown.reason}"
            return Undecided(ebuild.span(), reason)
    return traces


def _presence(traces: tuple[Trace, ...], path: str, use: Mapping[str, bool]) -> Presence:
    from overlaylint.overlay.image import presence

    return presence(traces, path, use)


def _states(
    traces: tuple[Trace, ...], paths: tuple[str, ...], use: Mapping[str, bool]
) -> Iterator[Mapping[str, bool]]:
    """Yield the USE flags with which it may come out otherwise: those around what settles it."""
    flags: set[str] = set()
    while True:
        names = sorted(flags)
        states = [
            {**use, **dict(zip(names, on, strict=True))}
            for on in product((True, False), repeat=len(names))
        ]
        more = {
            flag
            for state in states
            for path in paths
            for found in (_presence(traces, path, state),)
            if found.is_there is None and found.call is not None
            for guard in found.call.guards
            for flag in flags_of(guard)
        } - flags.union(use)
        if not more or len(flags | more) > _MOST_FLAGS:
            yield from states
            return
        flags |= more


def _told(use: Mapping[str, bool]) -> str:
    words = " ".join(f"{'' if is_on else '-'}{flag}" for flag, is_on in sorted(use.items()))
    return f" where USE has {words}" if words else ""


def _span(ebuild: Ebuild, found: Presence | None) -> Span:
    """Return the call that settled it, else the head of the phase that installs."""
    from overlaylint.overlay.own_code import own_functions

    if found is not None and found.trace is not None and found.call is not None:
        return found.trace.span(found.call)
    function = own_functions(ebuild).get("src_install")
    if function is None:
        return ebuild.span()
    source, start, _ = function.source.place(function.start, function.end)
    path = source.name.partition(":")[2]
    return ebuild.repository.span(path, start, start + len("src_install"))
