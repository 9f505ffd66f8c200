"""The USE flags of an ebuild under a profile (PMS 5.2.11, 11.1.1; portage's config.setcpv).

What speaks of a flag, the later overruling the earlier: the repositories' own
profiles/make.defaults and package.use, IUSE defaults, then for each profile from the
farthest parent on make.defaults, use.stable, package.use, package.use.stable. Forced flags
come on top of that, and masked ones go last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from overlaylint.finding import Span
from overlaylint.overlay.atom import Candidate, by_specificity
from overlaylint.overlay.dependency import DependencyError, parse_dependency
from overlaylint.overlay.make_defaults import read_make_defaults
from overlaylint.overlay.profile_node import Flag, ProfileNode
from overlaylint.records import dataclass

if TYPE_CHECKING:
    from overlaylint.overlay.ebuild import Ebuild
    from overlaylint.overlay.profile import Layer, Profile
    from overlaylint.overlay.repository import Repository

# From this EAPI on, PMS defines which flags are implicit; before, Portage has rules of thumb.
_WITHOUT_IUSE_EFFECTIVE = frozenset({"0", "1", "2", "3", "4"})


@dataclass(frozen=True, slots=True)
class UseState:
    """The flags of one ebuild. `on` and `off` together are its IUSE.

    `enabled` are all flags that count as on in its conditions, implicit ones
    (`elibc_glibc`, `amd64`) included. `forced` and `masked` are those of IUSE.
    """

    on: frozenset[str]
    off: frozenset[str]
    forced: frozenset[str]
    masked: frozenset[str]
    enabled: frozenset[str]
    is_stable: bool


@dataclass(frozen=True, slots=True)
class FlagSource:
    """One line that speaks of a flag.

    `kind` is the file it stands in (`package.use`, `make.defaults`, `use.force` ...), or
    `IUSE`; then `span` is the ebuild as a whole, since its text is not looked at here.
    """

    kind: str
    text: str
    span: Span

    @property
    def turns_on(self) -> bool:
        """Whether the line sets the flag, as opposed to taking it back."""
        return not self.text.startswith("-")


@dataclass(frozen=True, slots=True)
class _Word:
    """A flag with the kind of file that it stands in."""

    flag: Flag
    kind: str


@dataclass(frozen=True, slots=True)
class _Effect:
    """What a list of words comes to, worked out once for all the packages it concerns."""

    clears: bool
    states: Mapping[str, bool]
    words: tuple[_Word, ...]
    has_wildcards: bool

    def apply(self, states: dict[str, bool], iuse: Iterable[str]) -> None:
        """Change the states of flags as the words would, one after another."""
        if self.has_wildcards:
            _apply(states, (word.flag for word in self.words), iuse)
            return
        if self.clears:
            states.clear()
        states.update(self.states)


def _effect(words: Iterable[_Word]) -> _Effect:
    kept = tuple(words)
    states: dict[str, bool] = {}
    clears = False
    for word in kept:
        if word.flag.name == "*" and word.flag.is_off:
            clears = True
            states.clear()
        else:
            states[word.flag.name] = not word.flag.is_off
    has_wildcards = any(word.flag.name.endswith("_*") for word in kept)
    return _Effect(clears, states, kept, has_wildcards)


def candidate_of(ebuild: Ebuild, metadata: Mapping[str, str]) -> Candidate:
    """Return what atoms are matched with."""
    return Candidate(ebuild.cp, ebuild.version, metadata.get("SLOT", "0"), ebuild.repository.name)


def use_state(
    profile: Profile, ebuild: Ebuild, metadata: Mapping[str, str], stable: bool | None = None
) -> UseState:
    """Return the ebuild's flags under the profile; see Profile.use.

    `stable` says whether the `*.stable.*` files count, where it is not for the keywords to say.
    """
    return _Use.of(profile).state(ebuild, metadata, stable)


def explain_flag(
    profile: Profile, ebuild: Ebuild, metadata: Mapping[str, str], flag: str
) -> tuple[FlagSource, ...]:
    """Return every line that speaks of one flag; see Profile.explain_flag."""
    return tuple(_Use.of(profile).sources(ebuild, metadata, flag))


def known_flags(
    profile: Profile, metadata: Mapping[str, str], flags: Iterable[str]
) -> frozenset[str]:
    """Return those of some flags that an ebuild has under the profile, declared or implicit.

    A condition on any other, or an atom that asks for it without a default, is refused.
    """
    iuse = frozenset(flag.lstrip("+-") for flag in metadata.get("IUSE", "").split())
    return _Use.of(profile).known(flags, iuse, metadata)


class _Use:
    """What is the same for every ebuild of one profile, worked out once."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._expand = tuple(sorted(set(profile.words("USE_EXPAND"))))
        self._unprefixed = tuple(sorted(set(profile.words("USE_EXPAND_UNPREFIXED"))))
        self._layers = tuple(
            (layer.node, _effect(self._default_words(layer))) for layer in profile.layers
        )
        self._with_test = "test" in profile.words("FEATURES")
        self._implicit = self._implicit_flags()
        self._hidden = tuple(f"{name.lower()}_" for name in profile.words("USE_EXPAND_HIDDEN"))
        self._mentioned: dict[tuple[str, str], frozenset[str]] = {}
        self._common: dict[bool, _Effect] = {}
        self._restricted: dict[tuple[str, bool, str], frozenset[str]] = {}
        self._node_effects: dict[tuple[int, str], _Effect] = {}
        self._top_effects: dict[str, _Effect] = {}

    @classmethod
    def of(cls, profile: Profile) -> _Use:
        """Return the one that belongs to a profile: to all that say the same of flags."""
        shared = profile.repository.__dict__.setdefault("_use_by_settings", {})
        known = shared.get(profile.flag_settings)
        if not isinstance(known, cls):
            known = shared[profile.flag_settings] = cls(profile)
        return known

    def state(
        self, ebuild: Ebuild, metadata: Mapping[str, str], stable: bool | None = None
    ) -> UseState:
        """Return the flags of one ebuild."""
        from overlaylint.overlay.visibility import is_stable

        candidate = candidate_of(ebuild, metadata)
        if stable is None:
            stable = is_stable(self._profile, candidate, metadata)
        declared = metadata.get("IUSE", "").split()
        iuse = frozenset(flag.lstrip("+-") for flag in declared)
        forced = self._restriction("force", ebuild, candidate, stable)
        masked = self._restriction("mask", ebuild, candidate, stable)

        def enabled(defaults: list[str]) -> frozenset[str]:
            states = self._states(ebuild, candidate, stable, defaults)
            on = {flag for flag, is_on in states.items() if is_on} | forced
            if self._profile.arch:
                on.add(self._profile.arch)
            return self.known(on - masked, iuse, metadata)

        found = enabled(declared)
        if self._with_test and _restricts_test(metadata, found):
            # As if the ebuild had `-test` in IUSE.
            found = enabled([*declared, "-test"])
        return UseState(found & iuse, iuse - found, forced & iuse, masked & iuse, found, stable)

    def sources(
        self, ebuild: Ebuild, metadata: Mapping[str, str], flag: str
    ) -> Iterator[FlagSource]:
        """Yield each line that speaks of a flag."""
        from overlaylint.overlay.visibility import is_stable

        candidate = candidate_of(ebuild, metadata)
        stable = is_stable(self._profile, candidate, metadata)
        words: list[_Word] = []
        for effect in self._repository_effects(ebuild, candidate, stable):
            words += effect.words
        for default in metadata.get("IUSE", "").split():
            if default[0] in "+-":
                span = ebuild.span()
                words.append(_Word(Flag(default[1:], default[0] == "-", span), "IUSE"))
        for node, effect in self._layers:
            for own in self._layer_effects(node, effect, candidate, stable):
                words += own.words
        for word in words:
            if _concerns(word.flag, flag):
                yield _source(word)
        for kind in ("force", "mask"):
            for effect in self._restriction_effects(kind, ebuild, candidate, stable):
                yield from (_source(word) for word in effect.words if _concerns(word.flag, flag))

    # What profiles say of USE

    def _states(
        self, ebuild: Ebuild, candidate: Candidate, stable: bool, declared: list[str]
    ) -> dict[str, bool]:
        """Return flag -> on or off for every flag that is spoken of."""
        iuse = [flag.lstrip("+-") for flag in declared]
        states: dict[str, bool] = {}
        for effect in self._repository_effects(ebuild, candidate, stable):
            effect.apply(states, iuse)
        if self._with_test:
            states["test"] = True
        for flag in declared:
            if flag[0] in "+-":
                states[flag[1:]] = flag[0] == "+"
        names = ("package.use", "package.use.stable") if stable else ("package.use",)
        if any(candidate.cp in self._mentions(name) for name in names):
            for node, effect in self._layers:
                for own in self._layer_effects(node, effect, candidate, stable):
                    own.apply(states, iuse)
        else:
            self._common_effect(stable).apply(states, iuse)
        return states

    def _common_effect(self, stable: bool) -> _Effect:
        """Return what the profile says of flags for a package that it does not name."""
        if stable not in self._common:
            words: list[_Word] = []
            for node, effect in self._layers:
                words += effect.words
                if stable:
                    words += self._flag_effect(node, "use.stable").words
            self._common[stable] = _effect(words)
        return self._common[stable]

    def _default_words(self, layer: Layer) -> Iterator[_Word]:
        """Yield the flags of a node's make.defaults: USE_EXPAND variables, then USE."""
        for name in self._unprefixed:
            for flag in layer.words(name):
                yield _Word(flag, "make.defaults")
        for name in self._expand:
            if name in layer.variables:
                prefix = f"{name.lower()}_"
                for flag in layer.words(name):
                    yield _Word(Flag(prefix + flag.name, flag.is_off, flag.span), "make.defaults")
        for flag in layer.words("USE"):
            yield _Word(_without_plus(flag), "make.defaults")

    def _layer_effects(
        self, node: ProfileNode, defaults: _Effect, candidate: Candidate, stable: bool
    ) -> Iterator[_Effect]:
        yield defaults
        if stable:
            yield self._flag_effect(node, "use.stable")
        yield from _package_effects(node, "package.use", candidate)
        if stable:
            yield from _package_effects(node, "package.use.stable", candidate)

    def _repository_effects(
        self, ebuild: Ebuild, candidate: Candidate, stable: bool
    ) -> Iterator[_Effect]:
        """Yield what the repositories' own `profiles` folders say, whatever the profile.

        Of their make.defaults only flags are looked at, which is all that is of use there.
        """
        family = (*ebuild.repository.masters, ebuild.repository)
        for repository in family:
            node = repository.profile_node("profiles")
            if repository.name not in self._top_effects:
                layer = _top_layer(node)
                words = (_Word(_without_plus(flag), "make.defaults") for flag in layer.words("USE"))
                self._top_effects[repository.name] = _effect(words)
            yield from self._layer_effects(
                node, self._top_effects[repository.name], candidate, stable
            )
        key = f"{ebuild.repository.name} USE_EXPAND"
        if key not in self._top_effects:
            self._top_effects[key] = _effect(self._top_expanded(family))
        yield self._top_effects[key]

    def _top_expanded(self, family: tuple[Repository, ...]) -> Iterator[_Word]:
        """Yield the flags of USE_EXPAND variables outside profiles.

        Those do not add up: the last assignment takes all others' flags away, and a minus
        means nothing (portage.config.regenerate).
        """
        layers = [_top_layer(repository.profile_node("profiles")) for repository in family]
        for name in self._expand:
            prefix = f"{name.lower()}_"
            setters = [layer for layer in layers if name in layer.variables]
            if not setters:
                continue
            last = setters[-1]
            place = last.variables[name]
            span = last.node.repository.span(place.path, place.start, place.end)
            yield _Word(Flag(f"{prefix}*", True, span), "make.defaults")
            for flag in last.words(name):
                if not flag.is_off:
                    yield _Word(Flag(prefix + flag.name, False, flag.span), "make.defaults")

    def _flag_effect(self, node: ProfileNode, name: str) -> _Effect:
        key = (id(node), name)
        if key not in self._node_effects:
            self._node_effects[key] = _effect(_Word(flag, name) for flag in node.flags(name))
        return self._node_effects[key]

    # Force and mask

    def _restriction(
        self, kind: str, ebuild: Ebuild, candidate: Candidate, stable: bool
    ) -> frozenset[str]:
        names = [f"package.use.{kind}"] + ([f"package.use.stable.{kind}"] if stable else [])
        if any(candidate.cp in self._mentions(name, ebuild.repository) for name in names):
            return self._stacked(kind, ebuild, candidate, stable)
        key = (ebuild.repository.name, stable, kind)
        if key not in self._restricted:
            self._restricted[key] = self._stacked(kind, ebuild, candidate, stable)
        return self._restricted[key]

    def _stacked(
        self, kind: str, ebuild: Ebuild, candidate: Candidate, stable: bool
    ) -> frozenset[str]:
        states: dict[str, bool] = {}
        for effect in self._restriction_effects(kind, ebuild, candidate, stable):
            if effect.clears:
                states.clear()
            states.update(effect.states)
        return frozenset(flag for flag, is_on in states.items() if is_on)

    def _restriction_effects(
        self, kind: str, ebuild: Ebuild, candidate: Candidate, stable: bool
    ) -> Iterator[_Effect]:
        tops = (
            repository.profile_node("profiles")
            for repository in (*ebuild.repository.masters, ebuild.repository)
        )
        for node in (*tops, *self._profile.nodes):
            yield self._flag_effect(node, f"use.{kind}")
            if stable:
                yield self._flag_effect(node, f"use.stable.{kind}")
            yield from _package_effects(node, f"package.use.{kind}", candidate)
            if stable:
                yield from _package_effects(node, f"package.use.stable.{kind}", candidate)

    def _mentions(self, name: str, repository: Repository | None = None) -> frozenset[str]:
        """Return the packages that a file of any node names, repositories' own included."""
        key = (name, "" if repository is None else repository.name)
        if key not in self._mentioned:
            tops = () if repository is None else (*repository.masters, repository)
            nodes = [*self._profile.nodes, *(other.profile_node("profiles") for other in tops)]
            self._mentioned[key] = frozenset().union(*(node.mentioned(name) for node in nodes))
        return self._mentioned[key]

    # Which flags an ebuild has

    def known(
        self,
        flags: Iterable[str],
        iuse: frozenset[str],
        metadata: Mapping[str, str],
    ) -> frozenset[str]:
        """Return those of the flags that an ebuild has, declared or implicit."""
        if metadata.get("EAPI", "0") not in _WITHOUT_IUSE_EFFECTIVE:
            return frozenset(flag for flag in flags if flag in iuse or flag in self._implicit)
        return frozenset(
            flag
            for flag in flags
            if flag in iuse or flag in self._old_implicit or flag.startswith(self._hidden)
        )

    @cached_property
    def _old_implicit(self) -> frozenset[str]:
        """The flags that Portage takes for implicit before EAPI 5: its own rules of thumb.

        Of masked and forced flags, those of every package count, and only the profiles'.
        """
        restricted: dict[str, bool] = {}
        for kind in ("force", "mask"):
            states: dict[str, bool] = {}
            for node in self._profile.nodes:
                effect = self._flag_effect(node, f"use.{kind}")
                if effect.clears:
                    states.clear()
                states.update(effect.states)
            restricted.update((flag, True) for flag, is_on in states.items() if is_on)
        arches = self._profile.repository.arches
        return arches | {*restricted, self._profile.arch, "build", "bootstrap"}

    def _implicit_flags(self) -> frozenset[str]:
        """Return PMS's IUSE_EFFECTIVE without an ebuild's own IUSE (PMS 11.1.1)."""
        profile = self._profile
        implicit = set(profile.words("USE_EXPAND_IMPLICIT"))
        found = set(profile.words("IUSE_IMPLICIT"))
        for name in implicit.intersection(self._unprefixed):
            found.update(profile.words(f"USE_EXPAND_VALUES_{name}"))
        for name in implicit.intersection(self._expand):
            prefix = f"{name.lower()}_"
            found.update(prefix + value for value in profile.words(f"USE_EXPAND_VALUES_{name}"))
        return frozenset(found)


