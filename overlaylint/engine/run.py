"""Run rules over an overlay and settle what becomes of what they say.

Two rounds: first the rules that look at the overlay, then those that look at the first
round (comments that suppressed nothing, rules that failed).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from overlaylint.engine.path_ignores import PathIgnore, PathIgnores
from overlaylint.engine.result import Held, Result, Skipped, Sources, Suppressed
from overlaylint.engine.selection import Selection
from overlaylint.engine.subjects import Subjects, kind_of
from overlaylint.engine.suppression import MARK, FileSuppressions, Suppression
from overlaylint.finding import Finding, NotApplicable, Related, Severity, Span, Undecided
from overlaylint.overlay.files import File, Role
from overlaylint.overlay.repository import Repository
from overlaylint.records import dataclass
from overlaylint.rule import Rule
from overlaylint.tree import Kind, TreeError

if TYPE_CHECKING:
    from overlaylint.engine.baseline import Baseline


@dataclass(frozen=True, slots=True)
class Failure:
    """A rule raised: the subject of `internal-error`.

    `place` is the module and line that raised. No path of the machine is in it.
    """

    rule: str
    span: Span
    error: str
    place: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run, and how.

    `known` are all the rules that there are, selected or not. `options` holds, by rule
    name, an instance of the rule's options where they are not the default.
    """

    rules: tuple[Rule, ...]
    known: frozenset[str]
    selection: Selection = field(default_factory=Selection)
    severities: Mapping[str, Severity] = field(default_factory=dict)
    options: Mapping[str, object] = field(default_factory=dict)
    ignores: PathIgnores = field(default_factory=PathIgnores)
    missing_masters: Mapping[str, str] = field(default_factory=dict)
    root: Path | None = None
    baseline: Baseline | None = None
    """The findings that are known, and not to be reported."""


#: Is told where a run is: how many rules are done, of how many, and which one looks at what.
Watcher = Callable[[int, int, str, str], None]


def run(repository: Repository, plan: Plan, watch: Watcher | None = None) -> Result:
    """Check a repository. Raises RuleError where a rule is not put together as it must be.

    A KeyboardInterrupt ends it early: the result has what the rules found that had finished.
    """
    plan = replace(plan, selection=plan.selection.with_link_targets(repository))
    result = _Run(repository, plan, watch).result()
    if plan.baseline is None:
        return result
    from overlaylint.engine.baseline import with_baseline

    return with_baseline(result, plan.baseline, plan.selection.reports_on)


@dataclass(frozen=True, slots=True)
class Found:
    """What rules found, those that failed, and the names of those that could not run."""

    findings: tuple[Finding, ...]
    failures: tuple[Failure, ...]
    skipped: frozenset[str]


def find(repository: Repository, plan: Plan) -> Found:
    """Return what rules find that is not suppressed.

    Only what the rules themselves ask for is read of the repository, and the files in which
    they find something. Rules about what others found are left out. Raises KeyboardInterrupt
    where it is stopped.
    """
    return _Run(repository, plan, None).found()


# What the rules of the second round look at.
_SECOND_ROUND: tuple[type, ...] = (Suppression, PathIgnore, Failure)


def is_about_the_overlay(rule: Rule) -> bool:
    """Whether a rule looks at the overlay, and not at what others found there."""
    return rule.subject not in _SECOND_ROUND


def _focus(repository: Repository, selection: Selection) -> frozenset[str] | None:
    """Return the ebuilds that a selection is about, None for any."""
    try:
        return selection.ebuilds(repository)
    except TreeError:
        # A folder of theirs can't be read, which a rule says.
        return None


