"""What users need is in the image by chance only.

## What it does

Evaluates `RDEPEND` of `coreos-base/coreos`, the list of what is in the image, and reports each
required package that does not stand in it unconditionally: one that is missing, that is there only
under a USE flag, only as one of several choices, only as a blocker, or only in `DEPEND`. Any
version, slot or USE dependency will do.

## Why it matters

A package that is in the image only because another one depends on it is gone as soon as that other
one changes, and nobody notices before the users do. `cmp` and `diff` came with audit; an update of
audit no longer depended on diffutils, and scripts broke.

## Example

`coreos-base/coreos/coreos-0.0.1.ebuild`:

```bash
EAPI=7
RDEPEND="
        sys-apps/dbus
        sys-apps/ethtool
"
```

## Use instead

`coreos-base/coreos/coreos-0.0.1.ebuild`:

```bash
EAPI=7
RDEPEND="
        sys-apps/dbus
        sys-apps/diffutils
        sys-apps/ethtool
"
```

## Options

- `required`: the packages that have to be there. A later decision (flatcar/coreos-overlay, commit
  cf23ed7bc2f6) added `sys-apps/acl` and others, and stated the general rule: whatever users may
  call is listed. Trees from then on can be held to that:

      [rules.implicit-base-package]
      required = ["sys-apps/acl", "sys-apps/diffutils"]

## Fix

The package is added in its sorted place among the others of its category.

## Limits

`amd64? ( sys-apps/diffutils ) !amd64? ( sys-apps/diffutils )` always holds, and is reported all the
same: a package that everybody needs should be listed as one.

## References

- flatcar/coreos-overlay, commit dda7813403be: "coreos-base/coreos: Add diffutils to the base
  packages".
- Package Manager Specification, 8.2: dependency specification format.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from overlaylint.finding import Edit, Fix, NotApplicable, Outcome, Related, Span, Undecided
from overlaylint.overlay.atom import package_of
from overlaylint.overlay.dependency import (
    Conditional,
    Dependency,
    DependencyError,
    Group,
    Leaf,
    Operator,
    parse_dependency,
)
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.rule import Finding, Severity, rule

if TYPE_CHECKING:
    from overlaylint.shell.values import Value

_LIST = "RDEPEND"
_BUILD_LISTS = ("DEPEND", "BDEPEND", "PDEPEND", "IDEPEND")

# A line of a list that holds nothing but an atom; the last one may end in the quote.
_ENTRY = re.compile(
    rb"^[ \t]*(?P<atom>[A-Za-z0-9<>=~][^\s\"'$()]*)(?=[ \t]*[\"']?[ \t]*$)", re.MULTILINE
)
_TOKEN = re.compile(rb"[^\s\"']+")


@dataclass(frozen=True, slots=True)
class Options:
    """Which packages the image must name itself."""

    required: tuple[str, ...] = ("sys-apps/diffutils",)


@rule(severity=Severity.ERROR, packages="coreos-base/coreos", decided_in="dda7813403be")
def implicit_base_package(ebuild: Ebuild, options: Options) -> Iterator[Outcome]:
    if not options.required:
        yield NotApplicable("no package is required")
        return
    evaluation = ebuild.evaluation
    if evaluation.failure is not None:
        reason = f"sourcing the ebuild fails: {evaluation.failure.reason}"
        yield Undecided(evaluation.failure.span, reason)
        return
    value = _value(ebuild, _LIST)
    found = ebuild.variable(_LIST)
    span = ebuild.span() if found is None or found.span.repository else found.span
    try:
        for package in options.required:
            if _always_holds(value, package):
                continue
            if not isinstance(value, str):
                reason = f"whether {_LIST} holds {package} is unknown: {value.unknown.reason}"
                yield Undecided(span, reason)
            else:
                yield _finding(ebuild, package, parse_dependency(value), span)
    except DependencyError as error:
        yield Undecided(span, f"{_LIST} is malformed: {error}")


def _value(ebuild: Ebuild, name: str) -> Value:
    """Return a variable's value; where nothing sets it, it is empty or unknown."""
    from overlaylint.shell.values import Mixed, Unknown

    variable = ebuild.variable(name)
    value: Value = "" if variable is None or variable.value is None else variable.value
    if ebuild.evaluation.missing and isinstance(value, str):
        # What eclasses say is added at the end (PMS 10.2).
        reason = f"{ebuild.evaluation.missing[0]}.eclass is in a master that is missing"
        return Mixed((f"{value} ", Unknown(reason)))
    return value


def _always_holds(value: Value, package: str) -> bool:
    """Whether a dependency string certainly names the package outside of any condition.

    Raises DependencyError where a string that is known is malformed.
    """
    if isinstance(value, str):
        return any(_is_for(leaf, package) for leaf in parse_dependency(value).unconditional())
    # Groups close in the order they open: what stands before the first unknown piece, and
    # after the last one, has its depth whatever the pieces are.
    first = next(at for at, part in enumerate(value.parts) if not isinstance(part, str))
    head = "".join(part for part in value.parts[:first] if isinstance(part, str))
    tail = value.parts[-1]
    texts = [_up_to_blank(head)]
    if isinstance(tail, str):
        texts.append(_up_to_blank(tail[::-1])[::-1])
    for text in texts:
        try:
            dependency = parse_dependency(text)
        except DependencyError:
            # A group that is open at the unknown piece: nothing is certain of it.
            continue
        if any(_is_for(leaf, package) for leaf in dependency.unconditional()):
            return True
    return False


def _up_to_blank(text: str) -> str:
    """Return the text without its last word, which what follows may go on with."""
    return re.sub(r"\S+\Z", "", text)


