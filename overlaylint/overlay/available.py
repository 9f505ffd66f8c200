"""What a profile offers for a dependency: the ebuilds of overlay and masters that it shows.

This looks at one dependency at a time, as a maintainer does who asks what is missing; which
versions go together is for a package manager to work out. The best match is that of Portage:
the highest version, and of equal ones the overlay's.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from overlaylint.overlay.atom import Atom, UseDependency
from overlaylint.overlay.dependency import Conditional, Group, Leaf, Node, Operator
from overlaylint.overlay.use import candidate_of, known_flags
from overlaylint.records import dataclass, once_each

if TYPE_CHECKING:
    from overlaylint.overlay.ebuild import Ebuild
    from overlaylint.overlay.own_metadata import OwnMetadata
    from overlaylint.overlay.profile import Profile
    from overlaylint.overlay.repository import Repository
    from overlaylint.overlay.use import UseState
    from overlaylint.overlay.visibility import Visibility

#: What visibility and USE flags are worked out from.
NEEDED = ("EAPI", "IUSE", "KEYWORDS", "LICENSE", "PROPERTIES", "RESTRICT", "SLOT")

# So many quick looks at ebuilds of one package may show nothing before they are given up.
_MOST_IN_VAIN = 3


@dataclass(frozen=True, slots=True)
class Hidden:
    """An ebuild that an atom matches, and why the profile does not show it."""

    ebuild: Ebuild
    visibility: Visibility

    @property
    def keyword(self) -> str | None:
        """The keyword to accept, where nothing else stands in the way."""
        return self.visibility.needs_only_keyword


@dataclass(frozen=True, slots=True)
class Answer:
    """What there is for one atom.

    `is_met` tells that the profile shows a match, or package.provided has one, or that the atom
    is a blocker. Where it is not, `hidden` are the matches that there are, the best first, and
    `unknown` says of the first ebuild that might be one why it can't be told.
    """

    is_met: bool
    hidden: tuple[Hidden, ...] = ()
    unknown: str | None = None

    @property
    def by_keyword(self) -> tuple[Hidden, ...]:
        """The matches that only a keyword hides: those in testing first, as Portage has it."""
        found = [one for one in self.hidden if one.keyword is not None]
        return tuple(sorted(found, key=lambda one: one.keyword == "**"))


@dataclass(frozen=True, slots=True)
class Unmet:
    """An atom of a dependency that the profile has nothing for."""

    leaf: Leaf
    atom: Atom
    answer: Answer

    @property
    def needs_only_keyword(self) -> bool:
        """Whether a keyword would do."""
        return bool(self.answer.by_keyword) and self.answer.unknown is None


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A flag that an atom names in brackets, worked out for one dependent.

    `is_on` is None where the dependent's own flags leave it open (`[flag?]`): an ebuild has to
    have the flag all the same, as Portage sees it.
    """

    flag: str
    is_on: bool | None
    default: str


