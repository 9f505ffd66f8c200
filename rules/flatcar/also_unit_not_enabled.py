"""A unit is enabled without those that its Also= names.

## What it does

For each unit that an ebuild of the overlay enables with `systemd_enable_service`, or a link in a
`.wants` or `.requires` folder, and each that a hook in `coreos/config/env` enables for a master's
package: the units in its `Also=` have to be enabled in `/usr` as well, under the same conditions,
for the target that their own `WantedBy=` names. What has no `WantedBy=` needs no link, and a link
that is removed again counts for nothing.

The units are those of the overlay, be they files or written by the ebuild itself; for systemd's own
there is a table. Where an ebuild has `systemctl preset-all` make the links, which follows `Also=`,
the rule does not apply.

## Why it matters

`systemctl enable` follows `Also=`, and links that are made by hand do not. systemd-networkd without
its socket and without systemd-networkd-wait-online starts, and `network-online.target` is reached
before there is a network.

## Example

`sys-apps/systemd/systemd-246.ebuild`:

```bash
EAPI=7
src_install() {
        systemd_enable_service multi-user.target systemd-networkd.service
}
```

## Use instead

`sys-apps/systemd/systemd-246.ebuild`:

```bash
EAPI=7
src_install() {
        systemd_enable_service multi-user.target systemd-networkd.service
        systemd_enable_service sockets.target systemd-networkd.socket
        systemd_enable_service network-online.target systemd-networkd-wait-online.service
}
```

## Options

- `units`: what upstream's units say: a unit, one in its `Also=`, the target that is to want it, and
  the systemd from which on that is so.

## Fix

The call that enables the unit is repeated for each of the others, where it is written out on a line
of its own.

## Limits

A unit of upstream's that is not in the table has no `Also=` here. What another package enables does
not count. A text that is unknown where an `Also=` may stand is undecided.

## References

- flatcar/coreos-overlay, commit 47cf4eb1bd29: "sys-apps/systemd: Enable more services".
- flatcar/coreos-overlay, commit c07b410caf58: "systemd: enable systemd-timesyncd".
- systemd/systemd, pull request 5635, for `Also=systemd-networkd-wait-online.service` in 234.
- systemd.unit(5), Also=.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from overlaylint.finding import Edit, Fix, NotApplicable, Outcome, Related, Span, Undecided
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.repository import Repository
from overlaylint.records import dataclass
from overlaylint.rule import Finding, Severity, rule

if TYPE_CHECKING:
    from overlaylint.overlay.enabled_units import Enabled, UnitFiles
    from overlaylint.overlay.steps import Step
    from overlaylint.overlay.trace import Trace
    from overlaylint.overlay.written_commands import Written, WrittenCode
    from overlaylint.shell.conditions import Condition

_PRESETS = "preset-all"
_SYSTEMD = "sys-apps/systemd"


@dataclass(frozen=True, slots=True)
class AlsoUnit:
    """What a unit of upstream's names in Also=, and the target that is to want that.

    `since` is the systemd from which on it does; empty for any.
    """

    unit: str
    also: str
    target: str
    since: str = ""


@dataclass(frozen=True, slots=True)
class Options:
    """What is known of upstream's units."""

    units: tuple[AlsoUnit, ...] = (
        AlsoUnit("systemd-networkd.service", "systemd-networkd.socket", "sockets.target", "219"),
        AlsoUnit(
            "systemd-networkd.service",
            "systemd-networkd-wait-online.service",
            "network-online.target",
            "234",
        ),
    )


@rule(severity=Severity.ERROR, decided_in="47cf4eb1bd29")
def also_unit_not_enabled(repository: Repository, options: Options) -> Iterator[Outcome]:
    from overlaylint.overlay.built import hooked_ebuilds
    from overlaylint.overlay.written_commands import hook_code, written_code

    def is_hook(ebuild: Ebuild, path: str) -> bool:
        code = hook_code(repository, path, _is_installing)
        return _may_enable(repository, ebuild, code, options)

    for ebuild in repository.ebuilds_of_interest:
        code = written_code(ebuild, repository, _is_installing)
        if _may_enable(repository, ebuild, code, options):
            yield from _ebuild(repository, ebuild, options)
    for ebuild in hooked_ebuilds(repository, is_hook):
        yield from _ebuild(repository, ebuild, options)


