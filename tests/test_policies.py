"""Policies without code: each form, what may be written, and that rules and policies agree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fixture_cases import Case, read_cases, write_overlay
from support import CLEAN, HELLO, overlay, overlaylint, write

from overlaylint.cli.choosing import Choosing
from overlaylint.cli.overlays import open_overlay
from overlaylint.engine.configuration import load_configuration
from overlaylint.engine.errors import ConfigurationError
from overlaylint.engine.fix import apply_fixes
from overlaylint.engine.packs import load_catalog
from overlaylint.engine.result import Result
from overlaylint.engine.run import run
from overlaylint.engine.selection import Selection
from overlaylint.finding import Finding, Span
from overlaylint.tree import DirectoryTree

HERE = Path(__file__).parent
CATALOG = load_catalog()
DOCUMENTS = (HERE.parent / "docs" / "policies.md", HERE / "policy_cases.md")
CASES = [(path.name, case) for path in DOCUMENTS for case in read_cases(path)]


def check(root: Path, *select: str) -> Result:
    opened = open_overlay(root, {})
    plan = Choosing(select or ("policies",)).plan(opened, CATALOG, Selection())
    return run(opened.overlay, plan)


def line_of(result: Result, span: Span) -> int:
    index = result.sources.index(span)
    return 1 if index is None else min(index.line(span.start), index.count)


@pytest.mark.parametrize(
    ("document", "case"), [pytest.param(*one, id=f"{one[0]}:{one[1].name}") for one in CASES]
)
def test_case(document: str, case: Case, tmp_path: Path) -> None:
    root = write_overlay(case, tmp_path, "coreos")
    result = check(root)
    found = [
        (one.span.path, line_of(result, one.span), str(one.severity), one.rule)
        for one in result.findings
    ]
    marked = [(one.path, one.line, one.severity, one.rule) for one in case.findings]
    assert sorted(found) == sorted(marked), f"{document}:{case.line}"
    for expected in case.findings:
        messages = [one.message for one in result.findings if one.rule == expected.rule]
        assert any(expected.text in message for message in messages), messages
    reasons = [one.reason for one in result.undecided]
    assert len(reasons) == len(case.undecided), reasons
    for pattern in case.undecided:
        assert any(pattern in reason for reason in reasons), reasons
    not_applicable = [one.reason for one in result.not_applicable]
    for pattern in case.not_applicable:
        assert any(pattern in reason for reason in not_applicable), not_applicable
    policies = {one.name: one for one in load_configuration(DirectoryTree(root)).settings.policy}
    for one in result.findings:
        assert policies[one.rule].why in one.message
        assert policies[one.rule].decided_in in one.help
    fixes = [one.fix for one in result.findings if one.fix is not None]
    assert bool(fixes) == bool(case.fixed)
    for path, content in apply_fixes(result.findings, DirectoryTree(root)).files.items():
        (root / path).write_bytes(content)
    for path, content in case.fixed.items():
        assert (root / path).read_bytes() == content
    fixed = {one.rule for one in result.findings if one.fix is not None}
    assert not [one for one in check(root).findings if one.rule in fixed]


# --- the same decision, as a rule and as a policy ---

STAGE0 = """
[[policy]]
name = "stage0-is-dot-zero"
why = "the .0 release is sure to exist"
package = "dev-lang/rust"
require-value = { variable = ["RUST_STAGE0_VERSION", "STAGE0_VERSION"], matches = "*.0" }
"""
DIFFUTILS = """
[[policy]]
name = "explicit-diffutils"
why = "scripts use cmp and diff"
package = "coreos-base/coreos"
require-dependency = { atom = "sys-apps/diffutils" }
"""
SAVED = """
[[policy]]
name = "no-saved-configuration"
why = "the SDK's own state would decide what is in the image"
package = "sys-kernel/coreos-firmware"
forbid-call = { command = "save_config", profiles = ["*"] }
"""
SAVEDCONFIG = """
[[policy]]
name = "savedconfig-off"
why = "the SDK's own state would decide what is in the image"
package = "sys-kernel/coreos-firmware"
require-use = { flag = "savedconfig", state = "off", set-by = "profile" }
"""
DAEMON = """
[[policy]]
name = "no-daemon"
why = "audit records go to the journal"
package = "sys-process/audit"
forbid-use = { flag = "daemon", state = "on" }
"""
INSTALLED = """
[[policy]]
name = "daemon-in-the-image"
why = "nobody configures the daemon"
package = "sys-process/audit"

