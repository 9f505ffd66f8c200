"""A dependency is there, but no profile line accepts its keyword.

## What it does

Looks, for each profile of the overlay, at the dependencies of the overlay's ebuilds that the
profile shows, with the USE flags that it sets. Where nothing in the overlay or its masters
satisfies one, and only keywords stand in the way, the rule names the line that accepts the
ebuild, as `emerge --autounmask` would word it. One ebuild with one keyword is one finding, however
many packages and profiles need it.

Of each package, the best version in each slot is looked at, and older ones that a dependency picks
by its version. A package that others in the overlay name is looked at only where one of them asks
for it under the profile: what `amd64? ( )` brings into one image is not missing in the other. And
packages that only the SDK has are looked at under the SDK's profiles only.

## Why it matters

Gentoo adds new versions with testing keywords, and removes the old ones. When an update brings such
a version in, or an ebuild starts to need one, the build stops with "The following keyword changes
are necessary to proceed".

## Example

`sys-apps/systemd/systemd-245-r3.ebuild`:

```bash
EAPI=7
SLOT="0/2"
KEYWORDS="amd64"
RDEPEND=">=sys-libs/libseccomp-2.3.3"
```

`portage-stable::sys-libs/libseccomp/libseccomp-2.5.0.ebuild`:

```bash
EAPI=7
SLOT="0"
KEYWORDS="-* ~amd64"
```

`profiles/coreos/base/make.defaults`:

```bash
ARCH="amd64"
ACCEPT_KEYWORDS="amd64"
```

`profiles/coreos/base/package.accept_keywords`:

```
=sys-fs/cryptsetup-2.0.3 ~amd64
```

## Use instead

`sys-apps/systemd/systemd-245-r3.ebuild`:

```bash
EAPI=7
SLOT="0/2"
KEYWORDS="amd64"
RDEPEND=">=sys-libs/libseccomp-2.3.3"
```

`portage-stable::sys-libs/libseccomp/libseccomp-2.5.0.ebuild`:

```bash
EAPI=7
SLOT="0"
KEYWORDS="-* ~amd64"
```

`profiles/coreos/base/make.defaults`:

```bash
ARCH="amd64"
ACCEPT_KEYWORDS="amd64"
```

`profiles/coreos/base/package.accept_keywords`:

```
=sys-fs/cryptsetup-2.0.3 ~amd64

=sys-libs/libseccomp-2.5.0 ~amd64
```

## Options

- `sdk_packages`: packages that are never built for an image, as globs.
- `sdk_profiles`: the profiles that they are built under, as globs.
- `image_profiles`: profiles that packages are only installed under, built already, as globs: what
  is needed for building (`DEPEND`, `BDEPEND`) is not looked at there.

## Fix

The line is added to the last `package.accept_keywords` that all profiles in need of it share, or
else those of each architecture, unless another line would take it back: to a line about that very
version, else below the last line about the package, else at the end. The fix is safe where the
ebuild is in testing. Where Portage asks for `**` it is not, since the ebuild may not work there.

## Limits

Each dependency is looked at by itself: that two of them exclude each other is not seen, nor what
ebuilds of a master need. A dependency that no keyword would satisfy (there is no such ebuild, or
package.mask hides it) is no finding of this rule.

## References

- flatcar/coreos-overlay, commit 1b2d21871430: "Update libseccomp to 2.5.0".
- portage(5), package.accept_keywords.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from overlaylint.finding import Edit, Fix, NotApplicable, Outcome, Related, Span, Undecided
from overlaylint.overlay.atom import package_of
from overlaylint.overlay.repository import Repository
from overlaylint.overlay.text import lines
from overlaylint.reach import reached
from overlaylint.records import dataclass
from overlaylint.rule import Finding, Severity, rule

if TYPE_CHECKING:
    from overlaylint.overlay.available import Available, Hidden, Unmet
    from overlaylint.overlay.dependency import Dependency
    from overlaylint.overlay.ebuild import Ebuild
    from overlaylint.overlay.profile import Profile

_FILE = "package.accept_keywords"
_RUNTIME = ("RDEPEND", "PDEPEND", "IDEPEND")
_VARIABLES = ("DEPEND", "BDEPEND", *_RUNTIME)


@dataclass(frozen=True, slots=True)
class Options:
    """Which packages belong to the SDK alone, and what profiles are for."""

    sdk_packages: tuple[str, ...] = (
        "coreos-base/hard-host-depends",
        "coreos-devel/sdk-depends",
        "coreos-devel/sdk-extras",
    )
    sdk_profiles: tuple[str, ...] = ("coreos/*/sdk", "coreos/*/sdk/*")
    image_profiles: tuple[str, ...] = ("coreos/*/generic/prod",)


def _files(overlay: Repository) -> tuple[str, ...]:
    """Return where findings lie: in a file that all profiles share, if there is one."""
    profiles = list(overlay.profiles)
    own = (node for one in profiles for node in one.nodes if node.repository is overlay)
    if not all(node.path.startswith("profiles/") for node in own):
        return ()
    return ("profiles/*",) if profiles and any(_common_files(overlay, profiles)) else ()


@rule(severity=Severity.ERROR, files=_files, decided_in="1b2d21871430", needs_masters=True)
def keyword_not_accepted(overlay: Repository, options: Options) -> Iterator[Outcome]:
    if not len(overlay.profiles):
        yield NotApplicable("the overlay has no profiles")
        return
    needs: dict[tuple[str, str], _Need] = {}
    said: set[Outcome] = set()
    dependencies = _Dependencies()
    searches: dict[Hashable, _Search] = {}
    for profile in overlay.profiles:
        if profile.problems:
            problem = profile.problems[0]
            yield Undecided(problem.span, f"{profile.name} can't be used: {problem.message}")
            continue
        search = _Search(profile, options, dependencies)
        if search.key in searches:
            search = searches[search.key]
        else:
            searches[search.key] = search
            for outcome in search.run():
                if outcome not in said:
                    said.add(outcome)
                    yield outcome
        for want in search.wants:
            chosen = _chosen(want, search.wants)
            need = needs.setdefault(_line_of(chosen), _Need(chosen.ebuild, chosen.keyword or ""))
            need.add(profile, want)
    for need in needs.values():
        yield _finding(overlay, need, needs)


# --- what is needed ---


@dataclass(frozen=True, slots=True)
class _Want:
    """A dependency that needs a keyword: `by` needs it, as `variable` says."""

    by: Ebuild
    variable: str
    unmet: Unmet


@dataclass(slots=True)
class _Need:
    """An ebuild that has to be accepted, with those that need it."""

    ebuild: Ebuild
    keyword: str
    profiles: list[Profile] = field(default_factory=list)
    wants: dict[tuple[Ebuild, str, str], _Want] = field(default_factory=dict)

    @property
    def cpv(self) -> str:
        return self.ebuild.cpv

    @property
    def line(self) -> str:
        return f"={self.cpv} {self.keyword}"

    def add(self, profile: Profile, want: _Want) -> None:
        if profile not in self.profiles:
            self.profiles.append(profile)
        self.wants.setdefault((want.by, want.variable, want.unmet.leaf.text), want)

    def has_keyword_for(self, profile: Profile) -> bool:
        """Whether the ebuild is stable or in testing on the profile's architecture."""
        words = self.ebuild.metadata.values.get("KEYWORDS", "").split()
        return any(word.removeprefix("~") in (profile.arch, "*") for word in words)

    def is_met(self, profile: Profile) -> bool:
        """Whether a profile accepts the ebuild."""
        from overlaylint.overlay.use import candidate_of
        from overlaylint.overlay.visibility import Acceptance, acceptance

        metadata = self.ebuild.metadata.values
        found = acceptance(profile, candidate_of(self.ebuild, metadata), metadata)
        return found is not Acceptance.NONE


