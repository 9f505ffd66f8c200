"""Audit's daemon is built or installed by default.

## What it does

For each ebuild of `sys-process/audit`, with `USE=-daemon`:

- auditd has to be taken out of what is built: by an edit of `sbin_PROGRAMS` in `src/Makefile.am`
  (with `sed`, or with a patch that is applied), by removing the program after it was installed, or
  by `INSTALL_MASK`;
- its init script, its settings and its log directory may not be installed.

`IUSE` may not turn `daemon` on, and no profile of the overlay may do so, for the package or for
all.

## Why it matters

The kernel's audit records go to the journal. A second daemon that nobody configured would take them
away from there, and its tools bring libraries into the image that nothing else needs. The flag was
added so that it is set nowhere; an update that loses the edit, or one line in a profile, builds
everything again.

## Example

`sys-process/audit/audit-2.8.5-r1.ebuild`:

```bash
EAPI=6
IUSE="gssapi"
src_prepare() {
        eapply_user
        eautoreconf
}
```

## Use instead

`sys-process/audit/audit-2.8.5-r1.ebuild`:

```bash
EAPI=6
IUSE="daemon gssapi"
src_prepare() {
        eapply_user
        if ! use daemon; then
                sed -e '/^sbin_PROGRAMS =/s/auditd//' -i src/Makefile.am || die
        fi
        eautoreconf
}
```

## Options

- `flag`: the USE flag.
- `program`: the daemon's program.
- `programs`: the line of `makefile` that says what is built, as upstream has it.
- `makefile`: where that line is.
- `paths`: what may be installed with the flag only, as paths in the image.
- `service`: the unit that shows that the daemon is meant to be installed.

## Fix

The plus before `daemon` in `IUSE` is taken away, and a minus is put before it where a line of
`package.use` or the like turns it on for the package.

## Limits

An ebuild that installs `auditd.service`, as Flatcar's did from 2022 on, has reversed the decision;
the rule does not apply to it. What `make install` installs by itself is not seen.

## References

- flatcar/coreos-overlay, commit 26a504000104: "sys-process/audit: Add "daemon" use flag".
- flatcar/coreos-overlay, commit b3194ee53: "Add auditd package and systemd unit".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from overlaylint.finding import NotApplicable, Outcome, Span, Undecided
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.sed import UnknownEdit
from overlaylint.records import dataclass
from overlaylint.rule import Severity, rule

if TYPE_CHECKING:
    from overlaylint.overlay.install_targets import Write
    from overlaylint.overlay.source_edits import SourceEdit
    from overlaylint.overlay.steps import Step
    from overlaylint.overlay.trace import Trace
    from overlaylint.shell.calls import Call

# What builds, or installs what was built.
_MAKE = frozenset({"emake", "make", "default", "default_src_compile", "default_src_install"})

# Where programs of the administrator may be installed to.
_FOLDERS = frozenset({"/sbin", "/usr/sbin"})

# What makes Makefile.in of Makefile.am.
_AUTOMAKE = frozenset({"eautoreconf", "eautomake", "autoreconf", "automake"})


@dataclass(frozen=True, slots=True)
class Options:
    """Which daemon is not to be built, and by what it is known."""

    flag: str = "daemon"
    program: str = "auditd"
    programs: str = "sbin_PROGRAMS = auditd auditctl aureport ausearch autrace"
    makefile: str = "src/Makefile.am"
    paths: tuple[str, ...] = (
        "/etc/init.d/auditd",
        "/etc/conf.d/auditd",
        "/etc/audit/auditd.conf",
        "/var/log/audit",
    )
    service: str = "auditd.service"


@rule(severity=Severity.ERROR, packages="sys-process/audit", decided_in="26a504000104")
def daemon_use_flag(ebuild: Ebuild, options: Options) -> Iterator[Outcome]:
    from overlaylint.overlay.own_code import own_traces
    from overlaylint.policies.places import failed

    failure = failed(ebuild)
    if failure is not None:
        yield failure
        return
    traces = tuple(own_traces(ebuild, {options.flag: False}))
    if any(_installs_service(trace, options.service) for trace in traces):
        yield NotApplicable(f"{ebuild.path} installs {options.service}: the daemon is wanted")
        return
    for trace in traces:
        if trace.unknown is not None and trace.is_defined:
            reason = f"{trace.phase} can't be followed: {trace.unknown.reason}"
            yield Undecided(ebuild.span(), reason)
            return
    yield from _built(ebuild, traces, options)
    yield from _installed(ebuild, traces, options)
    yield from _turned_on(ebuild, options)


# --- what is built ---


@dataclass(frozen=True, slots=True)
class _Edit:
    """A call that is about the daemon's program.

    `is_effective` tells whether it takes the program out, None if that is unknown, and `restores`
    whether it puts it back where it was taken out before. What it changes `is_of_made` where that
    is a file that automake makes.
    """

    trace: Trace
    call: Call
    is_effective: bool | None
    doubt: str = ""
    restores: bool = False
    is_of_made: bool = False

    @property
    def span(self) -> Span:
        return self.trace.span(self.call)


def _built(ebuild: Ebuild, traces: tuple[Trace, ...], options: Options) -> Iterator[Outcome]:
    """Report a program that is built without the flag."""
    from overlaylint.overlay.ways import covered
    from overlaylint.policies.places import finding_at

    edits = list(_edits(ebuild, traces, options))
    certain = covered([edit.call.guards for edit in edits if edit.is_effective])
    if certain:
        yield from _put_back(ebuild, edits, options)
        return
    possible = [edit for edit in edits if edit.is_effective is not False]
    if certain is None or covered([edit.call.guards for edit in possible]) is not False:
        doubtful = possible[-1]
        reason = doubtful.doubt or "it is unknown under which conditions it runs"
        yield Undecided(
            doubtful.span, f"whether this takes {options.program} out of the build: {reason}"
        )
        return
    is_kept_out = _is_kept_out(ebuild, traces, options)
    if is_kept_out:
        return
    if is_kept_out is None:
        reason = f"whether INSTALL_MASK keeps {options.program} out of the image is unknown"
        yield Undecided(edits[-1].span if edits else _src_prepare(ebuild), reason)
        return
    help_ = (
        f"take {options.program} out of {options.programs.partition(' ')[0]} in {options.makefile}"
        f" before it is built, always or where `use {options.flag}` does not hold"
    )
    message = f"{options.program} is built where USE has -{options.flag}"
    where = edits[-1].span if edits else _src_prepare(ebuild)
    if edits and edits[-1].is_effective:
        message += ", unless this runs, which depends on other conditions"
    elif edits:
        message += ": this does not keep it from being built"
    yield finding_at(ebuild, where, message, help_)


def _is_kept_out(ebuild: Ebuild, traces: tuple[Trace, ...], options: Options) -> bool | None:
    """Whether INSTALL_MASK keeps the program out of the image, under each profile."""
    from overlaylint.overlay.install_mask import is_masked_everywhere

    paths = (f"{folder}/{options.program}".lstrip("/") for folder in _folders(traces))
    answers = {is_masked_everywhere(ebuild, path) for path in paths}
    # Of several folders, it is unknown which the program comes to.
    return answers.pop() if len(answers) == 1 else None


def _folders(traces: tuple[Trace, ...]) -> frozenset[str]:
    """Return the folders of which one is what the sources' `sbin` is configured to be."""
    from overlaylint.overlay.steps import steps

    calls = [one for trace in traces for one in steps(trace) if one.name in ("econf", "configure")]
    found = {_sbindir(one) for one in calls}
    # A master's function may configure the sources, with options that are not seen.
    is_known = bool(found) and None not in found
    known = frozenset(one for one in found if one is not None)
    return known if is_known else known | _FOLDERS


