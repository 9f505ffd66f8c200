"""The SDK's baselayout leaves it to systemd-tmpfiles to make core's home.

## What it does

Follows the phases of `sys-apps/baselayout` with `USE=cros_host`, through its own functions. Where
one runs `systemd-tmpfiles --root`, three things have to be done before the first such call:

- `home/core` is made in the image: `mkdir`, `dodir`, `keepdir`, `install -d`;
- it is given to core: 500:500 or core:core;
- `baselayout-home.conf` is removed: from the sources before they are installed, or from the image
  after that. One that says nothing of the home will do, and so will a mask in `/etc/tmpfiles.d`.

It applies where the tree has systemd 246 or later.

## Why it matters

From 246 on, `systemd-tmpfiles --root` looks users up in the root's own passwd. The SDK's baselayout
may not have one, since emerge would put it over that of the SDK, with the users that are there. So
core can't be resolved, and its home is not made.

## Example

`sys-apps/systemd/systemd-246.ebuild`:

```bash
EAPI=7
```

`sys-apps/baselayout/baselayout-3.6.8.ebuild`:

```bash
EAPI=7
IUSE="cros_host"
src_install() {
        use cros_host || bash scripts/flatcar-tmpfiles "${D}" "${S}/baselayout" || die
        emake DESTDIR="${D}" install
        systemd-tmpfiles --root="${D}" --create
}
```

## Use instead

`sys-apps/systemd/systemd-246.ebuild`:

```bash
EAPI=7
```

`sys-apps/baselayout/baselayout-3.6.8.ebuild`:

```bash
EAPI=7
IUSE="cros_host"
src_install() {
        if use cros_host; then
                rm "${S}/tmpfiles.d/baselayout-home.conf" || die
                mkdir -p "${D}/home/core" || die
                chown 500:500 "${D}/home/core" || die
        else
                bash scripts/flatcar-tmpfiles "${D}" "${S}/baselayout" || die
        fi
        emake DESTDIR="${D}" install
        systemd-tmpfiles --root="${D}" --create
}
```

## Options

- `flag`: the USE flag of the SDK.
- `home`: the folder, as a path in the image.
- `users`, `groups`: who it may be given to.
- `configuration`: the file that would have systemd-tmpfiles make it.
- `since`: the systemd from which on the root's own database counts.

## Limits

What `make install` makes by itself is not seen. What another program makes of a folder of the image
that it is given is unknown.

## References

- flatcar/coreos-overlay, commit 9ace4af65040: "sys-apps/baselayout: Ensure to create core home
  folder in the SDK".
- systemd-tmpfiles(8), `--root=`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from overlaylint.finding import Outcome, Related, Undecided
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.records import dataclass
from overlaylint.rule import Finding, Severity, rule

if TYPE_CHECKING:
    from overlaylint.overlay.steps import Location
    from overlaylint.overlay.tmpfiles import RootCall
    from overlaylint.overlay.ways import Event

    from ._tmpfiles import Phase


@dataclass(frozen=True, slots=True)
class Options:
    """Whose home it is, and what would make it."""

    flag: str = "cros_host"
    home: str = "/home/core"
    users: tuple[str, ...] = ("500", "core")
    groups: tuple[str, ...] = ("500", "core")
    configuration: str = "baselayout-home.conf"
    since: str = "246"


@rule(severity=Severity.ERROR, packages="sys-apps/baselayout", decided_in="9ace4af65040")
def missing_core_home(ebuild: Ebuild, options: Options) -> Iterator[Outcome]:
    from ._tmpfiles import Phase, phases_with_root_calls

    words = ("chown", "chgrp", "fowners", "diropts", options.configuration)
    for phase in phases_with_root_calls(ebuild, options.since, {options.flag: True}, words):
        if isinstance(phase, Phase):
            yield from _phase(ebuild, phase, options)
        else:
            yield phase


def _phase(ebuild: Ebuild, phase: Phase, options: Options) -> Iterator[Outcome]:
    """Report what is not done before a call: one finding for the first that lacks something."""
    from overlaylint.overlay.steps import Location

    from ._tmpfiles import holds_at

    home = Location("D", options.home)
    doubt: Outcome | None = None
    for call in phase.calls:
        if call.root is None:
            reason = f"what `--root={call.written}` names is unknown"
            doubt = doubt or Undecided(phase.span(call.step), reason)
            continue
        if call.root.root != home.root or not call.may_make(options.configuration, options.home):
            # What is made in another place is not shipped.
            continue
        made = _made(phase, call, home)
        answers = {
            f"{options.home} is not made": holds_at(
                phase, call, home, made.events, (), made.full_from
            ),
            f"{options.home} is not given to {_owner(options)}": _is_given(
                phase, call, home, made, options
            ),
            f"{options.configuration} is not removed": _is_removed(ebuild, phase, call, options),
        }
        lacking = [text for text, answer in answers.items() if answer is False]
        if lacking:
            yield _finding(ebuild, phase, call, lacking, options)
            return
        for text, answer in answers.items():
            if answer is None:
                reason = f"whether {text.replace(' is not ', ' is ')} can't be told"
                doubt = doubt or Undecided(phase.span(call.step), reason)
    if doubt is not None:
        yield doubt


def _owner(options: Options) -> str:
    return f"{options.users[0]}:{options.groups[0]}"


@dataclass(frozen=True, slots=True)
class _Made:
    """What makes the folder before a call, and the first step that puts something into it."""

    events: tuple[Event, ...]
    full_from: int


def _made(phase: Phase, call: RootCall, home: Location) -> _Made:
    from overlaylint.overlay.install_targets import copies_folders

    from ._tmpfiles import handed, written

    events = [*handed(phase, call.index, home)]
    full_from = call.index
    for at, one in written(phase, call.index, home):
        is_inside = one.location.path.startswith(f"{home.path}/") and one.is_certain
        if is_inside or one.step.name == "keepdir":
            full_from = min(full_from, at)
        if is_inside or (one.is_folder and one.location.path == home.path):
            events.append(phase.event(at))
        elif copies_folders(one.step):
            # It makes the folder itself, or another one in it.
            is_it = one.location == home and one.step.name != "mv"
            events.append(phase.event(at, is_certain=is_it))
    return _Made(tuple(events), full_from)


def _is_given(
    phase: Phase, call: RootCall, home: Location, made: _Made, options: Options
) -> bool | None:
    """Whether the folder is core's whenever a call runs, and stays so."""
    from overlaylint.overlay.owners import gifts
    from overlaylint.overlay.ways import Event
    from overlaylint.shell.conditions import all_true

    from ._tmpfiles import handed, holds_at

    start = min((one.index for one in made.events), default=call.index)
    found = tuple(gifts(phase.steps[: call.index], home, start))
    answers = set()
    # The two may be given one after the other, with chown and chgrp.
    for of, lawful in enumerate((options.users, options.groups)):
        given, undoing = [*handed(phase, call.index, home)], []
        for gift in found:
            name = gift.owner[of]
            event = Event(gift.index, gift.guards, gift.is_certain and name is not None)
            if name is None or name in lawful:
                given.append(event)
            if name is None or name not in (*lawful, ""):
                undoing.append(event)
        answers.add(holds_at(phase, call, home, given, undoing, made.full_from))
    return all_true(answers)