class _Dependencies:
    """Dependencies taken apart, each once for all profiles."""

    def __init__(self) -> None:
        self._known: dict[tuple[Ebuild, str], Dependency | str] = {}
        self._named: dict[str, set[str]] | None = None

    def named(self, overlay: Repository) -> Mapping[str, set[str]]:
        """Return which packages of the overlay name each package, in whatever version."""
        if self._named is None:
            self._named = {}
            for ebuild in overlay.ebuilds:
                for variable in _VARIABLES:
                    dependency = self.of(ebuild, variable)
                    if isinstance(dependency, str):
                        continue
                    for leaf, _ in dependency.leaves():
                        cp = package_of(leaf.text)
                        if cp is not None and cp != ebuild.cp and leaf.text[0] != "!":
                            self._named.setdefault(cp, set()).add(ebuild.cp)
        return self._named

    def of(self, ebuild: Ebuild, variable: str) -> Dependency | str:
        """Return what a variable holds; a text says why that is unknown."""
        from overlaylint.overlay.dependency import DependencyError, parse_packages

        key = (ebuild, variable)
        if key not in self._known:
            metadata = ebuild.metadata
            if variable in metadata.unknown:
                reason = metadata.unknown[variable].reason
                self._known[key] = f"{variable} of {ebuild.cpv} is unknown: {reason}"
            else:
                values = metadata.values
                try:
                    self._known[key] = parse_packages(
                        values.get(variable, ""), values.get("EAPI") or "0"
                    )
                except DependencyError as error:
                    self._known[key] = f"{variable} of {ebuild.cpv} is malformed: {error}"
        return self._known[key]