def _sbindir(step: Step) -> str | None:
    """Return the folder that a call of configure makes `sbin`; None where that is unknown."""
    from overlaylint.overlay.steps import location
    from overlaylint.shell.values import join, pieces_of

    option = "--sbindir="
    found = "/usr/sbin" if step.name == "econf" else None
    is_said = False
    for word in step.arguments:
        first, *rest = pieces_of(word)
        texts = [first] if isinstance(first, str) else [text for _, text in first.choices]
        if isinstance(first, str) and first.startswith(option):
            place = location(join((first.removeprefix(option), *rest)))
            is_said = place is not None and place.root in ("", "EPREFIX")
            found = place.path if place is not None and is_said else None
        elif not texts or any(text.startswith("--sb") for text in texts):
            found, is_said = None, False
        elif not is_said and any(text.startswith(("--prefix", "--exec")) for text in texts):
            found = None
    return found


def _put_back(ebuild: Ebuild, edits: list[_Edit], options: Options) -> Iterator[Outcome]:
    """Report an edit that undoes those before it."""
    from overlaylint.policies.places import finding_at
    from overlaylint.shell.conditions import Check, leaves

    last = max(at for at, edit in enumerate(edits) if edit.is_effective)
    for edit in edits[last + 1 :]:
        if not edit.restores:
            continue
        if any(isinstance(leaf, Check) for guard in edit.call.guards for leaf in leaves(guard)):
            reason = f"it is unknown whether this puts {options.program} back into the build"
            yield Undecided(edit.span, reason)
            continue
        message = f"{options.program} is built where USE has -{options.flag}: this puts it back"
        help_ = f"leave {options.program} out of what is built"
        yield finding_at(ebuild, edit.span, message, help_)