def _may_enable(
    repository: Repository, ebuild: Ebuild, code: WrittenCode | None, options: Options
) -> bool:
    """Whether code of an ebuild's, or of a hook for it, may enable a unit with an Also=.

    Any unit may have one that the code writes itself, or installs from a file of any name.
    """
    from overlaylint.overlay.enabled_units import SUFFIXES, has_also, may_enable, units_with_also
    from overlaylint.overlay.written_commands import written_code

    if code is None:
        return True
    names = {*(one.unit for one in options.units), *units_with_also(repository)}
    if any(may_enable(command, names) for command in code.commands):
        return True
    if not any(may_enable(command, SUFFIXES) for command in code.commands):
        return False
    if code.is_fed or has_also(ebuild) or any(map(_names_others_files, code.commands)):
        return True
    # What is installed may have been written in an earlier phase.
    whole = written_code(ebuild, repository, bool)
    return whole is None or whole.is_fed


def _names_others_files(command: Written) -> bool:
    """Whether a word may name a file of another package, such as `${FILESDIR}/../../b/files/x`."""
    return any(end.startswith("/") and "/../" in end for end in command.ends)


def _is_installing(function: str) -> bool:
    """Whether the image is there when a function of that name, or what it is the hook of, runs."""
    return "install" in function or "preinst" in function


# --- one ebuild ---


@dataclass(frozen=True, slots=True)
class _Unit:
    """One unit that is enabled, in the phase that does it."""

    trace: Trace
    enabled: Enabled


def _ebuild(repository: Repository, ebuild: Ebuild, options: Options) -> Iterator[Outcome]:
    from overlaylint.overlay.own_code import build_traces, own_traces

    failure = ebuild.evaluation.failure
    if failure is not None:
        reason = f"sourcing {ebuild.cpv} fails: {failure.reason}"
        yield Undecided(_place(repository, ebuild), reason)
        return
    if ebuild.repository is not repository:
        # What a master's ebuild itself enables matters only where its hook lacks something.
        hooks = own_traces(ebuild, hooks_of=repository, wanted=())
        outcomes = tuple(_judge(repository, ebuild, hooks, options))
        if all(isinstance(one, NotApplicable) for one in outcomes):
            yield from outcomes
            return
    yield from _judge(repository, ebuild, build_traces(ebuild, repository), options)


def _judge(
    repository: Repository, ebuild: Ebuild, traces: Iterable[Trace], options: Options
) -> Iterator[Outcome]:
    from overlaylint.overlay.enabled_units import UnitFiles, enabled_units
    from overlaylint.overlay.own_code import in_build_order
    from overlaylint.overlay.steps import steps

    place = _place(repository, ebuild)
    found: list[_Unit] = []
    everything: list[Step] = []
    for trace in in_build_order(traces):
        own = steps(trace)
        everything += own
        if not _is_installing(trace.phase):
            continue
        if trace.unknown is not None and trace.is_defined:
            yield Undecided(place, f"{trace.phase} can't be followed: {trace.unknown.reason}")
        if "src_" in trace.phase and any(_makes_presets(step) for step in own):
            reason = f"`systemctl {_PRESETS}` enables the units of {ebuild.cpv}, with their Also="
            yield NotApplicable(reason)
            return
        found += [_Unit(trace, one) for one in enabled_units(own)]
    if not found:
        return
    files = UnitFiles(repository, ebuild, everything)
    table = _table(repository, ebuild, options)
    said: set[str] = set()
    for one in found:
        if "?*" in one.enabled.unit and _may_have_also(repository, one.enabled, found, table):
            span = _span(repository, one) or place
            yield Undecided(span, "which unit this enables is unknown, and so is its Also=")
            continue
        if one.enabled.unit not in said:
            outcome = _unit(repository, ebuild, one, found, files, table)
            if outcome is not None:
                said.add(one.enabled.unit)
                yield outcome