class _Search:
    """What one profile lacks, and every other with the same `key`."""

    def __init__(self, profile: Profile, options: Options, dependencies: _Dependencies) -> None:
        from overlaylint.overlay.available import Available

        self.profile = profile
        self.available: Available = Available.of(profile)
        self.wants: list[_Want] = []
        self._options = options
        self._dependencies = dependencies
        self._is_sdk = _matches(profile.name, options.sdk_profiles)
        is_image = _matches(profile.name, options.image_profiles)
        self._variables = _RUNTIME if is_image else _VARIABLES
        self.key: Hashable = (id(self.available), self._is_sdk, is_image)

    def run(self) -> Iterator[Outcome]:
        """Look at every ebuild that may be built; yield what is no want."""
        overlay = self.profile.repository
        best: dict[str, list[Ebuild]] = {}
        for cp in overlay.packages:
            for ebuild in self.available.candidates(cp):
                visibility = self.available.visibility(ebuild)
                if isinstance(visibility, str) and ebuild.repository is overlay:
                    yield Undecided(ebuild.span(), visibility)
            found = [one for one in self.available.best_in_slots(cp) if one.repository is overlay]
            if found:
                best[cp] = found
        waiting = [ebuild for cp in self._entries(best) for ebuild in best[cp]]
        seen: set[Ebuild] = set()
        while waiting:
            ebuild = waiting.pop(0)
            if ebuild in seen or ebuild.repository is not overlay:
                continue
            seen.add(ebuild)
            use = self.available.use(ebuild).enabled
            for variable in self._variables:
                dependency = self._dependencies.of(ebuild, variable)
                if isinstance(dependency, str):
                    yield Undecided(ebuild.span(), dependency)
                elif dependency.children:
                    yield from self._look(ebuild, variable, dependency, use)
                    waiting += self.available.taken(dependency.children, use)
                    for leaf, _ in dependency.active(use):
                        if not leaf.text.startswith("!"):
                            waiting += best.get(package_of(leaf.text) or "", ())

    def _entries(self, best: Mapping[str, list[Ebuild]]) -> list[str]:
        """Return the packages to start from: those that no other package of the overlay names.

        One that others name is looked at where one of them asks for it under this profile: what
        only other architectures have in their image, say, is passed over.
        """
        apart = () if self._is_sdk else self._options.sdk_packages
        named = self._dependencies.named(self.profile.repository)
        found = [cp for cp in best if cp not in named]
        # What names only itself in a circle would be passed over, and so would what it needs.
        there = reached(
            (cp for cp in self.profile.repository.packages if cp not in named),
            lambda last: (cp for cp, by in named.items() if by & last),
        )
        found += [cp for cp in best if cp not in there]
        return [cp for cp in found if not _matches(cp, apart)]

    def _look(
        self, ebuild: Ebuild, variable: str, dependency: Dependency, use: frozenset[str]
    ) -> Iterator[Outcome]:
        from overlaylint.overlay.use import known_flags

        for unmet in self.available.unmet(dependency.children, use):
            answer = unmet.answer
            flags = dependency.flags()
            lost = flags - known_flags(self.profile, ebuild.metadata.values, flags)
            place = f"{variable} of {ebuild.cpv}: {unmet.atom}"
            if answer.unknown is not None:
                yield Undecided(ebuild.span(), f"{place}: {answer.unknown}")
            elif answer.by_keyword and lost:
                # Portage refuses the ebuild.
                names = ", ".join(sorted(lost))
                yield Undecided(ebuild.span(), f"{place}: the ebuild has no such flags: {names}")
            elif answer.by_keyword:
                self.wants.append(_Want(ebuild, variable, unmet))
            elif answer.hidden:
                first = answer.hidden[0]
                why = ", ".join(str(reason) for reason in first.visibility.reasons)
                reason = f"{place}: no keyword would help, {first.ebuild.cpv} is hidden by {why}"
                yield NotApplicable(reason, span=ebuild.span())
            else:
                reason = f"{place}: no keyword would help, since there is no such ebuild"
                yield NotApplicable(reason, span=ebuild.span())


def _matches(name: str, globs: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)


def _chosen(want: _Want, wants: list[_Want]) -> Hidden:
    """Return the ebuild to accept: one that does for all dependents, if any."""
    mine = want.unmet.answer.by_keyword
    others = [
        {_line_of(one) for one in other.unmet.answer.by_keyword}
        for other in wants
        if other.unmet.atom.cp == want.unmet.atom.cp
    ]
    return next((one for one in mine if all(_line_of(one) in other for other in others)), mine[0])


