"""/etc/resolv.conf names the stub resolver alone.

## What it does

Follows what is done to the sources of `sys-apps/systemd`, the overlay's own or a master's: each
`sed`, each patch that is applied, by the ebuild, by a hook in `coreos/config/env` or from
`coreos/user-patches`. In the end the tmpfiles.d line for `/etc/resolv.conf` has to point at
`/run/systemd/resolve/resolv.conf`. Which file has that line depends on the version, and an edit of
another one does nothing.

Where a master's systemd is built, and the overlay has neither hook nor patch for it, the rule does
not apply.

## Why it matters

From 231 on, systemd makes `/etc/resolv.conf` name 127.0.0.53 alone. Whoever takes the file into
another network namespace, as the kubelet does for pods, can't reach that address. `sed` on a file
that has lost the line succeeds all the same: for 161 days the edit was made in the file that an
update of systemd had renamed.

## Example

`sys-apps/systemd/systemd-250.3.ebuild`:

```bash
EAPI=7
src_prepare() {
        sed -i -e 's,resolve/stub-resolv.conf,resolve/resolv.conf,' tmpfiles.d/etc.conf.in || die
        default
}
```

## Use instead

`sys-apps/systemd/systemd-250.3.ebuild`:

```bash
EAPI=7
src_prepare() {
        sed -i -e 's,resolve/stub-resolv.conf,resolve/resolv.conf,' \\
                tmpfiles.d/systemd-resolve.conf || die
        default
}
```

## Options

- `link`: the path that is to name real servers.
- `wanted`: what it is to point at.
- `carriers`: from which systemd on which file of its sources has the line, and what that points at.

## Fix

Where an edit that would do is made in a file that does not have the line, the file's name is put
right.

## Limits

Another package's tmpfiles.d line for the same path is not looked at, nor whether systemd is built
with resolved at all.

## References

- flatcar/coreos-overlay, commit e78f10968753: "Revert "sys-apps/systemd: Drop the resolv.conf
  workaround"".
- flatcar/coreos-overlay, commit 65a387446: "sys-apps/systemd: fix tmpfile entry for resolv.conf
  link".
- systemd-resolved.service(8), /etc/resolv.conf.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from overlaylint.finding import Edit, Fix, NotApplicable, Outcome, Related, Span, Undecided
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.repository import Repository
from overlaylint.records import dataclass
from overlaylint.rule import Finding, Severity, rule

if TYPE_CHECKING:
    from overlaylint.overlay.source_edits import SourceEdit
    from overlaylint.overlay.steps import Location, Step
    from overlaylint.shell.conditions import Check

_CATEGORY, _NAME = "sys-apps", "systemd"
_PACKAGE = f"{_CATEGORY}/{_NAME}"

# When the files of tmpfiles.d are made of the sources, or installed as they are.
_BEFORE_THE_BUILD = ("unpack", "prepare", "configure")

# The folders of tmpfiles.d in the image: a file in the second overrules one of its name.
_TMPFILES = ("/usr/lib/tmpfiles.d", "/etc/tmpfiles.d")

# Functions of eclasses and hooks that run after what the eclass itself installs.
_AFTER_INSTALLING = ("cros_post_src_install", "multilib_src_install_all")

# What a build's own programs put into the image, and the eclasses' functions for that.
_INSTALLS = frozenset({"emake", "make", "eninja", "ninja", "meson", "default_src_install"})


@dataclass(frozen=True, slots=True)
class Carrier:
    """The file of systemd's sources that has the line, from a version on; and its target there."""

    since: str
    path: str
    target: str


@dataclass(frozen=True, slots=True)
class Options:
    """What points where, and which file says so."""

    link: str = "/etc/resolv.conf"
    wanted: str = "/run/systemd/resolve/resolv.conf"
    carriers: tuple[Carrier, ...] = (
        Carrier("231", "tmpfiles.d/etc.conf.m4", "../usr/lib/systemd/resolv.conf"),
        Carrier("236", "tmpfiles.d/etc.conf.m4", "../run/systemd/resolve/stub-resolv.conf"),
        Carrier("248", "tmpfiles.d/etc.conf.in", "../run/systemd/resolve/stub-resolv.conf"),
        Carrier(
            "250", "tmpfiles.d/systemd-resolve.conf", "../run/systemd/resolve/stub-resolv.conf"
        ),
    )


