"""Containerd is installed without its shims for runc.

## What it does

For each version of containerd from 1.2 on, looks at what the build leaves in the image: a folder
for programs has to hold `containerd-shim-runc-v2`, and below 2.0 `containerd-shim-runc-v1` too.
What helpers, loops and wildcards install counts; what is removed again, or kept out by
`INSTALL_MASK`, does not.

## Why it matters

Containerd starts each container through a shim, a program that it looks for beside itself. Kubelet
asks for the runc shims by name. The ebuild lists what it installs, so that an update in which
containerd got new shims builds, installs, and fails only when the first pod is started.

## Example

`app-emulation/containerd/containerd-1.4.1.ebuild`:

```bash
EAPI=7
src_install() {
        dobin bin/containerd{-shim,-stress,} bin/ctr
}
```

## Use instead

`app-emulation/containerd/containerd-1.4.1.ebuild`:

```bash
EAPI=7
src_install() {
        dobin bin/containerd{-shim,-shim-runc-v*,-stress,} bin/ctr
}
```

## Options

- `shims`: each a program, the first version that has it and, where there is one, the first that
  has it no more.
- `folders`: where programs are found.

## Limits

What `make install` installs is unknown, so that it may be a shim. So it is of a program that is not
known to leave them alone, and is given a folder of the image around one.

Where containerd is a master's, what the overlay adds to it is looked at: its hooks in
`coreos/config/env`, and `INSTALL_MASK`.

## References

- flatcar/coreos-overlay, commit a45fd1fbf179: "app-emulation/containerd: add
  containerd-runc-shim-v*".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from overlaylint.finding import NotApplicable, Outcome, Related, Span, Undecided
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.hooks import ENV_FOLDER, env_hooks, has_traces
from overlaylint.overlay.repository import Repository
from overlaylint.overlay.version import Version, parse_version
from overlaylint.records import dataclass
from overlaylint.rule import Finding, Severity, rule

if TYPE_CHECKING:
    from overlaylint.overlay.image import Presence
    from overlaylint.overlay.profile import Profile
    from overlaylint.overlay.trace import Trace
    from overlaylint.shell.calls import Call

_PACKAGES = ("app-containers/containerd", "app-emulation/containerd")


@dataclass(frozen=True, slots=True)
class Options:
    """Which programs have to be installed, by version, and where."""

    shims: tuple[str, ...] = ("containerd-shim-runc-v2 1.2", "containerd-shim-runc-v1 1.2 2.0")
    folders: tuple[str, ...] = (
        "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/bin", "/sbin",
    )  # fmt: skip


@rule(
    severity=Severity.ERROR,
    files=(
        *(f"{cp}/*.ebuild" for cp in _PACKAGES),
        *(f"{ENV_FOLDER}/{cp}*" for cp in _PACKAGES),
        "eclass/*.eclass",
        "profiles/*",
    ),
    decided_in="a45fd1fbf179",
)
def missing_containerd_shim(overlay: Repository, options: Options) -> Iterator[Outcome]:
    is_here = False
    faults: dict[Span, list[_Fault]] = {}
    for ebuild in _ebuilds(overlay):
        is_here = True
        for outcome in _of_ebuild(overlay, ebuild, options):
            if isinstance(outcome, _Fault):
                faults.setdefault(outcome.span, []).append(outcome)
            else:
                yield outcome
    for of in faults.values():
        yield _as_one(of)
    if not is_here:
        packages = " or ".join(_PACKAGES)
        yield NotApplicable(f"the overlay has no {packages}, and nothing about it")


def _ebuilds(overlay: Repository) -> Iterator[Ebuild]:
    """Yield the ebuilds of containerd that the overlay has, or has something to say of."""
    for cp in _PACKAGES:
        package = overlay.package(cp)
        if package is not None and package.ebuilds:
            yield from package.ebuilds
        elif has_traces(overlay, *cp.split("/")):
            for master in overlay.family[1:]:
                package = master.package(cp)
                if package is not None:
                    yield from package.ebuilds


def _of_ebuild(
    overlay: Repository, ebuild: Ebuild, options: Options
) -> Iterator[_Fault | Undecided | NotApplicable]:
    from overlaylint.overlay.image import changing_functions
    from overlaylint.overlay.own_code import own_traces

    if ebuild.is_built_as_links_only:
        yield NotApplicable(f"{ebuild.path} is built as the versions that link to it")
        return
    wanted = tuple(_wanted(ebuild, options))
    if not wanted:
        yield NotApplicable(f"containerd {ebuild.PV} has no shims of its own for runc")
        return
    failure = ebuild.evaluation.failure
    if failure is not None:
        reason = f"sourcing the ebuild fails: {failure.reason}"
        yield Undecided(failure.span, reason)
        return
    follow = changing_functions(ebuild) if ebuild.repository is overlay else {}
    traces = tuple(own_traces(ebuild, hooks_of=overlay, follow=follow))
    for name in wanted:
        yield from _of_shim(overlay, ebuild, traces, name, options)


def _wanted(ebuild: Ebuild, options: Options) -> Iterator[str]:
    """Yield the shims that a version has."""
    version = _release(ebuild.PV)
    for line in options.shims:
        name, *bounds = line.split()
        limits = [_release(bound) for bound in bounds]
        if (not limits or version >= limits[0]) and (len(limits) < 2 or version < limits[1]):
            yield name


def _release(text: str) -> Version:
    """Return the release that a version is, or leads to: `2.0.0_rc1` has what 2.0.0 has."""
    version = parse_version(text.partition("_")[0])
    if version is None:
        raise ValueError(f"not a version: {text!r}")
    return version


# --- one shim ---


def _of_shim(
    overlay: Repository, ebuild: Ebuild, traces: tuple[Trace, ...], name: str, options: Options
) -> Iterator[_Fault | Undecided | NotApplicable]:
    """Report a shim that some profile's build does not leave in the image."""
    from overlaylint.overlay.image import presence

    doubt: Undecided | None = None
    for use, profiles in _builds(overlay, ebuild, traces):
        found = {
            f"{folder}/{name}": presence(traces, f"{folder}/{name}", use)
            for folder in options.folders
        }
        places = {
            path: one
            for path, one in found.items()
            if one.is_there is not False and not one.is_folder
        }
        if not places:
            unknown = _not_followed(ebuild, traces)
            if unknown is None and ebuild.repository is overlay:
                yield _fault(ebuild, traces, name, use, options)
                return
            if unknown is None:
                removal = _removal_by_hook(overlay, traces, name, use, options)
                if removal is not None:
                    yield removal
                    return
                yield NotApplicable(f"a master's {ebuild.PF} itself installs no {name}")
                return
            doubt = doubt or unknown
            continue
        masked = [_masked(overlay, ebuild, path, profiles) for path in places]
        if all(answer is True for answer in masked):
            yield _mask_fault(overlay, ebuild, name, next(iter(places)), profiles)
            return
        certain = [
            answer is False and one.is_there
            for answer, one in zip(masked, places.values(), strict=True)
        ]
        if True not in certain:
            doubt = doubt or _undecided(ebuild, name, next(iter(places.values())), masked)
    if doubt is not None:
        yield doubt


