"""What a run shows besides its findings: silence, statistics, progress, and being stopped."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from project import run
from support import CLEAN, HELLO, overlay, overlaylint

from overlaylint.cli.progress import Watch
from overlaylint.engine.packs import Catalog, LoadedPack, load_catalog
from overlaylint.engine.run import _Run
from overlaylint.finding import Finding, NotApplicable, Outcome, Span, Undecided
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.rule import Pack, Rule, Severity, rule

BROKEN = "EAPI=7\n)\n"
KNOWN = '{"schema": 1, "findings": []}'
OTHER = "app-misc/other/other-1.ebuild"


@rule(severity=Severity.ERROR)
def first_found(ebuild: Ebuild) -> Iterator[Finding]:
    yield Finding(Span(ebuild.path), "found first", help="x")


@rule(severity=Severity.ERROR)
def judged(ebuild: Ebuild) -> Iterator[Outcome]:
    if ebuild.PN == "hello":
        yield NotApplicable("it says hello already")
    elif ebuild.PN == "other":
        yield Undecided(Span(ebuild.path, 0, 4), "nobody knows")


@rule(severity=Severity.ERROR)
def wordy(ebuild: Ebuild) -> Iterator[Outcome]:
    about_itself = f"{ebuild.path} is no ebuild to look at"
    yield NotApplicable(about_itself if ebuild.PN == "own" else f"reason {ebuild.PV}")


@rule(severity=Severity.ERROR)
def stopped_here(ebuild: Ebuild) -> Iterator[Finding]:
    yield Finding(Span(ebuild.path), "half a truth", help="x")
    if ebuild.PN == "other":
        raise KeyboardInterrupt


@rule(severity=Severity.ERROR)
def third(ebuild: Ebuild) -> Iterator[Finding]:
    yield Finding(Span(ebuild.path), "never said", help="x")


@pytest.fixture(autouse=True)
def own_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add packs of the rules above, which run only when they are selected."""
    packs: list[LoadedPack] = []
    for name, rules in {
        "silent": (judged, wordy),
        "stopped": (first_found, stopped_here, third),
        "at-once": (Rule("at-once", stopped_here.check, Severity.ERROR),),
    }.items():
        packs.append(LoadedPack(name, Pack("Rules of this test", ("nowhere",)), rules))
    catalog = Catalog((*load_catalog().packs, *packs))
    monkeypatch.setattr("overlaylint.engine.packs.load_catalog", lambda: catalog)


# --explain-silence


def test_silence_is_explained(tmp_path: Path) -> None:
    many = {f"app-misc/many/many-{i}.ebuild": CLEAN for i in range(5)}
    root = overlay(tmp_path, {HELLO: CLEAN, OTHER: CLEAN, **many})
    ran = overlaylint(["check", root, "--select", "judged,nul-byte", "--explain-silence"])
    assert ran.status == 0
    assert (
        "judged\n"
        "  held: 5: app-misc/many/many-0.ebuild, app-misc/many/many-1.ebuild,"
        " app-misc/many/many-2.ebuild and 2 more\n"
        f"  not applicable: 1: it says hello already: {HELLO}\n"
        f"  undecided: 1: nobody knows: {OTHER}:1:1\n"
    ) in ran.out


def test_long_silence_is_told_in_short(tmp_path: Path) -> None:
    """Reasons that differ in what they are about are one, and of many only some are shown."""
    files = {f"app-misc/own/own-{i}.ebuild": CLEAN for i in range(5)}
    files |= {f"app-misc/odd/odd-{i}.ebuild": CLEAN for i in range(9)}
    root = overlay(tmp_path, files)
    ran = overlaylint(["check", root, "--select", "wordy", "--explain-silence"])
    own = "app-misc/own/own-{}.ebuild"
    paths = ", ".join(own.format(i) for i in range(3))
    assert f"  not applicable: 5: it is no ebuild to look at: {paths} and 2 more\n" in ran.out
    assert ran.out.count("  not applicable: 1: reason ") == 5
    assert "  not applicable: 4 other reasons, which --output-format json has\n" in ran.out


def test_silence_of_rules_that_did_not_look(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: BROKEN, "metadata/layout.conf": "masters = base\n"})
    select = "stage0-patchlevel,parse-error,keyword-not-accepted,internal-error"
    known = set(load_catalog().rules)
    chosen = [name for name in select.split(",") if name in known]
    ran = overlaylint(["check", root, "--select", ",".join(chosen), "--explain-silence"])
    assert "stage0-patchlevel\n  not applicable: 1: no package here is dev-lang/rust" in ran.out
    assert "parse-error\n  found: 1\n" in ran.out
    assert "internal-error\n  did not look: nothing that is checked is of the kind" in ran.out


