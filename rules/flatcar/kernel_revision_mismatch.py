"""A kernel asks for sources that the overlay does not have.

## What it does

Evaluates what each ebuild of `sys-kernel/coreos-kernel` and `sys-kernel/coreos-modules` depends
on. It must name a `sys-kernel/coreos-sources` of its own version that exists, and
`COREOS_SOURCE_REVISION`, which the eclass puts behind that version, must be empty or `-rN`.

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
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

from overlaylint.finding import Edit, Fix, NotApplicable, Outcome, Span, Undecided
from overlaylint.overlay.atom import AtomError, package_of
from overlaylint.overlay.dependency import (
    Conditional,
    Dependency,
    DependencyError,
    Group,
    Leaf,
    Node,
    Operator,
    parse_dependency,
)
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.repository import Repository
from overlaylint.records import dataclass
from overlaylint.rule import Finding, Severity, rule
from overlaylint.tree import OverlaidTree

if TYPE_CHECKING:
    from overlaylint.overlay.atom import Atom
    from overlaylint.overlay.evaluation import Evaluation
    from overlaylint.shell.values import Value

_LISTS = ("DEPEND", "BDEPEND", "RDEPEND", "PDEPEND", "IDEPEND")
# More flags than these are not looked at in all their combinations.
_MOST_FLAGS = 8

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
    is_needed = any(
        _missing(nodes, use, options.sources, lambda _: False) for use in _states(nodes)
    )
    if not is_needed and revision is None and doubt is None:
        yield NotApplicable(f"{ebuild.path} depends on no {options.sources}")
        return
    if not isinstance(text, str):
        yield Undecided(span, f"{options.variable} is unknown: {text.unknown.reason}")
        return
    there = _versions(ebuild, options.sources)
    own = [version for version in there if version.partition("-")[0] == ebuild.PV]
    fix = _fix(ebuild, options, span, text, own)
    if _LAWFUL.fullmatch(text) is None:
        yield Finding(
            span,
            f"{options.variable} is `{text}`, which is no revision of the sources",
            f"write {_choice([_revision(one) for one in own])}: it is put right behind the version",
            fix=fix,
        )
        return
    if doubt is not None:
        yield Undecided(span, f"whether it depends on {options.sources} is unknown: {doubt}")
        return
    if not is_needed:
        # The dependency went, and KERNEL_DIR names the sources all the same.
        nodes = (Leaf(f"={options.sources}-{ebuild.PV}{text}", 0, 0),)
    for atom, condition in _lacking(ebuild, nodes, options.sources):
        built = f"{ebuild.PF}{condition} is built from {atom}"
        version = atom.version
        is_exact = atom.operator in ("=", "~")
        if is_exact and version and version.without_revision != ebuild.PV:
            yield Finding(
                span,
                f"{built}, which is another version than its own",
                f"depend on {options.sources} {ebuild.PV}",
            )
        elif next(_taken(ebuild, atom), None) is not None:
            yield Finding(
                span,
                f"{built}, which takes no sources of its own version",
                f"add {options.sources.rpartition('/')[2]}-{ebuild.PV}, or remove this ebuild",
            )
        else:
            yield Finding(
                span,
                f"{built}, which does not exist",
                f"name sources that exist: {_choice(own)}"
                if own
                else f"add {options.sources.rpartition('/')[2]}-{ebuild.PV}, or remove this ebuild",
                fix=fix,
            )


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
                found += _about(parse_dependency(value).children, package)
            elif package in str(value):
                doubt = doubt or value.unknown.reason
        except (DependencyError, AtomError) as problem:
            doubt = doubt or str(problem)
    if len(_flags(found)) > _MOST_FLAGS:
        return (), f"more than {_MOST_FLAGS} USE flags decide"
    return tuple(found), doubt


def _about(nodes: Iterable[Node], package: str) -> Iterator[Node]:
    """Yield what names a package, with the conditions around it and the whole of each choice.

    Raises AtomError where what seems to name it is no atom.
    """
    for node in nodes:
        if isinstance(node, Leaf):
            if _names(node, package):
                node.atom()  # raises AtomError
                yield node
        elif children := tuple(_about(node.children, package)):
            is_choice = isinstance(node, Group) and node.operator is not Operator.ALL_OF
            yield node if is_choice else replace(node, children=children)


def _names(leaf: Leaf, package: str) -> bool:
    return package_of(leaf.text) == package and not leaf.text.startswith("!")


def _flags(nodes: Iterable[Node]) -> tuple[str, ...]:
    """Return the USE flags that conditions ask about, in their order."""
    return tuple(
        dict.fromkeys(
            node.flag
            for _, around in Dependency("", tuple(nodes)).leaves()
            for node in around
            if isinstance(node, Conditional)
        )
    )


def _states(nodes: Iterable[Node]) -> Iterator[frozenset[str]]:
    """Yield the flags that are on, for each way that they may be."""
    flags = _flags(nodes)
    for count in range(len(flags) + 1):
        yield from map(frozenset, combinations(flags, count))


def _missing(
    nodes: Iterable[Node], use: frozenset[str], package: str, is_there: Callable[[Atom], bool]
) -> list[tuple[Atom, ...]]:
    """Return a package's atoms that are not there where these flags are on.

    Those of a choice that has nothing else are together.
    """
    found: list[tuple[Atom, ...]] = []
    for node in nodes:
        if isinstance(node, Leaf):
            if _names(node, package) and not is_there(node.atom()):
                found.append((node.atom(),))
        elif isinstance(node, Group) and node.operator is not Operator.ALL_OF:
            branches = [
                _missing((child,), use, package, is_there)
                for child in node.children
                if not isinstance(child, Conditional) or child.holds(use)
            ]
            if all(branches):
                found += [tuple(atom for branch in branches for one in branch for atom in one)]
        elif isinstance(node, Group) or node.holds(use):
            found += _missing(node.children, use, package, is_there)
    return [one for one in found if one]


def _lacking(ebuild: Ebuild, nodes: tuple[Node, ...], package: str) -> Iterator[tuple[Atom, str]]:
    """Yield atoms that nothing is there for, and the USE flags with which they are asked for.

    Of a choice, that is one of its atoms.
    """
    found: dict[Atom, set[frozenset[str]]] = {}
    for use in _states(nodes):
        for atoms in _missing(nodes, use, package, lambda atom: _is_there(ebuild, atom)):
            # One that is asked for with other flags as well, so that it is said once.
            atom = next((one for one in atoms if one in found), atoms[0])
            found.setdefault(atom, set()).add(use)
    for atom, states in found.items():
        yield atom, _condition(_flags(nodes), states)


def _condition(flags: tuple[str, ...], states: set[frozenset[str]]) -> str:
    """Return, for messages, the fewest flags that are enough for one of the states."""
    for count in range(len(flags) + 1):
        for some in combinations(flags, count):
            others = 2 ** (len(flags) - count)
            for use in states:
                on = use.intersection(some)
                if sum(other.intersection(some) == on for other in states) == others:
                    words = [flag if flag in on else f"-{flag}" for flag in some]
                    return f' with USE="{" ".join(words)}"' if words else ""
    raise AssertionError("a state is enough for itself")


# --- what there is ---


def _versions(ebuild: Ebuild, package: str) -> list[str]:
    return [
        one.PVR
        for repository in ebuild.repository.family
        for one in (_ebuilds(repository.package(package)))
    ]


def _ebuilds(package: object) -> tuple[Ebuild, ...]:
    from overlaylint.overlay.ebuild import Package

    return package.ebuilds if isinstance(package, Package) else ()


def _is_there(ebuild: Ebuild, atom: Atom) -> bool:
    """Whether an atom takes sources that are there, and of the ebuild's own version."""
    return any(one.PV == ebuild.PV for one in _taken(ebuild, atom))


