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

from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import TYPE_CHECKING

from overlaylint.finding import NotApplicable, Outcome, Related, Span, Undecided
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.hooks import user_patches
from overlaylint.records import dataclass
from overlaylint.rule import Finding, Severity, rule

if TYPE_CHECKING:
    from overlaylint.overlay.sed import SedCall
    from overlaylint.overlay.steps import Step
    from overlaylint.overlay.trace import Trace
    from overlaylint.shell.calls import Call
    from overlaylint.shell.values import Value

# What builds, or installs what was built.
_MAKE = frozenset({"emake", "make", "default", "default_src_compile", "default_src_install"})

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

    evaluation = ebuild.evaluation
    if evaluation.failure is not None:
        reason = f"sourcing the ebuild fails: {evaluation.failure.reason}"
        yield Undecided(evaluation.failure.span, reason)
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
    whether it puts it back where it was taken out before.
    """

    trace: Trace
    call: Call
    is_effective: bool | None
    doubt: str = ""
    restores: bool = False

    @property
    def span(self) -> Span:
        return self.trace.span(self.call)


def _built(ebuild: Ebuild, traces: tuple[Trace, ...], options: Options) -> Iterator[Outcome]:
    """Report a program that is built without the flag."""
    from overlaylint.overlay.ways import covered

    edits = [edit for trace in traces for edit in _edits(ebuild, trace, options)]
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
    if where.repository:
        yield Finding(ebuild.span(), message, help_, (Related(where, "here"),))
    else:
        yield Finding(where, message, help_)


def _is_kept_out(ebuild: Ebuild, traces: tuple[Trace, ...], options: Options) -> bool | None:
    """Whether INSTALL_MASK keeps the program out of the image, under each profile."""
    from overlaylint.overlay.install_mask import masks_path

    profiles = tuple(ebuild.repository.profiles) or (None,)
    answers = set()
    for folder in _folders(traces):
        path = f"{folder}/{options.program}".lstrip("/")
        under = {masks_path(ebuild, path, one) for one in profiles}
        answers.add(False if False in under else None if None in under else True)
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
    return known if is_known else known | {"/sbin", "/usr/sbin"}


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
        if edit.span.repository:
            yield Finding(ebuild.span(), message, help_, (Related(edit.span, "here"),))
        else:
            yield Finding(edit.span, message, help_)


def _src_prepare(ebuild: Ebuild) -> Span:
    """Return the place where the edit would go: the head of the ebuild's own src_prepare."""
    from overlaylint.overlay.own_code import function_head

    variable = ebuild.variable("IUSE")
    is_own = variable is not None and variable.span.path and not variable.span.repository
    fallback = variable.span if variable is not None and is_own else ebuild.span()
    return function_head(ebuild, "src_prepare") or fallback


def _edits(ebuild: Ebuild, trace: Trace, options: Options) -> Iterator[_Edit]:
    """Yield the calls of a phase that are about the daemon's program."""
    for index, edit in _edits_whenever(ebuild, trace, options):
        if edit.is_effective is not False and (
            _is_out_of_turn(trace, index) or _is_made_anew(trace, index)
        ):
            yield replace(edit, is_effective=False)
        else:
            yield edit


def _is_out_of_turn(trace: Trace, index: int) -> bool:
    """Whether a call comes too late, or too early, to change what is in the image."""
    name = trace.calls[index].name
    made = [at for at, call in enumerate(trace.calls) if call.name in _MAKE]
    if name in ("emake", "make"):
        return False
    if name in ("rm", "unlink"):
        return "install" not in trace.phase or any(at > index for at in made)
    if "install" in trace.phase or "test" in trace.phase or "pkg_" in trace.phase:
        return True
    return "compile" in trace.phase and any(at < index for at in made)


def _is_made_anew(trace: Trace, index: int) -> bool:
    """Whether a call edits what a later one makes of its source again: `Makefile.in`."""
    call = trace.calls[index]
    written = [str(value) for value in call.arguments if str(value).endswith("Makefile.in")]
    is_source = any(str(value).endswith("Makefile.am") for value in call.arguments)
    later = trace.calls[index + 1 :]
    return bool(written) and not is_source and any(one.name in _AUTOMAKE for one in later)


def _edits_whenever(ebuild: Ebuild, trace: Trace, options: Options) -> Iterator[tuple[int, _Edit]]:
    """Yield them with their places in the trace, as if each came in time."""
    folder = ""
    for index, call in enumerate(trace):
        for edit in _edits_of(ebuild, trace, call, folder, options):
            yield index, edit
        if call.name in ("cd", "pushd"):
            folder = str(call.arguments[0]) if call.arguments else ""
        elif call.name == "popd":
            folder = ""


