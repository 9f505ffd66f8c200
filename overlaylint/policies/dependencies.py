"""A dependency that a list has to hold under no condition, or may not hold at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from overlaylint.finding import Edit, Finding, Fix, Outcome, Related, Span, Undecided
from overlaylint.overlay.atom import Atom, AtomError, Candidate, package_of, parse_atom
from overlaylint.overlay.dependency import (
    Conditional,
    Dependency,
    DependencyError,
    Group,
    Leaf,
    Node,
    Operator,
    parse_dependency,
    parse_packages,
)
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.version import Version, parse_version
from overlaylint.policies.forms import DEPENDENCIES, ForbidDependency, RequireDependency
from overlaylint.policies.matching import words_of
from overlaylint.policies.places import failed, finding_at, variable_span
from overlaylint.records import dataclass
from overlaylint.syntax import each

if TYPE_CHECKING:
    from overlaylint.shell.values import Value

# A line of a list that holds nothing but an atom; the last one may end in the quote.
_ENTRY = re.compile(
    rb"^[ \t]*(?P<atom>[A-Za-z0-9<>=~][^\s\"'$()]*)(?=[ \t]*[\"']?[ \t]*$)", re.MULTILINE
)
_TOKEN = re.compile(rb"[^\s\"']+")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A dependency that is asked for, and who asks, for messages: `the image`."""

    ebuild: Ebuild
    atom: Atom
    list: str
    by: str


def required_dependency(ebuild: Ebuild, form: RequireDependency, by: str = "") -> Iterator[Outcome]:
    """Report a dependency that does not stand in a list, or stands there under a condition.

    `by` is who asks for it, in messages; else the package. The fix adds it in its sorted place
    among the others of its category.
    """
    failure = failed(ebuild)
    if failure is not None:
        yield failure
        return
    asked = _Asked(ebuild, parse_atom(form.atom), form.in_, by or ebuild.cp)
    value = _value(ebuild, asked.list)
    span = variable_span(ebuild, asked.list)
    try:
        if _always_holds(value, asked.atom):
            if isinstance(value, str):
                # Portage refuses all of a list for one word.
                parse_packages(value, ebuild.evaluation.eapi)
            return
        if isinstance(value, str):
            yield _finding(asked, parse_dependency(value), span)
        else:
            reason = f"whether {asked.list} holds {asked.atom} is unknown: {value.unknown.reason}"
            yield Undecided(span, reason)
    except DependencyError as error:
        yield Undecided(span, f"{asked.list} is malformed: {error}")


def forbidden_dependency(ebuild: Ebuild, form: ForbidDependency) -> Iterator[Outcome]:
    """Report each dependency that only a forbidden package could meet, whatever its conditions."""
    from overlaylint.overlay.assignments import assignments, written_word

    failure = failed(ebuild)
    if failure is not None:
        yield failure
        return
    forbidden = parse_atom(form.atom)
    unknown: dict[str, str] = {}
    for name in each(form.in_):
        value = _value(ebuild, name)
        span = variable_span(ebuild, name)
        texts: list[str]
        if isinstance(value, str):
            try:
                texts = [leaf.text for leaf, _ in parse_dependency(value).leaves()]
            except DependencyError as error:
                yield Undecided(span, f"{name} is malformed: {error}")
                continue
        else:
            texts = [word for word in words_of(value)[0] if isinstance(word, str)]
            unknown[name] = value.unknown.reason
        for text in dict.fromkeys(texts):
            if _meets(text, forbidden):
                unknown.pop(name, None)
                place = written_word(ebuild, assignments(ebuild, name), text) or span
                message = f"{ebuild.cp} asks for {text} in {name}"
                yield finding_at(ebuild, place, message, f"take {text} out of {name}")
    if unknown:
        names = " or ".join(unknown)
        reason = f"whether {names} holds {forbidden} is unknown: {next(iter(unknown.values()))}"
        yield Undecided(variable_span(ebuild, next(iter(unknown))), reason)


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


def _always_holds(value: Value, atom: Atom) -> bool:
    """Whether a dependency string certainly asks for an atom outside of any condition.

    Raises DependencyError where a string that is known is malformed.
    """
    if isinstance(value, str):
        return _asks(parse_dependency(value).children, atom)
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
        if _asks(dependency.children, atom):
            return True
    return False