class Available:
    """The ebuilds that one profile offers. Raises TreeError where a file can't be read."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self._visibilities: dict[Ebuild, Visibility | str] = {}
        self._uses: dict[Ebuild, UseState] = {}
        self._answers: dict[tuple[str, tuple[_Wanted, ...]], Answer] = {}

    @classmethod
    def of(cls, profile: Profile) -> Available:
        """Return the one that belongs to a profile: to all that say the same of packages."""
        shared = profile.repository.__dict__.setdefault("_available_by_settings", {})
        known = shared.get(profile.package_settings)
        if not isinstance(known, cls):
            known = shared[profile.package_settings] = cls(profile)
        return known

    def candidates(self, cp: str) -> tuple[Ebuild, ...]:
        """Return the ebuilds of a package in overlay and masters, the best first."""
        return _candidates(self.profile.repository, cp)

    def visibility(self, ebuild: Ebuild) -> Visibility | str:
        """Return whether the profile shows an ebuild; a text says why that is unknown."""
        from overlaylint.overlay.visibility import Mask, Reason, Visibility

        if ebuild not in self._visibilities:
            known = ebuild.metadata
            lost = next((key for key in NEEDED if key in known.unknown), None)
            found: Visibility | str
            if known.failure is not None:
                found = Visibility((Reason(Mask.INVALID, known.failure),))
            elif lost is None:
                found = self._shown(ebuild, known.values)
            else:
                found = f"{lost} of {ebuild} is unknown: {known.unknown[lost].reason}"
            self._visibilities[ebuild] = found
        return self._visibilities[ebuild]

    def _shown(self, ebuild: Ebuild, metadata: Mapping[str, str]) -> Visibility:
        """Return what hides an ebuild from emerge, which takes `*` and `~*` in accepting lines.

        getmaskingstatus, whose wording the reasons have, does not.
        """
        from overlaylint.overlay.visibility import Acceptance, Mask, Visibility, acceptance

        found = self.profile.visibility(ebuild, metadata)
        others = tuple(one for one in found.reasons if one.mask is not Mask.KEYWORDS)
        if others == found.reasons:
            return found
        accepted = acceptance(self.profile, candidate_of(ebuild, metadata), metadata)
        return found if accepted is Acceptance.NONE else Visibility(others)

    def use(self, ebuild: Ebuild) -> UseState:
        """Return an ebuild's flags; its metadata has to be known."""
        if ebuild not in self._uses:
            self._uses[ebuild] = self.profile.use(ebuild, ebuild.metadata.values)
        return self._uses[ebuild]

    def best_in_slots(self, cp: str) -> tuple[Ebuild, ...]:
        """Return for each slot of a package the best ebuild that the profile shows."""
        found: dict[str, Ebuild] = {}
        for ebuild in self.candidates(cp):
            visibility = self.visibility(ebuild)
            if not isinstance(visibility, str) and visibility.is_visible:
                slot = ebuild.metadata.values.get("SLOT", "0").partition("/")[0]
                found.setdefault(slot, ebuild)
        return tuple(found.values())

    def answer(self, atom: Atom, use: Collection[str] = ()) -> Answer:
        """Return what there is for an atom; `use` are the flags of the ebuild that asks."""
        if atom.blocker or self.profile.provides(atom):
            return Answer(True)
        key = (atom.text, tuple(_wanted(atom, use)))
        if key not in self._answers:
            self._answers[key] = self._answer(atom, key[1])
        return self._answers[key]

    def unmet(self, nodes: Iterable[Node], use: Collection[str]) -> Iterator[Unmet]:
        """Yield what is missing of a dependency where these flags are on.

        Of `|| ( )`, the first branch counts that a keyword would open, else the first.
        Raises AtomError where a word is no atom.
        """
        for node in nodes:
            if isinstance(node, Leaf):
                atom = node.atom()
                answer = self.answer(atom, use)
                if not answer.is_met:
                    yield Unmet(node, atom, answer)
            elif isinstance(node, Conditional):
                if node.holds(use):
                    yield from self.unmet(node.children, use)
            elif node.operator is Operator.ALL_OF:
                yield from self.unmet(node.children, use)
            else:
                yield from self._choice(node, use)

    def taken(self, nodes: Iterable[Node], use: Collection[str]) -> Iterator[Ebuild]:
        """Yield the overlay's ebuilds that atoms with a version pick: not always a slot's best."""
        for node in nodes:
            if isinstance(node, Leaf):
                atom = node.atom()
                picks = atom.operator in ("=", "=*", "~", "<", "<=") and not atom.blocker
                if picks and self.profile.repository.package(atom.cp) is not None:
                    wanted = tuple(_wanted(atom, use))
                    candidates = _that_may_match(atom, self.candidates(atom.cp))
                    offered = (one for one in candidates if self._is_offered(one, atom, wanted))
                    yield from islice(offered, 1)
            elif not isinstance(node, Conditional) or node.holds(use):
                yield from self.taken(node.children, use)

    def _choice(self, group: Group, use: Collection[str]) -> Iterator[Unmet]:
        branches = []
        for child in group.children:
            if _is_gone(child, use):
                continue
            missing = tuple(self.unmet((child,), use))
            if not missing:
                return
            branches.append(missing)
        if not branches:
            return
        for missing in branches:
            if any(one.answer.unknown is not None for one in missing):
                yield from missing
                return
        opened = (one for one in branches if all(unmet.needs_only_keyword for unmet in one))
        yield from next(opened, branches[0])

    def _answer(self, atom: Atom, wanted: tuple[_Wanted, ...]) -> Answer:
        candidates = _that_may_match(atom, self.candidates(atom.cp))
        # The quick look at all of them first: most often one shows that nothing is missing.
        ordered = candidates
        if len(candidates) > 1:
            ordered = sorted(candidates, key=self._looks_hidden)
        likely = self._worth_a_look(ordered)
        if any(self._is_surely_offered(one, atom, wanted) for one in likely):
            return Answer(True)
        if any(self._is_offered(one, atom, wanted) for one in ordered):
            return Answer(True)
        hidden: list[Hidden] = []
        unknown: str | None = None
        for ebuild in candidates:
            visibility = self.visibility(ebuild)
            if isinstance(visibility, str):
                unknown = unknown or visibility
            elif self._matches(ebuild, atom, wanted):
                hidden.append(Hidden(ebuild, visibility))
        return Answer(False, tuple(hidden), unknown)

    def _worth_a_look(self, ebuilds: Iterable[Ebuild]) -> Iterator[Ebuild]:
        """Yield ebuilds of a package until quick looks at some show nothing.

        An eclass that sets the keywords of all of them is in the way then.
        """
        vain = 0
        for ebuild in ebuilds:
            yield ebuild
            vain += self._takes_quick_look(ebuild) and self._quick_look(ebuild) is None
            if vain >= _MOST_IN_VAIN:
                return

    def _looks_hidden(self, ebuild: Ebuild) -> bool:
        """Whether a keyword is nowhere in an ebuild's text: it is only looked at last then."""
        words = self._accepted_words
        if not words:
            return False
        return not _names_one_of(ebuild, words)

    @cached_property
    def _accepted_words(self) -> tuple[re.Pattern[bytes], ...]:
        words = [re.escape(word.encode()) for word in self.profile.accept_keywords]
        # What starts with the word itself is found much faster.
        return tuple(re.compile(rb"%b(?![\w-])(?<![~\w-]%b)" % (word, word)) for word in words)

    def _is_offered(self, ebuild: Ebuild, atom: Atom, wanted: tuple[_Wanted, ...]) -> bool:
        """Whether the profile shows an ebuild, and it is one for the atom."""
        visibility = self.visibility(ebuild)
        return (
            not isinstance(visibility, str)
            and visibility.is_visible
            and self._matches(ebuild, atom, wanted)
        )

    def _is_surely_offered(self, ebuild: Ebuild, atom: Atom, wanted: tuple[_Wanted, ...]) -> bool:
        """Whether a quick look shows that the profile offers an ebuild for an atom."""
        own = self._quick_look(ebuild) if self._takes_quick_look(ebuild) else None
        if own is None or not atom.matches(candidate_of(ebuild, own.values)):
            return False
        # Of IUSE, a quick look tells only some: enough where it has all that are wanted.
        values = {**own.values, "IUSE": " ".join(sorted(own.flags))}
        return (
            all(one.flag in own.flags for one in wanted)
            and self.profile.visibility(ebuild, own.values).is_visible
            and self._can_have(ebuild, values, wanted)
        )

    def _takes_quick_look(self, ebuild: Ebuild) -> bool:
        """Whether a quick look may show more than is known."""
        is_known = "metadata" in ebuild.__dict__ and not ebuild.metadata.unknown
        return self._refused is not None and not is_known

    def _quick_look(self, ebuild: Ebuild) -> OwnMetadata | None:
        from overlaylint.overlay.own_metadata import own_metadata

        return own_metadata(ebuild, self._refused or frozenset())

    def _matches(self, ebuild: Ebuild, atom: Atom, wanted: tuple[_Wanted, ...]) -> bool:
        """Whether an ebuild whose metadata is known is one for the atom."""
        values = ebuild.metadata.values
        if isinstance(self.visibility(ebuild), str):
            return False
        return atom.matches(candidate_of(ebuild, values)) and self._can_have(ebuild, values, wanted)

    def matches(self, ebuild: Ebuild, atom: Atom, use: Collection[str] = ()) -> bool:
        """Whether an ebuild is one for an atom, be it shown or not; see `obstacles`."""
        values = ebuild.metadata.values
        return atom.matches(candidate_of(ebuild, values)) and not self.obstacles(ebuild, atom, use)

    def obstacles(self, ebuild: Ebuild, atom: Atom, use: Collection[str] = ()) -> tuple[str, ...]:
        """Return the flags of an atom that keep an ebuild from being one for it.

        `use` are the flags of the ebuild that asks. The ebuild's metadata has to be known. A flag
        that is only off is no obstacle, since whoever builds can turn it on. One that the ebuild
        does not have, or that the profile forces or masks, is.
        """
        return tuple(self._obstacles(ebuild, ebuild.metadata.values, tuple(_wanted(atom, use))))

    def _can_have(
        self, ebuild: Ebuild, metadata: Mapping[str, str], wanted: tuple[_Wanted, ...]
    ) -> bool:
        return next(self._obstacles(ebuild, metadata, wanted), None) is None

    def _obstacles(
        self, ebuild: Ebuild, metadata: Mapping[str, str], wanted: tuple[_Wanted, ...]
    ) -> Iterator[str]:
        if not wanted:
            return
        known = known_flags(self.profile, metadata, (one.flag for one in wanted))
        # With those that are implicit declared, it is told of them too what masks and forces them.
        iuse = " ".join((metadata.get("IUSE", ""), *known))
        state = self.profile.use(ebuild, {**metadata, "IUSE": iuse})
        for one in wanted:
            if one.flag in known:
                is_masked = one.flag in state.masked
                is_forced = one.flag in state.forced and not is_masked
                if (one.is_on is True and is_masked) or (one.is_on is False and is_forced):
                    yield one.flag
            elif not one.default or (one.default == "+") is not one.is_on:
                yield one.flag

    @cached_property
    def _refused(self) -> frozenset[str] | None:
        from overlaylint.overlay.visibility import refused_words

        return refused_words(self.profile)


