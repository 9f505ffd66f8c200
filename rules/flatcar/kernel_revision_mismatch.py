"""A kernel asks for sources that the overlay does not have.

## What it does

Evaluates what each ebuild of `sys-kernel/coreos-kernel` and `sys-kernel/coreos-modules` depends
on. It must name a `sys-kernel/coreos-sources` of its own version that exists, and
`COREOS_SOURCE_REVISION`, which the eclass puts behind that version, must be empty or `-rN`.

What is asked for under USE flags counts where they may be so: a profile that shows the ebuild lets
them, and REQUIRED_USE holds. Sources have to have the flags that are asked of them in brackets.

## Why it matters

The three packages are updated together, and the revision of the sources is the one part that is
written by hand. If it is wrong, nothing can be installed: the dependency has no match, or
`KERNEL_DIR` names a folder that no sources install.

## Example

`eclass/coreos-kernel.eclass`:

```bash
DEPEND="=sys-kernel/coreos-sources-${PV}${COREOS_SOURCE_REVISION}"
```

`sys-kernel/coreos-kernel/coreos-kernel-5.8.14.ebuild`:

```bash
EAPI=7
COREOS_SOURCE_REVISION=""
inherit coreos-kernel
```

`sys-kernel/coreos-sources/coreos-sources-5.8.14-r1.ebuild`:

```bash
EAPI=7
```

## Use instead

`eclass/coreos-kernel.eclass`:

```bash
DEPEND="=sys-kernel/coreos-sources-${PV}${COREOS_SOURCE_REVISION}"
```

`sys-kernel/coreos-kernel/coreos-kernel-5.8.14.ebuild`:

```bash
EAPI=7
COREOS_SOURCE_REVISION="-r1"
inherit coreos-kernel
```

`sys-kernel/coreos-sources/coreos-sources-5.8.14-r1.ebuild`:

```bash
EAPI=7
```

## Options

- `sources`: the package that has the kernel's sources.
- `variable`: the variable that holds their revision.

## Fix

Where there is one revision of the sources of that version, and the ebuild assigns the variable,
that revision is put there.

## References

- flatcar/coreos-overlay, commit 203ef1684f9a: "sys-kernel/coreos-kernel: fix
  COREOS_SOURCE_REVISION: s/r1/-r1/".
- Package Manager Specification, 8.3.1: `=` takes that very version and revision.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from overlaylint.finding import Edit, Fix, NotApplicable, Outcome, Span, Undecided
from overlaylint.overlay.atom import package_of
from overlaylint.overlay.dependency import (
    Conditional,
    Dependency,
    DependencyError,
    Leaf,
    Node,
    Operator,
    parse_packages,
)
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.flag_states import (
    MET,
    UNMET,
    Flags,
    FlagStates,
    Judge,
    Reduced,
    TooManyStatesError,
    flag_states,
)
from overlaylint.overlay.metadata import metadata
from overlaylint.overlay.unmet_atoms import UnmetAtom, flags_of, unmet_atoms
from overlaylint.overlay.use import candidate_of, known_flags
from overlaylint.overlay.version import parse_version
from overlaylint.records import dataclass
from overlaylint.rule import Finding, Severity, rule

if TYPE_CHECKING:
    from overlaylint.overlay.atom import Atom
    from overlaylint.overlay.ebuild import Package
    from overlaylint.overlay.evaluation import Evaluation
    from overlaylint.overlay.profile import Profile
    from overlaylint.shell.values import Value

_LISTS = ("DEPEND", "BDEPEND", "RDEPEND", "PDEPEND", "IDEPEND")
_LAWFUL = re.compile(r"(-r[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Options:
    """Which package has the sources, and which variable their revision."""

    sources: str = "sys-kernel/coreos-sources"
    variable: str = "COREOS_SOURCE_REVISION"


@rule(
    severity=Severity.ERROR,
    packages=("sys-kernel/coreos-kernel", "sys-kernel/coreos-modules"),
)
def kernel_revision_mismatch(ebuild: Ebuild, options: Options) -> Iterator[Outcome]:
    from overlaylint.overlay.own_code import own_evaluation

    if ebuild.is_built_as_links_only:
        yield NotApplicable(f"{ebuild.path} is built as the versions that link to it")
        return
    evaluation = own_evaluation(ebuild)
    if evaluation.failure is not None:
        reason = f"sourcing the ebuild fails: {evaluation.failure.reason}"
        yield Undecided(evaluation.failure.span, reason)
        return
    revision = evaluation.variable(options.variable)
    text = "" if revision is None or revision.value is None else revision.value
    span = _span(ebuild, options.variable)
    nodes, doubt = _asked(evaluation, options.sources)
    sources = _Sources(ebuild, evaluation, options.sources)
    try:
        is_needed = next(sources.unmet(nodes, are_gone=True), None) is not None
        unmet = tuple(sources.unmet(nodes))
    except TooManyStatesError:
        yield Undecided(span, f"too many USE flags decide which {options.sources} it is built from")
        return
    if not is_needed and revision is None and doubt is None:
        yield NotApplicable(f"{ebuild.path} depends on no {options.sources}")
        return
    if not isinstance(text, str):
        yield Undecided(span, f"{options.variable} is unknown: {text.unknown.reason}")
        return
    there = _versions(ebuild, options.sources)
    own = [version for version in there if version.partition("-")[0] == ebuild.PV]
    revisions = [_in_folder(one) for one in own]
    fix = _fix(ebuild, options, span, text, own)
    if _LAWFUL.fullmatch(text) is None:
        yield Finding(
            span,
            f"{options.variable} is `{text}`, which is no revision of the sources",
            f"write {_choice(revisions)}: it is put right behind the version",
            fix=fix,
        )
        return
    same = [one for one in own if parse_version(one) == parse_version(f"{ebuild.PV}{text}")]
    if same and text not in map(_in_folder, same):
        name = options.sources.rpartition("/")[2]
        yield Finding(
            span,
            f"{options.variable} is `{text}`, which is {name}-{same[0]} to Portage,"
            " but no folder of those sources",
            f"write {_choice(revisions)}: the folder is named by it as well",
            fix=fix,
        )
        return
    if not is_needed and doubt is None:
        # The dependency went, and KERNEL_DIR names the sources all the same.
        named = Leaf(f"={options.sources}-{ebuild.PV}{text}", 0, 0)
        unmet = tuple(sources.unmet((named,)))
    for one in unmet:
        if one.is_certain:
            problem, help_ = sources.fault(one, own)
            message = f"{ebuild.PF}{_with_flags(one)} is built from {one.atom}, {problem}"
            yield Finding(span, message, help_, fix=fix)
        elif doubt is None:
            doubt = f"{one.atom} does not exist, and {one.states.doubt}"
    if doubt is not None:
        yield Undecided(span, f"whether it depends on {options.sources} is unknown: {doubt}")


def _span(ebuild: Ebuild, variable: str) -> Span:
    """Return where the ebuild itself sets the revision last; its head where it does not.

    An eclass that assigns a default counts as the last to set it, where it is empty.
    """
    from overlaylint.overlay.assignments import assignments

    own = [one for one in assignments(ebuild, variable) if one.path == ebuild.source_path]
    return own[-1] if own else ebuild.span()


# --- what the dependencies ask for ---


def _asked(evaluation: Evaluation, package: str) -> tuple[tuple[Node, ...], str | None]:
    """Return what the dependencies say of the sources, and why they may say more."""
    found: list[Node] = []
    doubt = None
    for name in _LISTS:
        variable = evaluation.variable(name)
        value: Value | None = None if variable is None else variable.value
        if value is None:
            continue
        try:
            if isinstance(value, str):
                found += _about(parse_packages(value, evaluation.eapi).children, package)
            elif package in str(value):
                doubt = doubt or value.unknown.reason
        except DependencyError as problem:
            doubt = doubt or f"Portage refuses its {name}: {problem}"
    return tuple(found), doubt


def _about(nodes: Iterable[Node], package: str) -> Iterator[Node]:
    """Yield each word and each choice that names a package, with the conditions around it."""
    for node in nodes:
        if isinstance(node, Leaf):
            if _names(node, package):
                yield node
        elif isinstance(node, Conditional):
            for inner in _about(node.children, package):
                yield replace(node, children=(inner,))
        elif node.operator is Operator.ALL_OF:
            yield from _about(node.children, package)
        elif any(_names(leaf, package) for leaf, _ in Dependency("", (node,)).leaves()):
            yield node


def _names(leaf: Leaf, package: str) -> bool:
    return package_of(leaf.text) == package and not leaf.text.startswith("!")


def _with_flags(unmet: UnmetAtom) -> str:
    words = [flag if is_on else f"-{flag}" for flag, is_on in unmet.condition.items()]
    return f' with USE="{" ".join(words)}"' if words else ""


# --- what there is ---


class _Sources:
    """The sources that an ebuild may be built from, and what else its dependencies name."""

    def __init__(self, ebuild: Ebuild, evaluation: Evaluation, package: str) -> None:
        self._ebuild = ebuild
        self._evaluation = evaluation
        self._package = package
        self._known: dict[tuple[object, ...], bool | None] = {}

    def unmet(self, nodes: tuple[Node, ...], *, are_gone: bool = False) -> Iterator[UnmetAtom]:
        """Yield the sources' atoms that no sources of the ebuild's own version meet.

        With `are_gone`, that is as if there were no sources. Raises TooManyStatesError.
        """
        # Which flags the sources may have is for profiles to say.
        leaves = [leaf for leaf, _ in Dependency("", nodes).leaves()]
        by_profile = any(leaf.atom().use for leaf in leaves)
        possible = flag_states(
            self._ebuild, self._evaluation, flags_of(nodes), by_profile=by_profile
        )

        def judge(states: FlagStates) -> Judge:
            return lambda leaf, flags: self._judged(leaf, flags, states, are_gone)

        yield from unmet_atoms(nodes, possible, judge, lambda leaf: _names(leaf, self._package))

    def _judged(
        self, leaf: Leaf, flags: Flags, states: FlagStates, are_gone: bool
    ) -> frozenset[Reduced]:
        if _names(leaf, self._package):
            if are_gone:
                return UNMET
        elif leaf.text.startswith("!"):
            return MET
        atom = leaf.atom()
        asked = [one.flag for one in atom.use if one.suffix]
        found: set[Reduced] = set()
        for use in _settled(asked, flags):
            is_met = self._is_met(atom, use, states)
            found |= MET | UNMET if is_met is None else MET if is_met else UNMET
        return frozenset(found)

    def _is_met(self, atom: Atom, use: frozenset[str], states: FlagStates) -> bool | None:
        """Whether something meets an atom where these flags are on; None where it is unknown."""
        profile = states.profile
        key = (atom, use, profile)
        if key not in self._known:
            self._known[key] = self._looked_up(atom, use, profile)
        return self._known[key]

    def _looked_up(self, atom: Atom, use: frozenset[str], profile: Profile | None) -> bool | None:
        family = self._ebuild.repository.family
        if atom.cp == self._package:
            taken = [one for one in self._taken(atom) if one.PV == self._ebuild.PV]
        elif any(_ebuilds(repository.package(atom.cp)) for repository in family):
            taken = list(self._taken(atom))
        else:
            # It may be in a repository that is not looked at.
            return True
        if not taken or profile is None:
            return bool(taken)
        if not all(self._obstacles(one, atom, use, profile) for one in taken):
            return True
        return None if profile.problems else False

    def _taken(self, atom: Atom) -> Iterator[Ebuild]:
        """Yield the ebuilds that an atom takes, whatever USE flags it asks for."""
        for repository in self._ebuild.repository.family:
            for one in _ebuilds(repository.package(atom.cp)):
                values = metadata(one.evaluation).values
                slot = values.get("SLOT") or atom.slot or "0"  # where it is unknown, any
                if atom.matches(candidate_of(one, {**values, "SLOT": slot})):
                    yield one

    def _obstacles(
        self, one: Ebuild, atom: Atom, use: frozenset[str], profile: Profile
    ) -> tuple[str, ...]:
        from overlaylint.overlay.available import NEEDED, Available

        if not atom.use or any(key in one.metadata.unknown for key in NEEDED):
            return ()
        return Available.of(profile).obstacles(one, atom, use)

    def fault(self, unmet: UnmetAtom, own: list[str]) -> tuple[str, str]:
        """Return what is wrong with an atom, and what helps; `own` are versions to take."""
        atom, version = unmet.atom, unmet.atom.version
        name = self._package.rpartition("/")[2]
        add = f"add {name}-{self._ebuild.PV}, or remove this ebuild"
        is_exact = atom.operator in ("=", "~")
        if is_exact and version and version.without_revision != self._ebuild.PV:
            help_ = f"depend on {self._package} {self._ebuild.PV}"
            return "which is another version than its own", help_
        taken = list(self._taken(atom))
        for one in taken:
            if one.PV == self._ebuild.PV and unmet.states.profile is not None:
                use = frozenset(flag for flag, is_on in unmet.flags.items() if is_on)
                flags = self._obstacles(one, atom, use, unmet.states.profile)
                return _of_flags(one, flags, unmet.states.profile)
        if taken:
            return "which takes no sources of its own version", add
        return (
            "which does not exist",
            f"name sources that exist: {_choice(own)}" if own else add,
        )


def _of_flags(sources: Ebuild, flags: tuple[str, ...], profile: Profile) -> tuple[str, str]:
    """Return that sources can't be built with the flags that are asked for."""
    known = known_flags(profile, sources.metadata.values, flags)
    named = "`, `".join(flags)
    if known:
        return (
            f"but profile {profile.name} settles `{named}` of {sources.PF} otherwise",
            "ask for flags as they are, or change what use.mask and use.force say",
        )
    return (
        f"but {sources.PF} has no `{named}` in its IUSE",
        "ask for flags that it has, or give a default as in `[flag(-)]`",
    )


