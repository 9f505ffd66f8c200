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

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from overlaylint.finding import Outcome, Undecided
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.records import dataclass
from overlaylint.rule import Severity, rule

if TYPE_CHECKING:
    from overlaylint.overlay.flag_setting import FlagSetting
    from overlaylint.policies.calls import Match
    from overlaylint.shell.syntax import Function

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
    from overlaylint.policies.flags import not_set_off, plus, settings_of

    is_named = ebuild.cp in options.packages
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
    settings = settings_of(ebuild, _FLAG) if inherits else ()
    yield from _calls(ebuild, is_named, settings)
    if is_named and inherits:
        purpose = f", so that the build reads no configuration from /{_FOLDER}"
        yield from plus(ebuild, _FLAG, f"take the plus away{purpose}")
        yield from not_set_off(ebuild, _FLAG, settings, purpose)


# --- calls ---


def _calls(ebuild: Ebuild, is_named: bool, settings: tuple[FlagSetting, ...]) -> Iterator[Outcome]:
    from overlaylint.overlay.own_code import own_functions
    from overlaylint.policies.calls import calls_made
    from overlaylint.policies.forms import CallPattern

    own = own_functions(ebuild).get(_FUNCTION)
    if own is not None and not own.source.name.endswith(f"/{_ECLASS}.eclass"):
        # What the ebuild puts in the function's place is its own affair.
        return
    uses = tuple({_FLAG: state} for state in _states(settings))
    for one in calls_made(ebuild, CallPattern(_FUNCTION), uses, follow=_callers(ebuild)):
        if isinstance(one, Undecided):
            yield one
        elif one.doubt:
            yield Undecided(one.span, one.doubt)
        else:
            yield from _call(ebuild, is_named, one)


def _mentions_the_function(ebuild: Ebuild) -> bool:
    """Whether the function may be called with some flags, or it is unknown what is.

    That is quicker to tell than what the profiles come to, and most often settles it.
    """
    from overlaylint.policies.calls import calls_made
    from overlaylint.policies.forms import CallPattern

    made = calls_made(ebuild, CallPattern(_FUNCTION), follow=_callers(ebuild))
    return next(iter(made), None) is not None


def _callers(ebuild: Ebuild) -> Mapping[str, Function]:
    """Return the functions of masters that lead to the function: a phase of an eclass may."""
    from overlaylint.overlay.own_code import masters_functions

    found = masters_functions(ebuild, frozenset({_FUNCTION}))
    return {name: function for name, function in found.items() if name != _FUNCTION}


def _states(settings: tuple[FlagSetting, ...]) -> tuple[bool, ...]:
    """Return what the flag may be in a build."""
    if any(one.missing is not None for one in settings):
        return (False, True)
    return tuple(sorted({one.is_on for one in settings})) or (False,)


def _call(ebuild: Ebuild, is_named: bool, made: Match) -> Iterator[Outcome]:
    from overlaylint.policies.places import finding_at

    message = f"{ebuild.cp} saves its build configuration into the image, in {made.where}"
    help_ = f"remove the call of {_FUNCTION}; restore_config may stay"
    if not is_named:
        help_ = (
            f"remove the call of {_FUNCTION}, or keep /{_FOLDER} out of the image with INSTALL_MASK"
            f" in coreos/config/env/{ebuild.cp}"
        )
        mask = _mask(ebuild)
        if mask is None:
            yield Undecided(made.span, f"whether INSTALL_MASK keeps /{_FOLDER} out is unknown")
        if mask is not False:
            return
    yield finding_at(ebuild, made.span, message, help_, "it is called here")


def _mask(ebuild: Ebuild) -> bool | None:
    """Whether every profile keeps what save_config writes out of the image."""
    from overlaylint.overlay.install_mask import masks_path

    path = f"{_FOLDER}/{ebuild.category}/{ebuild.PF}"
    profiles = tuple(ebuild.repository.profiles) or (None,)
    answers = {masks_path(ebuild, path, profile) for profile in profiles}
    if answers == {True}:
        return True
    return False if False in answers else None