class _Run:
    """The state of one run: what the rules have said so far."""

    def __init__(self, repository: Repository, plan: Plan, watch: Watcher | None) -> None:
        self.repository = repository
        self.plan = plan
        self.watch = watch
        repository.focus = _focus(repository, plan.selection)
        self.sources = Sources(repository)
        self.subjects = Subjects(repository, plan.selection)
        self.findings: dict[tuple[str, Span], list[Finding]] = {}
        self.found_for: dict[tuple[str, Span], str] = {}
        self.undecided: set[Undecided] = set()
        self.not_applicable: set[NotApplicable] = set()
        self.held: set[Held] = set()
        self.skipped: list[Skipped] = []
        self.failures: list[Failure] = []
        self.suppressed: list[Suppressed] = []
        self.ignored: dict[PathIgnore, set[str]] = {}
        self._suppressions: dict[str, FileSuppressions] = {}

    def result(self) -> Result:
        first = [rule for rule in self.plan.rules if rule.subject not in _SECOND_ROUND]
        second = [rule for rule in self.plan.rules if rule.subject in _SECOND_ROUND]
        unfinished = self.run_rules(first)
        if unfinished:
            # What a comment is good for can't be told while rules have not had their say.
            second = [rule for rule in second if rule.subject is Failure]
        checked = self.checked_files()
        self.suppress()
        seen: dict[type, list[Any]] = {
            Failure: list(self.failures),
            Suppression: [],
            PathIgnore: self.judged_ignores(),
        }
        if any(rule.subject is Suppression for rule in second):
            seen[Suppression] = self.judged_suppressions(checked)
        for rule in second:
            for subject in seen[rule.subject]:
                self.run_on(rule, subject, subject.span.path)
        return Result(
            sources=self.sources,
            root=self.plan.root,
            rules=self.plan.rules,
            files=len(checked),
            findings=tuple(sorted(chain(*self.findings.values()), key=Finding.order)),
            suppressed=tuple(sorted(self.suppressed, key=lambda one: one.finding.order())),
            undecided=tuple(sorted(self.undecided, key=_place_order)),
            not_applicable=tuple(sorted(self.not_applicable, key=_place_order)),
            held=tuple(sorted(self.held, key=lambda one: (one.path, one.rule))),
            skipped=tuple(self.skipped),
            failed=tuple(sorted({one.rule for one in self.failures})),
            unfinished=unfinished,
            missing_masters=self.plan.missing_masters,
        )

    def found(self) -> Found:
        if self.run_rules(list(filter(is_about_the_overlay, self.plan.rules))):
            raise KeyboardInterrupt
        self.suppress()
        findings = tuple(sorted(chain(*self.findings.values()), key=Finding.order))
        return Found(findings, tuple(self.failures), frozenset(one.rule for one in self.skipped))

    # The first round

    def run_rules(self, rules: Sequence[Rule]) -> tuple[str, ...]:
        """Run rules; return the names of those that had not finished when it was stopped."""
        for done, rule in enumerate(rules):
            try:
                self.run_rule(rule, done, len(rules))
            except KeyboardInterrupt:
                self.forget(rule)
                return tuple(one.name for one in rules[done:])
        return ()

    def forget(self, rule: Rule) -> None:
        """Drop what a rule has said: half of it is not what it has to say."""
        for place in [one for one in self.findings if one[0] == rule.name]:
            del self.findings[place]
        self.undecided = {one for one in self.undecided if one.rule != rule.name}
        self.not_applicable = {one for one in self.not_applicable if one.rule != rule.name}
        self.held = {one for one in self.held if one.rule != rule.name}
        self.failures = [one for one in self.failures if one.rule != rule.name]

    def run_rule(self, rule: Rule, done: int, of: int) -> None:
        missing = self.repository.missing_masters
        if rule.needs_masters and missing:
            names = ", ".join(missing)
            self.skipped.append(Skipped(rule.name, f"it needs the masters, and {names} is missing"))
            return
        if not self.may_report(rule):
            return
        path_of = kind_of(rule).path
        path = ""
        count = 0
        try:
            # Listing the subjects reads the overlay, so it may fail as the rule itself may.
            for subject in self.subjects.of(rule):
                path = path_of(subject)
                count += 1
                if self.watch is not None:
                    self.watch(done, of, rule.name, path)
                self.run_on(rule, subject, path)
        except Exception as error:  # noqa: BLE001 (see run_on)
            self.fail(rule, path, error)
        if not count and rule.packages:
            reason = f"no package here is {' or '.join(rule.packages)}"
            self.not_applicable.add(NotApplicable(reason, rule.name))

    def may_report(self, rule: Rule) -> bool:
        """Return whether a rule can report in any file of the selection."""
        selection = self.plan.selection
        if selection.is_whole or not rule.files:
            return True
        try:
            return any(rule.may_report_in(path, self.repository) for path in self.given_paths)
        except TreeError:
            # The rule meets the same file, and what it says of that is kept.
            return True

    @cached_property
    def given_paths(self) -> tuple[str, ...]:
        """What was asked for, and all that folders among it hold. Raises TreeError."""
        found = sorted(self.plan.selection.given)
        waiting = list(found)
        while waiting:
            folder = waiting.pop()
            for entry in self.repository.entries(folder):
                path = f"{folder}/{entry.name}"
                found.append(path)
                if entry.kind is Kind.FOLDER and not entry.is_link:
                    waiting.append(path)
        return tuple(found)

    def run_on(self, rule: Rule, subject: object, path: str) -> None:
        """Run a rule on one subject and keep what it says.

        A rule is other people's code, and may raise anything: the others go on, and the
        failure is reported as a finding of its own. Where a file that is there can't be read,
        which `unreadable-file` reports, the rule can't tell.
        """
        try:
            outcomes = list(rule(subject, *self.options_of(rule)))
            for outcome in outcomes:
                self.keep(rule, outcome, path)
        except TreeError as error:
            if self.repository.tree.kind(error.path) is None:
                self.fail(rule, path, error)
            else:
                reason = f"{error.path or 'the overlay'} can't be read: {error.reason}"
                self.keep(rule, Undecided(Span(path), reason), path)
            return
        except Exception as error:  # noqa: BLE001 (as the docstring says)
            self.fail(rule, path, error)
            return
        selection = self.plan.selection
        is_about_all = rule.subject is Repository
        if not outcomes and (is_about_all or selection.reports_on(path)):
            self.held.add(Held(rule.name, path))

    def options_of(self, rule: Rule) -> tuple[object, ...]:
        if rule.options is None:
            return ()
        given = self.plan.options.get(rule.name)
        return (rule.options() if given is None else given,)

    def keep(self, rule: Rule, outcome: object, path: str) -> None:
        selection = self.plan.selection
        if isinstance(outcome, Finding):
            span = self.real_span(outcome.span)
            if span.repository:
                raise ValueError(f"the finding lies in {span.repository}, not in the overlay")
            if not selection.reports(replace(outcome, span=span), path):
                return
            severity = self.plan.severities.get(rule.name, rule.severity)
            finding = replace(outcome, span=span, rule=rule.name, severity=severity)
            self.add(finding, path)
        elif isinstance(outcome, Undecided):
            if selection.reports_on(outcome.span.path) or selection.reports_on(path):
                span = self.real_span(outcome.span)
                self.undecided.add(replace(outcome, rule=rule.name, span=span))
        elif isinstance(outcome, NotApplicable):
            span = outcome.span or Span(path)
            self.not_applicable.add(replace(outcome, rule=rule.name, span=span))
        else:
            raise TypeError(f"it yielded {type(outcome).__name__}, which is no outcome")

    def add(self, finding: Finding, path: str) -> None:
        """Keep a finding about the subject at `path`.

        A file and the links to it have one text, so a fault in it is reported once, for
        the first of them. What the others would have said is not lost.
        """
        place = (finding.rule, finding.span)
        there = self.findings.setdefault(place, [])
        if not there or self.found_for[place] == path:
            self.found_for[place] = path
            if finding not in there:
                there.append(finding)
        elif all(finding.message != one.message for one in there):
            other = Related(Span(path), finding.message)
            there[0] = replace(there[0], related=(*there[0].related, other))

    def real_span(self, span: Span) -> Span:
        """Return the span in the file that a link leads to, where there is one."""
        if span.repository:
            return span
        tree = self.repository.tree
        if tree.kind(span.path) is not Kind.FILE:
            return span
        return replace(span, path=tree.resolve(span.path))

    def fail(self, rule: Rule, path: str, error: Exception) -> None:
        from traceback import extract_tb

        frames = extract_tb(error.__traceback__)
        last = frames[-1]
        for frame in frames:
            if frame.filename == rule.check.__code__.co_filename:
                last = frame
        place = f"{rule.module}, line {last.lineno}"
        text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        self.failures.append(Failure(rule.name, Span(path or "profiles/repo_name"), text, place))

    # Between the rounds

    def checked_files(self) -> tuple[File, ...]:
        """Return the files of the selection that overlaylint knows what to do with, in order."""
        return tuple(file for file in self.subjects.files if file.role is not Role.OTHER)

    def suppress(self) -> None:
        for (_, span), findings in self.findings.items():
            suppressions = self.suppressions(span.path)
            found = suppressions.of(findings[0]) if suppressions is not None else None
            ignored = self.plan.ignores.of(findings[0]) if found is None else None
            if found is not None:
                self.suppressed += [Suppressed(one, found.span, found.reason) for one in findings]
                findings.clear()
            elif ignored is not None:
                self.suppressed += [
                    Suppressed(one, ignored.span, ignored.reason) for one in findings
                ]
                self.ignored.setdefault(ignored, set()).add(findings[0].rule)
                findings.clear()

    def suppressions(self, path: str) -> FileSuppressions | None:
        """Return the suppressions of a file, None where it has no content."""
        if path not in self._suppressions:
            index = self.sources.index(Span(path))
            if index is None:
                return None
            self._suppressions[path] = FileSuppressions(path, index)
        return self._suppressions[path]

    def may_hold_suppression(self, file: File) -> bool:
        """Return whether a file is worth a second look; most are not, and are not kept."""
        if file.kind is not Kind.FILE:
            return False
        try:
            return MARK in file.read()
        except TreeError:
            # A file that can't be read is a finding of its own.
            return False

    @property
    def ran(self) -> set[str]:
        """The rules that had their say."""
        skipped = {one.rule for one in self.skipped} | {one.rule for one in self.failures}
        return {rule.name for rule in self.plan.rules} - skipped

    def judged_ignores(self) -> list[PathIgnore]:
        """Return the entries of ignore-paths with what they were good for, if that is known."""
        selection = self.plan.selection
        if not selection.is_whole or selection.affected is not None:
            return []
        ran = self.ran
        found = []
        for entry in self.plan.ignores.entries:
            used = frozenset(self.ignored.get(entry, ()))
            doubtful = {one.rule for one in self.undecided if entry.is_for_path(one.span.path)}
            is_about_others = not entry.is_about_this_overlay
            judged = frozenset() if is_about_others else frozenset(ran - doubtful)
            found.append(replace(entry, used=used, judged=judged))
        return found

    def judged_suppressions(self, checked: Iterable[File]) -> list[Suppression]:
        """Return every suppressing comment of the given files, with what it was good for."""
        used: dict[Span, set[str]] = {}
        for one in self.suppressed:
            used.setdefault(one.comment, set()).add(one.finding.rule)
        doubtful: dict[str, set[str]] = {}
        for undecided in self.undecided:
            doubtful.setdefault(undecided.span.path, set()).add(undecided.rule)
        ran = self.ran
        found: list[Suppression] = []
        for file in checked:
            # A link's text is judged where it lies.
            if file.target is not None or not self.may_hold_suppression(file):
                continue
            suppressions = self.suppressions(file.path)
            judged = frozenset(ran - doubtful.get(file.path, set()))
            found += (
                replace(
                    comment,
                    used=frozenset(used.get(comment.span, ())),
                    judged=judged,
                    known=self.plan.known,
                )
                for comment in (() if suppressions is None else suppressions.all)
            )
        return found


def _place_order(outcome: Undecided | NotApplicable) -> tuple[str, int, int, str, str]:
    span = outcome.span or Span("")
    return (span.path, span.start, span.end, outcome.rule, outcome.reason)
