"""Files that have to exist, or may not."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from overlaylint.finding import Finding, Outcome, Span
from overlaylint.overlay.ebuild import Package
from overlaylint.overlay.files import File, files
from overlaylint.overlay.repository import Repository
from overlaylint.policies.forms import ForbidFile, RequireFile
from overlaylint.syntax import each

_WILDCARDS = frozenset("*?[")


def required_file(subject: Package | Repository, form: RequireFile) -> Iterator[Outcome]:
    """Report each glob that no file of the package or the overlay matches."""
    for glob in each(form.path):
        if all(file.kind.is_bad_link for file in _matching(subject, glob)):
            of = subject.cp if isinstance(subject, Package) else "the overlay"
            yield Finding(_place(subject), f"{of} has no {glob}", f"add {glob}")


def forbidden_file(subject: Package | Repository, form: ForbidFile) -> Iterator[Outcome]:
    """Report each file of the package or the overlay that one of the globs matches."""
    said: set[str] = set()
    for glob in each(form.path):
        for file in _matching(subject, glob):
            if file.path not in said:
                said.add(file.path)
                yield Finding(file.span(), f"{file.path} is there", "remove the file")


def _matching(subject: Package | Repository, glob: str) -> Iterator[File]:
    """Yield the files that a glob matches, looking into no folder that it can't mean.

    One that ends in a slash means a folder: whatever lies in it.
    """
    repository = subject.repository if isinstance(subject, Package) else subject
    root = f"{subject.path}/" if isinstance(subject, Package) else ""
    whole = root + glob.strip("/") + ("/*" if glob.endswith("/") else "")
    literal: list[str] = []
    for part in whole.split("/")[:-1]:
        if set(part) & _WILDCARDS:
            break
        literal.append(part)
    folder = "/".join(literal)
    if folder and not repository.entries(folder):
        return
    for file in files(repository, folder):
        if fnmatchcase(file.path, whole):
            yield file


def _place(subject: Package | Repository) -> Span:
    if isinstance(subject, Repository):
        return subject.span("profiles/repo_name")
    if subject.ebuilds:
        return subject.ebuilds[-1].span()
    return subject.repository.span(subject.misplaced[0].path)