def _is_gone(node: Node, use: Collection[str]) -> bool:
    """Whether conditions leave nothing of a branch: then it is none (PMS 8.2.3)."""
    if isinstance(node, Leaf):
        return False
    if isinstance(node, Conditional) and not node.holds(use):
        return True
    return all(_is_gone(child, use) for child in node.children)


def _that_may_match(atom: Atom, ebuilds: Iterable[Ebuild]) -> list[Ebuild]:
    """Return the ebuilds whose version fits, which can be told without their text."""
    return [one for one in ebuilds if atom.matches_version(one.version)]


def _wanted(atom: Atom, use: Collection[str]) -> Iterator[_Wanted]:
    for one in atom.use:
        is_on = _is_wanted_on(one, one.flag in use)
        if is_on is not None or not one.default:
            yield _Wanted(one.flag, is_on, one.default)


def _is_wanted_on(dependency: UseDependency, is_on: bool) -> bool | None:
    """Return what a USE dependency asks for; None for nothing (PMS 8.3.4)."""
    match dependency.prefix + dependency.suffix:
        case "":
            return True
        case "-":
            return False
        case "?":
            return True if is_on else None
        case "!?":
            return None if is_on else False
        case "=":
            return is_on
        case _:
            return not is_on


@once_each
def _candidates(repository: Repository, cp: str) -> tuple[Ebuild, ...]:
    if not repository.missing_masters and cp.partition("/")[0] not in repository.listed_categories:
        # What one repository lists counts for all.
        return ()
    found = []
    for rank, one in enumerate(repository.family):
        package = one.package(cp)
        if package is not None:
            found += [(ebuild.version, -rank, ebuild) for ebuild in package.ebuilds]
    found.sort(key=lambda entry: entry[:2], reverse=True)
    return tuple(entry[2] for entry in found)


@once_each
def _names_one_of(ebuild: Ebuild, words: tuple[re.Pattern[bytes], ...]) -> bool:
    """Whether one of the words is in an ebuild's text; many profiles ask for the same."""
    data = ebuild.read()
    return any(word.search(data) for word in words)