def _builds(
    overlay: Repository, ebuild: Ebuild, traces: tuple[Trace, ...]
) -> Iterator[tuple[Mapping[str, bool], tuple[Profile | None, ...]]]:
    """Yield the USE flags that calls depend on, as builds have them, with their profiles."""
    from overlaylint.overlay.flag_setting import flag_settings
    from overlaylint.overlay.image import in_order
    from overlaylint.shell.conditions import UseFlag, leaves

    flags = sorted(
        {
            leaf.name
            for trace in in_order(traces)
            for call in trace
            for guard in call.guards
            for leaf in leaves(guard)
            if isinstance(leaf, UseFlag)
        }
    )
    profiles = tuple(overlay.profiles)
    if not profiles:
        # Nothing sets the flags: they are what IUSE says, or off.
        iuse = ebuild.variable("IUSE")
        words = "" if iuse is None or iuse.value is None else str(iuse.value)
        yield {flag: f"+{flag}" in words.split() for flag in flags}, (None,)
        return
    if not flags:
        yield {}, profiles
        return
    states: dict[str, dict[str, bool]] = {profile.name: {} for profile in profiles}
    for flag in flags:
        for setting in flag_settings(ebuild, flag, profiles):
            if setting.missing is None:
                states[setting.profile.name][flag] = setting.is_on
    builds: dict[tuple[tuple[str, bool], ...], list[Profile | None]] = {}
    for profile in profiles:
        builds.setdefault(tuple(states[profile.name].items()), []).append(profile)
    for use, names in builds.items():
        yield dict(use), tuple(names)