def _src_prepare(ebuild: Ebuild) -> Span:
    """Return the place where the edit would go: the head of the ebuild's own src_prepare."""
    from overlaylint.overlay.own_code import function_head

    variable = ebuild.variable("IUSE")
    is_own = variable is not None and variable.span.path and not variable.span.repository
    fallback = variable.span if variable is not None and is_own else ebuild.span()
    return function_head(ebuild, "src_prepare") or fallback


def _edits(ebuild: Ebuild, traces: tuple[Trace, ...], options: Options) -> Iterator[_Edit]:
    """Yield the steps that are about the daemon's program, phase by phase."""
    from overlaylint.overlay.file_texts import source_edits
    from overlaylint.overlay.steps import sources, steps

    folders = sorted(_folders(traces))
    for trace in traces:
        of = steps(trace)
        changes: dict[int, list[SourceEdit]] = {}
        for change in source_edits(ebuild, of, sources(ebuild), ebuild.repository):
            if change.is_foreign and _runs_with_flag(ebuild, trace, change.step, options):
                # What is fetched and applied in any case is as good as upstream's own text.
                continue
            changes.setdefault(id(change.step), []).append(change)
        for index, step in enumerate(of):
            removal = _removal(trace, step, of[index + 1 :], folders, options)
            if removal is not None:
                yield removal
            elif step.name in ("emake", "make"):
                yield from _made_without(trace, step, options)
            else:
                is_late = _is_late(trace.phase, of[:index])
                for edit in _changed(trace, step, changes.get(id(step), ()), options):
                    is_vain = is_late or (edit.is_of_made and _is_made_anew(of[index + 1 :]))
                    yield replace(edit, is_effective=False) if is_vain else edit


def _runs_with_flag(ebuild: Ebuild, trace: Trace, step: Step, options: Options) -> bool:
    """Whether a step of a phase runs with the flag as well."""
    from overlaylint.overlay.own_code import own_traces

    return any(
        call.place == step.call.place
        for other in own_traces(ebuild, {options.flag: True})
        if other.phase == trace.phase
        for call in other
    )


def _is_late(phase: str, earlier: tuple[Step, ...]) -> bool:
    """Whether a change of the sources comes when everything is built."""
    if "install" in phase or "test" in phase or "pkg_" in phase:
        return True
    return "compile" in phase and any(one.name in _MAKE for one in earlier)


def _is_made_anew(later: tuple[Step, ...]) -> bool:
    """Whether `Makefile.in` is made of its source again."""
    return any(one.name in _AUTOMAKE for one in later)


def _removal(
    trace: Trace, step: Step, later: tuple[Step, ...], folders: list[str], options: Options
) -> _Edit | None:
    """Return what a step does to the program in the image, if it takes it away there."""
    from overlaylint.overlay.install_targets import writes
    from overlaylint.overlay.removals import removes
    from overlaylint.overlay.steps import Location

    if "inst" not in trace.phase:
        return None

    def taken(folder: str) -> bool | None:
        return removes(step, Location("D", f"{folder}/{options.program}"))

    answers = [taken(folder) for folder in folders]
    if not any(answers) and None not in answers:
        # From where it is not, perhaps.
        is_vain = any(taken(folder) for folder in _FOLDERS)
        return _Edit(trace, step.call, False) if is_vain else None
    if any(one.location.root == "D" for one in writes((step,))):
        # It goes from one folder to another.
        return None
    if any(one.name in _MAKE for one in later):
        return _Edit(trace, step.call, False)
    doubt = f"what `{step.name}` takes away can't be told"
    return _Edit(trace, step.call, True) if any(answers) else _Edit(trace, step.call, None, doubt)


def _made_without(trace: Trace, step: Step, options: Options) -> Iterator[_Edit]:
    """Yield that make is told what to build; when it installs, it has to be told as well."""
    variable = f"{options.programs.partition(' ')[0]}="
    for value in step.arguments:
        if isinstance(value, str) and value.startswith(variable):
            is_left_out = options.program not in value.removeprefix(variable).split()
            yield _Edit(trace, step.call, is_left_out and "install" in trace.phase)


def _changed(
    trace: Trace, step: Step, changes: Iterable[SourceEdit], options: Options
) -> Iterator[_Edit]:
    """Yield what a step does to the line that says what is built; a sed too that misses it."""
    words = " ".join(map(str, step.arguments))
    is_sed = step.name == "sed" or (step.name in ("find", "xargs") and "sed" in step.arguments)
    names_it = options.program in words
    found = False
    for change in changes:
        made = f"{options.makefile.removesuffix('.am')}.in"
        is_in_source = change.is_in(options.makefile)
        if not is_in_source and not change.is_in(made):
            continue
        try:
            is_effective, restores = _effect(change, options)
        except UnknownEdit as problem:
            script = any(str(one).startswith(("-f", "--file")) for one in step.arguments)
            if is_sed and not (names_it or script or _variable(options) in words):
                continue
            found = True
            yield _Edit(trace, step.call, None, str(problem), is_of_made=not is_in_source)
        else:
            if is_effective or restores:
                found = True
                yield _Edit(trace, step.call, is_effective, "", restores, not is_in_source)
    if is_sed and names_it and not found:
        yield _Edit(trace, step.call, False)


