"""Every case of fixtures/*/*.md, and every example of a rule's documentation."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from fixture_cases import Case, parse_cases, read_cases, write_overlay

from overlaylint.engine.configuration import load_configuration
from overlaylint.engine.fix import apply_fixes
from overlaylint.engine.packs import Catalog, load_catalog
from overlaylint.engine.path_ignores import path_ignores
from overlaylint.engine.result import Result
from overlaylint.engine.run import Plan, run
from overlaylint.finding import Span
from overlaylint.overlay.masters import find_repositories
from overlaylint.rule import HEADINGS, Rule
from overlaylint.tree import DirectoryTree, write_file

FIXTURES = Path(__file__).parent.parent / "fixtures"
CATALOG: Catalog = load_catalog()

# What these find can't be written down in Markdown; each has tests of its own.
EXAMPLES_WITHOUT_FILES = {"internal-error", "oversized-script", "unreadable-file"}

# An overlay of these names has the pack's rules on.
OVERLAY_NAMES = {"flatcar": "coreos"}

DOCUMENTS = sorted(one for one in FIXTURES.glob("*/*.md") if one.parent.name != "overlay")
CASES = [(document, case) for document in DOCUMENTS for case in read_cases(document)]


def check(rule: Rule, root: Path) -> Result:
    """Run one rule, and the engine's own if it is one of them, as the command line would."""
    repositories = find_repositories(root)
    configured = load_configuration(repositories.overlay.tree)
    rules = {rule}
    if CATALOG.pack_of(rule).name == "overlaylint":
        # What a comment suppresses is judged by what the rules find.
        rules.update(CATALOG.rules.values())
    plan = Plan(
        rules=tuple(sorted(rules, key=lambda one: one.name)),
        known=frozenset(CATALOG.rules),
        options=configured.rule_options(CATALOG),
        ignores=path_ignores(configured, CATALOG),
        missing_masters=repositories.missing,
        root=root,
    )
    return run(repositories.overlay, plan)


def line_of(result: Result, span: Span) -> int:
    index = result.sources.index(span)
    return 1 if index is None else min(index.line(span.start), index.count)


def overlay_name(rule: Rule) -> str:
    return OVERLAY_NAMES.get(CATALOG.pack_of(rule).name, "overlay")


@pytest.mark.parametrize(
    ("document", "case"),
    [pytest.param(*one, id=f"{one[0].parent.name}/{one[0].stem}:{one[1].name}") for one in CASES],
)
def test_case(document: Path, case: Case, tmp_path: Path) -> None:
    rule = CATALOG.rules[document.stem]
    assert CATALOG.pack_of(rule).name == document.parent.name
    root = write_overlay(case, tmp_path, overlay_name(rule))
    result = check(rule, root)

    found = [one for one in result.findings if one.rule == rule.name]
    places = [(one.span.path, line_of(result, one.span), str(one.severity)) for one in found]
    marked = [(one.path, one.line, one.severity) for one in case.findings]
    assert {one.rule for one in case.findings} <= {rule.name}
    assert sorted(places) == sorted(marked), f"{document}:{case.line}"
    messages = {(one.span.path, line_of(result, one.span), one.message) for one in found}
    for expected in case.findings:
        assert any(
            (path, line) == (expected.path, expected.line) and expected.text in message
            for path, line, message in messages
        ), f"{document}:{case.line}: {expected} is not among {messages}"
    assert all(one.help for one in found), "a finding says what to do"

    undecided = [one.reason for one in result.undecided if one.rule == rule.name]
    assert_match(case.undecided, undecided, "undecided", case)
    assert len(undecided) == len(case.undecided)
    reasons = [one.reason for one in result.not_applicable if one.rule == rule.name]
    reasons += [one.reason for one in result.skipped if one.rule == rule.name]
    assert_match(case.not_applicable, reasons, "not applicable", case)

    fixes = [one.fix for one in found if one.fix is not None]
    assert bool(fixes) == bool(case.fixed), "what fixes lead to is shown"
    if fixes:
        assert_fixed(rule, root, case)


def assert_match(patterns: tuple[str, ...], reasons: list[str], kind: str, case: Case) -> None:
    """Every reason is expected by a pattern, and every pattern by a reason."""
    for reason in reasons:
        assert any(re.search(one, reason) for one in patterns), f"{case.line}: {kind}: {reason}"
    for pattern in patterns:
        assert any(re.search(pattern, one) for one in reasons), f"{case.line}: {kind}: {pattern}"


def assert_fixed(rule: Rule, root: Path, case: Case) -> None:
    """The fixes give the text that the case shows, and leave nothing for a second time."""
    for _ in range(len(case.findings)):
        apply(rule, root)
    for path, content in case.fixed.items():
        assert (root / path).read_bytes() == content
    remaining = check(rule, root).findings
    assert not [one for one in remaining if one.rule == rule.name and one.fix is not None]


def apply(rule: Rule, root: Path) -> None:
    findings = [one for one in check(rule, root).findings if one.rule == rule.name]
    applied = apply_fixes(findings, DirectoryTree(root), unsafe=True)
    for path, content in applied.files.items():
        write_file(root, path, content, applied.before[path])


@pytest.mark.parametrize("name", sorted(CATALOG.rules))
def test_documentation_is_whole(name: str) -> None:
    documentation = CATALOG.rules[name].documentation
    assert set(HEADINGS) <= set(documentation.sections)
    assert documentation.title.endswith(".")
    assert len(documentation.title) <= 72


@pytest.mark.parametrize("name", sorted(set(CATALOG.rules) - EXAMPLES_WITHOUT_FILES))
def test_documentation_example_is_found(name: str, tmp_path: Path) -> None:
    rule = CATALOG.rules[name]
    root = write_overlay(example(rule, "Example"), tmp_path, overlay_name(rule))
    assert any(one.rule == name for one in check(rule, root).findings)


@pytest.mark.parametrize("name", sorted(set(CATALOG.rules) - EXAMPLES_WITHOUT_FILES))
def test_documentation_advice_is_not_found(name: str, tmp_path: Path) -> None:
    rule = CATALOG.rules[name]
    root = write_overlay(example(rule, "Use instead"), tmp_path, overlay_name(rule))
    result = check(rule, root)
    assert not [one for one in result.findings if one.rule == name]
    assert not [one for one in result.undecided if one.rule == name]


def example(rule: Rule, heading: str) -> Case:
    text = rule.documentation.sections[heading]
    (case,) = parse_cases(f"## {heading}\n{text}\n", f"{rule.module}: {heading}")
    assert not case.is_empty, f"{rule.module}: {heading} shows no file"
    return case


@pytest.mark.parametrize("name", sorted(CATALOG.rules))
def test_rule_has_a_fixture_document(name: str) -> None:
    rule = CATALOG.rules[name]
    document = FIXTURES / CATALOG.pack_of(rule).name / f"{name}.md"
    assert name in EXAMPLES_WITHOUT_FILES or document in DOCUMENTS


def test_documents_have_cases_of_both_kinds() -> None:
    kinds = Counter((document, bool(case.findings)) for document, case in CASES)
    for document in DOCUMENTS:
        assert kinds[document, True], f"{document} has no case that breaks the rule"
        assert kinds[document, False], f"{document} has no case that keeps it"