def _not_followed(ebuild: Ebuild, traces: tuple[Trace, ...]) -> Undecided | None:
    """Return why a phase may install more than is seen, if there is such a phase."""
    from overlaylint.overlay.image import in_order

    for trace in in_order(traces):
        if trace.unknown is not None and (trace.is_defined or trace.phase == "src_install"):
            return Undecided(
                ebuild.span(), f"{trace.phase} can't be followed: {trace.unknown.reason}"
            )
    return None


def _undecided(ebuild: Ebuild, name: str, found: Presence, masked: list[bool | None]) -> Undecided:
    if None in masked:
        return Undecided(ebuild.span(), f"whether INSTALL_MASK keeps {name} out is unknown")
    span = ebuild.span()
    if found.trace is not None and found.call is not None:
        span = found.trace.span(found.call)
    return Undecided(span, f"whether this leaves {name} in the image is unknown")


def _masked(
    overlay: Repository, ebuild: Ebuild, path: str, profiles: tuple[Profile | None, ...]
) -> bool | None:
    """Whether INSTALL_MASK keeps a file out in some of these profiles."""
    from overlaylint.overlay.install_mask import masks_path
    from overlaylint.shell.conditions import any_true

    return any_true(masks_path(ebuild, path.lstrip("/"), one, overlay) for one in profiles)


# --- what is wrong, and where ---


@dataclass(frozen=True, slots=True)
class _Fault:
    """A shim that is lacking, and where; `before` and `after` stand around its name."""

    span: Span
    before: str
    shim: str
    after: str
    help: str
    related: tuple[Related, ...] = ()


def _as_one(faults: list[_Fault]) -> Finding:
    """Return one finding for what one version, or several that are one file, have at one place."""
    shims: dict[tuple[str, str], dict[str, None]] = {}
    for one in faults:
        shims.setdefault((one.before, one.after), {})[one.shim] = None
    first = faults[0]
    message, *others = (
        f"{before} {' and '.join(names)} {after}".rstrip()
        for (before, after), names in shims.items()
    )
    related = (*first.related, *(Related(first.span, other) for other in others))
    return Finding(first.span, message, first.help, related)


def _fault(
    ebuild: Ebuild,
    traces: tuple[Trace, ...],
    name: str,
    use: Mapping[str, bool],
    options: Options,
) -> _Fault:
    """Report a shim that the ebuild does not install, or takes away again."""
    from overlaylint.overlay.image import presence

    help_ = "install the shims that containerd's build makes in bin beside containerd itself"
    removal = _removal(traces, name, use, options)
    if removal is not None:
        trace, call = removal
        before, after = f"{ebuild.PF} takes", "out of the image again"
        span = trace.span(call)
    else:
        before, after = f"{ebuild.PF} does not install", ""
        span = _last_install(ebuild, traces, options)
        if any(
            presence(traces, f"{folder}/{name}", {**use, flag: not is_on}).is_there
            for folder in options.folders
            for flag, is_on in use.items()
        ):
            words = (f"{'' if is_on else '-'}{flag}" for flag, is_on in sorted(use.items()))
            after = f"where USE has {' '.join(words)}"
    if span.repository:
        related = (Related(span, "it is installed here"),)
        return _Fault(ebuild.span(), before, name, after, help_, related)
    return _Fault(span, before, name, after, help_)