def test_silence_in_json_has_everything(tmp_path: Path) -> None:
    many = {f"app-misc/many/many-{i}.ebuild": CLEAN for i in range(5)}
    root = overlay(tmp_path, {HELLO: CLEAN, OTHER: CLEAN, **many})
    options = ["--select", "judged", "--explain-silence", "--output-format"]
    report = json.loads(overlaylint(["check", root, *options, "json"]).out)
    told = {one["rule"]: one for one in report["silence"]}["judged"]
    assert told["held"] == sorted(many)
    assert told["not_applicable"] == [{"path": HELLO, "reason": "it says hello already"}]
    assert told["undecided"][0]["start"] == {"line": 1, "column": 1}
    assert told["reason"] is None
    lines = overlaylint(["check", root, *options, "json-lines"]).out.splitlines()
    assert {"type": "silence", **told} in map(json.loads, lines)
    plain = json.loads(overlaylint(["check", root, "--output-format", "json"]).out)
    assert "silence" not in plain


def test_every_rule_that_ran_is_explained(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN}, name="coreos")
    options = ["--explain-silence", "--output-format", "json"]
    report = json.loads(overlaylint(["check", root, *options]).out)
    assert len(report["silence"]) == report["summary"]["rules"] + report["summary"]["skipped"]
    for one in report["silence"]:
        kinds = ("findings", "held", "not_applicable", "undecided", "reason")
        assert any(one[kind] for kind in kinds), one


# --statistics, --quiet, --exit-zero


def test_statistics(tmp_path: Path) -> None:
    unused = "# overlaylint: ignore[nul-byte] -- none is there\n"
    files = {f"app-misc/x/x-{i}.ebuild": BROKEN for i in range(10)}
    root = overlay(tmp_path, {HELLO: unused + CLEAN, **files})
    ran = overlaylint(["check", root, "--statistics"])
    assert ran.status == 1
    assert ran.out.startswith(
        "10  error[parse-error]\n"
        " 1  warning[unused-suppression] (1 can be fixed with --fix)\n"
        "\n14 files checked with "
    )
    ran = overlaylint(["check", root, "--statistics", "--output-format", "concise"])
    assert ran.out.startswith("10  error[parse-error]\n")
    report = json.loads(overlaylint(["check", root, "--output-format", "json"]).out)
    assert report["summary"]["by_rule"] == {"parse-error": 10, "unused-suppression": 1}


def test_quiet(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: BROKEN})
    ran = overlaylint(["check", root, "--quiet"])
    assert ran.status == 1
    assert ran.out.startswith("error[parse-error]")
    assert "checked" not in ran.out
    (root / HELLO).write_text(CLEAN)
    ran = overlaylint(["check", root, "-q"])
    assert (ran.status, ran.out, ran.err) == (0, "", "")
    assert overlaylint(["check", root, "--force-exclude", "-q"]).err == ""


def test_exit_zero(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: BROKEN})
    ran = overlaylint(["check", root, "--exit-zero"])
    assert ran.status == 0
    assert "parse-error" in ran.out
    # what overlaylint could not do is no finding
    assert overlaylint(["check", root / "nothing", "--exit-zero"]).status == 2


# Ctrl-C


def test_a_stopped_run_says_what_it_had(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN, OTHER: CLEAN})
    ran = overlaylint(["check", root, "--select", "stopped,unused-suppression"])
    assert ran.status == 130
    assert ran.out.count("found first") == 2
    assert "half a truth" not in ran.out
    assert "never said" not in ran.out
    assert "stopped: 2 rules had not finished: stopped-here, third\n" in ran.out
    assert ran.err == (
        "overlaylint: stopped before the end: 2 rules had not finished,"
        " and what the others found is reported\n"
    )


def test_a_stopped_run_in_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_rule = _Run.run_rule

    def stopped(self: _Run, rule: Rule, *arguments: int) -> None:
        if rule.name == "parse-error":
            raise KeyboardInterrupt
        run_rule(self, rule, *arguments)

    monkeypatch.setattr(_Run, "run_rule", stopped)
    root = overlay(tmp_path, {HELLO: b"EAPI=7\n\0\n"})
    options = ["--select", "nul-byte,parse-error", "--output-format"]
    report = json.loads(overlaylint(["check", root, *options, "json"]).out)
    assert report["summary"]["unfinished"] == ["parse-error"]
    assert report["summary"]["by_rule"] == {"nul-byte": 1}
    sarif = json.loads(overlaylint(["check", root, *options, "sarif"]).out)
    assert not sarif["runs"][0]["invocations"][0]["executionSuccessful"]


def test_a_run_that_is_stopped_at_once_reports_nothing(tmp_path: Path) -> None:
    root = overlay(tmp_path, {OTHER: CLEAN})
    ran = overlaylint(["check", root, "--select", "at-once", "--ignore", "internal-error"])
    assert (ran.status, ran.out) == (130, "")
    assert ran.err.strip() == "overlaylint: stopped before the end; nothing of the run is reported"


