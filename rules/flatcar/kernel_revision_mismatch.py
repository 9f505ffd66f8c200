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
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from overlaylint.finding import Edit, Fix, NotApplicable, Outcome, Span, Undecided
from overlaylint.overlay.atom import parse_atom
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.repository import Repository
from overlaylint.records import dataclass
from overlaylint.rule import Finding, Severity, rule
from overlaylint.tree import OverlaidTree

if TYPE_CHECKING:
    from overlaylint.overlay.atom import Atom
    from overlaylint.overlay.dependency import Dependency
    from overlaylint.overlay.evaluation import Evaluation
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
    named, doubt = _named(evaluation, options.sources)
    if not named and revision is None and doubt is None:
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
    if not named:
        # The dependency went, and KERNEL_DIR names the sources all the same.
        named = (_Choice((parse_atom(f"={options.sources}-{ebuild.PV}{text}"),)),)
    for choice in named:
        if any(_is_there(ebuild, atom) for atom in choice.atoms):
            continue
        atom = choice.atoms[0]
        built = f"{ebuild.PF}{choice.condition} is built from {atom}"
        version = atom.version
        if atom.operator in ("=", "~") and version and version.without_revision != ebuild.PV:
            yield Finding(
                span,
                f"{built}, which is another version than its own",
                f"depend on {options.sources} {ebuild.PV}",
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


@dataclass(frozen=True, slots=True)
class _Choice:
    """Atoms of which one will do; `condition` says, for messages, with which USE flags."""

    atoms: tuple[Atom, ...]
    condition: str = ""


def _named(evaluation: Evaluation, package: str) -> tuple[tuple[_Choice, ...], str | None]:
    """Return the atoms for the sources, and why there may be others."""
    from overlaylint.overlay.dependency import DependencyError, parse_dependency

    found: dict[_Choice, None] = {}
    doubt = None
    for name in _LISTS:
        variable = evaluation.variable(name)
        value: Value | None = None if variable is None else variable.value
        if value is None:
            continue
        try:
            if isinstance(value, str):
                found |= dict.fromkeys(_choices(parse_dependency(value), package))
            elif package in str(value):
                doubt = doubt or value.unknown.reason
        except (DependencyError, ValueError) as problem:
            doubt = doubt or str(problem)
    return tuple(found), doubt


def _choices(dependency: Dependency, package: str) -> Iterator[_Choice]:
    """Yield the atoms for a package; those of one `|| ( )` together, if there is no other way."""
    from overlaylint.overlay.atom import package_of
    from overlaylint.overlay.dependency import Conditional, Group, Operator

    choices: dict[int, list[str]] = {}
    conditions: dict[int, str] = {}
    never: set[int] = set()  # under a flag that is on and off
    for at, (leaf, around) in enumerate(dependency.leaves()):
        group = next(
            (
                node
                for node in around
                if isinstance(node, Group) and node.operator is not Operator.ALL_OF
            ),
            None,
        )
        key = -1 - at if group is None else group.start
        choices.setdefault(key, []).append(leaf.text)
        asked = [node for node in around if isinstance(node, Conditional)]
        on = {node.flag for node in asked if not node.is_negated}
        if any(node.is_negated and node.flag in on for node in asked):
            never.add(key)
        flags = dict.fromkeys(f"{'-' if node.is_negated else ''}{node.flag}" for node in asked)
        conditions.setdefault(key, f' with USE="{" ".join(flags)}"' if flags else "")
    for key, texts in choices.items():
        if key in never:
            continue
        if all(package_of(text) == package and not text.startswith("!") for text in texts):
            yield _Choice(tuple(parse_atom(text) for text in texts), conditions[key])


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
    from overlaylint.overlay.atom import Candidate

    return any(
        one.PV == ebuild.PV
        and atom.matches(Candidate(one.cp, one.version, atom.slot or "0", repository.name))
        for repository in ebuild.repository.family
        for one in _ebuilds(repository.package(atom.cp))
    )


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
