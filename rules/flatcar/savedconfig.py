"""A package saves its build configuration into the image.

## What it does

Looks for calls of `save_config` that a build would make: in the firmware package, where there is
to be none, and in any other package of the overlay, unless `/etc/portage/savedconfig` is kept out
of its image by `INSTALL_MASK`. While the firmware package inherits `savedconfig`, each profile must
set the flag off, and `IUSE` may not turn it on. `restore_config` is another function, and lawful.

## Why it matters

`save_config` writes the list of what was built to `/etc/portage/savedconfig`, and with the flag on,
the next build reads it from there: the SDK's own state then decides what is in the image, and the
file is shipped to every user.

## Example

`sys-kernel/coreos-firmware/coreos-firmware-20200817.ebuild`:

```bash
EAPI=7
src_install() {
        if use !savedconfig; then
                save_config ${PN}.conf
        fi
        insinto /lib/firmware/
        doins -r *
}
```

## Use instead

`sys-kernel/coreos-firmware/coreos-firmware-20200817.ebuild`:

```bash
EAPI=7
src_install() {
        rm ${PN}.conf || die
        insinto /lib/firmware/
        doins -r *
}
```

with `sys-kernel/coreos-firmware -savedconfig` in a `package.use` that every profile has among its
parents.

## Options

- `packages`: where no call is lawful, and whose flag has to be off.

## Fix

The `-savedconfig` line is added to the `package.use` that all profiles have in common, or a minus
is put before the flag where a line turns it on; `+savedconfig` in `IUSE` loses its plus. A call is
left to you, since the code around it has to change with it.

## References

- flatcar/coreos-overlay, commit d5dfe3be55fc: "sys-kernel/coreos-firmware: Disable savedconfig flag
  and file creation".
- savedconfig.eclass.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from overlaylint.finding import NotApplicable, Outcome, Related, Span, Undecided
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.repository import Repository
from overlaylint.rule import Finding, Severity, rule

from ._flags import line_to_add, minus_before, plus_in_iuse

if TYPE_CHECKING:
    from overlaylint.overlay.flag_setting import FlagSetting
    from overlaylint.overlay.trace import Trace
    from overlaylint.overlay.use import FlagSource
    from overlaylint.shell.interpreter import Call
    from overlaylint.shell.values import Mixed

_ECLASS = "savedconfig"
_FLAG = "savedconfig"
_FUNCTION = "save_config"
_FOLDER = "etc/portage/savedconfig"


@dataclass(frozen=True, slots=True)
class Options:
    """Which packages may not save their configuration at all."""

    packages: tuple[str, ...] = ("sys-kernel/coreos-firmware",)


@rule(severity=Severity.ERROR, decided_in="d5dfe3be55fc")
def savedconfig(ebuild: Ebuild, options: Options) -> Iterator[Outcome]:
    from overlaylint.overlay.flag_setting import flag_settings

    is_named = ebuild.cp in options.packages
    if not is_named and not _may_inherit(ebuild):
        return
    evaluation = ebuild.evaluation
    inherits = _ECLASS in (*evaluation.inherited, *evaluation.missing)
    if not inherits and not is_named:
        return
    if evaluation.failure is not None:
        reason = f"sourcing the ebuild fails: {evaluation.failure.reason}"
        yield Undecided(evaluation.failure.span, reason)
        return
    if not is_named and not _mentions_the_function(ebuild):
        return
    settings = flag_settings(ebuild, _FLAG) if inherits else ()
    yield from _calls(ebuild, is_named, settings)
    if is_named and inherits:
        yield from _default(ebuild)
        yield from _settings(ebuild, settings)


def _may_inherit(ebuild: Ebuild) -> bool:
    """Whether the ebuild may get at the eclass: a quick look, which evaluation has to confirm.

    To evaluate every ebuild of an overlay takes longer than all the rest of this rule.
    """
    data = ebuild.read()
    names = _leading_eclasses(ebuild.repository)
    if any(name in data for name in names):
        return True
    # An `inherit` whose arguments are not all written out.
    commands = data.replace(b"\\\n", b" ").split(b"\n")
    return any(b"inherit" in one and (b"$" in one or b"`" in one) for one in commands)


@lru_cache(maxsize=4)
def _leading_eclasses(repository: Repository) -> frozenset[bytes]:
    """Return the names of the eclasses that may bring the eclass in, itself among them."""
    texts: dict[bytes, bytes] = {}
    for one in repository.family:
        for name, path in one.eclasses.items():
            texts.setdefault(name.encode("utf-8", "surrogateescape"), one.tree.read(path))
    found = {_ECLASS.encode(), _FUNCTION.encode()}
    while True:
        more = {
            name
            for name, text in texts.items()
            if name not in found and any(one in text for one in found)
        }
        if not more:
            return frozenset(found)
        found |= more


# --- calls ---


def _calls(ebuild: Ebuild, is_named: bool, settings: tuple[FlagSetting, ...]) -> Iterator[Outcome]:
    from overlaylint.overlay.own_code import own_functions, own_traces

    own = own_functions(ebuild).get(_FUNCTION)
    if own is not None and not own.source.name.endswith(f"/{_ECLASS}.eclass"):
        # What the ebuild puts in the function's place is its own affair.
        return
    seen: set[Span] = set()
    for state in _states(settings):
        for trace in own_traces(ebuild, {_FLAG: state}):
            if trace.unknown is not None and trace.is_defined:
                reason = f"{trace.phase} can't be followed: {trace.unknown.reason}"
                yield Undecided(ebuild.span(), reason)
            for call in trace:
                span = trace.span(call)
                if span in seen:
                    continue
                if call.name == _FUNCTION:
                    seen.add(span)
                    yield from _call(ebuild, is_named, trace, call, span)
                elif not isinstance(call.name, str) and _may_be_the_function(call.name):
                    reason = f"it is unknown what is called: {call.name.unknown.reason}"
                    yield Undecided(span, reason)


def _mentions_the_function(ebuild: Ebuild) -> bool:
    """Whether the function may be called with some flags, or it is unknown what is.

    That is quicker to tell than what the profiles come to, and most often settles it.
    """
    from overlaylint.overlay.own_code import own_traces

    return any(
        (trace.unknown is not None and trace.is_defined)
        or any(
            call.name == _FUNCTION
            if isinstance(call.name, str)
            else _may_be_the_function(call.name)
            for call in trace
        )
        for trace in own_traces(ebuild)
    )


def _states(settings: tuple[FlagSetting, ...]) -> tuple[bool, ...]:
    """Return what the flag may be in a build."""
    if any(one.missing is not None for one in settings):
        return (False, True)
    return tuple(sorted({one.is_on for one in settings})) or (False,)


def _may_be_the_function(name: Mixed) -> bool:
    """Whether a name that is known in part only may be the function's."""
    known = name.head or name.tail
    return bool(known) and _FUNCTION.startswith(name.head) and _FUNCTION.endswith(name.tail)


