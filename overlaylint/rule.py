"""What a rule is: one documented, pure function from a subject to what there is to say of it.

A rule module holds one such function under `@rule`:

    @rule(severity=Severity.ERROR, packages="dev-lang/rust", decided_in="6c393d3ba904")
    def stage0_patchlevel(ebuild: Ebuild) -> Iterator[Finding]:
        ...

The first parameter's type is the subject; a second one, annotated with a frozen dataclass,
is the rule's options. The function's name in kebab case is the rule's name, and the
module's docstring is its documentation. A rule that yields nothing applied and held.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from fnmatch import fnmatchcase
from functools import cached_property
from types import FunctionType
from typing import TYPE_CHECKING, cast

from overlaylint.finding import Finding, NotApplicable, Outcome, Severity, Undecided
from overlaylint.records import dataclass

if TYPE_CHECKING:
    from overlaylint.overlay.repository import Repository

__all__ = [
    "Documentation",
    "Finding",
    "NotApplicable",
    "Outcome",
    "Pack",
    "Rule",
    "RuleError",
    "Severity",
    "Undecided",
    "rule",
]

#: The headings of a rule's documentation, in their order; the others are optional.
HEADINGS = ("What it does", "Why it matters", "Example", "Use instead", "References")
OPTIONAL_HEADINGS = ("Options", "Fix", "Limits")

Check = Callable[..., Iterable[Outcome]]
Files = tuple[str, ...] | Callable[["Repository"], tuple[str, ...]]

_HEADING = re.compile(r"^## +(.+?) *$")
_FENCE = re.compile(r"^ *(```+|~~~+)")


class RuleError(Exception):
    """A rule or pack is not put together as it must be; the text names it and says how."""


@dataclass(frozen=True, slots=True)
class Documentation:
    """A rule's docstring: a title of one line, and sections in their order of writing."""

    title: str
    sections: Mapping[str, str]

    @property
    def markdown(self) -> str:
        """The whole text again, the title as a heading of its own level."""
        parts = [f"# {self.title}"]
        parts += [f"## {heading}\n\n{text}" for heading, text in self.sections.items()]
        return "\n\n".join(parts) + "\n"


@dataclass(frozen=True, slots=True)
class Pack:
    """What a pack's package sets as `PACK`: its title, and the overlays it is on for.

    `repositories` are names from `profiles/repo_name`; none of them means every overlay.
    A pack that is not on for an overlay runs there only when it, or a rule of it, is
    selected.
    """

    title: str
    repositories: tuple[str, ...] = ()

    def is_on_for(self, repository: str) -> bool:
        """Whether the pack's rules run on a repository of that name unasked."""
        return not self.repositories or repository in self.repositories


@dataclass(frozen=True)
class Rule:
    """A policy and how to check it. Calling the rule calls its function."""

    name: str
    check: Check = field(repr=False)
    severity: Severity
    packages: tuple[str, ...] = ()
    """Globs over `category/package`; a subject of another package is passed over."""
    files: Files = ()
    """Globs over the paths that the rule reports in, or a function that returns them for an
    overlay; none means anywhere. A run on given files passes over a rule that can't report in any
    of them."""
    decided_in: str = ""
    """The commit in which the overlay's maintainers took the decision."""
    needs_masters: bool = False
    """Whether the rule says nothing true unless every master is at hand."""

    def __call__(self, *arguments: object) -> Iterable[Outcome]:
        """Yield what the rule has to say of a subject (and with which options)."""
        return self.check(*arguments)

    @property
    def module(self) -> str:
        """The import name of the module that holds the rule."""
        return self.check.__module__

    @property
    def pack(self) -> str:
        """The import name of the package that the rule's module is in."""
        return self.module.rpartition(".")[0]

    @cached_property
    def subject(self) -> type:
        """The type of what the rule looks at; raises RuleError where there is none."""
        return self._annotation(0)

    @cached_property
    def options(self) -> type | None:
        """The type of the rule's options, a dataclass whose fields all have defaults."""
        return self._annotation(1) if self.check.__code__.co_argcount > 1 else None

    @cached_property
    def documentation(self) -> Documentation:
        """The module's docstring; raises RuleError where a heading is missing or unknown."""
        return parse_documentation(sys.modules[self.module].__doc__ or "", self.name)

    def applies_to_package(self, package: str) -> bool:
        """Whether a `category/package` is one that the rule looks at."""
        return not self.packages or any(fnmatchcase(package, glob) for glob in self.packages)

    def may_report_in(self, path: str, overlay: Repository) -> bool:
        """Whether the rule's findings may lie in the file at `path` of an overlay."""
        globs = self.files(overlay) if callable(self.files) else self.files
        return not globs or any(fnmatchcase(path, glob) for glob in globs)

    def _annotation(self, position: int) -> type:
        function = cast(FunctionType, self.check)
        code = function.__code__
        if code.co_argcount <= position:
            raise RuleError(f"{self.module}: {function.__name__} takes no subject")
        parameter = code.co_varnames[position]
        written = function.__annotations__.get(parameter)
        # Rule modules postpone annotations, so each is its source text: a name, or a
        # dotted one. Looking it up costs nothing, and evaluates nothing.
        found: object = written
        if isinstance(written, str):
            first, *others = written.split(".")
            found = function.__globals__.get(first)
            for name in others:
                found = getattr(found, name, None)
        if not isinstance(found, type):
            raise RuleError(
                f"{self.module}: the parameter {parameter} of {function.__name__} needs a type"
                " that the module imports"
            )
        return found


def rule(
    *,
    severity: Severity = Severity.ERROR,
    packages: str | tuple[str, ...] = (),
    files: str | Files = (),
    decided_in: str = "",
    needs_masters: bool = False,
) -> Callable[[Check], Rule]:
    """Make a rule of a function; the parameters are those of `Rule`."""

    def decorate(check: Check) -> Rule:
        return Rule(
            name=check.__name__.replace("_", "-"),
            check=check,
            severity=severity,
            packages=(packages,) if isinstance(packages, str) else packages,
            files=(files,) if isinstance(files, str) else files,
            decided_in=decided_in,
            needs_masters=needs_masters,
        )

    return decorate


def parse_documentation(docstring: str, rule_name: str) -> Documentation:
    """Take a rule's docstring apart.

    Raises RuleError where a heading of HEADINGS is missing, empty, unknown or out of order.
    A heading inside a fenced block is text.
    """
    title, _, rest = docstring.strip().partition("\n")
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    fence = ""
    for line in rest.split("\n"):
        mark = _FENCE.match(line)
        if mark:
            fence = "" if fence and line.strip() == fence else fence or mark[1]
        heading = None if fence else _HEADING.match(line)
        if heading:
            current = sections.setdefault(heading[1], [])
        else:
            current.append(line)
    texts = {heading: "\n".join(lines).strip() for heading, lines in sections.items()}
    required = tuple(heading for heading in texts if heading not in OPTIONAL_HEADINGS)
    if not title or required != HEADINGS or not all(texts.values()):
        raise RuleError(
            f"the documentation of {rule_name} needs a title and the headings "
            + ", ".join(HEADINGS)
            + f" in this order, each with text; it has {', '.join(texts) or 'none'}"
        )
    return Documentation(title.strip(), texts)