def test_a_stopped_run_fixes_nothing_and_writes_no_baseline(tmp_path: Path) -> None:
    text = f"# overlaylint: ignore[nul-byte] -- none is there\n{CLEAN}"
    root = overlay(tmp_path, {HELLO: text, OTHER: CLEAN})
    baseline = tmp_path / "baseline.json"
    options = ["--fix", "--write-baseline", baseline]
    ran = overlaylint(["check", root, "--select", "stopped,portage,overlaylint", *options])
    assert ran.status == 130
    assert (root / HELLO).read_text() == text
    assert not baseline.exists()


def test_a_real_ctrl_c(tmp_path: Path) -> None:
    """The terminal sends it to git as well, which must still answer for the report."""
    root = overlay(tmp_path, {HELLO: CLEAN, OTHER: CLEAN})
    for command in (["init", "--quiet"], ["add", "--all"]):
        run("git", *command, cwd=root)
    code = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may ignore it
from overlaylint.cli import main
from overlaylint.cli.progress import Watch

def press(self, done, of, what, where):
    if done == 2:
        os.killpg(os.getpgid(0), signal.SIGINT)

Watch.__call__ = press
sys.exit(main(sys.argv[1:]))
"""
    ran = subprocess.run(
        [sys.executable, "-c", code, "check", str(root), "--staged", "--select", "portage"],
        capture_output=True,
        text=True,
        start_new_session=True,
        check=False,
    )
    assert ran.returncode == 130, ran
    assert "had not finished" in ran.stdout
    assert ran.stderr.startswith("overlaylint: stopped before the end: ")
    assert ran.stderr.count("\n") == 1


# Progress


def test_progress_is_shown_on_a_terminal_when_the_run_is_long(tmp_path: Path) -> None:
    root = overlay(tmp_path, {f"app-misc/x/x-{i}.ebuild": CLEAN for i in range(50)})
    code = (
        "import sys, overlaylint.cli.progress as p; p.PATIENCE = float(sys.argv.pop(1));"
        "from overlaylint.cli import main; sys.exit(main(sys.argv[1:]))"
    )

    def stderr_of(patience: str, *options: str) -> bytes:
        reader, writer = pty.openpty()
        with subprocess.Popen(
            [sys.executable, "-c", code, patience, "check", str(root), *options],
            stdout=subprocess.PIPE,
            stderr=writer,
            env={**os.environ, "TERM": "xterm"},
        ) as process:
            os.close(writer)
            shown = b""
            while True:
                try:
                    part = os.read(reader, 65536)
                except OSError:
                    break
                if not part:
                    break
                shown += part
            assert process.stdout is not None
            assert b"no findings" in process.stdout.read() or "--quiet" in options
        os.close(reader)
        return shown

    shown = stderr_of("0")
    # It is drawn a few times in a second, so which rule and file are seen differs.
    assert re.search(rb"\d+/\d+\x1b\[0m [a-z-]+ (app-misc|profiles)/\w", shown), shown
    assert stderr_of("100") == b""
    assert stderr_of("0", "--quiet") == b""


def test_progress_needs_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with Watch() as watch:
        watch(1, 2, "rule", "path")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("link", ["out", "out/report"])
@pytest.mark.parametrize("option", ["--output-file=", "--output-format=json=", "--write-baseline="])
def test_no_link_of_a_checked_tree_is_written_through(
    link: str, option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = overlay(tmp_path, {HELLO: BROKEN})
    (tmp_path / ".git").mkdir()
    victim = tmp_path.parent / f"victim-{tmp_path.name}"
    if link == "out":
        victim.mkdir()
    else:
        (tmp_path / "out").mkdir()
        victim.write_text(KNOWN)
    (tmp_path / link).symlink_to(victim)
    monkeypatch.chdir(tmp_path)
    ran = overlaylint(["check", root, f"{option}out/report"])
    assert (ran.status, ran.out) == (2, "")
    expected = f"out/report can't be written: {tmp_path / link} is a link in the checked tree"
    assert ran.err == f"overlaylint: {expected}\n"
    assert not list(victim.iterdir()) if victim.is_dir() else victim.read_text() == KNOWN


def test_a_link_elsewhere_is_the_users_own(tmp_path: Path) -> None:
    root = overlay(tmp_path / "work", {HELLO: BROKEN})
    (tmp_path / "link").symlink_to(tmp_path / "report")
    assert overlaylint(["check", root, "--output-file", tmp_path / "link"]).status == 1
    assert (tmp_path / "report").read_text()


def test_two_names_of_one_file(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: BROKEN})
    formats = [f"--output-format=json={tmp_path}/a", f"--output-format=sarif={tmp_path}/./a"]
    ran = overlaylint(["check", root, *formats])
    assert ran.status == 2
    assert "json and sarif can't both go to" in ran.err