def _taken(ebuild: Ebuild, atom: Atom) -> Iterator[Ebuild]:
    """Yield the ebuilds that an atom takes, whatever USE flags it asks for."""
    from overlaylint.overlay.metadata import metadata
    from overlaylint.overlay.use import candidate_of

    for repository in ebuild.repository.family:
        for one in _ebuilds(repository.package(atom.cp)):
            values = metadata(one.evaluation).values
            slot = values.get("SLOT") or atom.slot or "0"  # where it is unknown, any
            if atom.matches(candidate_of(one, {**values, "SLOT": slot})):
                yield one


def _revision(version: str) -> str:
    _, dash, revision = version.partition("-")
    return f"{dash}{revision}"


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
    wanted = f'"{_revision(own[0])}"'
    is_written = value.strip(b"\"'").decode("utf-8", "surrogateescape") == text
    if not equals or not is_written or text == _revision(own[0]):
        return None
    start = span.start + len(name) + 1
    changed = data[:start] + wanted.encode() + data[span.end :]
    if not _helps(ebuild, options, {span.path: changed}):
        return None
    title = f"set {options.variable}={wanted}"
    return Fix.safe(title, Edit(Span(span.path, start, span.end), wanted))


def _helps(ebuild: Ebuild, options: Options, files: Mapping[str, bytes]) -> bool:
    """Whether nothing is wrong with an ebuild once files are changed."""
    repository = ebuild.repository
    tree = OverlaidTree(repository.tree, files)
    other = Repository(tree, repository.masters, repository.missing_masters).ebuild_at(ebuild.path)
    if other is None:
        return False
    return not any(isinstance(one, Finding) for one in kernel_revision_mismatch(other, options))