def _table(
    repository: Repository, ebuild: Ebuild, options: Options
) -> Mapping[tuple[str, str], str]:
    """Return what is known of upstream's units in the systemd that an ebuild is built with.

    That is the ebuild's own version, where it is systemd, else the newest in the tree; a live
    ebuild is as its newest version.
    """
    from overlaylint.overlay.built import built_ebuilds, is_live
    from overlaylint.overlay.version import parse_version

    built: Sequence[Ebuild] = (ebuild,)
    if ebuild.cp != _SYSTEMD or is_live(ebuild):
        built = built_ebuilds(repository, _SYSTEMD)
    versions = [one.version for one in built if not is_live(one)]
    newest = max(versions, default=None)
    found = {}
    for one in options.units:
        since = parse_version(one.since) if one.since else None
        if since is None or newest is None or newest >= since:
            found[one.unit, one.also] = one.target
    return found


def _place(repository: Repository, ebuild: Ebuild) -> Span:
    """Return the ebuild's place, or its hook's where it is a master's."""
    from overlaylint.overlay.hooks import env_hooks

    if ebuild.repository is repository:
        return ebuild.span()
    return Span(env_hooks(repository, ebuild)[0])


def _may_have_also(
    repository: Repository,
    enabled: Enabled,
    found: Sequence[_Unit],
    table: Mapping[tuple[str, str], str],
) -> bool:
    """Whether a name that is unknown in part may be of a unit with Also= that is not seen to be."""
    from overlaylint.overlay.enabled_units import units_with_also

    names = {*(unit for unit, _ in table), *units_with_also(repository)}
    seen = {one.enabled.unit for one in found}
    return any(fnmatchcase(name, enabled.unit) for name in names - seen)


def _makes_presets(step: Step) -> bool:
    """Whether a step has systemctl make all links; the program may have another name."""
    from overlaylint.overlay.ways import certain

    is_it = step.name in ("systemctl", "") and _PRESETS in step.arguments
    return is_it and certain(step.call.guards) is True


def _unit(
    repository: Repository,
    ebuild: Ebuild,
    one: _Unit,
    found: Sequence[_Unit],
    files: UnitFiles,
    table: Mapping[tuple[str, str], str],
) -> Outcome | None:
    """Return what is missing with one unit that is enabled."""
    missing: list[tuple[str, str]] = []
    doubts: list[str] = []
    for also, wanted, under in _also(one.enabled.unit, files, table):
        if wanted is None:
            if not any(other.enabled.unit == also for other in found):
                doubts.append(f"what wants {also} is unknown, which is in its Also=")
            continue
        for kind, target in wanted:
            answer = _is_enabled(also, kind, target, one.enabled, under, found)
            if answer is False and kind == "wants":
                missing.append((also, target))
            elif answer is False:
                doubts.append(f"{also} is in its Also= and no link is in {target}.{kind}")
            elif answer is None:
                doubts.append(f"whether {also} is enabled depends on other tests")
    own = files.find(one.enabled.unit)
    if own is not None and own.also_doubt:
        doubts.append(f"what is in its Also= is unknown: {own.also_doubt}")
    span = _span(repository, one)
    if missing:
        return _finding(repository, ebuild, one, missing, span)
    if doubts:
        return Undecided(span or ebuild.span(), f"{one.enabled.unit}: {doubts[0]}")
    return None