@rule(
    severity=Severity.ERROR,
    files=(
        f"{_PACKAGE}/*",
        f"coreos/user-patches/{_PACKAGE}*",
        f"coreos/config/env/{_PACKAGE}*",
        "eclass/*",
    ),
    decided_in="e78f10968753",
)
def stub_resolv_conf(repository: Repository, options: Options) -> Iterator[Outcome]:
    from overlaylint.overlay.built import built_ebuilds
    from overlaylint.overlay.hooks import has_traces

    own = repository.package(_PACKAGE)
    is_own = own is not None and bool(own.ebuilds)
    if not is_own and not has_traces(repository, _CATEGORY, _NAME):
        yield NotApplicable(f"the overlay neither has {_PACKAGE} nor changes it")
        return
    ebuilds = built_ebuilds(repository, _PACKAGE)
    if not ebuilds and any(one.missing_masters for one in repository.family):
        reason = f"which {_PACKAGE} is built is unknown: a master is missing"
        yield Undecided(_place_beside(repository), reason)
    elif not ebuilds:
        yield NotApplicable(f"no repository here has {_PACKAGE}")
    # A master's versions all have the same place, and what helps one helps the others.
    said: set[Span] = set()
    for ebuild in ebuilds:
        for outcome in _ebuild(repository, ebuild, options):
            if isinstance(outcome, Finding):
                if outcome.span in said:
                    continue
                said.add(outcome.span)
            yield outcome


def _place_beside(repository: Repository) -> Span:
    """Return a place among what the overlay has for the package without having it."""
    from overlaylint.overlay.hooks import ENV_FOLDER, USER_PATCHES_FOLDER
    from overlaylint.tree import Kind

    for folder in (USER_PATCHES_FOLDER, ENV_FOLDER):
        for entry in repository.entries(f"{folder}/{_CATEGORY}"):
            if entry.name != _NAME and not entry.name.startswith((f"{_NAME}-", f"{_NAME}:")):
                continue
            path = f"{folder}/{_CATEGORY}/{entry.name}"
            if entry.kind is Kind.FILE:
                return Span(path)
            for inside in repository.entries(path):
                if inside.kind is Kind.FILE:
                    return Span(f"{path}/{inside.name}")
    return Span("profiles/repo_name")


def _ebuild(repository: Repository, ebuild: Ebuild, options: Options) -> Iterator[Outcome]:
    carrier = _carrier(ebuild, options)
    place = ebuild.span() if not ebuild.span().repository else _place_beside(repository)
    failure = ebuild.evaluation.failure
    if carrier is None:
        yield NotApplicable(f"{ebuild.P} does not make {options.link} name the stub")
    elif failure is not None:
        yield Undecided(place, f"sourcing {ebuild.cpv} fails: {failure.reason}")
    else:
        outcome = _judge(repository, ebuild, carrier, place, options)
        if outcome is not None:
            yield outcome


def _carrier(ebuild: Ebuild, options: Options) -> Carrier | None:
    """Return what has the line in the version that an ebuild builds; a live one is the newest."""
    from overlaylint.overlay.built import is_live
    from overlaylint.overlay.version import parse_version

    found = None
    # A release candidate has the files of its release.
    version = parse_version(ebuild.PV.partition("_")[0])
    for one in options.carriers:
        since = parse_version(one.since)
        if is_live(ebuild) or (since is not None and version is not None and version >= since):
            found = one
    return found


@dataclass(frozen=True, slots=True)
class _Course:
    """What the edits of one build come to, with some USE flags.

    `is_good` is None where that is unknown, for `doubt` at `at`. `target` is
    what the link points at, if it is made at all. `misplaced` are edits that would
    have done it in the right file.
    """

    is_good: bool | None
    target: str = ""
    misplaced: tuple[SourceEdit, ...] = ()
    doubt: str = ""
    at: Step | None = None


def _judge(
    repository: Repository, ebuild: Ebuild, carrier: Carrier, place: Span, options: Options
) -> Outcome | None:
    """Return what there is to say of one ebuild."""
    if all(_course(repository, ebuild, carrier, use, options).is_good for use in _extremes(ebuild)):
        # Two builds that do it whatever the flags are, save for edits under two flags at once.
        return None
    bad = doubtful = None
    for use in _uses(repository, ebuild):
        course = _course(repository, ebuild, carrier, use, options)
        if course.is_good is False:
            bad = course
            break
        if course.is_good is None:
            doubtful = course
    if bad is not None:
        return _finding(repository, ebuild, carrier, bad, place, options)
    if doubtful is not None:
        span = None if doubtful.at is None else _own_span(repository, doubtful.at)
        reason = f"what {options.link} points at is unknown: {doubtful.doubt}"
        return Undecided(span or place, reason)
    return None


def _flags(ebuild: Ebuild) -> tuple[str, ...]:
    iuse = ebuild.variable("IUSE")
    words = "" if iuse is None or iuse.value is None else str(iuse.value)
    return tuple(word.lstrip("+-") for word in words.split())


