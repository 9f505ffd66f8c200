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
not count.

## References

- flatcar/coreos-overlay, commit 47cf4eb1bd29: "sys-apps/systemd: Enable more services".
- flatcar/coreos-overlay, commit c07b410caf58: "systemd: enable systemd-timesyncd".
- systemd/systemd, pull request 5635, for `Also=systemd-networkd-wait-online.service` in 234.
- systemd.unit(5), Also=.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from overlaylint.finding import Edit, Fix, NotApplicable, Outcome, Related, Span, Undecided
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.repository import Repository
from overlaylint.records import dataclass, once_each
from overlaylint.rule import Finding, Severity, rule

if TYPE_CHECKING:
    from overlaylint.overlay.enabled_units import Enabled, UnitFiles
    from overlaylint.overlay.steps import Step
    from overlaylint.overlay.trace import Trace

# Without one of these in its text, an ebuild enables nothing.
_TOKENS = (b"enable_service", b"wants", b".requires")

# The beginning of a word that goes on with what bash puts in its place.
_BEGUN = re.compile(r"([A-Za-z_][\w-]*)[\"']?[${`]")

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
    for ebuild in _enabling(repository, options):
        yield from _ebuild(repository, ebuild, options)


# --- which ebuilds ---


def _enabling(repository: Repository, options: Options) -> Iterator[Ebuild]:
    """Yield the ebuilds that may enable such units: the overlay's, and those it has hooks for.

    To follow every ebuild of an overlay takes longer than all the rest of this rule.
    """
    from overlaylint.overlay.built import hooked_ebuilds
    from overlaylint.overlay.enabled_units import units_with_also
    from overlaylint.overlay.hooks import env_hooks

    eclasses = _speaking_eclasses(repository)
    units: tuple[bytes, ...] | None = None
    for ebuild in (*repository.ebuilds_of_interest, *hooked_ebuilds(repository, _TOKENS)):
        hooks = map(repository.tree.read, env_hooks(repository, ebuild))
        text = b"\0".join((ebuild.path.encode("utf-8", "surrogateescape"), ebuild.read(), *hooks))
        if any(name in text for name in eclasses):
            text = b"\0".join((text, *eclasses.values()))
        if not any(word in text for word in _TOKENS):
            continue
        if units is None:
            names = (*(one.unit for one in options.units), *units_with_also(repository))
            units = tuple({_longest_word(name) for name in names})
        if any(word in text for word in (b"Also", *units)):
            yield ebuild


def _longest_word(unit: str) -> bytes:
    """Return what stays of a unit's name where it is put together from parts."""
    words = re.split("[-_@.]", unit.rpartition(".")[0])
    return max(words, key=len).encode("utf-8", "surrogateescape")


@once_each
def _speaking_eclasses(repository: Repository) -> Mapping[bytes, bytes]:
    """Return the overlay's eclasses that may enable units, or lead to one: names and texts."""
    texts = {
        name.encode("utf-8", "surrogateescape"): repository.tree.read(path)
        for name, path in repository.eclasses.items()
    }
    found = set(_TOKENS)
    while True:
        more = {
            name
            for name, text in texts.items()
            if name not in found and any(word in text for word in found)
        }
        if not more:
            return {name: texts[name] for name in sorted(found.difference(_TOKENS))}
        found |= more