[policy.forbid-installed]
path = ["/etc/init.d/auditd", "/etc/conf.d/auditd", "/etc/audit/auditd.conf", "/var/log/audit"]
when = ["!use daemon"]
"""
COMPRESS = """
[[policy]]
name = "modules-xz"
why = "/usr has a fixed size"
package = "sys-kernel/*"
require-kernel-option = { option = "MODULE_COMPRESS_XZ", kernels = ">=5.8" }

[[policy]]
name = "modules-compressed"
why = "/usr has a fixed size"
package = "sys-kernel/*"
require-kernel-option = { option = "MODULE_COMPRESS", kernels = [">=5.8", "<5.13"] }

[[policy]]
name = "modules-compressed-again"
why = "/usr has a fixed size"
package = "sys-kernel/*"
require-kernel-option = { option = "MODULE_COMPRESS", kernels = ">=6.12" }
"""


def _is_call(one: Finding) -> bool:
    return "sys-kernel/coreos-firmware saves its" in one.message


def _is_firmware_flag(one: Finding) -> bool:
    return "for sys-kernel/coreos-firmware" in one.message


def _is_daemon_flag(one: Finding) -> bool:
    return "turns daemon on" in one.message or "is turned on for every" in one.message


def _is_installed(one: Finding) -> bool:
    return "is installed where USE has -daemon" in one.message


def _is_unset(one: Finding) -> bool:
    return "not set" in one.message or "is off" in one.message


def _is_any(one: Finding) -> bool:
    return True


# The part of each rule that the policy says, and the cases in which the rule says more of it.
SAME: dict[str, tuple[str, str, Callable[[Finding], bool], tuple[str, ...]]] = {
    "stage0": ("stage0-patchlevel", STAGE0, _is_any, ()),
    "diffutils": ("implicit-base-package", DIFFUTILS, _is_any, ()),
    # A function of the same name in the ebuild itself is no business of the rule's, nor is one that
    # is not there. It looks at what stays in the image, however it came there.
    "saved": (
        "savedconfig", SAVED, _is_call,
        (
            "The ebuild puts a function of its own in its place",
            "A function that the ebuild does not have",
            "Saved, and taken out of the image again", "Saved without the function",
        ),
    ),
    "savedconfig": ("savedconfig", SAVEDCONFIG, _is_firmware_flag, ()),
    # A file that is installed twice is one file, at the place that has the last word.
    "installed": (
        "daemon-use-flag", INSTALLED, _is_installed,
        ("The daemon is wanted", "The log directory is made in other ways"),
    ),
    # Only one algorithm can be chosen: the rule knows that of the kernel's Kconfig.
    "kernel": (
        "uncompressed-kernel-modules", COMPRESS, _is_unset,
        (
            "Another algorithm", "Another architecture's file chooses another algorithm",
            "6.12 compresses them only where that is wanted for all",
            "The ebuild replaces the algorithm", "A kernel without modules",
        ),
    ),
    # The rule leaves an ebuild alone that means to install the daemon.
    "daemon": ("daemon-use-flag", DAEMON, _is_daemon_flag, ("The daemon is wanted",)),
}  # fmt: skip


def _same_cases() -> list[object]:
    # Another configuration is another decision.
    return [
        pytest.param(name, case, id=f"{name}:{case.name}")
        for name, (rule, _, _, excused) in SAME.items()
        for case in read_cases(HERE.parent / "fixtures" / "flatcar" / f"{rule}.md")
        if case.name not in excused and "overlaylint.toml" not in case.files
    ]


@pytest.mark.parametrize(("name", "case"), _same_cases())
def test_a_policy_finds_what_the_rule_finds(name: str, case: Case, tmp_path: Path) -> None:
    rule, toml, is_meant, _ = SAME[name]
    root = write_overlay(case, tmp_path, "coreos")
    write(root, "overlaylint.toml", toml)
    by_rule = [one for one in check(root, rule).findings if is_meant(one)]
    by_policy = check(root).findings
    assert places(by_policy) == places(by_rule)
    if name not in ("stage0", "kernel"):
        # The rule knows more of a version than that it matches: it can mend it. And it adds two
        # symbols of the kernel in one go.
        assert [one.fix for one in by_policy] == [one.fix for one in by_rule]


def places(findings: object) -> list[Span]:
    assert isinstance(findings, (list, tuple))
    return sorted({one.span for one in findings}, key=lambda one: (one.path, one.start))


def test_the_same_is_undecided(tmp_path: Path) -> None:
    for name in ("stage0", "diffutils"):
        rule, toml, _, _ = SAME[name]
        for at, case in enumerate(read_cases(HERE.parent / "fixtures" / "flatcar" / f"{rule}.md")):
            if not case.undecided or "overlaylint.toml" in case.files:
                continue
            root = write_overlay(case, tmp_path / name / str(at), "coreos")
            write(root, "overlaylint.toml", toml)
            by_rule = {(one.span, one.reason) for one in check(root, rule).undecided}
            assert {(one.span, one.reason) for one in check(root).undecided} == by_rule, case.name


# --- rules like any other ---


def test_listed_explained_selected_suppressed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml = 'select = ["portage"]\n' + DIFFUTILS + 'decided-in = "dda7813403b"\n'
    ebuild = 'EAPI=7\nSLOT="0"\nRDEPEND="app-misc/x"{}\n'
    path = "coreos-base/coreos/coreos-1.ebuild"
    root = overlay(tmp_path, {path: ebuild.format(""), "overlaylint.toml": toml})
    monkeypatch.chdir(root)
    listed = overlaylint(["rules"]).out
    assert "policies: policies of the configuration" in listed
    assert "explicit-diffutils" in listed
    assert "explicit-diffutils" in overlaylint(["rules", "--output-format", "json"]).out
    explained = overlaylint(["explain", "explicit-diffutils"]).out
    assert "scripts use cmp and diff" in explained
    assert "decided in dda7813403b" in explained
    ran = overlaylint(["check"])
    assert ran.status == 1
    assert "error[explicit-diffutils]" in ran.out
    assert "(scripts use cmp and diff)" in ran.out
    assert overlaylint(["check", "--select", "portage"]).status == 0
    assert overlaylint(["check", "--ignore", "policies"]).status == 0
    assert overlaylint(["check", "--select", "explicit-diffutils"]).status == 1
    for format_ in ("sarif", "github"):
        assert "explicit-diffutils" in overlaylint(["check", "--output-format", format_]).out
    comment = "  # overlaylint: ignore[explicit-diffutils] -- this image has no scripts"
    write(root, path, ebuild.format(comment))
    assert overlaylint(["check"]).status == 0
    write(root, path, ebuild.format(comment).replace("app-misc/x", "sys-apps/diffutils"))
    assert "error[unused-suppression]" in overlaylint(["check", "--select", "ALL"]).out.replace(
        "warning[", "error["
    )


def test_severity_is_overruled_by_the_configuration(tmp_path: Path) -> None:
    toml = DIFFUTILS + '[severity]\nexplicit-diffutils = "notice"\n'
    files = {"coreos-base/coreos/coreos-1.ebuild": CLEAN, "overlaylint.toml": toml}
    (found,) = check(overlay(tmp_path, files)).findings
    assert str(found.severity) == "notice"


# --- what may not be written ---

HEAD = '[[policy]]\nname = "a-policy"\nwhy = "we said so"\n'


@pytest.mark.parametrize(
    ("toml", "text"),
    [
        (HEAD, "1: policy.a-policy: it takes exactly one of require-dependency,"),
        (
            HEAD + 'require-file = { path = "x" }\nforbid-file = { path = "x" }\n',
            "1: policy.a-policy: it takes exactly one of .*, and has require-file and forbid-file",
        ),
        (
            HEAD + 'forbid-dependancy = { atom = "a/b" }\n',
            "4: policy.a-policy: unknown key 'forbid-dependancy'; did you mean forbid-dependency",
        ),
        (
            HEAD + 'forbid-dependency = { aton = "a/b" }\n',
            "4: policy.a-policy.forbid-dependency: unknown key 'aton'; did you mean atom",
        ),
        (
            HEAD + 'forbid-dependency = { atom = "b" }\n',
            "4: policy.a-policy.forbid-dependency.atom: 'b' is no atom: ",
        ),
        (
            HEAD + 'forbid-dependency = { atom = "!a/b" }\n',
            "4: .*: '!a/b' is no atom: a blocker asks for nothing",
        ),
        (
            HEAD + 'forbid-dependency = { atom = "a/b", in = "RDEPENDS" }\n',
            "4: policy.a-policy.forbid-dependency.in: this must be one of DEPEND,",
        ),
        (
            HEAD + 'forbid-call = { command = "x", when = ["use"] }\n',
            "4: policy.a-policy.forbid-call.when.0.: 'use' is no condition: it has to be",
        ),
        (
            HEAD + 'forbid-use = { flag = "-x", state = "on" }\n',
            "4: policy.a-policy.forbid-use.flag: '-x' is no USE flag: it is a flag's bare name",
        ),
        (
            HEAD + 'forbid-use = { flag = "x", state = "maybe" }\n',
            "4: policy.a-policy.forbid-use.state: this must be one of on, off, forced, masked",
        ),
        (
            HEAD + 'require-value = { variable = "X", regex = "(" }\n',
            "4: policy.a-policy.require-value.regex: '.' is no regular expression: ",
        ),
        (
            HEAD + 'require-value = { variable = "X", equals = "1", matches = "2" }\n',
            "4: .*require-value: it takes exactly one of equals, .* and has equals and matches",
        ),
        (
            HEAD + 'require-kernel-option = { option = "X", kernels = "5.8" }\n',
            "4: .*kernels: '5.8' is no range of versions: it has to start with one of",
        ),
        (
            HEAD + 'package = "hello"\nforbid-file = { path = "x" }\n',
            "4: policy.a-policy.package: 'hello' is no package: it has to be category/package",
        ),
        (
            HEAD.replace("a-policy", "A policy") + 'forbid-file = { path = "x" }\n',
            "2: policy.A policy.name: 'A policy' is no name: ",
        ),
        (
            HEAD.replace("we said so", " ") + 'forbid-file = { path = "x" }\n',
            "3: policy.a-policy.why: ' ' is no text: it is empty",
        ),
        (
            HEAD.replace("a-policy", "parse-error") + 'forbid-file = { path = "x" }\n',
            "2: policy.parse-error.name: the pack portage has a rule of that name",
        ),
        (
            HEAD.replace("a-policy", "flatcar") + 'forbid-file = { path = "x" }\n',
            "2: policy.flatcar.name: a pack is called so",
        ),
        (
            2 * (HEAD + 'forbid-file = { path = "x" }\n'),
            "6: policy.a-policy.name: another policy is called so",
        ),
    ],
)
def test_what_may_not_be_written(toml: str, text: str, tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN, "overlaylint.toml": toml})
    with pytest.raises(ConfigurationError, match=f"^overlaylint.toml:{text}"):
        check(root)