def _extremes(ebuild: Ebuild) -> Iterator[Mapping[str, bool]]:
    """Yield all flags off, and all on."""
    flags = _flags(ebuild)
    yield dict.fromkeys(flags, False)
    yield dict.fromkeys(flags, True)


def _uses(repository: Repository, ebuild: Ebuild) -> Iterator[Mapping[str, bool]]:
    """Yield what each profile of the overlay sets, once; without any, the extremes."""
    from overlaylint.overlay.metadata import metadata

    if not tuple(repository.profiles):
        yield from _extremes(ebuild)
        return
    flags = _flags(ebuild)
    values = metadata(ebuild.evaluation).values
    seen: set[tuple[bool, ...]] = set()
    for profile in repository.profiles:
        on = profile.use(ebuild, values).enabled
        states = tuple(flag in on for flag in flags)
        if states not in seen:
            seen.add(states)
            yield dict(zip(flags, states, strict=True))


def _course(
    repository: Repository,
    ebuild: Ebuild,
    carrier: Carrier,
    use: Mapping[str, bool],
    options: Options,
) -> _Course:
    """Follow the line through one build."""
    from overlaylint.overlay.file_texts import source_edits
    from overlaylint.overlay.own_code import in_build_order, masters_functions, own_traces
    from overlaylint.overlay.removals import removes
    from overlaylint.overlay.sed import UnknownEdit
    from overlaylint.overlay.source_edits import BuildFiles
    from overlaylint.overlay.steps import Location, sources, steps
    from overlaylint.overlay.ways import certain

    upstream: tuple[str, ...] = (f"L! {options.link} - - - - {carrier.target}",)
    name = carrier.path.rpartition("/")[2]
    installed = name.removesuffix(".m4").removesuffix(".in")
    main = f"{_TMPFILES[0]}/{installed}"
    # The lines of the image's files, by their paths there.
    known = {main: upstream}
    possible = dict(known)
    misplaced: list[SourceEdit] = []
    doubt, doubtful = "", None
    is_unknown = False
    is_installed = False
    traces = own_traces(
        ebuild,
        use,
        repository,
        follow=masters_functions(ebuild, frozenset({name, installed})),
        files=BuildFiles(ebuild, (carrier.path,)),
        last="src_install",
    )
    for trace in in_build_order(traces):
        # What is installed as it is may be changed until then.
        is_early = name == installed or any(word in trace.phase for word in _BEFORE_THE_BUILD)
        is_install = "install" in trace.phase
        if trace.unknown is not None and trace.is_defined and (is_early or is_install):
            reason = f"{trace.phase} can't be followed: {trace.unknown.reason}"
            doubt, is_unknown = doubt or reason, True
        is_installed |= trace.phase.startswith(_AFTER_INSTALLING)
        own = steps(trace)
        edits: dict[int, list[tuple[SourceEdit, str, Location]]] = {}
        files = [(sources(ebuild), carrier.path)] if is_early else []
        files += [(Location("D", folder), installed) for folder in _TMPFILES if is_install]
        for folder, path in files:
            is_known = known == possible and folder.path != _TMPFILES[1]
            given = {path: "".join(f"{line}\n" for line in known[main])} if is_known else {}
            for edit in source_edits(ebuild, own, folder, repository, given):
                edits.setdefault(id(edit.step), []).append((edit, path, folder))
        for step in own:
            if is_install and (step.name in _INSTALLS or step.name.endswith("_src_install")):
                is_installed = True
            if is_installed and removes(step, Location("D", main)) and certain(step.call.guards):
                known[main] = possible[main] = ()
            for edit, path, folder in edits.get(id(step), ()):
                in_image = folder.root == "D"
                if edit.is_in(path):
                    target = f"{folder.path}/{path}" if in_image else main
                elif in_image and edit.text is not None and edit.files[0].endswith(".conf"):
                    target = f"{folder.path}/{edit.files[0]}"
                else:
                    if not in_image and _would_do(edit, upstream, options):
                        misplaced.append(edit)
                    continue
                test = partial(_holds, step=step, place=folder.below(path), lines=known[main])
                runs = certain(step.call.guards, test)
                if runs is False or (in_image is not is_installed and target == main):
                    continue
                try:
                    possible[target] = edit.apply(possible.get(target, ()))
                    if runs:
                        known[target] = edit.apply(known.get(target, ()))
                except UnknownEdit as problem:
                    doubt, doubtful = doubt or str(problem), doubtful or step
                    is_unknown = True
                else:
                    if not runs and possible != known:
                        reason = f"it depends on {' and '.join(map(str, step.call.guards))}"
                        doubt, doubtful = doubt or reason, doubtful or step
    lines = _counting(known, options)
    is_good: bool | None = _is_good(lines, options)
    if is_unknown or is_good != _is_good(_counting(possible, options), options):
        is_good = None
    return _Course(
        is_good, next(iter(_targets(lines, options)), ""), tuple(misplaced), doubt, doubtful
    )


