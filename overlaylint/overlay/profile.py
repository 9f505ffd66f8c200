"""A profile with its parents, stacked as Portage stacks them (PMS 5, portage(5)).

pkgcore stacks profiles as well, but from paths on disk, without places, and with each
file's lines in the order they are written; see pkgcore_adapter.py.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from overlaylint.finding import Span
from overlaylint.overlay.make_defaults import Assignment, MakeDefaults, read_make_defaults
from overlaylint.overlay.profile_node import (
    FLAG_FILES,
    PACKAGE_FILES,
    AtomLine,
    Flag,
    ProfileNode,
)
from overlaylint.overlay.version import Version, parse_version, split_pf
from overlaylint.records import dataclass

if TYPE_CHECKING:
    from overlaylint.overlay.atom import Atom
    from overlaylint.overlay.ebuild import Ebuild
    from overlaylint.overlay.repository import Repository
    from overlaylint.overlay.use import FlagSource, UseState
    from overlaylint.overlay.visibility import Visibility

#: The variables whose values add up from parent to child (portage.const.INCREMENTALS).
#: ACCEPT_LICENSE and its like are none of them: those add up over make.globals, the
#: profile and make.conf, but of the profile's nodes the last that sets one decides.
INCREMENTALS = frozenset(
    {
        "ACCEPT_KEYWORDS",
        "CONFIG_PROTECT",
        "CONFIG_PROTECT_MASK",
        "ENV_UNSET",
        "FEATURES",
        "IUSE_IMPLICIT",
        "PROFILE_ONLY_VARIABLES",
        "USE",
        "USE_EXPAND",
        "USE_EXPAND_HIDDEN",
        "USE_EXPAND_IMPLICIT",
        "USE_EXPAND_UNPREFIXED",
    }
)

# The variables of make.defaults that say nothing of packages and their flags.
_APART = frozenset({"INSTALL_MASK", "PKG_INSTALL_MASK"})

# The files that say which packages there are, apart from keywords.
_MASK_FILES = ("package.mask", "package.unmask", "package.provided")

#: As deep as parents may go; the deepest chain in ::gentoo is about ten.
DEEPEST = 64


@dataclass(frozen=True, slots=True)
class ProfileProblem:
    """Why Portage would not take the profile; what it says may then be incomplete."""

    message: str
    span: Span


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of make.defaults as the whole stack leaves it.

    `words` are the effective words, each with the place it was last set; `assignments` are
    all that was assigned, the parents' first, with the span of the whole assignment.
    """

    name: str
    text: str
    words: tuple[Flag, ...]
    assignments: tuple[tuple[Span, str], ...]


@dataclass(frozen=True, slots=True)
class Layer:
    """One node in the stack, with what its make.defaults comes to at that point.

    A node that several parents share stands in the stack once for each of them, as in
    Portage, and references in it may come to something else each time.
    """

    node: ProfileNode
    defaults: MakeDefaults
    variables: Mapping[str, Assignment]

    def words(self, name: str) -> Iterator[Flag]:
        """Yield the words that this node itself assigns to a variable."""
        assignment = self.variables.get(name)
        if assignment is None:
            return
        for word in assignment.value.words():
            span = self.node.repository.span(assignment.path, word.start, word.end)
            is_off = word.text.startswith("-")
            yield Flag(word.text[1:] if is_off else word.text, is_off, span)