def _top_layer(node: ProfileNode) -> Layer:
    from overlaylint.overlay.profile import Layer

    defaults = read_make_defaults(node.read("make.defaults"), {})
    return Layer(node, defaults, defaults.latest())


def _package_effects(node: ProfileNode, name: str, candidate: Candidate) -> Iterator[_Effect]:
    """Yield what a node's package.* file says of a package, the best match last."""
    entries = node.entries(name, candidate.cp)
    if not entries:
        return
    for group in by_specificity(entries, candidate):
        yield _effect(
            _Word(Flag(word.text.removeprefix("-"), word.text.startswith("-"), span), name)
            for entry in group
            for word in entry.words
            for span in (node.repository.span(entry.span.path, word.start, word.end),)
        )


def _apply(states: dict[str, bool], flags: Iterable[Flag], iuse: Iterable[str]) -> None:
    """Let flags speak, one after another, as portage.config.regenerate does."""
    for flag in flags:
        name = flag.name
        if name == "*" and flag.is_off:
            states.clear()
        elif name.endswith("_*"):
            prefix = name[:-1]
            for known in list(states) if flag.is_off else iuse:
                if known.startswith(prefix):
                    states[known] = not flag.is_off
        else:
            states[name] = not flag.is_off


def _without_plus(flag: Flag) -> Flag:
    # `+flag` is not a word of USE; Portage complains and takes it for `flag`.
    if flag.is_off or not flag.name.startswith("+") or len(flag.name) == 1:
        return flag
    return Flag(flag.name[1:], False, flag.span)


def _concerns(flag: Flag, wanted: str) -> bool:
    if flag.name == "*":
        return flag.is_off
    return flag.name == wanted or (flag.name.endswith("_*") and wanted.startswith(flag.name[:-1]))


def _source(word: _Word) -> FlagSource:
    return FlagSource(word.kind, word.flag.text, word.flag.span)


def _restricts_test(metadata: Mapping[str, str], use: frozenset[str]) -> bool:
    try:
        restrict = parse_dependency(metadata.get("RESTRICT", ""))
    except DependencyError:
        # Portage goes on without RESTRICT here, and reports it where the ebuild is built.
        return False
    return any(leaf.text == "test" for leaf, _ in restrict.active(use))