def _counting(files: Mapping[str, tuple[str, ...]], options: Options) -> tuple[str, ...]:
    """Return the lines of the file that says it: the first by name of those that name the link."""
    by_name = {path.rpartition("/")[2]: files[path] for path in sorted(files, reverse=True)}
    return next((by_name[one] for one in sorted(by_name) if _targets(by_name[one], options)), ())


def _holds(test: Check, step: Step, place: Location, lines: tuple[str, ...]) -> bool | None:
    """Whether a test holds which asks for the file's line, as far as that is known."""
    from overlaylint.overlay.text_filters import UnknownFilter, filtered

    words = test.words
    if words[0] == "grep" and step.at(words[-1]) == place:
        try:
            _, status = filtered(
                "grep", [*map(str, words[1:-1])], "".join(f"{one}\n" for one in lines)
            )
        except UnknownFilter:
            return None
        # What other lines there are is not known here.
        return status == 0 or None
    return None


def _targets(lines: tuple[str, ...], options: Options) -> list[str]:
    """Return what lines of tmpfiles.d make the link point at."""
    words = [line.split() for line in lines]
    return [one[-1] for one in words if one[:1] and one[0][0] == "L" and one[1:2] == [options.link]]


def _is_good(lines: tuple[str, ...], options: Options) -> bool:
    """Whether lines of tmpfiles.d make the link point where it is wanted."""
    targets = _targets(lines, options)
    return bool(targets) and all(_absolute(one) == options.wanted for one in targets)


def _absolute(target: str) -> str:
    return f"/{target.lstrip('./')}"


def _would_do(edit: SourceEdit, upstream: tuple[str, ...], options: Options) -> bool:
    """Whether an edit would be right if it were made in the file that has the line."""
    from overlaylint.overlay.sed import UnknownEdit

    try:
        return _is_good(edit.apply(upstream), options)
    except UnknownEdit:
        return False


def _own_span(repository: Repository, step: Step) -> Span | None:
    """Return where a step stands, if that is in the overlay."""
    from overlaylint.overlay.evaluation import span_of

    span = span_of(repository, step.call.source, step.call.start, step.call.end)
    return None if span.repository else span


def _finding(
    repository: Repository,
    ebuild: Ebuild,
    carrier: Carrier,
    course: _Course,
    place: Span,
    options: Options,
) -> Finding:
    from overlaylint.overlay.own_code import function_head

    help_ = (
        f"let {options.link} point at {options.wanted} in {carrier.path}, which has the line in"
        f" {ebuild.P}: with sed in src_prepare, or a patch in coreos/user-patches/{_PACKAGE}"
    )
    if course.misplaced and course.target == carrier.target:
        edit = course.misplaced[-1]
        file = ", ".join(edit.files) or "what this edits"
        message = f"{options.link} names the stub alone: {ebuild.P} has no such line in {file}"
        if edit.found_in is not None and edit.patch is not None:
            owner, path = edit.found_in
            span = owner.span(path, edit.patch.start, edit.patch.start)
            if not span.repository:
                return Finding(span, message, help_)
            return Finding(place, message, help_, (Related(span, "the patch is here"),))
        own = _own_span(repository, edit.step)
        if own is not None:
            fix = _fix(repository, own, edit, carrier)
            return Finding(own, message, help_, fix=fix)
    message = f"{options.link} names the stub alone: nothing changes its line in {carrier.path}"
    if not course.target:
        message = f"nothing makes {options.link} name real servers: no file has a line for it"
    elif course.target != carrier.target:
        message = f"{options.link} points at {course.target}, not at {options.wanted}"
    head = None if ebuild.span().repository else function_head(ebuild, "src_prepare")
    return Finding(head or place, message, help_)


def _fix(repository: Repository, span: Span, edit: SourceEdit, carrier: Carrier) -> Fix | None:
    """Return the edit that names the right file, where the wrong one is written out once."""
    written = repository.tree.read(span.path)[span.start : span.end]
    if len(edit.files) != 1 or edit.sed is None:
        return None
    wrong = edit.files[0].encode("utf-8", "surrogateescape")
    if written.count(wrong) != 1:
        return None
    start = span.start + written.index(wrong)
    where = replace(span, start=start, end=start + len(wrong))
    return Fix.safe(f"edit {carrier.path}", Edit(where, carrier.path))