class Profile:
    """A profile that may be chosen: the node at `profiles/<name>` on top of its parents.

    Everything is read when it is first asked for. Where a file is there and can't be read,
    whatever asks for it raises TreeError, as Portage gives up then.
    """

    def __init__(self, repository: Repository, name: str) -> None:
        self.repository = repository
        self.name = name

    def __repr__(self) -> str:
        return f"<Profile {self}>"

    def __str__(self) -> str:
        return f"{self.repository.name}:{self.name}"

    @cached_property
    def nodes(self) -> tuple[ProfileNode, ...]:
        """The stack: the farthest parent first, the profile itself last."""
        return self._stack[0]

    @cached_property
    def problems(self) -> tuple[ProfileProblem, ...]:
        """Why Portage would not take this profile: parents or EAPIs that are not there.

        With a missing master there are some, and what needs the profile can't be decided.
        """
        found = list(self._stack[1])
        for layer in self.layers:
            found.extend(
                ProfileProblem(
                    problem.message,
                    layer.node.repository.span(problem.path, problem.start, problem.end),
                )
                for problem in layer.defaults.problems
            )
        return tuple(dict.fromkeys(found))

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The nodes with their make.defaults, references filled in.

        Profiles that start from the same parents share the layers of these.
        """
        shared = self.repository.__dict__.setdefault("_layers_by_stack", {})
        known: Mapping[str, str] = {}
        layers = []
        for index, node in enumerate(self.nodes):
            stack = self.nodes[: index + 1]
            if stack not in shared:
                # Without USE, so that `USE="${USE} ..."` can't put a parent's flags over its
                # package.use.
                after = {name: text for name, text in known.items() if name != "USE"}
                defaults = read_make_defaults(node.read("make.defaults"), after)
                shared[stack] = Layer(node, defaults, defaults.latest()), after
            layer, known = shared[stack]
            layers.append(layer)
        return tuple(layers)

    @cached_property
    def flag_settings(self) -> Hashable:
        """What stands for all that keywords, licences and flags are worked out from.

        It is equal for profiles of one repository under which these are the same for any ebuild.
        """
        return self._saying((*FLAG_FILES, *PACKAGE_FILES))

    @cached_property
    def package_settings(self) -> Hashable:
        """The same for all that visibility is worked out from as well."""
        return self._saying((*FLAG_FILES, *PACKAGE_FILES, *_MASK_FILES))

    def _saying(self, files: tuple[str, ...]) -> Hashable:
        """Return the layers that have one of some files, or set a variable that matters."""
        apart = _APART.difference(self.words("USE_EXPAND"), self.words("USE_EXPAND_UNPREFIXED"))
        # Profiles that start from the same parents share these layers, and no others.
        return tuple(
            id(layer)
            for layer in self.layers
            if layer.variables.keys() - apart or layer.node.has_any(files)
        )

    def variable(self, name: str) -> Variable | None:
        """Return a variable of make.defaults, or None where no node sets it."""
        if name not in self._variables:
            self._variables[name] = self._variable(name)
        return self._variables[name]

    def words(self, name: str) -> tuple[str, ...]:
        """Return a variable's effective words; none where it is not set."""
        variable = self.variable(name)
        if variable is None:
            return ()
        return tuple(word.text for word in variable.words)

    @property
    def arch(self) -> str:
        """ARCH: the profile's architecture, or "" where none is set."""
        variable = self.variable("ARCH")
        return "" if variable is None else variable.text

    @cached_property
    def accept_keywords(self) -> tuple[str, ...]:
        """ACCEPT_KEYWORDS, sorted as Portage has it."""
        return tuple(sorted(self.words("ACCEPT_KEYWORDS")))

    @cached_property
    def packages(self) -> tuple[AtomLine, ...]:
        """The lines of `packages` that no child took back."""
        return stack_atoms(node.packages for node in self.nodes)

    @cached_property
    def provided(self) -> tuple[Flag, ...]:
        """The packages, with version, that the profile takes as installed."""
        return stack_flags(node.provided for node in self.nodes)

    def provides(self, atom: Atom) -> bool:
        """Whether package.provided has something for an atom: then nothing has to be built.

        A provided package has no slot, flags or repository; Portage takes it whichever of
        those an atom asks for.
        """
        found = self._provided_versions.get(atom.cp)
        if found is None:
            return False
        return any(atom.matches_version(version) for version in found)

    @cached_property
    def _provided_versions(self) -> Mapping[str, list[Version]]:
        found: dict[str, list[Version]] = {}
        for line in self.provided:
            category, _, pf = line.name.partition("/")
            split = split_pf(pf)
            version = parse_version(split[1]) if split is not None else None
            if split is not None and version is not None:
                found.setdefault(f"{category}/{split[0]}", []).append(version)
        return found

    @property
    def is_deprecated(self) -> bool:
        """Whether the profile itself tells users to move on; parents do not count (PMS 5.2.3)."""
        return bool(self.nodes) and self.nodes[-1].is_deprecated

    def visibility(self, ebuild: Ebuild, metadata: Mapping[str, str]) -> Visibility:
        """Return whether Portage would show the ebuild under this profile, and why not.

        `metadata` holds EAPI, KEYWORDS, LICENSE, SLOT, IUSE, PROPERTIES and RESTRICT as
        far as the ebuild has them.
        """
        from overlaylint.overlay.visibility import visibility

        return visibility(self, ebuild, metadata)

    def use(self, ebuild: Ebuild, metadata: Mapping[str, str]) -> UseState:
        """Return the ebuild's USE flags under this profile; `metadata` as in `visibility`."""
        from overlaylint.overlay.use import use_state

        return use_state(self, ebuild, metadata)

    def explain_flag(
        self, ebuild: Ebuild, metadata: Mapping[str, str], flag: str
    ) -> tuple[FlagSource, ...]:
        """Return every line that speaks of one flag of an ebuild, in the order they count."""
        from overlaylint.overlay.use import explain_flag

        return explain_flag(self, ebuild, metadata, flag)

    def nodes_naming(self, name: str, cp: str) -> tuple[ProfileNode, ...]:
        """Return the nodes whose `package.*` file has lines for a package, in stack order."""
        if name not in self._naming:
            index: dict[str, list[ProfileNode]] = {}
            for node in self.nodes:
                for mentioned in node.mentioned(name):
                    index.setdefault(mentioned, []).append(node)
            self._naming[name] = {key: tuple(nodes) for key, nodes in index.items()}
        return self._naming[name].get(cp, ())

    @cached_property
    def _naming(self) -> dict[str, dict[str, tuple[ProfileNode, ...]]]:
        return {}

    @cached_property
    def _variables(self) -> dict[str, Variable | None]:
        return {}

    def _variable(self, name: str) -> Variable | None:
        setters = [layer for layer in self.layers if name in layer.variables]
        if not setters:
            return None
        assignments = tuple(
            (
                layer.node.repository.span(assignment.path, assignment.start, assignment.end),
                assignment.value.text,
            )
            for layer in setters
            for assignment in layer.defaults.assignments
            if assignment.name == name
        )
        if name in INCREMENTALS:
            words = stack_flags(layer.words(name) for layer in setters)
            return Variable(name, " ".join(word.text for word in words), words, assignments)
        last = setters[-1]
        text = last.variables[name].value.text
        return Variable(name, text, tuple(last.words(name)), assignments)

    @cached_property
    def _stack(self) -> tuple[tuple[ProfileNode, ...], tuple[ProfileProblem, ...]]:
        nodes: list[ProfileNode] = []
        problems: list[ProfileProblem] = []
        top = self.repository.profile_node(f"profiles/{self.name}")
        _add_node(top, (), nodes, problems)
        return tuple(nodes), tuple(problems)