def _also(
    unit: str, files: UnitFiles, table: Mapping[tuple[str, str], str]
) -> Iterator[tuple[str, tuple[tuple[str, str], ...] | None, tuple[Condition, ...]]]:
    """Yield the units of an Also=, each with what it is to be enabled for; None if unknown.

    With each are the guards under which it is in the Also=.
    """
    own = files.find(unit)
    names = own.also() if own is not None else {a: () for u, a in table if u == unit}
    instance = unit.partition("@")[2].rpartition(".")[0]
    for name, under in names.items():
        also = name.replace("%i", instance).replace("%I", instance) if instance else name
        target = table.get((unit, also)) or next(
            (t for (_, a), t in table.items() if a == also), None
        )
        file = files.find(also)
        if file is not None:
            yield also, file.targets(), under
        elif target is not None:
            yield also, (("wants", target),), under
        else:
            yield also, None, under


def _is_enabled(
    unit: str,
    kind: str,
    target: str,
    beside: Enabled,
    under: tuple[Condition, ...],
    found: Sequence[_Unit],
) -> bool | None:
    """Whether a unit is enabled for a target wherever another one is, under more guards."""
    from overlaylint.overlay.ways import covered

    ways = [
        other.enabled.guards
        for other in found
        if other.enabled.is_in_usr
        and other.enabled.scope == beside.scope
        and other.enabled.kind == kind
        and fnmatchcase(target, other.enabled.target)
        and fnmatchcase(unit, other.enabled.unit)
    ]
    return covered(ways, (*beside.guards, *under))


def _span(repository: Repository, one: _Unit) -> Span | None:
    """Return where a unit is enabled, if that is in the overlay."""
    from overlaylint.overlay.evaluation import span_of

    call = one.enabled.step.call
    span = span_of(repository, call.source, call.start, call.end)
    return None if span.repository else span


def _finding(
    repository: Repository,
    ebuild: Ebuild,
    one: _Unit,
    missing: list[tuple[str, str]],
    span: Span | None,
) -> Finding:
    unit = one.enabled.unit
    wanted = ", ".join(f"{also} for {target}" for also, target in missing)
    message = f"{unit} is enabled without what is in its Also=: {wanted}"
    first, target = missing[0]
    help_ = f"enable it in /usr too, as `systemd_enable_service {target} {first}` does"
    if len(missing) > 1:
        help_ = f"enable them in /usr too, as `systemd_enable_service {target} {first}` does"
    if span is None:
        return Finding(_place(repository, ebuild), message, help_)
    if span.path != ebuild.source_path and span.path.startswith("eclass/"):
        related = (Related(span, "it is enabled here"),)
        return Finding(ebuild.span(), message, help_, related)
    fix = _fix(repository, one.enabled, missing, span)
    return Finding(span, message, help_, fix=fix)


def _fix(
    repository: Repository, enabled: Enabled, missing: list[tuple[str, str]], span: Span
) -> Fix | None:
    """Return the edit that repeats a call for the other units, if it stands on its own line."""
    data = repository.tree.read(span.path)
    start = data.rfind(b"\n", 0, span.start) + 1
    end = data.find(b"\n", span.end)
    end = len(data) if end < 0 else end
    before, after = data[start : span.start], data[span.end : end].strip()
    written = data[span.start : span.end].decode("utf-8", "surrogateescape")
    if before.strip() or after not in (b"", b"|| die") or "\n" in written:
        return None
    unit = re.compile(rf"(?<![\w@.-]){re.escape(enabled.unit)}(?![\w@.-])")
    wanted = re.compile(rf"(?<![\w@.-]){re.escape(enabled.target)}(?=\.wants/|[\"'\s]|$)")
    if "@" in enabled.unit or not unit.search(written) or not wanted.search(written):
        # An instance's link names its template, and other words may come from elsewhere.
        return None
    rest = data[span.end : end].decode("utf-8", "surrogateescape")
    lines = []
    for also, target in missing:
        call = wanted.sub(target, unit.sub(also, written))
        lines.append(f"\n{before.decode()}{call}{rest}")
    where = replace(span, start=end, end=end)
    names = " and ".join(also for also, _ in missing)
    return Fix.safe(f"enable {names}", Edit(where, "".join(lines)))
