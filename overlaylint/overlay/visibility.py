"""Whether Portage shows an ebuild under a profile, and why not.

The reasons are worded as `portage.getmaskingstatus` words them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import Enum
from typing import TYPE_CHECKING

from overlaylint.finding import Span
from overlaylint.overlay.atom import Candidate, by_specificity
from overlaylint.overlay.dependency import (
    Conditional,
    DependencyError,
    Group,
    Leaf,
    Node,
    Operator,
    parse_dependency,
)
from overlaylint.overlay.profile import stack_atoms
from overlaylint.overlay.profile_node import SUPPORTED_EAPIS, AtomLine, PackageEntry, ProfileNode
from overlaylint.overlay.use import candidate_of
from overlaylint.records import dataclass, once_each

if TYPE_CHECKING:
    from overlaylint.overlay.ebuild import Ebuild
    from overlaylint.overlay.profile import Profile
    from overlaylint.overlay.repository import Repository

# What Portage accepts where neither a profile nor the user says anything.
_DEFAULT_LICENSES = ("*", "-@EULA")


class Mask(Enum):
    """What hides an ebuild."""

    EAPI = "EAPI"
    PACKAGE_MASK = "package.mask"
    LICENSE = "LICENSE"
    PROPERTIES = "PROPERTIES"
    RESTRICT = "RESTRICT"
    KEYWORDS = "KEYWORDS"
    INVALID = "invalid"
    """A value that can't be taken apart."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason why an ebuild is not shown.

    `text` is Portage's wording. `span` is the line of package.mask, where that is it.
    `keyword` is what package.accept_keywords would have to accept: `~amd64`, or `**`.
    `missing` are the licences and the like that are not accepted.
    """

    mask: Mask
    text: str
    span: Span | None = None
    keyword: str | None = None
    missing: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Visibility:
    """Every reason why an ebuild is not shown; none for one that is."""

    reasons: tuple[Reason, ...] = ()

    @property
    def is_visible(self) -> bool:
        """Whether Portage would take the ebuild."""
        return not self.reasons

    @property
    def needs_only_keyword(self) -> str | None:
        """The keyword to accept, where nothing else stands in the way."""
        return self.reasons[0].keyword if len(self.reasons) == 1 else None


def visibility(profile: Profile, ebuild: Ebuild, metadata: Mapping[str, str]) -> Visibility:
    """Return the reasons; see Profile.visibility."""
    eapi = metadata.get("EAPI") or "0"
    if eapi not in SUPPORTED_EAPIS:
        return Visibility((Reason(Mask.EAPI, f"EAPI {eapi}"),))
    candidate = candidate_of(ebuild, metadata)
    reasons = []
    mask = masking_line(profile, ebuild, candidate)
    if mask is not None:
        reasons.append(Reason(Mask.PACKAGE_MASK, "package.mask", mask.span))
    use = _LazyUse(profile, ebuild, metadata)
    reasons.extend(_unaccepted(profile, metadata, use))
    keyword = _keyword_reason(profile, candidate, metadata)
    if keyword is not None:
        reasons.append(keyword)
    return Visibility(tuple(reasons))


# package.mask


def masking_line(profile: Profile, ebuild: Ebuild, candidate: Candidate) -> AtomLine | None:
    """Return the line that masks an ebuild, or None for none or one that is unmasked.

    Repositories' own package.mask and the profiles' are two lists: a `-atom` in a profile
    does not reach into the first, which takes a package.unmask (portage's MaskManager).
    """
    masks, unmasks = _mask_index(profile, ebuild.repository)
    matching = [line for line in masks.get(candidate.cp, ()) if _matches(line, candidate)]
    if not matching or any(_matches(line, candidate) for line in unmasks.get(candidate.cp, ())):
        return None
    return matching[0]


def mask_comment(data: bytes, start: int) -> str:
    """Return the comment above the line at `start` of a package.mask, without `#`.

    As Portage shows it: the comment lines since the last empty line.
    """
    comment: list[str] = []
    for line in data[:start].splitlines():
        text = line.decode("utf-8", "surrogateescape").strip()
        if not text:
            comment.clear()
        elif text.startswith("#"):
            comment.append(text.removeprefix("#").strip())
    return "\n".join(comment)


_Lines = Mapping[str, tuple[AtomLine, ...]]


@once_each
def _mask_index(profile: Profile, repository: Repository) -> tuple[_Lines, _Lines]:
    own = repository.profile_node("profiles")
    # The masters' lists are not stacked on one another, each only under the own one.
    masters = [master.profile_node("profiles") for master in repository.masters]
    tops: list[tuple[ProfileNode, ...]] = [(master, own) for master in masters] or [(own,)]
    masks = [line for top in tops for line in stack_atoms(node.masks for node in top)]
    masks += stack_atoms(node.masks for node in profile.nodes)
    unmasks = [
        *stack_atoms([own.unmasks]),
        *stack_atoms(node.unmasks for node in profile.nodes),
    ]
    return _by_package(masks), _by_package(unmasks)


def _by_package(lines: Iterable[AtomLine]) -> _Lines:
    found: dict[str, list[AtomLine]] = {}
    for line in lines:
        if line.atom is not None:
            found.setdefault(line.atom.cp, []).append(line)
    return {cp: tuple(group) for cp, group in found.items()}


def _matches(line: AtomLine, candidate: Candidate) -> bool:
    return line.atom is not None and line.atom.matches(candidate)


# Keywords


def is_stable(profile: Profile, candidate: Candidate, metadata: Mapping[str, str]) -> bool:
    """Whether the `*.stable.*` files count: accepted, and not if it were testing (PMS 5.2.12)."""
    return acceptance(profile, candidate, metadata) is Acceptance.STABLE


class Acceptance(Enum):
    """What a profile's keywords make of an ebuild."""

    NONE = "not accepted"
    TESTING = "accepted, and would be in testing as well"
    STABLE = "accepted, and would not be in testing"


def acceptance(
    profile: Profile,
    candidate: Candidate,
    metadata: Mapping[str, str],
    without: Collection[Span] = (),
) -> Acceptance:
    """Return what the keywords come to, some lines of the profiles' files left out."""
    keywords = effective_keywords(profile, candidate, metadata, without)
    accepted, _ = accepted_keywords(profile, candidate, without)
    if not _are_accepted(keywords, accepted):
        return Acceptance.NONE
    testing = [word if word.startswith("~") else f"~{word}" for word in keywords]
    return Acceptance.TESTING if _are_accepted(testing, accepted) else Acceptance.STABLE


def effective_keywords(
    profile: Profile,
    candidate: Candidate,
    metadata: Mapping[str, str],
    without: Collection[Span] = (),
) -> list[str]:
    """Return KEYWORDS with the profiles' package.keywords applied; `-` words are gone.

    `without` are the places of lines to leave out.
    """
    layers = [[word for word in metadata.get("KEYWORDS", "").split() if word != "-*"]]
    for node in profile.nodes_naming("package.keywords", candidate.cp):
        entries = node.entries("package.keywords", candidate.cp)
        layers += (
            [word.text for entry in group if entry.span not in without for word in entry.words]
            for group in by_specificity(entries, candidate)
        )
    found: dict[str, None] = {}
    for layer in layers:
        for word in layer:
            if word == "-*":
                found.clear()
            elif word.startswith("-"):
                found.pop(word[1:], None)
            else:
                found[word] = None
    return list(found)


def accepted_keywords(
    profile: Profile, candidate: Candidate, without: Collection[Span] = ()
) -> tuple[frozenset[str], tuple[PackageEntry, ...]]:
    """Return the keywords accepted for a package, and the lines that accept some of them.

    `without` are the places of lines to leave out. A line of package.accept_keywords without a
    keyword accepts testing of every architecture in ACCEPT_KEYWORDS (portage(5)).
    """
    everywhere = profile.accept_keywords
    added: list[str] = []
    lines: list[PackageEntry] = []
    for node in profile.nodes_naming("package.accept_keywords", candidate.cp):
        entries = node.entries("package.accept_keywords", candidate.cp)
        for matching in by_specificity(entries, candidate):
            group = [entry for entry in matching if entry.span not in without]
            if not group:
                continue
            words = [word.text for entry in group for word in entry.words]
            added += words or [f"~{word}" for word in everywhere if word[:1] not in "~-"]
            lines += group
    if not added:
        return frozenset(everywhere), ()
    found: set[str] = set()
    for word in (*everywhere, *added):
        if word == "-*":
            found.clear()
        elif word.startswith("-"):
            found.discard(word[1:])
        else:
            found.add(word)
    return frozenset(found), tuple(lines)


def _are_accepted(keywords: list[str], accepted: frozenset[str]) -> bool:
    if "**" in accepted or "*" in keywords or not accepted.isdisjoint(keywords):
        return True
    if "~*" in keywords and any(word.startswith("~") for word in accepted):
        return True
    if "~*" in accepted and any(word.startswith("~") for word in keywords):
        return True
    return "*" in accepted and any(word[:1] not in "~-" for word in keywords)


def _keyword_reason(
    profile: Profile, candidate: Candidate, metadata: Mapping[str, str]
) -> Reason | None:
    keywords = effective_keywords(profile, candidate, metadata)
    accepted, _ = accepted_keywords(profile, candidate)
    # getmaskingstatus has no `~*` and `*` on the accepting side, unlike _are_accepted.
    if "**" in accepted or not accepted.isdisjoint(keywords):
        return None
    everywhere = profile.accept_keywords
    arch = profile.arch
    if everywhere and arch not in everywhere:
        arch = everywhere[0].lstrip("~")
    for keyword in keywords:
        if keyword == "*":
            return None
        if keyword == "~*" and any(word.startswith("~") for word in accepted):
            return None
        if keyword == f"~{arch}" and arch in accepted:
            return Reason(Mask.KEYWORDS, f"{keyword} keyword", keyword=keyword)
    return Reason(Mask.KEYWORDS, "missing keyword", keyword="**")


# Licences, PROPERTIES, RESTRICT


class _LazyUse:
    """The ebuild's flags, worked out only if a condition asks for them."""

    def __init__(self, profile: Profile, ebuild: Ebuild, metadata: Mapping[str, str]) -> None:
        self._of = profile, ebuild, metadata

    def for_text(self, text: str) -> frozenset[str]:
        if "?" not in text:
            return frozenset()
        profile, ebuild, metadata = self._of
        return profile.use(ebuild, metadata).enabled


def _unaccepted(profile: Profile, metadata: Mapping[str, str], use: _LazyUse) -> Iterator[Reason]:
    for mask, variable in (
        (Mask.LICENSE, "ACCEPT_LICENSE"),
        (Mask.PROPERTIES, "ACCEPT_PROPERTIES"),
        (Mask.RESTRICT, "ACCEPT_RESTRICT"),
    ):
        text = metadata.get(mask.value, "")
        if not text:
            continue
        try:
            dependency = parse_dependency(text)
        except DependencyError as error:
            yield Reason(Mask.INVALID, f"{mask.value}: {error}")
            continue
        accepted = _acceptance(profile, variable)
        if all(accepted.accepts(leaf.text) for leaf, _ in dependency.leaves()):
            continue
        flags = use.for_text(text)
        if mask is Mask.LICENSE:
            missing = _missing(dependency.children, accepted, flags)
        else:
            missing = [
                leaf.text for leaf, _ in dependency.active(flags) if not accepted.accepts(leaf.text)
            ]
        if missing:
            yield Reason(mask, _worded(mask, text, missing), missing=frozenset(missing))


def _worded(mask: Mask, text: str, missing: list[str]) -> str:
    if mask is Mask.RESTRICT:
        return f"{' '.join(missing)} in RESTRICT"
    shown = {"||", "(", ")", *missing}
    words = " ".join(word for word in text.split() if word in shown)
    return f"{words} {'license(s)' if mask is Mask.LICENSE else 'properties'}"


@dataclass(frozen=True, slots=True)
class _Acceptance:
    """ACCEPT_LICENSE and its like: whether a word is accepted, and for which it is otherwise."""

    everything: bool
    exceptions: Mapping[str, bool]

    def accepts(self, word: str) -> bool:
        return self.exceptions.get(word, self.everything)


def refused_words(profile: Profile) -> frozenset[str] | None:
    """Return the words of RESTRICT and PROPERTIES that a profile refuses; None for most."""
    found: set[str] = set()
    for variable in ("ACCEPT_PROPERTIES", "ACCEPT_RESTRICT"):
        accepted = _acceptance(profile, variable)
        if not accepted.everything:
            return None
        found.update(word for word, is_accepted in accepted.exceptions.items() if not is_accepted)
    return frozenset(found)


@once_each
def _acceptance(profile: Profile, variable: str) -> _Acceptance:
    words = profile.words(variable)
    if variable == "ACCEPT_LICENSE":
        groups = profile.repository.license_groups
        words = tuple(
            expanded
            for word in words or _DEFAULT_LICENSES
            for expanded in _expand_group(word, groups, frozenset())
        )
    else:
        # make.globals, which comes before every profile, accepts all of them.
        words = ("*", *words)
    everything = False
    exceptions: dict[str, bool] = {}
    for word in words:
        if word in ("*", "-*"):
            everything = word == "*"
            exceptions.clear()
        else:
            exceptions[word.removeprefix("-")] = not word.startswith("-")
    return _Acceptance(everything, exceptions)


def _expand_group(
    word: str, groups: Mapping[str, frozenset[str]], above: frozenset[str]
) -> list[str]:
    sign = "-" if word.startswith("-") else ""
    name = word.removeprefix("-")
    if not name.startswith("@"):
        return [word]
    members = groups.get(name[1:])
    if not members or name in above:
        return [word]
    return [
        sign + expanded
        for member in members
        if not member.startswith("-")
        for expanded in _expand_group(member, groups, above | {name})
    ]


def _missing(
    children: tuple[Node, ...],
    accepted: _Acceptance,
    use: frozenset[str],
    *,
    is_choice: bool = False,
) -> list[str]:
    """Return the licences that are not accepted; for a choice, none if one branch will do."""
    found: list[str] = []
    for child in children:
        if isinstance(child, Leaf):
            missing = [] if accepted.accepts(child.text) else [child.text]
        elif isinstance(child, Conditional):
            if not child.holds(use) or not child.children:
                continue
            missing = _missing(child.children, accepted, use)
        else:
            if not child.children:
                continue
            missing = _missing(child.children, accepted, use, is_choice=_is_choice(child))
        if is_choice and not missing:
            return []
        found += missing
    return found


def _is_choice(group: Group) -> bool:
    return group.operator is Operator.ANY_OF
