"""The SDK's baselayout leaves it to systemd-tmpfiles to make core's home.

## What it does

Follows the phases of `sys-apps/baselayout` with `USE=cros_host`, through its own functions. Where
one runs `systemd-tmpfiles --root`, three things have to be done before the first such call:

- `home/core` is made in the image: `mkdir`, `dodir`, `keepdir`, `install -d`;
- it is given to core: 500:500 or core:core;
- `baselayout-home.conf` is removed: from the sources before they are installed, or from the image
  after that.

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

What `make install` makes by itself is not seen.

## References

- flatcar/coreos-overlay, commit 9ace4af65040: "sys-apps/baselayout: Ensure to create core home
  folder in the SDK".
- systemd-tmpfiles(8), `--root=`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import reduce
from typing import TYPE_CHECKING

from overlaylint.finding import Outcome, Related, Undecided
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.records import dataclass
from overlaylint.rule import Finding, Severity, rule

if TYPE_CHECKING:
    from overlaylint.overlay.steps import Location, Step
    from overlaylint.overlay.tmpfiles import RootCall
    from overlaylint.shell.conditions import Condition
    from overlaylint.shell.values import Value

    from ._tmpfiles import Event, Phase

# What installs the sources, the configuration among them.
_INSTALLS = frozenset({"emake", "make", "einstall", "default_src_install"})


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
        if call.root.root != home.root:
            # Not the image: what is made there is not shipped.
            continue
        made = _made(phase, call, home)
        is_given = _is_given(phase, call, home, made, options)
        answers = {
            f"{options.home} is not made": holds_at(phase, call, home, map(phase.event, made)),
            f"{options.home} is not given to {_owner(options)}": is_given,
            f"{options.configuration} is not removed": _is_removed(phase, call, options),
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


def _made(phase: Phase, call: RootCall, home: Location) -> dict[int, bool]:
    """Return the steps before a call that make the folder; with False, only something in it."""
    from ._tmpfiles import written

    made: dict[int, bool] = {}
    for at, one in written(phase, call.index, home):
        if one.location.path.startswith(f"{home.path}/"):
            made.setdefault(at, False)
        elif one.is_folder and one.location == home:
            made[at] = True
    return made


@dataclass(frozen=True, slots=True)
class _Gift:
    """Who a step gives the folder to: a user and a group.

    Each is empty where the step leaves it, and None where it is unknown. `is_certain` is false
    where the step may as well leave both.
    """

    event: Event
    owner: tuple[str | None, str | None]
    is_certain: bool = True

    def outcomes(self, of: int, lawful: tuple[str, ...]) -> set[bool | None]:
        """Return whether it may be lawful afterwards; None where it may be what it was before."""
        name = self.owner[of]
        if name == "":
            return {None}
        found: set[bool | None] = {True, False} if name is None else {name in lawful}
        return found if self.is_certain else {*found, None}


def _is_given(
    phase: Phase, call: RootCall, home: Location, made: Mapping[int, bool], options: Options
) -> bool | None:
    """Whether the folder is core's whenever a call runs, and stays so."""
    from ._tmpfiles import holds_at

    gifts = list(_gifts(phase, range(min(made, default=call.index), call.index), home, made))
    answers = set()
    # The two may be given one after the other, with chown and chgrp.
    for of, lawful in enumerate((options.users, options.groups)):
        given = [(gift.event, gift.outcomes(of, lawful)) for gift in gifts]
        certain = [event for event, found in given if found == {True}]
        undoing = [event for event, found in given if False in found]
        possible = [event for event, found in given if True in found]
        certainly_undoing = [event for event, found in given if found == {False}]
        is_possible = holds_at(phase, call, home, possible, certainly_undoing) is not False
        is_certain = holds_at(phase, call, home, certain, undoing) is True
        answers.add(True if is_certain else None if is_possible else False)
    return False if False in answers else None if None in answers else True


def _gifts(
    phase: Phase, indices: range, home: Location, made: Mapping[int, bool]
) -> Iterator[_Gift]:
    """Yield who the steps there give the folder to."""
    for at in indices:
        step = phase.steps[at]
        if step.name in ("chown", "chgrp", "fowners"):
            yield from _chown(step, phase.event(at), home)
        elif made.get(at) and step.name == "install":
            yield _Gift(phase.event(at), _owner_in_options(step))
        elif made.get(at) and step.name in ("dodir", "keepdir"):
            for set_by, conditions in _last_diropts(phase.steps[:at]):
                event = at, (*step.call.guards, *conditions)
                yield _Gift(event, _owner_in_options(set_by))


def _last_diropts(steps: tuple[Step, ...]) -> Iterator[tuple[Step, tuple[Condition, ...]]]:
    """Yield each call of diropts that may be the last, with the conditions on which it is."""
    from overlaylint.shell.conditions import both, negate

    later: tuple[Condition, ...] = ()
    for step in reversed(steps):
        if step.name == "diropts":
            guards = step.call.guards
            yield step, (*guards, *later)
            if not guards:
                return
            later = (*later, negate(reduce(both, guards)))


def _owner_in_options(step: Step) -> tuple[str | None, str | None]:
    """Return the user and the group that the options of install, or of diropts, name."""
    from overlaylint.overlay.install_targets import TAKING_WORD
    from overlaylint.overlay.steps import read_options

    options, _ = read_options(step.arguments, TAKING_WORD)
    user = options.get("o", options.get("owner", ""))
    group = options.get("g", options.get("group", ""))
    return _known(user), _known(group)


