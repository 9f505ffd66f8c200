"""An ebuild and a package: what they are called and where they lie (PMS 3, 11.1)."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from overlaylint.finding import Span
from overlaylint.overlay.version import Version, parse_version, split_pf
from overlaylint.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from overlaylint.overlay.evaluation import Evaluated, Evaluation
    from overlaylint.overlay.kept import Summary
    from overlaylint.overlay.metadata import Metadata
    from overlaylint.overlay.repository import Repository
    from overlaylint.overlay.trace import Trace, Tracer
    from overlaylint.tree import Kind


#: Stands in for a repository where something is what the package manager does by default.
PACKAGE_MANAGER = "PMS"


@dataclass(frozen=True)
class Ebuild:
    """One `category/package/package-version.ebuild` of a repository.

    A link is an ebuild of its own: it is built as the version that its name says, from
    the text that its target holds.
    """

    repository: Repository
    category: str
    package: str
    pvr: str
    path: str
    link: str | None = None
    """The text of the link where the file is one: usually `package-9999.ebuild`."""

    def __repr__(self) -> str:
        return f"<Ebuild {self}>"

    def __str__(self) -> str:
        return f"{self.category}/{self.PF}::{self.repository.name}"

    @property
    def cp(self) -> str:
        """The package: `category/package`."""
        return f"{self.category}/{self.package}"

    @property
    def cpv(self) -> str:
        """The package and its version: `category/package-version`."""
        return f"{self.category}/{self.PF}"

    @cached_property
    def version(self) -> Version:
        """The version with its revision, for comparing."""
        version = parse_version(self.pvr)
        if version is None:
            raise ValueError(f"not a version: {self.pvr!r}")
        return version

    @property
    def PN(self) -> str:  # noqa: N802 (PMS's own name, as the next ones)
        """Package name, as in `vim`."""
        return self.package

    @property
    def PV(self) -> str:  # noqa: N802
        """Package version without revision, as in `7.0.174`."""
        return self.pvr.partition("-")[0]

    @property
    def PR(self) -> str:  # noqa: N802
        """Revision, `r0` where the name has none."""
        return self.pvr.partition("-")[2] or "r0"

    @property
    def PVR(self) -> str:  # noqa: N802
        """Version and revision as the name has them, as in `7.0.174-r1`."""
        return self.pvr

    @property
    def P(self) -> str:  # noqa: N802
        """Package name and version without revision, as in `vim-7.0.174`."""
        return f"{self.package}-{self.PV}"

    @property
    def PF(self) -> str:  # noqa: N802
        """Package name, version and revision, as in `vim-7.0.174-r1`."""
        return f"{self.package}-{self.pvr}"

    @property
    def filesdir(self) -> str:
        """The folder that FILESDIR names, relative to the repository."""
        return f"{self.category}/{self.package}/files"

    @cached_property
    def source_path(self) -> str:
        """The path of the file that holds the text: the end of the link, if it is one."""
        return self.repository.tree.resolve(self.path)

    @cached_property
    def is_built_as_links_only(self) -> bool:
        """Whether a live ebuild is there for the links beside it, which give it its versions."""
        if self.link is not None or not self.PV.startswith("9999"):
            return False
        package = self.repository.package(self.cp)
        others = () if package is None else package.ebuilds
        return any(one.link is not None and one.source_path == self.path for one in others)

    def read(self) -> bytes:
        """Return the text. Raises TreeError where the file can't be read."""
        return self.repository.read(self.path)

    @cached_property
    def evaluation(self) -> Evaluation:
        """What the ebuild's global scope comes to. Raises TreeError where a file can't be read."""
        from overlaylint.overlay.evaluation import evaluate

        shared = self.repository.shared
        return evaluate(self) if shared is None else shared.evaluation(self)

    @cached_property
    def metadata(self) -> Metadata:
        """Its metadata as Portage caches it. Raises TreeError where a file can't be read.

        A master's evaluation is not kept: only its metadata is of interest, and there are many.
        """
        from overlaylint.overlay.evaluation import evaluate
        from overlaylint.overlay.metadata import metadata

        if "evaluation" not in self.__dict__ and self._summary is not None:
            return self._summary.metadata
        is_kept = self.repository.is_checked or "evaluation" in self.__dict__
        evaluation = self.evaluation if is_kept else evaluate(self)
        found = metadata(evaluation)
        if self.repository.store is not None:
            from overlaylint.overlay.kept import keep_summary

            keep_summary(self, found, evaluation)
        return found

    @property
    def known_eclasses(self) -> tuple[str, ...] | None:
        """Every eclass that it inherits, if that is known without evaluating it.

        Then sourcing it does not fail. Raises TreeError where a file can't be read.
        """
        summary = self._summary
        return None if summary is None or summary.metadata.unknown else summary.inherited

    @cached_property
    def _summary(self) -> Summary | None:
        if self.repository.store is None:
            return None
        from overlaylint.overlay.kept import kept_summary

        return kept_summary(self)

    def variable(self, name: str) -> Evaluated | None:
        """Return a variable as global scope leaves it; None where nothing assigned it."""
        return self.evaluation.variable(name)

    def trace(self, phase: str, use: Mapping[str, bool] | None = None) -> Trace:
        """Return what a phase would run, with some USE flags assumed on or off."""
        from overlaylint.overlay.trace import Tracer

        key = tuple(sorted((use or {}).items()))
        tracer = self._tracers.get(key)
        if tracer is None:
            tracer = self._tracers[key] = Tracer(self.evaluation, use)
        return tracer.trace(phase)

    @cached_property
    def _tracers(self) -> dict[tuple[tuple[str, bool], ...], Tracer]:
        return {}

    def span(self, start: int = 0, end: int = 0) -> Span:
        """Return a place in the file that holds the text.

        Links share their target's text, so the same fault has the same place in each.
        """
        return self.repository.span(self.source_path, start, end)


@dataclass(frozen=True, slots=True)
class Misplaced:
    """Something called `*.ebuild` that is no ebuild; Portage passes over it or stumbles."""

    path: str
    reason: str
    kind: Kind
    """What stands there: a file with a wrong name, a folder, or a link that is not followed."""
    target: str | None = None
    """The text of the link, where it is one."""


@dataclass(frozen=True)
class Package:
    """One folder `category/package` of a repository, with its ebuilds by version."""

    repository: Repository
    category: str
    name: str
    ebuilds: tuple[Ebuild, ...]
    misplaced: tuple[Misplaced, ...] = ()
    has_manifest: bool = False

    def __str__(self) -> str:
        return f"{self.cp}::{self.repository.name}"

    @property
    def cp(self) -> str:
        """The package: `category/package`."""
        return f"{self.category}/{self.name}"

    @property
    def path(self) -> str:
        """The package's folder, relative to the repository."""
        return self.cp

    def ebuild(self, version: str) -> Ebuild | None:
        """Return the ebuild of a version as it is written (PVR), or None."""
        for ebuild in self.ebuilds:
            if ebuild.pvr == version:
                return ebuild
        return None


def name_fault(file_name: str, package: str) -> str | None:
    """Return why `file_name` can't be an ebuild of `package`, or None if it can."""
    split = split_pf(file_name.removesuffix(".ebuild"))
    if split is None:
        return "its name is not a package name and a valid version (PMS 3.1.2, 3.2)"
    if split[0] != package:
        return f"its name is for a package {split[0]!r}, but it lies in {package!r}"
    return None