def _call(
    ebuild: Ebuild, is_named: bool, trace: Trace, call: Call, span: Span
) -> Iterator[Outcome]:
    where = " of ".join(dict.fromkeys((*reversed(call.stack), trace.phase)))
    message = f"{ebuild.cp} saves its build configuration into the image, in {where}"
    help_ = f"remove the call of {_FUNCTION}; restore_config may stay"
    if not is_named:
        help_ = (
            f"remove the call of {_FUNCTION}, or keep /{_FOLDER} out of the image with INSTALL_MASK"
            f" in coreos/config/env/{ebuild.cp}"
        )
        mask = _mask(ebuild)
        if mask is None:
            yield Undecided(span, f"whether INSTALL_MASK keeps /{_FOLDER} out is unknown")
        if mask is not False:
            return
    if span.repository:
        related = (Related(span, "it is called here"),)
        yield Finding(ebuild.span(), message, help_, related)
    else:
        yield Finding(span, message, help_)


def _mask(ebuild: Ebuild) -> bool | None:
    """Whether every profile keeps what save_config writes out of the image."""
    from overlaylint.overlay.install_mask import masks_path

    path = f"{_FOLDER}/{ebuild.category}/{ebuild.PF}"
    profiles = tuple(ebuild.repository.profiles) or (None,)
    answers = {masks_path(ebuild, path, profile) for profile in profiles}
    if answers == {True}:
        return True
    return False if False in answers else None


# --- the flag ---


def _default(ebuild: Ebuild) -> Iterator[Finding]:
    """Report a plus before the flag in IUSE."""
    place = plus_in_iuse(ebuild, _FLAG)
    if place is not None:
        yield Finding(
            place.span,
            f"IUSE turns {_FLAG} on for {ebuild.cp}",
            f"take the plus away, so that the build reads no configuration from /{_FOLDER}",
            fix=place.fix,
        )


def _settings(ebuild: Ebuild, settings: tuple[FlagSetting, ...]) -> Iterator[Outcome]:
    """Report what keeps the profiles from setting the flag off."""
    if not settings:
        yield NotApplicable("the overlay has no profiles that could set the flag")
    silent: list[FlagSetting] = []
    said: dict[Span, Outcome] = {}
    for one in settings:
        source = one.decided_by
        if one.is_set and not one.is_on and one.missing is None:
            continue
        if one.is_set and one.is_on and source is not None and not source.span.repository:
            said.setdefault(source.span, _turned_on(ebuild, source))
        elif one.missing is not None:
            reason = f"{one.missing.message}, so it is unknown what sets {_FLAG} for {ebuild.cp}"
            said.setdefault(one.missing.span, Undecided(one.missing.span, reason))
        else:
            silent.append(one)
    yield from said.values()
    if silent:
        yield _not_set(ebuild, tuple(silent))


def _turned_on(ebuild: Ebuild, source: FlagSource) -> Finding:
    return Finding(
        source.span,
        f"{source.kind} turns {_FLAG} on for {ebuild.cp}",
        f"set `{ebuild.cp} -{_FLAG}`, so that the build reads no configuration from /{_FOLDER}",
        fix=minus_before(ebuild, source),
    )


def _not_set(ebuild: Ebuild, settings: tuple[FlagSetting, ...]) -> Finding:
    """Report that nothing sets the flag off in some profiles, where a line would do it for all."""
    names = ", ".join(one.profile.name for one in settings)
    wanted = f"{ebuild.cp} -{_FLAG}"
    on = dict.fromkeys(one.decided_by.span for one in settings if one.is_on and one.decided_by)
    related = tuple(Related(span, f"{_FLAG} is turned on here") for span in on)
    message = f"no profile line sets {_FLAG} off for {ebuild.cp}"
    place = line_to_add(ebuild, _FLAG, settings)
    if place is None:
        help_ = f"add `{wanted}` to a package.use that these profiles have in common: {names}"
        return Finding(ebuild.span(), message, help_, related)
    return Finding(place.span, message, f"add `{wanted}` here, for {names}", related, place.fix)