def _effect(change: SourceEdit, options: Options) -> tuple[bool, bool]:
    """Return whether a change takes the program out of what is built, and whether it puts it in.

    Raises UnknownEdit.
    """

    def builds(lines: Iterable[str]) -> bool:
        return any(_builds(line, options) for line in lines)

    if change.patch is not None:
        # The line is that of some version, and need not be the one that is known here.
        added = builds(line.text for line in change.added)
        taken = change.patch.added if change.is_reversed else change.patch.removed
        removed = builds(line.text for line in taken)
        return removed and not added, added and not removed
    line = options.programs
    without = " ".join(word for word in line.split(" ") if word != options.program)
    return not builds(change.apply((line,))), builds(change.apply((without,)))


def _builds(line: str, options: Options) -> bool:
    name, _, value = line.partition("=")
    return name.strip() == _variable(options) and options.program in value.split()


def _variable(options: Options) -> str:
    return options.programs.partition(" ")[0]


# --- what is installed ---


def _installed(ebuild: Ebuild, traces: tuple[Trace, ...], options: Options) -> Iterator[Outcome]:
    """Report what is installed for the daemon without the flag."""
    from overlaylint.overlay.image import in_order
    from overlaylint.overlay.install_targets import writes
    from overlaylint.overlay.steps import steps
    from overlaylint.policies.places import finding_at

    phases = [(trace, steps(trace)) for trace in in_order(traces)]
    others = [
        (trace, steps(trace)) for trace in traces if all(trace is not one for one, _ in phases)
    ]
    of = [step for _, found in (*phases, *others) for step in found]
    seen: set[Span] = set()
    for trace, found in (*phases, *others):
        for write in writes(found):
            path = write.location.path
            span = trace.span(write.step.call)
            if write.location.root != "D" or span in seen:
                continue
            wanted = next((one for one in options.paths if _is_below(path, one)), None)
            may_be = wanted or next((one for one in options.paths if fnmatchcase(one, path)), None)
            if may_be is None:
                continue
            at = next(at for at, step in enumerate(of) if step is write.step)
            is_removed = _is_removed(of[at + 1 :], write, may_be, options)
            if is_removed:
                continue
            seen.add(span)
            if wanted is None or is_removed is None:
                reason = f"it is unknown what is installed at {path.replace('?*', '...')}"
                if is_removed is None:
                    reason = f"it is unknown whether {path} is taken away again"
                yield Undecided(span, reason)
                continue
            message = f"{wanted} is installed where USE has -{options.flag}"
            help_ = f"install it under `use {options.flag}` only"
            yield finding_at(ebuild, span, message, help_, "it is installed here")


def _is_removed(later: Sequence[Step], write: Write, wanted: str, options: Options) -> bool | None:
    """Whether later steps take away again what one installs; None where that is unknown."""
    from overlaylint.overlay.scene import Thing
    from overlaylint.overlay.steps import Location
    from overlaylint.overlay.undone import is_undone

    is_kept = write.step.name == "keepdir"
    thing = Thing.FULL_FOLDER if is_kept else Thing.EMPTY_FOLDER if write.is_folder else Thing.FILE
    path = wanted if "*" in write.location.path else write.location.path
    use = {options.flag: False}
    return is_undone(later, Location("D", path), thing, write.step.call.guards, use)


def _is_below(path: str, wanted: str) -> bool:
    return path == wanted or path.startswith(f"{wanted}/")


def _installs_service(trace: Trace, service: str) -> bool:
    from overlaylint.overlay.install_targets import targets

    return any(path.endswith(f"/systemd/system/{service}") for _, path in targets(trace))


# --- the flag ---


def _turned_on(ebuild: Ebuild, options: Options) -> Iterator[Outcome]:
    """Report what turns the flag on: IUSE, and the profiles."""
    from overlaylint.policies.flags import plus, settings_of, turned_on

    flag = options.flag
    help_ = f"leave {flag} off: the daemon is not to be built by default"
    yield from plus(ebuild, flag, help_)
    iuse = ebuild.variable("IUSE")
    words = "" if iuse is None or iuse.value is None else str(iuse.value)
    if flag in (word.lstrip("+-") for word in words.split()):
        yield from turned_on(ebuild, flag, settings_of(ebuild, flag), help_)
