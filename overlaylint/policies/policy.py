"""A policy of an overlay's own, written in its configuration: a rule without code.

A policy is one form (forms.py) with a name, a reason, and the packages that it is for. It makes
a rule like any other: listed, explained, selected, suppressed and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from overlaylint.finding import Finding, NotApplicable, Outcome, Severity, Undecided
from overlaylint.overlay.ebuild import PACKAGE_MANAGER, Ebuild, Package
from overlaylint.overlay.repository import Repository
from overlaylint.policies import forms
from overlaylint.policies.forms import PackageName, is_atom, one_of
from overlaylint.records import dataclass
from overlaylint.rule import Documentation, Rule
from overlaylint.syntax import Name, NotEmpty, Text, each

if TYPE_CHECKING:
    from overlaylint.overlay.atom import Atom

#: The pack that the policies of a configuration are in, and its title.
PACK = "policies"
TITLE = "policies of the configuration"

PackageNames = PackageName | Annotated[tuple[PackageName, ...], NotEmpty()]


@dataclass(frozen=True, slots=True)
class Policy:
    """One `[[policy]]`: what the overlay's maintainers decided, and exactly one form of it."""

    exactly_one_of: ClassVar[tuple[str, ...]] = (
        "require_dependency",
        "forbid_dependency",
        "require_use",
        "forbid_use",
        "require_inherit",
        "forbid_inherit",
        "require_call",
        "forbid_call",
        "require_installed",
        "forbid_installed",
        "require_value",
        "forbid_value",
        "require_kernel_option",
        "forbid_kernel_option",
        "require_file",
        "forbid_file",
        "require_keywords",
        "forbid_keywords",
    )

    name: Name
    """What the rule is called; it names the fault, as `missing-diffutils`."""
    why: Text
    """Why it was decided so, in one sentence: it stands in every finding."""
    decided_in: str = ""
    """Where it was decided: a commit, an issue, an address."""
    package: PackageNames = "*/*"
    """The packages that it is for: globs over `category/package`, or atoms with versions."""
    severity: Severity = Severity.ERROR
    """How bad a finding is."""
    help: str = ""
    """What to do about a finding, where overlaylint's own words do not say it well."""
    require_dependency: forms.RequireDependency | None = None
    """A dependency that stands in a list under no condition."""
    forbid_dependency: forms.ForbidDependency | None = None
    """A dependency that stands in no list."""
    require_use: forms.RequireUse | None = None
    """A USE flag that is on, off, forced or masked under some profiles."""
    forbid_use: forms.ForbidUse | None = None
    """A USE flag that is not on, off, forced or masked under some profiles."""
    require_inherit: forms.RequireInherit | None = None
    """Eclasses that are inherited."""
    forbid_inherit: forms.ForbidInherit | None = None
    """Eclasses that are not inherited."""
    require_call: forms.RequireCall | None = None
    """A call that a phase makes."""
    forbid_call: forms.ForbidCall | None = None
    """A call that no phase makes."""
    require_installed: forms.RequireInstalled | None = None
    """A file that a build leaves in the image."""
    forbid_installed: forms.ForbidInstalled | None = None
    """Files that a build does not leave in the image."""
    require_value: forms.RequireValue | None = None
    """A value that a variable has."""
    forbid_value: forms.ForbidValue | None = None
    """A value that a variable does not have."""
    require_kernel_option: forms.RequireKernelOption | None = None
    """A symbol that kernel configurations set."""
    forbid_kernel_option: forms.ForbidKernelOption | None = None
    """A symbol that kernel configurations do not set."""
    require_file: forms.RequireFile | None = None
    """Files that exist."""
    forbid_file: forms.ForbidFile | None = None
    """Files that do not exist."""
    require_keywords: forms.RequireKeywords | None = None
    """Keywords that ebuilds have, or that profiles accept."""
    forbid_keywords: forms.ForbidKeywords | None = None
    """Keywords that ebuilds do not have, or that profiles do not accept."""

    def __post_init__(self) -> None:
        """Raise ValueError where there is not exactly one form."""
        one_of(self, self.exactly_one_of)

    @property
    def form(self) -> forms.Form:
        """The one form that it has."""
        found: forms.Form = getattr(self, one_of(self, self.exactly_one_of))
        return found

    @property
    def names_packages(self) -> bool:
        """Whether it is for some packages, not for all."""
        return self.package != "*/*"


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a form looks at, and the function that does."""

    subject: type
    module: str
    function: str


_KINDS: Mapping[type, _Kind] = {
    forms.RequireDependency: _Kind(Ebuild, "dependencies", "required_dependency"),
    forms.ForbidDependency: _Kind(Ebuild, "dependencies", "forbidden_dependency"),
    forms.RequireUse: _Kind(Ebuild, "flags", "required_use"),
    forms.ForbidUse: _Kind(Ebuild, "flags", "forbidden_use"),
    forms.RequireInherit: _Kind(Ebuild, "inherits", "required_inherit"),
    forms.ForbidInherit: _Kind(Ebuild, "inherits", "forbidden_inherit"),
    forms.RequireCall: _Kind(Ebuild, "calls", "required_call"),
    forms.ForbidCall: _Kind(Ebuild, "calls", "forbidden_call"),
    forms.RequireInstalled: _Kind(Ebuild, "installed", "required_installed"),
    forms.ForbidInstalled: _Kind(Ebuild, "installed", "forbidden_installed"),
    forms.RequireValue: _Kind(Ebuild, "values", "required_value"),
    forms.ForbidValue: _Kind(Ebuild, "values", "forbidden_value"),
    forms.RequireKernelOption: _Kind(Package, "kernel_options", "required_kernel_option"),
    forms.ForbidKernelOption: _Kind(Package, "kernel_options", "forbidden_kernel_option"),
    forms.RequireFile: _Kind(Repository, "file_presence", "required_file"),
    forms.ForbidFile: _Kind(Repository, "file_presence", "forbidden_file"),
    forms.RequireKeywords: _Kind(Ebuild, "keywords", "required_keywords"),
    forms.ForbidKeywords: _Kind(Ebuild, "keywords", "forbidden_keywords"),
}

FormCheck = Callable[[Any, Any], Iterable[Outcome]]


@dataclass(frozen=True)
class PolicyRule(Rule):
    """The rule that a policy makes."""

    policy: Policy = field(kw_only=True)

    @property
    def subject(self) -> type:
        """What the policy's form looks at: files of packages are looked for in each of them."""
        kind = _KINDS[type(self.policy.form)].subject
        return Package if kind is Repository and self.policy.names_packages else kind

    @property
    def options(self) -> None:
        """None: all that can be set stands in the policy."""
        return

    @property
    def documentation(self) -> Documentation:
        """What the policy says, under the headings that a rule has."""
        policy = self.policy
        where = ""
        if policy.names_packages:
            names = " and ".join(f"`{package}`" for package in each(policy.package))
            where = f" For {names}."
        sections = {
            "What it does": policy.form.sentence + where,
            "Why it matters": policy.why,
        }
        if policy.help:
            sections["Use instead"] = policy.help
        source = f"- Decided in {policy.decided_in}\n" if policy.decided_in else ""
        sections["References"] = f"{source}- A `[[policy]]` of the overlay's configuration."
        return Documentation(policy.form.sentence, sections)