def _is_removed(ebuild: Ebuild, phase: Phase, call: RootCall, options: Options) -> bool | None:
    """Whether the configuration is out of the way of a call: it was never installed, or is gone.

    A call before the installation finds none, and leaves it to the next one.
    """
    from overlaylint.overlay.steps import Location, sources
    from overlaylint.overlay.ways import stands
    from overlaylint.shell.conditions import any_true

    from ._shipped import changes, installs

    name = f"tmpfiles.d/{options.configuration}"
    inside, image = sources(ebuild), Location("D", "/usr/lib")
    times = installs(phase, inside.below(name), image.below(name))
    until, guards = call.index, call.guards
    if times and times[0] > until:
        after = next((one for one in phase.calls if one.index > times[0]), None)
        until, guards = (len(phase.steps), ()) if after is None else (after.index, after.guards)
    before = [one for one in times if one < until] or [until]

    def is_idle(text: str) -> bool:
        return not any(_speaks_of(line, options.home) for line in text.splitlines())

    found = [
        changes(ebuild, phase, folder, name, span, is_idle)
        for folder, span in ((inside, range(before[0])), (image, range(before[-1] + 1, until)))
    ]
    gone = [event for one in found for event in (*one.taken, *one.idled)]
    back = [event for one in found for event in one.put]
    # One of the same name in /etc is read in its place.
    span = range(phase.image_start, until)
    mask = changes(ebuild, phase, Location("D", "/etc"), name, span, is_idle)
    return any_true(
        (
            stands(gone, back, guards),
            stands(mask.idled, (*mask.taken, *mask.put), guards),
        )
    )


def _speaks_of(line: str, path: str) -> bool:
    """Whether a line of tmpfiles.d(5) makes something of a path, or of one in it."""
    fields = line.split()
    return len(fields) > 1 and fields[0][0] != "#" and f"{fields[1]}/".startswith(f"{path}/")


def _finding(
    ebuild: Ebuild, phase: Phase, call: RootCall, lacking: list[str], options: Options
) -> Finding:
    span = phase.span(call.step)
    message = f"systemd-tmpfiles can't resolve core in the SDK, and before it {', '.join(lacking)}"
    help_ = (
        f"where `use {options.flag}` holds, remove {options.configuration}, make {options.home} in"
        f" the image and give it to {_owner(options)}, before the first `systemd-tmpfiles --root`"
    )
    if span.repository:
        return Finding(ebuild.span(), message, help_, (Related(span, "it runs here"),))
    return Finding(span, message, help_)