def _may_come_to_it(repository: Repository, ebuild: Ebuild) -> bool:
    """Whether what an ebuild runs may enable a unit, or make all presets.

    Many ebuilds inherit an eclass that could, and few use that function of it. Where a name may
    be put together from parts, it is taken to be one of those.
    """
    from overlaylint.overlay.hooks import env_hooks
    from overlaylint.overlay.own_code import is_entry, own_functions, tokens

    state = ebuild.evaluation.state
    hooks = map(repository.tree.read, env_hooks(repository, ebuild))
    data = b"\0".join((ebuild.path.encode("utf-8", "surrogateescape"), ebuild.read(), *hooks))
    text = data.decode("utf-8", "surrogateescape")
    words = (*(token.decode() for token in _TOKENS), _PRESETS)
    values = (str(variable.value) for variable in state.scopes[0].values())
    if state.havoc is not None or any(word in one for one in (text, *values) for word in words):
        return True
    functions = own_functions(ebuild)
    enabling = {
        name
        for name, function in functions.items()
        if any(word in function.source.text[function.start : function.end] for word in words)
    }
    while True:
        more = {
            name
            for name, function in functions.items()
            if name not in enabling and not enabling.isdisjoint(tokens(function))
        }
        if not more:
            break
        enabling |= more
    begun = tuple(set(_BEGUN.findall(text)))
    return any(
        name in text or is_entry(name) or any(name.startswith(one) for one in begun)
        for name in enabling
    )


# --- one ebuild ---


@dataclass(frozen=True, slots=True)
class _Unit:
    """One unit that is enabled, in the phase that does it."""

    trace: Trace
    enabled: Enabled


def _ebuild(repository: Repository, ebuild: Ebuild, options: Options) -> Iterator[Outcome]:
    from overlaylint.overlay.enabled_units import UnitFiles, enabled_units
    from overlaylint.overlay.own_code import own_traces
    from overlaylint.overlay.steps import steps

    failure = ebuild.evaluation.failure
    place = _place(repository, ebuild)
    if failure is not None:
        yield Undecided(place, f"sourcing {ebuild.cpv} fails: {failure.reason}")
        return
    if not _may_come_to_it(repository, ebuild):
        return
    found: list[_Unit] = []
    everything: list[Step] = []
    for trace in own_traces(ebuild, hooks_of=repository):
        own = steps(trace)
        if trace.unknown is not None and trace.is_defined and "install" in trace.phase:
            yield Undecided(place, f"{trace.phase} can't be followed: {trace.unknown.reason}")
        if "src_" in trace.phase and any(_makes_presets(step) for step in own):
            reason = f"`systemctl {_PRESETS}` enables the units of {ebuild.cpv}, with their Also="
            yield NotApplicable(reason)
            return
        everything += own
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
    for also, wanted in _also(one.enabled.unit, files, table):
        if wanted is None:
            if not any(other.enabled.unit == also for other in found):
                doubts.append(f"what wants {also} is unknown, which is in its Also=")
            continue
        for kind, target in wanted:
            answer = _is_enabled(also, kind, target, one.enabled, found)
            if answer is False and kind == "wants":
                missing.append((also, target))
            elif answer is False:
                doubts.append(f"{also} is in its Also= and no link is in {target}.{kind}")
            elif answer is None:
                doubts.append(f"whether {also} is enabled depends on other tests")
    span = _span(repository, one)
    if missing:
        return _finding(repository, ebuild, one, missing, span)
    if doubts:
        return Undecided(span or ebuild.span(), f"{one.enabled.unit}: {doubts[0]}")
    return None


def _also(
    unit: str, files: UnitFiles, table: Mapping[tuple[str, str], str]
) -> Iterator[tuple[str, tuple[tuple[str, str], ...] | None]]:
    """Yield the units of an Also=, each with what it is to be enabled for; None if unknown."""
    own = files.find(unit)
    names = list(own.also()) if own is not None else [a for u, a in table if u == unit]
    instance = unit.partition("@")[2].rpartition(".")[0]
    for name in names:
        also = name.replace("%i", instance).replace("%I", instance) if instance else name
        target = table.get((unit, also)) or next(
            (t for (_, a), t in table.items() if a == also), None
        )
        file = files.find(also)
        if file is not None:
            yield also, file.targets()
        elif target is not None:
            yield also, (("wants", target),)
        else:
            yield also, None


def _is_enabled(
    unit: str, kind: str, target: str, beside: Enabled, found: Sequence[_Unit]
) -> bool | None:
    """Whether a unit is enabled for a target wherever another one is."""
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
    return covered(ways, beside.guards)


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