def policy_rule(policy: Policy) -> PolicyRule:
    """Return the rule that a policy makes."""
    atoms = _atoms(policy)
    globs = tuple(atom.cp if isinstance(atom, _Named) else atom for atom in atoms)
    kind = _KINDS[type(policy.form)]

    def check(subject: Any) -> Iterator[Outcome]:
        if isinstance(subject, Ebuild) and not _is_meant(subject, atoms):
            yield NotApplicable(f"{subject.path} is no version that the policy is for")
            return
        if isinstance(subject, Ebuild) and _is_never_built(subject, atoms):
            yield NotApplicable(f"{subject.path} is built as the versions that link to it")
            return
        for outcome in _check_of(kind)(subject, policy.form):
            if isinstance(outcome, Undecided) and outcome.span.repository == PACKAGE_MANAGER:
                # What the package manager does by default stands in no file.
                outcome = replace(outcome, span=subject.span())
            yield _told(outcome, policy) if isinstance(outcome, Finding) else outcome

    return PolicyRule(
        name=policy.name,
        check=check,
        severity=policy.severity,
        packages=globs if policy.names_packages else (),
        decided_in=policy.decided_in,
        policy=policy,
    )


def _told(finding: Finding, policy: Policy) -> Finding:
    """Return a finding in the policy's words: why, what to do, and where it was decided."""
    help_ = policy.help or finding.help
    if policy.decided_in:
        help_ = f"{help_} (decided in {policy.decided_in})"
    return replace(finding, message=f"{finding.message} ({policy.why})", help=help_)


def _check_of(kind: _Kind) -> FormCheck:
    from importlib import import_module

    # One of our own modules: no name in it comes from the configuration.
    check: FormCheck = getattr(import_module(f"overlaylint.policies.{kind.module}"), kind.function)
    return check


@dataclass(frozen=True, slots=True)
class _Named:
    """Packages that are named by an atom."""

    atom: Atom

    @property
    def cp(self) -> str:
        return self.atom.cp


def _atoms(policy: Policy) -> tuple[_Named | str, ...]:
    from overlaylint.overlay.atom import parse_atom

    return tuple(
        _Named(parse_atom(text)) if is_atom(text) else text for text in each(policy.package)
    )


def _is_never_built(ebuild: Ebuild, atoms: Iterable[_Named | str]) -> bool:
    """Whether a live ebuild is there for the links to it, and no atom names its own version."""
    named = [one for one in atoms if not isinstance(one, str)]
    return ebuild.is_built_as_links_only and not _is_meant(ebuild, named)


def _is_meant(ebuild: Ebuild, atoms: Iterable[_Named | str]) -> bool:
    """Whether an ebuild is one of those that a policy is for."""
    from overlaylint.overlay.atom import Candidate

    for one in atoms:
        if isinstance(one, str):
            if fnmatchcase(ebuild.cp, one):
                return True
            continue
        slot = "0"
        if one.atom.slot is not None and ebuild.cp == one.cp:
            found = ebuild.variable("SLOT")
            slot = (found.text if found is not None else None) or "0"
        candidate = Candidate(ebuild.cp, ebuild.version, slot, ebuild.repository.name)
        if one.atom.matches(candidate):
            return True
    return False
