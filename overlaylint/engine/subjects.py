"""What rules look at: how to find every subject of a type, and what it is called.

A new type of subject joins by a line in `KINDS`; the key is the type's full name, so that
only the modules are imported that some rule asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from overlaylint.engine.selection import Selection
from overlaylint.overlay.ebuild import Ebuild, Package
from overlaylint.overlay.files import File, ScriptFile, TextFile, file_at, files, text_files
from overlaylint.overlay.repository import Repository
from overlaylint.records import dataclass
from overlaylint.rule import Rule, RuleError

if TYPE_CHECKING:
    from overlaylint.overlay.kernel_config import KernelConfig


class Subjects:
    """The subjects of one run, listed as rules ask for them."""

    def __init__(self, repository: Repository, selection: Selection) -> None:
        self.repository = repository
        self.selection = selection

    def of(self, rule: Rule) -> Iterator[Any]:
        """Yield what a rule is to look at. Raises RuleError for a type that is no subject."""
        kind = kind_of(rule)
        for subject in kind.subjects(self, rule):
            package = kind.package(subject)
            if package and not rule.applies_to_package(package):
                continue
            if kind.is_file and not rule.may_report_in(kind.path(subject), self.repository):
                continue
            yield subject

    @cached_property
    def files(self) -> tuple[File, ...]:
        """Every file of the selection, sorted by path."""
        found = (
            files(self.repository)
            if self.selection.is_whole
            else (file for path in self.selection.given for file in file_at(self.repository, path))
        )
        by_path = {file.path: file for file in found if self.selection.reports_on(file.path)}
        return tuple(file for _, file in sorted(by_path.items()))

    @cached_property
    def texts(self) -> tuple[TextFile, ...]:
        """What Portage reads as text among those files."""
        return tuple(text_files(self.files))

    @property
    def scripts(self) -> tuple[ScriptFile, ...]:
        """What Portage has bash source among those files."""
        return tuple(text for text in self.texts if isinstance(text, ScriptFile))

    def packages(self, rule: Rule) -> Iterator[Package]:
        """Yield the packages a rule looks at, listing the overlay only where it must."""
        repository = self.repository
        touched = self.selection.packages(repository)
        named = [glob for glob in rule.packages if not set(glob) & set("*?[")]
        if touched is not None:
            candidates = sorted(touched)
        elif rule.packages and len(named) == len(rule.packages):
            candidates = sorted(named)
        else:
            yield from repository.packages.values()
            return
        for cp in candidates:
            package = repository.package(cp) if rule.applies_to_package(cp) else None
            if package is not None:
                yield package

    def ebuilds(self, rule: Rule) -> Iterator[Ebuild]:
        """Yield the ebuilds of those packages that the selection may have to do with."""
        for package in self.packages(rule):
            for ebuild in package.ebuilds:
                if self.selection.may_concern_ebuild(ebuild.path, ebuild.source_path):
                    yield ebuild

    def kernel_configs(self, rule: Rule) -> Iterator[KernelConfig]:
        """Yield the kernel configurations of those packages."""
        from overlaylint.overlay.kernel_config import kernel_configs

        for package in self.packages(rule):
            yield from kernel_configs(package)


@dataclass(frozen=True, slots=True)
class SubjectKind:
    """How to list the subjects of one type; `Any` stands for that type.

    `package` is the subject's `category/package`, or empty where it belongs to none. Where the
    subject `is_file`, a rule looks only at those that it reports in.
    """

    subjects: Callable[[Subjects, Rule], Iterable[Any]]
    path: Callable[[Any], str]
    package: Callable[[Any], str] = lambda _: ""
    is_file: bool = False


def kind_of(rule: Rule) -> SubjectKind:
    """Return the kind of a rule's subject. Raises RuleError for a type that is none."""
    name = f"{rule.subject.__module__}.{rule.subject.__qualname__}"
    try:
        return KINDS[name]
    except KeyError:
        raise RuleError(f"{rule.module}: {name} is not a subject that rules can have") from None


KINDS: Mapping[str, SubjectKind] = {
    "overlaylint.overlay.ebuild.Ebuild": SubjectKind(
        Subjects.ebuilds, lambda ebuild: str(ebuild.path), lambda ebuild: str(ebuild.cp)
    ),
    "overlaylint.overlay.ebuild.Package": SubjectKind(
        Subjects.packages, lambda package: str(package.path), lambda package: str(package.cp)
    ),
    "overlaylint.overlay.files.File": SubjectKind(
        lambda all_of, _: all_of.files, lambda file: str(file.path), is_file=True
    ),
    "overlaylint.overlay.files.ScriptFile": SubjectKind(
        lambda all_of, _: all_of.scripts, lambda script: str(script.path), is_file=True
    ),
    "overlaylint.overlay.files.TextFile": SubjectKind(
        lambda all_of, _: all_of.texts, lambda text: str(text.path), is_file=True
    ),
    "overlaylint.overlay.kernel_config.KernelConfig": SubjectKind(
        Subjects.kernel_configs,
        lambda config: str(config.paths[0]),
        lambda config: "/".join(config.paths[0].split("/")[:2]),
    ),
    "overlaylint.overlay.profile.Profile": SubjectKind(
        lambda all_of, _: all_of.repository.profiles, lambda profile: f"profiles/{profile.name}"
    ),
    "overlaylint.overlay.repository.Repository": SubjectKind(
        lambda all_of, _: (all_of.repository,), lambda _: "profiles/repo_name"
    ),
}