def _add_node(
    node: ProfileNode,
    below: tuple[ProfileNode, ...],
    nodes: list[ProfileNode],
    problems: list[ProfileProblem],
) -> None:
    if not node.is_supported:
        span = node.repository.span(f"{node.path}/eapi")
        problems.append(ProfileProblem(f"EAPI {node.eapi!r} is not supported", span))
        return
    for parent in node.parents:
        if parent.repository is None or parent.path is None:
            problems.append(ProfileProblem(parent.problem or "no such parent", parent.span))
            continue
        above = parent.repository.profile_node(parent.path)
        if above is node or above in below:
            problems.append(ProfileProblem("the profile is its own parent", parent.span))
        elif len(below) >= DEEPEST or len(nodes) >= DEEPEST * DEEPEST:
            problems.append(ProfileProblem("there are too many parents", parent.span))
            return
        else:
            _add_node(above, (*below, node), nodes, problems)
    nodes.append(node)


def stack_flags(layers: Iterable[Iterable[Flag]]) -> tuple[Flag, ...]:
    """Return what incremental lists leave: `-x` takes x away, `-*` everything.

    Each word has the place where it was last set.
    """
    found: dict[str, Flag] = {}
    for layer in layers:
        for flag in layer:
            if not flag.is_off:
                found[flag.name] = flag
            elif flag.name == "*":
                found.clear()
            else:
                found.pop(flag.name, None)
    return tuple(found.values())


def stack_atoms(layers: Iterable[Iterable[AtomLine]]) -> tuple[AtomLine, ...]:
    """Return the lines of package.mask and the like that no later `-` line took back.

    A `-` line takes back the very text, as in Portage: `-cat/pkg` leaves `=cat/pkg-1`.
    """
    found: dict[str, AtomLine] = {}
    for layer in layers:
        for line in layer:
            if not line.is_off:
                found[line.text] = line
            elif line.atom is None:
                found.clear()
            else:
                found.pop(line.text, None)
    return tuple(found.values())