def _asks(nodes: tuple[Node, ...], atom: Atom) -> bool:
    """Whether all of some nodes always ask for an atom; a choice does if each branch does."""
    for node in nodes:
        if isinstance(node, Leaf):
            is_asked = _meets(node.text, atom)
        elif isinstance(node, Conditional) or node.operator is Operator.AT_MOST_ONE_OF:
            is_asked = False
        elif node.operator is Operator.ALL_OF:
            is_asked = _asks(node.children, atom)
        else:
            is_asked = all(_asks((child,), atom) for child in node.children)
        if is_asked:
            return True
    return False


def _up_to_blank(text: str) -> str:
    """Return the text without its last word, which what follows may go on with."""
    return re.sub(r"\S+\Z", "", text)


def _meets(text: str, wanted: Atom) -> bool:
    """Whether whatever meets a dependency meets the wanted one as well."""
    if package_of(text) != wanted.cp or text.startswith("!"):
        return False
    if wanted.text in (wanted.cp, text):
        return True
    try:
        return _implies(parse_atom(text), wanted)
    except AtomError:
        # A word that is no atom asks for nothing.
        return False


def _bare(version: Version) -> Version:
    """Return a version without its revision."""
    found = parse_version(version.without_revision)
    assert found is not None
    return found


def _begins(version: Version, atom: Atom) -> bool:
    """Whether a version begins as an atom with `=` and `*` asks for."""
    bare = replace(atom, slot=None, subslot=None, use=())
    return bare.matches(Candidate(atom.cp, version, "0", atom.repository or ""))


def _implies(atom: Atom, wanted: Atom) -> bool:
    if wanted.slot is not None and wanted.slot != atom.slot:
        return False
    if wanted.subslot is not None and wanted.subslot != atom.subslot:
        return False
    if not set(wanted.use) <= set(atom.use):
        return False
    own, other = atom.version, wanted.version
    if other is None:
        return True
    if own is None:
        return False
    if wanted.operator == "=*":
        return atom.operator in ("=", "~", "=*") and _begins(own, wanted)
    if atom.operator == "=*":
        # Versions that begin alike follow one another: none of another kind is between them.
        above = wanted.operator in (">=", ">") and own > other
        below = wanted.operator in ("<=", "<") and own < other
        return (above or below) and not _begins(other, atom)
    match wanted.operator:
        case ">=":
            return atom.operator in (">=", ">", "=", "~") and own >= other
        case ">":
            return (atom.operator in (">=", "=", "~") and own > other) or (
                atom.operator == ">" and own >= other
            )
        case "<=" | "<" if atom.operator == "~":
            # Whatever the revision is: one that is written may be any.
            return _bare(own) < _bare(other)
        case "<=":
            return atom.operator in ("<=", "<", "=") and own <= other
        case "<":
            return (atom.operator in ("<=", "=") and own < other) or (
                atom.operator == "<" and own <= other
            )
        case "~":
            is_one = atom.operator in ("~", "=")
            return is_one and own.without_revision == other.without_revision
        case "=":
            return atom.operator == "=" and own == other
        case _:
            return False


# --- what is wrong, and where ---


def _finding(asked: _Asked, dependency: Dependency, span: Span) -> Finding:
    from overlaylint.overlay.assignments import assignments, written_word

    ebuild, package = asked.ebuild, asked.atom.cp
    assigned = assignments(ebuild, asked.list)
    help_ = f"list {asked.atom} in {asked.list}, under no condition, so that {asked.by} keeps it"
    named = [one for one in dependency.leaves() if package_of(one[0].text) == package]
    # A blocker of some versions says nothing of the others.
    there = min(named, key=lambda one: one[0].text.startswith("!"), default=None)
    place = next((one for one in _insertions(asked, assigned) if _helps(asked, one)), None)
    fix = None
    if place is not None:
        # An eclass may be inherited by others, which do not need the package.
        make = Fix.safe if place.at.path == ebuild.source_path else Fix.unsafe
        fix = make(f"add {asked.atom}", Edit(place.at, place.text))
    if there is None:
        others = [name for name in DEPENDENCIES if name != asked.list]
        elsewhere = [name for name in others if _names(_value(ebuild, name), asked.atom)]
        message = f"{asked.by} does not ask for {asked.atom}: {asked.list} does not hold it"
        if elsewhere:
            message += f", only {' and '.join(elsewhere)} {'do' if elsewhere[1:] else 'does'}"
        return Finding(place.beside if place else span, message, help_, fix=fix)
    leaf, around = there
    if leaf.text.startswith("!"):
        message = f"{asked.by} does not ask for {asked.atom}: {leaf.text} is a blocker"
        if place is None:
            help_ = f"take {leaf.text} out; {help_}"
    else:
        message = f"{asked.by} asks for {package} {_condition(leaf, around, asked.atom)}"
    found = written_word(ebuild, assigned, leaf.text) or span
    related = (Related(place.beside, "it can be listed here"),) if place else ()
    return Finding(found, message, help_, related, fix)