def _settled(asked: list[str], flags: Flags) -> Iterator[frozenset[str]]:
    """Yield those of some flags that are on, for each way that open ones may be."""
    choices = [(flags[flag],) if flag in flags else (False, True) for flag in asked]
    for states in product(*choices):
        yield frozenset(flag for flag, is_on in zip(asked, states, strict=True) if is_on)


def _versions(ebuild: Ebuild, package: str) -> list[str]:
    return [
        one.PVR
        for repository in ebuild.repository.family
        for one in (_ebuilds(repository.package(package)))
    ]


def _ebuilds(package: Package | None) -> tuple[Ebuild, ...]:
    return () if package is None else package.ebuilds


def _revision(version: str) -> str:
    _, dash, revision = version.partition("-")
    return f"{dash}{revision}"


def _in_folder(version: str) -> str:
    """Return what of a revision is in the name of the sources' folder: nothing for `-r0`."""
    revision = _revision(version)
    return "" if revision == "-r0" else revision


def _choice(texts: list[str]) -> str:
    """Return texts as they may be written; an empty one is to leave it empty."""
    if not texts:
        return "`-rN`, or nothing"
    return " or ".join(f"`{text}`" if text else "nothing" for text in texts)


def _fix(ebuild: Ebuild, options: Options, span: Span, text: str, own: list[str]) -> Fix | None:
    """Return the edit that writes the one revision there is into the ebuild's assignment."""
    if len(own) != 1 or span == ebuild.span():
        return None
    data = ebuild.repository.tree.read(span.path)
    name, equals, value = data[span.start : span.end].partition(b"=")
    wanted = f'"{_in_folder(own[0])}"'
    is_written = value.strip(b"\"'").decode("utf-8", "surrogateescape") == text
    if not equals or not is_written or text == _in_folder(own[0]):
        return None
    start = span.start + len(name) + 1
    changed = data[:start] + wanted.encode() + data[span.end :]
    if not _helps(ebuild, options, {span.path: changed}):
        return None
    title = f"set {options.variable}={wanted}"
    return Fix.safe(title, Edit(Span(span.path, start, span.end), wanted))


def _helps(ebuild: Ebuild, options: Options, files: Mapping[str, bytes]) -> bool:
    """Whether nothing is wrong with an ebuild once files are changed."""
    other = ebuild.repository.with_files(files).ebuild_at(ebuild.path)
    if other is None:
        return False
    return not any(isinstance(one, Finding) for one in kernel_revision_mismatch(other, options))