def _removal(
    traces: tuple[Trace, ...], name: str, use: Mapping[str, bool], options: Options
) -> tuple[Trace, Call] | None:
    """Return the call that took the shim out of the image, if there was one."""
    from overlaylint.overlay.image import presence

    for folder in options.folders:
        found = presence(traces, f"{folder}/{name}", use)
        if found.is_there is False and found.trace is not None and found.call is not None:
            return found.trace, found.call
    return None


def _removal_by_hook(
    overlay: Repository,
    traces: tuple[Trace, ...],
    name: str,
    use: Mapping[str, bool],
    options: Options,
) -> _Fault | None:
    """Report that a hook of the overlay takes the shim of a master's ebuild away."""
    removal = _removal(traces, name, use, options)
    if removal is None:
        return None
    trace, call = removal
    # The trace is that of a master's ebuild, and the master knows no overlay.
    span = trace.span(call)
    if span.repository != overlay.name:
        return None
    help_ = "leave the shim: containerd starts no container without it"
    where = replace(span, repository="")
    return _Fault(where, f"{trace.phase} takes", name, "out of the image", help_)


def _last_install(ebuild: Ebuild, traces: tuple[Trace, ...], options: Options) -> Span:
    """Return where programs are installed last, else the head of src_install."""
    from overlaylint.overlay.image import in_order
    from overlaylint.overlay.install_targets import targets
    from overlaylint.overlay.own_code import own_functions

    found: Span | None = None
    for trace in in_order(traces):
        for call, path in targets(trace):
            folder, _, base = path.rpartition("/")
            if folder in options.folders and (found is None or base.startswith("containerd")):
                found = trace.span(call)
    if found is not None:
        return found
    function = own_functions(ebuild).get("src_install")
    if function is None:
        return ebuild.span()
    source, start, _ = function.source.place(function.start, function.end)
    path = source.name.partition(":")[2]
    return ebuild.repository.span(path, start, start + len(function.name))


def _mask_fault(
    overlay: Repository,
    ebuild: Ebuild,
    name: str,
    path: str,
    profiles: tuple[Profile | None, ...],
) -> _Fault:
    """Report INSTALL_MASK: where it is set."""
    from overlaylint.overlay.evaluation import evaluated
    from overlaylint.overlay.install_mask import INSTALL_MASK, is_masked
    from overlaylint.overlay.trace import ScriptTracer

    help_ = f"leave {path} out of {INSTALL_MASK}"

    def at(span: Span) -> _Fault:
        return _Fault(span, f"{INSTALL_MASK} keeps", name, "out of the image", help_)

    inside = path.lstrip("/")
    for hook in env_hooks(overlay, ebuild):
        variable = ScriptTracer(overlay, hook).state.find(INSTALL_MASK)
        if variable is not None:
            found = evaluated(overlay, INSTALL_MASK, variable)
            if found.value is not None and is_masked(str(found.value).split(), inside):
                return at(found.span)
    for profile in profiles:
        variables = None if profile is None else profile.variable(INSTALL_MASK)
        for span, text in reversed(() if variables is None else variables.assignments):
            if is_masked(text.split(), inside):
                if span.repository:
                    break
                return at(span)
    hook = next(iter(env_hooks(overlay, ebuild)), f"{ENV_FOLDER}/{ebuild.cp}")
    return at(ebuild.span() if ebuild.repository is overlay else Span(hook))
