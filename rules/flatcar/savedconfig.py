"""A package saves its build configuration into the image.

## What it does

Looks for calls of `save_config` that a build would make, and for files that it puts into
`/etc/portage/savedconfig` by itself: in the firmware package, and in any other package of the
overlay, unless the folder is kept out of its image by `INSTALL_MASK`. What is taken out of the
image again does not count. While the firmware package inherits `savedconfig`, each profile must set
the flag off, and `IUSE` may not turn it on. `restore_config` is another function, and lawful.

## Why it matters

`save_config` writes the list of what was built to `/etc/portage/savedconfig`, and with the flag on,
the next build reads it from there: the SDK's own state then decides what is in the image, and the
file is shipped to every user.

## Example

`eclass/savedconfig.eclass`:

```bash
IUSE="savedconfig"
save_config() { :; }
```

`sys-kernel/coreos-firmware/coreos-firmware-20200817.ebuild`:

```bash
EAPI=7
inherit savedconfig
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

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from overlaylint.finding import Outcome, Undecided
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.records import dataclass
from overlaylint.rule import Severity, rule

if TYPE_CHECKING:
    from overlaylint.finding import Span
    from overlaylint.overlay.flag_setting import FlagSetting
    from overlaylint.overlay.trace import Trace
    from overlaylint.shell.calls import Call
    from overlaylint.shell.syntax import Function

_ECLASS = "savedconfig"
_FLAG = "savedconfig"
_FUNCTION = "save_config"
_FOLDER = "etc/portage/savedconfig"

# The phases that have an image: src_install, pkg_preinst, callbacks of eclasses and hooks for them.
_INSTALLING = re.compile(r"_(?:install|preinst)(?:_|$)")

_Use = Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class Options:
    """Which packages may not save their configuration at all."""

    packages: tuple[str, ...] = ("sys-kernel/coreos-firmware",)


@rule(severity=Severity.ERROR, decided_in="d5dfe3be55fc")
def savedconfig(ebuild: Ebuild, options: Options) -> Iterator[Outcome]:
    from overlaylint.policies.flags import not_set_off, plus, settings_of
    from overlaylint.policies.places import failed

    is_named = ebuild.cp in options.packages
    evaluation = ebuild.evaluation
    inherits = _ECLASS in (*evaluation.inherited, *evaluation.missing)
    if not inherits and not (is_named and evaluation.missing):
        # There is no such function, and no flag.
        return
    failure = failed(ebuild)
    if failure is not None:
        yield failure
        return
    if not is_named and not _may_save(ebuild):
        return
    settings = settings_of(ebuild, _FLAG) if inherits else ()
    uses = tuple({_FLAG: state} for state in _states(settings))
    yield from _calls(ebuild, is_named, uses)
    yield from _writes(ebuild, is_named, uses)
    if is_named and inherits:
        purpose = f", so that the build reads no configuration from /{_FOLDER}"
        yield from plus(ebuild, _FLAG, f"take the plus away{purpose}")
        yield from not_set_off(ebuild, _FLAG, settings, purpose)


# --- calls ---


def _calls(ebuild: Ebuild, is_named: bool, uses: tuple[_Use, ...]) -> Iterator[Outcome]:
    from overlaylint.overlay.own_code import own_functions
    from overlaylint.policies.calls import calls_made
    from overlaylint.policies.forms import CallPattern
    from overlaylint.policies.places import finding_at

    own = own_functions(ebuild).get(_FUNCTION)
    if own is not None and not own.source.name.endswith(f"/{_ECLASS}.eclass"):
        # What the ebuild puts in the function's place is its own affair.
        return
    for one in calls_made(ebuild, CallPattern(_FUNCTION), uses, follow=_callers(ebuild)):
        if isinstance(one, Undecided):
            yield one
        elif one.doubt:
            yield Undecided(one.span, one.doubt)
        elif _INSTALLING.search(one.trace.phase) is None:
            message = f"{ebuild.cp} calls {_FUNCTION} in {one.where}, where it fails"
            help_ = f"remove the call of {_FUNCTION}: there is no image to save anything in"
            yield finding_at(ebuild, one.span, message, help_, "it is called here")
        else:
            place = f"/{_FOLDER}/{ebuild.category}/{ebuild.PF}"
            saved = _Saved(one.trace, one.call, place, one.where)
            yield from _saved(ebuild, is_named, saved, f"remove the call of {_FUNCTION}")


def _may_save(ebuild: Ebuild) -> bool:
    """Whether the function may be called with some flags, or a file be put where it puts one.

    That is quicker to tell than what the profiles come to, and most often settles it.
    """
    from overlaylint.policies.calls import calls_made
    from overlaylint.policies.forms import CallPattern

    made = calls_made(ebuild, CallPattern(_FUNCTION), follow=_callers(ebuild))
    if next(iter(made), None) is not None:
        return True
    return next(_written(ebuild, {}), None) is not None


# --- files ---


@dataclass(frozen=True, slots=True)
class _Saved:
    """A call that puts a file into the folder, at a path of the image."""

    trace: Trace
    call: Call
    path: str
    where: str

    @property
    def span(self) -> Span:
        return self.trace.span(self.call)


def _writes(ebuild: Ebuild, is_named: bool, uses: tuple[_Use, ...]) -> Iterator[Outcome]:
    """Report what is put into the folder without the function."""
    seen: set[Span] = set()
    for use in uses:
        for saved in _written(ebuild, use):
            if saved.span not in seen:
                seen.add(saved.span)
                yield from _saved(ebuild, is_named, saved, "remove this")


def _written(ebuild: Ebuild, use: _Use) -> Iterator[_Saved]:
    from overlaylint.overlay.install_targets import writes
    from overlaylint.overlay.own_code import own_traces
    from overlaylint.overlay.steps import steps

    for trace in own_traces(ebuild, use):
        if _INSTALLING.search(trace.phase) is None:
            continue
        for one in writes(steps(trace)):
            path = one.location.path
            if one.location.root == "D" and path.startswith(f"/{_FOLDER}/") and not one.is_folder:
                yield _Saved(trace, one.step.call, path, trace.phase)


def _saved(ebuild: Ebuild, is_named: bool, saved: _Saved, remove: str) -> Iterator[Outcome]:
    """Report a file in the folder, unless it is taken away again, or masked."""
    from overlaylint.overlay.install_mask import is_masked_everywhere
    from overlaylint.policies.places import finding_at

    message = f"{ebuild.cp} saves its build configuration into the image, in {saved.where}"
    help_ = f"{remove}; restore_config may stay"
    is_gone = _is_gone(ebuild, saved)
    if is_gone is None:
        yield Undecided(saved.span, f"whether /{_FOLDER} is taken away again is unknown")
    if is_gone is not False:
        return
    if not is_named:
        help_ = (
            f"{remove}, or keep /{_FOLDER} out of the image with INSTALL_MASK"
            f" in coreos/config/env/{ebuild.cp}"
        )
        mask = is_masked_everywhere(ebuild, saved.path.lstrip("/"))
        if mask is None:
            yield Undecided(saved.span, f"whether INSTALL_MASK keeps /{_FOLDER} out is unknown")
        if mask is not False:
            return
    yield finding_at(ebuild, saved.span, message, help_, "it is called here")


def _is_gone(ebuild: Ebuild, saved: _Saved) -> bool | None:
    """Whether what comes after takes the file out of the image; None where that is unknown."""
    from overlaylint.overlay.image import in_order
    from overlaylint.overlay.own_code import own_traces
    from overlaylint.overlay.scene import Thing
    from overlaylint.overlay.steps import Location, steps
    from overlaylint.overlay.undone import is_undone

    phase = saved.trace.phase
    own = steps(saved.trace)
    at = next(at for at, one in enumerate(own) if one.call is saved.call)
    order = tuple(in_order(own_traces(ebuild)))
    place = next((at for at, trace in enumerate(order) if trace.phase == phase), len(order))
    later = (*own[at + 1 :], *(step for trace in order[place + 1 :] for step in steps(trace)))
    return is_undone(later, Location("D", saved.path), Thing.FILE, saved.call.guards)


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
