"""The run: other people's rules, which may do anything, and what becomes of their findings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support import CLEAN, HELLO, overlay

from overlaylint.engine.errors import ConfigurationError
from overlaylint.engine.packs import Catalog, LoadedPack, load_catalog
from overlaylint.engine.result import Held, Result
from overlaylint.engine.run import Plan, run
from overlaylint.engine.selection import Selection
from overlaylint.engine.settings import Where, from_table
from overlaylint.finding import Finding, NotApplicable, Related, Severity, Span, Undecided
from overlaylint.overlay.ebuild import Ebuild, Package
from overlaylint.overlay.files import File, TextFile
from overlaylint.overlay.masters import find_repositories
from overlaylint.overlay.repository import Repository
from overlaylint.rule import Outcome, Pack, Rule, RuleError, rule

CATALOG = load_catalog()
OTHER = "app-misc/other/other-1.ebuild"


def check(
    root: Path, *rules: Rule, given: frozenset[str] = frozenset({""}), **plan: object
) -> Result:
    repositories = find_repositories(root)
    engine = tuple(CATALOG.rules[name] for name in ("internal-error", "unused-suppression"))
    chosen = tuple(sorted((*rules, *engine), key=lambda one: one.name))
    known = frozenset({*CATALOG.rules, *(one.name for one in rules)})
    settings = {"missing_masters": repositories.missing, "selection": Selection(given), **plan}
    return run(repositories.overlay, Plan(chosen, known, **settings))  # type: ignore[arg-type]


def messages(result: Result) -> list[tuple[str, str, str]]:
    return [(one.rule, one.span.path, one.message) for one in result.findings]


@rule(severity=Severity.WARNING)
def says_so(ebuild: Ebuild) -> Iterator[Finding]:
    yield Finding(ebuild.span(0, 4), f"seen as {ebuild.PV}")


@rule()
def raises(ebuild: Ebuild) -> Iterator[Finding]:
    yield Finding(ebuild.span(), "before")
    raise KeyError(ebuild.PN)


@rule()
def yields_rubbish(ebuild: Ebuild) -> Iterator[Outcome]:
    yield "rubbish"  # type: ignore[misc]


@rule()
def reports_in_master(ebuild: Ebuild) -> Iterator[Finding]:
    yield Finding(Span("eclass/x.eclass", 0, 1, "base"), "not ours")


@rule(packages="app-misc/other")
def only_other(ebuild: Ebuild) -> Iterator[Finding]:
    yield Finding(ebuild.span(), "seen")


@rule(packages=("app-misc/h*", "dev-lang/rust"))
def only_packages(package: Package) -> Iterator[Outcome]:
    if package.name == "hello":
        yield NotApplicable("it greets")


@rule(needs_masters=True)
def needs_masters(repository: Repository) -> Iterator[Finding]:
    yield Finding(repository.span("profiles/repo_name"), "seen")


@rule()
def can_not_tell(ebuild: Ebuild) -> Iterator[Outcome]:
    yield Undecided(ebuild.span(0, 4), "a value is unknown")


@rule()
def holds(ebuild: Ebuild) -> Iterator[Finding]:
    yield from ()


@dataclass(frozen=True)
class Options:
    words: tuple[str, ...] = ("one",)
    level: Severity = Severity.NOTICE


@rule()
def has_options(ebuild: Ebuild, options: Options) -> Iterator[Finding]:
    yield Finding(ebuild.span(), " ".join(options.words))


@rule(files="eclass/*.eclass")
def only_eclasses(file: File) -> Iterator[Finding]:
    yield Finding(file.span(), "seen")


def test_findings_have_rule_and_severity_and_order(tmp_path: Path) -> None:
    root = overlay(tmp_path, {OTHER: CLEAN, HELLO: CLEAN})
    result = check(root, says_so, only_other)
    assert messages(result) == [
        ("says-so", HELLO, "seen as 1"),
        ("only-other", OTHER, "seen"),
        ("says-so", OTHER, "seen as 1"),
    ]
    assert [one.severity for one in result.findings] == [
        Severity.WARNING,
        Severity.ERROR,
        Severity.WARNING,
    ]


def test_severity_is_overruled(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN})
    result = check(root, says_so, severities={"says-so": Severity.NOTICE})
    assert [one.severity for one in result.findings] == [Severity.NOTICE]


def test_a_rule_that_raises_is_a_finding_and_the_others_go_on(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN, OTHER: CLEAN})
    result = check(root, raises, says_so)
    failures = [one for one in messages(result) if one[0] == "internal-error"]
    line = raises.check.__code__.co_firstlineno + 3
    place = f"({raises.module}, line {line})"
    assert failures == [
        ("internal-error", HELLO, f"the rule raises failed: KeyError: 'hello' {place}"),
        ("internal-error", OTHER, f"the rule raises failed: KeyError: 'other' {place}"),
    ]
    assert len([one for one in result.findings if one.rule == "says-so"]) == 2
    assert not [one for one in result.held if one.rule == "raises"]


@pytest.mark.parametrize("bad", [yields_rubbish, reports_in_master])
def test_what_is_no_finding_of_the_overlay_is_an_error_of_the_rule(
    bad: Rule, tmp_path: Path
) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN, "base::eclass/x.eclass": CLEAN})
    assert [one.rule for one in check(root, bad).findings] == ["internal-error"]


def test_packages_limit_a_rule(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN, OTHER: CLEAN})
    assert messages(check(root, only_other)) == [("only-other", OTHER, "seen")]
    result = check(root, only_packages)
    assert [(one.rule, one.reason) for one in result.not_applicable] == [
        ("only-packages", "it greets")
    ]


def test_a_package_that_is_not_there_is_said(tmp_path: Path) -> None:
    result = check(overlay(tmp_path, {HELLO: CLEAN}), only_other)
    assert [one.reason for one in result.not_applicable] == ["no package here is app-misc/other"]


def test_masters_that_are_needed_and_missing_skip_a_rule(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN, "metadata/layout.conf": "masters = base\n"})
    result = check(root, needs_masters)
    assert [(one.rule, one.reason) for one in result.skipped] == [
        ("needs-masters", "it needs the masters, and base is missing")
    ]
    there = overlay(tmp_path / "there", {HELLO: CLEAN, "base::eclass/x.eclass": CLEAN})
    assert messages(check(there, needs_masters)) == [
        ("needs-masters", "profiles/repo_name", "seen")
    ]


def test_undecided_and_held_are_told_apart(tmp_path: Path) -> None:
    result = check(overlay(tmp_path, {HELLO: CLEAN}), can_not_tell, holds)
    assert [(one.rule, one.span.path) for one in result.undecided] == [("can-not-tell", HELLO)]
    assert Held("holds", HELLO) in result.held
    assert Held("can-not-tell", HELLO) not in result.held
    assert not result.findings


def test_a_file_and_its_links_are_reported_once(tmp_path: Path) -> None:
    live = "app-misc/hello/hello-9999.ebuild"
    links = {HELLO: "hello-9999.ebuild", "app-misc/hello/hello-2.ebuild": "hello-1.ebuild"}
    result = check(overlay(tmp_path, {live: CLEAN}, links), says_so)
    assert messages(result) == [("says-so", live, "seen as 1")]
    # What the rule says of the other versions is not lost.
    assert result.findings[0].related == (
        Related(Span("app-misc/hello/hello-2.ebuild"), "seen as 2"),
        Related(Span(live), "seen as 9999"),
    )


def test_options(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN})
    assert messages(check(root, has_options))[0][2] == "one"
    given = from_table(Options, {"words": ["two", "three"], "level": "error"}, Where("here"))
    assert given == Options(("two", "three"), Severity.ERROR)
    assert messages(check(root, has_options, options={"has-options": given}))[0][2] == "two three"


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ({"word": []}, "here: unknown key 'word'; did you mean words?"),
        ({"words": "two"}, "here: words: this must be a list, each of which is a string"),
        ({"level": "bad"}, "here: level: this must be one of notice, warning, error"),
    ],
)
def test_options_that_can_not_be(table: dict[str, object], text: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{text.replace('?', '[?]')}$"):
        from_table(Options, table, Where("here"))


def test_a_rule_runs_on_given_files_only_where_it_may_report(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN, "eclass/x.eclass": CLEAN})
    assert messages(check(root, only_eclasses)) == [("only-eclasses", "eclass/x.eclass", "seen")]
    assert not messages(check(root, only_eclasses, given=frozenset({HELLO})))
    assert messages(check(root, only_eclasses, given=frozenset({"eclass"})))


def test_a_rule_runs_on_given_folders_only_where_it_may_report(tmp_path: Path) -> None:
    seen: list[str] = []

    @rule(files="app-misc/*/files/*.conf")
    def looks_at_all(overlay: Repository) -> Iterator[Finding]:
        seen.append("run")
        yield from ()

    conf = "app-misc/hello/files/deep/hello.conf"
    root = overlay(tmp_path, {HELLO: CLEAN, OTHER: CLEAN, conf: ""})
    (root / "app-misc/hello/files/deep/loop").symlink_to("..")
    for given, is_run in (
        ("app-misc/hello", True),
        ("app-misc", True),
        ("app-misc/hello/files/deep", True),
        ("app-misc/other", False),
        ("profiles", False),
    ):
        seen.clear()
        check(root, looks_at_all, given=frozenset({given}))
        assert bool(seen) is is_run, given


def test_where_a_rule_may_report_can_depend_on_the_overlay(tmp_path: Path) -> None:
    @rule(files=lambda overlay: ("eclass/*",) if overlay.eclasses else ())
    def looks_at_all(overlay: Repository) -> Iterator[Finding]:
        yield from (Finding(one.span(), "seen") for one in overlay.ebuilds)

    given = frozenset({HELLO})
    root = overlay(tmp_path / "one", {HELLO: CLEAN})
    assert messages(check(root, looks_at_all, given=given)) == [("looks-at-all", HELLO, "seen")]
    other = overlay(tmp_path / "other", {HELLO: CLEAN, "eclass/x.eclass": CLEAN})
    assert not messages(check(other, looks_at_all, given=given))


def test_a_rule_about_the_overlay_is_told_which_ebuilds_are_of_interest(tmp_path: Path) -> None:
    seen: list[str] = []

    @rule()
    def looks_at_all(overlay: Repository) -> Iterator[Finding]:
        seen.extend(one.path for one in overlay.ebuilds_of_interest)
        yield from ()

    live, other = "app-misc/hello/hello-9999.ebuild", "app-misc/other/other-1.ebuild"
    files = {live: CLEAN, other: CLEAN, "eclass/x.eclass": CLEAN, "app-misc/hello/files/x": ""}
    root = overlay(tmp_path, files, {HELLO: "hello-9999.ebuild"})
    for given, wanted in (
        ({live}, [HELLO, live]),
        ({HELLO}, [HELLO, live]),
        ({other}, [other]),
        ({other, "eclass/x.eclass"}, [HELLO, live, other]),
        ({"app-misc/other"}, [other]),
        ({"app-misc"}, [HELLO, live, other]),
        ({"app-misc/other", "app-misc/hello/files/x"}, [HELLO, live, other]),
        ({"app-misc/hello/files"}, [HELLO, live]),
        ({"app-misc/other", "eclass"}, [HELLO, live, other]),
        ({""}, [HELLO, live, other]),
    ):
        seen.clear()
        check(root, looks_at_all, given=frozenset(given))
        assert seen == wanted


def test_suppression_is_judged_only_for_rules_that_ran(tmp_path: Path) -> None:
    text = "EAPI=7\n# overlaylint: ignore[says-so] -- the test\nSLOT=0\n"
    root = overlay(tmp_path, {HELLO: text})
    assert not check(root, holds).findings
    # `says-so` finds something elsewhere in the file.
    assert [one.rule for one in check(root, says_so).findings] == ["says-so", "unused-suppression"]


def test_suppression_is_not_judged_where_the_rule_failed_or_could_not_tell(tmp_path: Path) -> None:
    text = "EAPI=7\n# overlaylint: ignore[raises, can-not-tell] -- the test\nSLOT=0\n"
    root = overlay(tmp_path, {HELLO: text})
    result = check(root, raises, can_not_tell)
    assert "unused-suppression" not in {one.rule for one in result.findings}


def test_what_is_suppressed_is_kept_with_its_reason(tmp_path: Path) -> None:
    text = "EAPI=7 # overlaylint: ignore[says-so] -- the test\n"
    result = check(overlay(tmp_path, {HELLO: text}), says_so)
    assert not result.findings
    (suppressed,) = result.suppressed
    assert (suppressed.finding.rule, suppressed.reason) == ("says-so", "the test")
    assert (suppressed.comment.start, suppressed.comment.end) == (7, len(text) - 1)


def test_a_subject_that_is_none_is_said(tmp_path: Path) -> None:
    @rule()
    def looks_at_paths(path: Path) -> Iterator[Finding]:
        yield from ()

    with pytest.raises(RuleError, match=r"pathlib\.(_local\.)?Path is not a subject"):
        check(overlay(tmp_path, {HELLO: CLEAN}), looks_at_paths)


def test_two_rules_of_one_name() -> None:
    packs = tuple(LoadedPack(name, Pack("test"), (holds,)) for name in ("a", "b"))
    with pytest.raises(RuleError, match="two rules are called holds"):
        _ = Catalog(packs).rules


def test_text_is_read_once_for_a_file_and_its_links(tmp_path: Path) -> None:
    seen = []

    @rule()
    def looks(text: TextFile) -> Iterator[Finding]:
        seen.append(text.path)
        yield from ()

    live = "app-misc/hello/hello-9999.ebuild"
    check(overlay(tmp_path, {live: CLEAN}, {HELLO: "hello-9999.ebuild"}), looks)
    assert seen.count(live) == 1
    assert HELLO not in seen