def _condition(leaf: Leaf, around: tuple[Group | Conditional, ...], wanted: Atom) -> str:
    """Say why a word of a list does not bring its package in."""
    for node in around:
        if isinstance(node, Conditional):
            return f"only where USE has {'-' if node.is_negated else ''}{node.flag}"
        if node.operator is not Operator.ALL_OF:
            return f"only as one choice of `{node.operator.value} ( )`"
    return f"as {leaf.text}, which is not always {wanted}"


def _names(value: Value, atom: Atom) -> bool:
    try:
        return isinstance(value, str) and any(
            _meets(leaf.text, atom) for leaf, _ in parse_dependency(value).leaves()
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


def _insertions(asked: _Asked, assigned: tuple[Span, ...]) -> Iterator[_Place]:
    """Yield the sorted place for a package in each assignment, most of its kind first."""
    ebuild, package = asked.ebuild, asked.atom.cp
    category = package.partition("/")[0]

    def kin(entries: tuple[_Listed, ...]) -> tuple[_Listed, ...]:
        return tuple(entry for entry in entries if entry.cp.partition("/")[0] == category)

    # Where it is listed already, it gets lost afterwards, and would again.
    lists = [
        one
        for one in (_listed(ebuild, span) for span in assigned)
        if one and all(entry.cp != package for entry in one)
    ]

    def rank(entries: tuple[_Listed, ...]) -> tuple[bool, int, int]:
        is_own = entries[0].span.path == ebuild.source_path
        return is_own, len(kin(entries)), len(entries)

    for entries in sorted(lists, key=rank, reverse=True):
        among = kin(entries) or entries
        before = [entry for entry in among if entry.cp < package]
        beside = before[-1] if before else among[0]
        at = beside.span.end if before else beside.span.start
        text = f"\n{beside.indent}{asked.atom}" if before else f"{asked.atom}\n{beside.indent}"
        yield _Place(beside.span, Span(beside.span.path, at, at), text)
    for span in reversed(assigned):
        if _text(ebuild, span).endswith((b'"', b"'")) and not _listed(ebuild, span):
            yield _Place(span, Span(span.path, span.end - 1, span.end - 1), f" {asked.atom}")


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


def _helps(asked: _Asked, place: _Place) -> bool:
    """Whether the list holds the package once it is added there."""
    ebuild = asked.ebuild
    repository = ebuild.repository
    data = repository.tree.read(place.at.path)
    changed = data[: place.at.start] + place.text.encode() + data[place.at.end :]
    fixed = repository.with_files({place.at.path: changed}).ebuild_at(ebuild.path)
    if fixed is None or fixed.evaluation.failure is not None:
        return False
    value = _value(fixed, asked.list)
    try:
        return _always_holds(value, asked.atom) and not _is_blocked(value, asked.atom)
    except DependencyError:
        # The words around the place are not what they seemed to be.
        return False


def _is_blocked(value: Value, atom: Atom) -> bool:
    """Whether a blocker stands against all that an atom asks for, under whatever condition."""
    if not isinstance(value, str):
        return False
    blockers = (leaf.text for leaf, _ in parse_dependency(value).leaves() if leaf.text[0] == "!")
    return any(_meets(atom.text, parse_atom(text.lstrip("!"))) for text in blockers)