def _chown(step: Step, event: Event, home: Location) -> Iterator[_Gift]:
    """Yield who a call of chown, chgrp or fowners gives the folder to, if it names it."""
    from overlaylint.overlay.image import covers
    from overlaylint.overlay.steps import Location, pattern_of, read_options

    options, words = read_options(step.arguments, ("from", "reference"))
    owner: tuple[str | None, str | None] = None, None
    if "reference" not in options and words:
        owner = _owner_of(words.pop(0))
    if step.name == "chgrp":
        owner = "", owner[0]
    found: set[bool | None] = set()
    for word in words:
        place = step.at(word)
        if step.name == "fowners":
            place = Location(home.root, "/").below(pattern_of(word))
        if place is not None and place.root == home.root:
            found.add(covers(place.path, home.path))
            if not options.keys().isdisjoint(("R", "recursive")):
                found.add(covers(f"{place.path.rstrip('/')}/*", home.path))
    if found - {False}:
        # With --from, it is only taken from that owner.
        yield _Gift(event, owner, True in found and "from" not in options)


def _owner_of(word: Value) -> tuple[str | None, str | None]:
    """Return the user and the group of chown's `500:500`; `core:` is core and its own group."""
    from overlaylint.overlay.steps import UNKNOWN, pattern_of

    text = pattern_of(word)
    user, separator, group = text.partition(":" if ":" in text else ".")
    if not separator and UNKNOWN in text:
        return None, None
    return _known(user), _known(group or (user if separator else ""))


def _known(name: Value) -> str | None:
    """Return a name, or a number without the plus that tells it from one; None if unknown."""
    from overlaylint.overlay.steps import UNKNOWN, pattern_of

    text = pattern_of(name)
    number = text.removeprefix("+")
    if number.isdecimal() and number.isascii():
        return str(int(number))
    return None if UNKNOWN in text else text


def _is_removed(phase: Phase, call: RootCall, options: Options) -> bool | None:
    """Whether the configuration is out of the way of a call: it was never installed, or is gone."""
    from overlaylint.overlay.ways import covered

    installs = [at for at in range(call.index) if _installs(phase, at)]
    ways = []
    for at in range(len(phase.steps)):
        step = phase.steps[at]
        is_in_image = _is_removal_from_image(step, options)
        if is_in_image:
            # What is removed before it is installed comes back.
            after = [one for one in installs if one < at]
            is_in_time = at < call.index and len(after) == len(installs) > 0
            is_early = not installs and _is_gone_by_the_next(phase, at, call)
            if is_in_time or is_early:
                ways.append(step.call.guards)
        elif is_in_image is False and at < min([*installs, call.index]):
            ways.append(step.call.guards)
    answer = covered(ways, call.guards)
    is_edited = any(_is_edited(phase.steps[at], options) for at in range(call.index))
    # What an edit leaves of the configuration is unknown.
    return None if answer is False and is_edited else answer


def _is_edited(step: Step, options: Options) -> bool:
    """Whether a step changes the configuration without removing it."""
    words = [*step.arguments, *(one.target for one in step.call.redirections)]
    is_named = any(str(word).rpartition("/")[2] == options.configuration for word in words)
    is_sed = step.name == "sed" and any(str(word).startswith("-i") for word in words)
    return is_named and (is_sed or bool(step.call.redirections))


def _is_gone_by_the_next(phase: Phase, at: int, call: RootCall) -> bool:
    """Whether a removal comes between the installation and the next call after it.

    A call before the installation finds no configuration, so nothing is made then either.
    """
    later = [one.index for one in phase.calls if one.index > call.index]
    installs = [one for one in range(call.index, len(phase.steps)) if _installs(phase, one)]
    if not installs or at < installs[-1]:
        return False
    following = [one for one in later if one > installs[0]]
    return not following or at < following[0]


def _installs(phase: Phase, at: int) -> bool:
    step = phase.steps[at]
    return at >= phase.image_start and step.name in _INSTALLS


def _is_removal_from_image(step: Step, options: Options) -> bool | None:
    """Whether a step removes the configuration from the image, or from the sources; or neither."""
    from overlaylint.overlay.steps import known_end

    if step.name == "find":
        words = [str(word) for word in step.arguments]
        names = [words[at + 1] for at, word in enumerate(words[:-1]) if word == "-name"]
        is_removal = "-delete" in words or "rm" in words
        if not is_removal or not any(fnmatchcase(options.configuration, one) for one in names):
            return None
        place = step.at(step.arguments[0]) if step.arguments else None
        return place is not None and place.root == "D"
    if step.name in ("rm", "unlink"):
        candidates = step.arguments
    elif step.name == "mv":
        candidates = step.arguments[:-1]
    else:
        return None
    is_recursive = any(str(one).startswith("-") and "r" in str(one) for one in step.arguments)
    for word in candidates:
        if str(word).startswith("-"):
            continue
        place = step.at(word)
        path = known_end(word) if place is None else place.path
        if path is None:
            continue
        folder, _, name = path.rpartition("/")
        is_named = fnmatchcase(options.configuration, name) and folder.endswith("/tmpfiles.d")
        if is_named or (step.name == "rm" and is_recursive and path.endswith("/tmpfiles.d")):
            return place is not None and place.root == "D"
    return None


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