def _is_for(leaf: Leaf, package: str) -> bool:
    return package_of(leaf.text) == package and not leaf.text.startswith("!")


# --- what is wrong, and where ---


def _finding(ebuild: Ebuild, package: str, dependency: Dependency, span: Span) -> Finding:
    from overlaylint.overlay.assignments import assignments, written_word

    assigned = assignments(ebuild, _LIST)
    help_ = f"list {package} in {_LIST}, under no condition, so that the image keeps it"
    there = next(
        (
            (leaf, around)
            for leaf, around in dependency.leaves()
            if package_of(leaf.text) == package
        ),
        None,
    )
    place = next(
        (one for one in _insertions(ebuild, assigned, package) if _helps(ebuild, package, one)),
        None,
    )
    fix = Fix.safe(f"add {package}", Edit(place.at, place.text)) if place else None
    if there is None:
        elsewhere = [name for name in _BUILD_LISTS if _names(_value(ebuild, name), package)]
        message = f"the image does not ask for {package}: {_LIST} does not hold it"
        if elsewhere:
            message += f", only {' and '.join(elsewhere)} does"
        return Finding(place.beside if place else span, message, help_, fix=fix)
    leaf, around = there
    message = f"the image asks for {package} {_condition(leaf, around)}"
    found = written_word(ebuild, assigned, leaf.text) or span
    related = (Related(place.beside, "it can be listed after this one"),) if place else ()
    return Finding(found, message, help_, related, fix)


def _condition(leaf: Leaf, around: tuple[Group | Conditional, ...]) -> str:
    """Say why a word of RDEPEND does not bring its package in."""
    if leaf.text.startswith("!"):
        return "to be absent: it is a blocker"
    for node in around:
        if isinstance(node, Conditional):
            return f"only where USE has {'-' if node.is_negated else ''}{node.flag}"
        if node.operator is not Operator.ALL_OF:
            return f"only as one choice of `{node.operator.value} ( )`"
    raise AssertionError("a word outside of all conditions counts")


def _names(value: Value, package: str) -> bool:
    try:
        return isinstance(value, str) and any(
            _is_for(leaf, package) for leaf, _ in parse_dependency(value).leaves()
        )
    except DependencyError:
        # Another list's fault, which changes nothing here.
        return False


# --- the place for a new line ---


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a package can be added: `at` in the file, with `text` before it."""

    beside: Span
    at: Span
    text: str


@dataclass(frozen=True, slots=True)
class _Listed:
    """An atom on a line of its own, outside of all groups."""

    cp: str
    span: Span
    indent: str


def _text(ebuild: Ebuild, span: Span) -> bytes:
    return ebuild.repository.tree.read(span.path)[span.start : span.end]


def _insertions(ebuild: Ebuild, assigned: tuple[Span, ...], package: str) -> Iterator[_Place]:
    """Yield the sorted place for a package in each assignment, most of its kind first."""
    category = package.partition("/")[0]

    def kin(entries: tuple[_Listed, ...]) -> tuple[_Listed, ...]:
        return tuple(entry for entry in entries if entry.cp.partition("/")[0] == category)

    # Where it is listed already, it gets lost afterwards, and would again.
    lists = [
        one
        for one in (_listed(ebuild, span) for span in assigned)
        if one and all(entry.cp != package for entry in one)
    ]
    for entries in sorted(lists, key=lambda one: (len(kin(one)), len(one)), reverse=True):
        among = kin(entries) or entries
        before = [entry for entry in among if entry.cp < package]
        beside = before[-1] if before else among[0]
        at = beside.span.end if before else beside.span.start
        text = f"\n{beside.indent}{package}" if before else f"{package}\n{beside.indent}"
        yield _Place(beside.span, Span(beside.span.path, at, at), text)
    for span in reversed(assigned):
        if _text(ebuild, span).endswith((b'"', b"'")) and not _listed(ebuild, span):
            yield _Place(span, Span(span.path, span.end - 1, span.end - 1), f" {package}")


def _listed(ebuild: Ebuild, span: Span) -> tuple[_Listed, ...]:
    """Return the atoms that stand on lines of their own in one assignment."""
    text = _text(ebuild, span)
    found = []
    for match in _ENTRY.finditer(text):
        before = _TOKEN.findall(text[: match.start()])
        cp = package_of(match["atom"].decode("utf-8", "surrogateescape"))
        if cp is None or before.count(b"(") != before.count(b")"):
            continue
        indent = text[match.start() : match.start("atom")].decode("ascii")
        start, end = span.start + match.start("atom"), span.start + match.end("atom")
        found.append(_Listed(cp, Span(span.path, start, end), indent))
    return tuple(found)


def _helps(ebuild: Ebuild, package: str, place: _Place) -> bool:
    """Whether RDEPEND holds the package once it is added there."""
    repository = ebuild.repository
    data = repository.tree.read(place.at.path)
    changed = data[: place.at.start] + place.text.encode() + data[place.at.end :]
    fixed = repository.with_files({place.at.path: changed}).ebuild_at(ebuild.path)
    if fixed is None or fixed.evaluation.failure is not None:
        return False
    value = _value(fixed, _LIST)
    try:
        return _always_holds(value, package) and not _is_blocked(value, package)
    except DependencyError:
        # The words around the place are not what they seemed to be.
        return False


def _is_blocked(value: Value, package: str) -> bool:
    """Whether a blocker stands against the package, under whatever condition."""
    if not isinstance(value, str):
        return False
    return any(
        leaf.text.startswith("!") and package_of(leaf.text) == package
        for leaf, _ in parse_dependency(value).leaves()
    )