def _line_of(hidden: Hidden) -> tuple[str, str]:
    return hidden.ebuild.cpv, hidden.keyword or ""


# --- what is reported ---


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the line belongs: beside `beside`, made by `edit`."""

    beside: Span
    edit: Edit


def _finding(overlay: Repository, need: _Need, needs: dict[tuple[str, str], _Need]) -> Finding:
    related = tuple(
        Related(
            _written(want),
            f"{want.by.cpv} needs {want.unmet.atom} ({want.variable})",
        )
        for want in need.wants.values()
    )
    names = ", ".join(profile.name for profile in need.profiles)
    message = f"{need.cpv} is needed, but its keyword is not accepted: `{need.line}`"
    lacks = need.keyword == "**" and not any(map(need.has_keyword_for, need.profiles))
    if lacks:
        message = f"{need.cpv} is needed, but has no keyword for the architecture: `{need.line}`"
    same = [other for other in needs.values() if other.cpv == need.cpv]
    place = _place(overlay, same)
    if place is None:
        same = [need]
        place = _place(overlay, same)
    if place is None:
        help_ = f"add `{need.line}` to a {_FILE} of {names}, where no later line takes it back"
        first = related[0].span
        return Finding(first, message, help_, related[1:])
    make = Fix.unsafe if any(one.keyword == "**" for one in same) else Fix.safe
    fix = make(f"accept {need.line.removeprefix('=')}", place.edit)
    help_ = f"add `{need.line}` here, for {names}"
    if lacks:
        help_ += "; or do not ask for it there, if it is not for this architecture"
    return Finding(place.beside, message, help_, related, fix)


def _written(want: _Want) -> Span:
    """Return where the dependency is written, or the variable set; else the ebuild as a whole."""
    from overlaylint.overlay.assignments import assignments, written_word

    assigned = assignments(want.by, want.variable)
    word = written_word(want.by, assigned, want.unmet.leaf.text)
    if word is not None:
        return word
    own = [one for one in assigned if one.path == want.by.source_path]
    return own[-1] if own else want.by.span()


def _place(overlay: Repository, needs: list[_Need]) -> _Place | None:
    """Return where one line accepts an ebuild for all who need it, whatever their architecture."""
    line = f"={needs[0].cpv}"
    cp = needs[0].ebuild.cp
    keywords = "".join(f" {word}" for word in dict.fromkeys(need.keyword for need in needs))
    for files in _common_files(overlay, [profile for need in needs for profile in need.profiles]):
        read = {path: tuple(lines(overlay.tree.read(path))) for path in reversed(files)}
        heads = {path: [one.words[0].text for one in read[path]] for path in read}
        path = next(
            (path for path in read if line in heads[path]),
            next((path for path in read if cp in map(package_of, heads[path])), files[-1]),
        )
        place = _place_in(path, overlay.tree.read(path), line, keywords)
        if _helps(overlay, needs, place):
            return place
    return None


def _place_in(path: str, data: bytes, atom: str, keywords: str) -> _Place:
    found = tuple(lines(data))
    same = [line for line in found if line.words[0].text == atom]
    if same:
        # A line without keywords accepts testing, which is not what is missing then.
        last = same[-1]
        end = last.words[-1].end
        return _Place(Span(path, last.start, end), Edit(Span(path, end, end), keywords))
    text = f"{atom}{keywords}"
    kin = [line for line in found if package_of(line.words[0].text) == package_of(atom)]
    if kin:
        last = kin[-1]
        beside = Span(path, last.start, last.words[-1].end)
        return _Place(beside, Edit(Span(path, last.end, last.end), f"\n{text}"))
    beside = Span(path, found[-1].start, found[-1].words[-1].end) if found else Span(path)
    end = len(data)
    before = "" if not data else "\n" if data.endswith(b"\n") else "\n\n"
    return _Place(beside, Edit(Span(path, end, end), f"{before}{text}\n"))


def _helps(overlay: Repository, needs: list[_Need], place: _Place) -> bool:
    """Whether all who need an ebuild accept it once the line is there."""
    edit = place.edit
    data = overlay.tree.read(edit.span.path)
    changed = data[: edit.span.start] + edit.text.encode() + data[edit.span.end :]
    fixed = overlay.with_files({edit.span.path: changed})
    return all(
        need.is_met(fixed.profiles[profile.name]) for need in needs for profile in need.profiles
    )


def _common_files(overlay: Repository, profiles: list[Profile]) -> Iterator[tuple[str, ...]]:
    """Yield the files of each node that all profiles share, the last node first."""
    first, *others = (profile.nodes for profile in profiles)
    for node in reversed(first):
        if node.repository is overlay and all(node in nodes for nodes in others):
            files = node.files(_FILE)
            if files:
                yield files