def _edits_of(
    ebuild: Ebuild, trace: Trace, call: Call, folder: str, options: Options
) -> Iterator[_Edit]:
    """Yield what one call does about the daemon's program; once, or not at all, as a rule."""
    from overlaylint.overlay.install_targets import in_image
    from overlaylint.overlay.source_edits import applied_patches, edits_in_place
    from overlaylint.overlay.steps import Step

    name, arguments = call.name, call.arguments
    if name == "sed":
        yield from _sed(trace, call, arguments, (), folder, options)
    elif name in ("find", "xargs") and "sed" in arguments:
        rest = arguments[arguments.index("sed") + 1 :]
        named = [
            value for key, value in pairwise(arguments) if key in ("-name", "-path", "-wholename")
        ]
        yield from _sed(trace, call, rest, tuple(named), "", options)
    elif edits_in_place(str(name), arguments):
        files = [f"{folder}/{value}" if folder else str(value) for value in arguments]
        if any("/" in file and _may_be(file, options.makefile) for file in files):
            yield _Edit(trace, call, None, f"what `{name}` makes of it can't be told")
    elif name in ("eapply", "epatch"):
        for patch in applied_patches(ebuild, Step(call, name, arguments, None)):
            if _patch_strips(ebuild, patch, options):
                yield _Edit(trace, call, True)
    elif name in ("eapply_user", "epatch_user", "default", "default_src_prepare"):
        for path in user_patches(ebuild.repository, ebuild):
            if _patch_strips(ebuild, path, options):
                yield _Edit(trace, call, True)
    elif name in ("rm", "unlink"):
        paths = [in_image(value) for value in arguments]
        if any(path and path.endswith(f"sbin/{options.program}") for path in paths):
            yield _Edit(trace, call, True)
    elif name in ("emake", "make"):
        variable = f"{options.programs.partition(' ')[0]}="
        for value in arguments:
            if isinstance(value, str) and value.startswith(variable):
                yield _Edit(trace, call, options.program not in value[len(variable) :].split())


def _sed(
    trace: Trace,
    call: Call,
    arguments: tuple[Value, ...],
    named: tuple[Value, ...],
    folder: str,
    options: Options,
) -> Iterator[_Edit]:
    """Yield what a sed comes to, if it is about the daemon's program."""
    from overlaylint.overlay.sed import UnknownEdit, parse_call

    text = " ".join(map(str, arguments))
    names_it = options.program in text
    if not names_it and options.programs.partition(" ")[0] not in text:
        return
    try:
        sed = parse_call(arguments)
        is_effective = not _leaves(sed, named, folder, options, options.programs)
        words = [word for word in options.programs.split(" ") if word != options.program]
        restores = names_it and _leaves(sed, named, folder, options, " ".join(words))
    except UnknownEdit as problem:
        yield _Edit(trace, call, None, str(problem))
    else:
        if is_effective or names_it:
            yield _Edit(trace, call, is_effective, restores=restores)


def _leaves(
    sed: SedCall, named: tuple[Value, ...], folder: str, options: Options, line: str
) -> bool:
    """Whether the program is in the line that says what is built, after a sed."""
    from overlaylint.overlay.sed import UnknownEdit

    is_there = any(
        _may_be(str(value) if named or not folder else f"{folder}/{value}", options.makefile)
        for value in named or sed.files
    )
    if not sed.files and not named:
        raise UnknownEdit("the files come from elsewhere")
    left = sed.edit(line) if sed.is_in_place and is_there else [line]
    variable = options.programs.partition(" ")[0]
    return any(options.program in one.split() for one in left if one.split()[:1] == [variable])


def _may_be(written: str, path: str) -> bool:
    """Whether a path as it is written, with wildcards, may be the file at `path` of the sources.

    `Makefile.in` is what is made of `Makefile.am`, and does as well where that is not made anew.
    """
    if written == "{}":
        return True
    wanted = path.split("/")
    for ending in (".am", ".in"):
        other = [*wanted[:-1], wanted[-1].removesuffix(".am") + ending]
        parts = [part for part in written.split("/") if part not in ("", ".")]
        if len(parts) >= len(other) and all(
            fnmatchcase(one, pattern)
            for one, pattern in zip(other, parts[len(parts) - len(other) :], strict=True)
        ):
            return True
        if written.startswith("**") or (len(parts) == 1 and any(one in written for one in "*?[")):
            return fnmatchcase(other[-1], parts[-1])
    return False


def _patch_strips(ebuild: Ebuild, path: str, options: Options) -> bool:
    """Whether a patch takes the program out of the line that says what is built."""
    from overlaylint.overlay.patch import parse_patch

    variable = options.programs.partition(" ")[0]
    for file in parse_patch(ebuild.repository.tree.read(path)).files:
        if not _may_be(file.path(), options.makefile):
            continue
        removed = any(_builds(line.text, variable, options.program) for line in file.removed)
        added = any(_builds(line.text, variable, options.program) for line in file.added)
        if removed and not added:
            return True
    return False


def _builds(line: str, variable: str, program: str) -> bool:
    name, _, value = line.partition("=")
    return name.strip() == variable and program in value.split()


# --- what is installed ---


def _installed(ebuild: Ebuild, traces: tuple[Trace, ...], options: Options) -> Iterator[Outcome]:
    """Report what is installed for the daemon without the flag."""
    from overlaylint.overlay.install_targets import targets

    seen: set[Span] = set()
    for trace in traces:
        for call, path in targets(trace):
            span = trace.span(call)
            if span in seen or _is_removed(trace, call, path):
                continue
            wanted = next((one for one in options.paths if _is_below(path, one)), None)
            if wanted is not None:
                seen.add(span)
                message = f"{wanted} is installed where USE has -{options.flag}"
                help_ = f"install it under `use {options.flag}` only"
                if span.repository:
                    related = (Related(span, "it is installed here"),)
                    yield Finding(ebuild.span(), message, help_, related)
                else:
                    yield Finding(span, message, help_)
            elif any(fnmatchcase(one, path) for one in options.paths):
                seen.add(span)
                reason = f"it is unknown what is installed at {path.replace('?*', '...')}"
                yield Undecided(span, reason)


def _is_removed(trace: Trace, call: Call, path: str) -> bool:
    """Whether something that is installed is removed again in the same phase."""
    from overlaylint.overlay.install_targets import in_image

    later = trace.calls[trace.calls.index(call) + 1 :]
    removed = (
        in_image(value)
        for one in later
        if one.name in ("rm", "rmdir") and not one.guards
        for value in one.arguments
    )
    return any(one is not None and fnmatchcase(path, one) for one in removed)


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
