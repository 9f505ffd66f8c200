"""The command line: what it reports on, its exit status, and its one line on stderr."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import CLEAN, HELLO, SMALL_OVERLAY, overlay, overlaylint

from overlaylint import __version__

BROKEN = "EAPI=7\nif true; then\n"


def failed(arguments: list[str | Path]) -> str:
    """Return the line on stderr of a run that could not do its job."""
    ran = overlaylint(arguments)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("overlaylint: ")
    assert ran.err.count("\n") == 1
    return ran.err.removeprefix("overlaylint: ").rstrip("\n")


def found(arguments: list[str | Path]) -> list[tuple[str, str]]:
    """Return (path, rule) of what a run reports."""
    ran = overlaylint(["check", "--output-format", "json", *arguments])
    report = json.loads(ran.out)
    findings = [(one["path"], one["rule"]) for one in report["findings"]]
    assert ran.status == (1 if findings else 0)
    return findings


# Exit status


def test_nothing_found(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN})
    ran = overlaylint(["check", root])
    assert (ran.status, ran.err) == (0, "")
    assert "no findings" in ran.out


def test_findings(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: BROKEN})
    ran = overlaylint(["check", root])
    assert (ran.status, ran.err) == (1, "")
    assert f"{HELLO}:3:1" in ran.out


def test_the_working_folder_is_checked_without_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = overlay(tmp_path, {HELLO: BROKEN})
    monkeypatch.chdir(root / "app-misc")
    assert found([]) == [(HELLO, "parse-error")]


def test_no_overlay_there(tmp_path: Path) -> None:
    assert "no overlay is there" in failed(["check", tmp_path])


def test_no_such_path(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN})
    assert failed(["check", root / "app-mics"]).endswith("app-mics: no such file or folder")


def test_unknown_rule_is_told_with_the_nearest(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN})
    for option in ("--select", "--ignore"):
        line = failed(["check", root, option, "parse-eror"])
        assert line == "no rule or pack is called parse-eror; did you mean parse-error?"


def test_unknown_option_and_format_and_command() -> None:
    assert "--selct" in failed(["check", "--selct", "x"])
    assert "xml" in failed(["check", "--output-format", "xml"])
    assert "chek" in failed(["chek"])


def test_everything_ignored(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN})
    assert "no rule is left" in failed(["check", root, "--ignore", "ALL"])


def test_an_empty_selection_is_not_a_silent_success(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN, "README.md": "# An overlay\n"})
    (root / "app-empty").mkdir()
    assert "nothing to check" in failed(["check", root / "app-empty"])
    assert "nothing to check" in failed(["check", root / "README.md"])


def test_ctrl_c(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    root = overlay(tmp_path, {HELLO: CLEAN})
    monkeypatch.setattr("overlaylint.engine.run.run", interrupted)
    ran = overlaylint(["check", root])
    assert (ran.status, ran.out) == (130, "")
    # click ends the line that the terminal shows ^C on.
    assert ran.err.strip().startswith("overlaylint: stopped")
    assert ran.err.strip().count("\n") == 0


def test_a_reader_that_has_enough(tmp_path: Path) -> None:
    root = overlay(tmp_path, {f"app-misc/hello/hello-{i}.ebuild": BROKEN for i in range(400)})
    command = [sys.executable, "-m", "overlaylint", "check", str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.mark.parametrize(
    ("streams", "line"),
    [
        (">&-", "standard output is closed"),
        (">/dev/full", "standard output: no space left on device"),
        ("<&-", "-: standard input is closed"),
    ],
)
def test_streams_that_can_not_be_used(streams: str, line: str, tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: BROKEN})
    given = f"- --stdin-filename {HELLO}" if streams == "<&-" else "."
    command = f'exec "$0" -m overlaylint check {given} {streams}'
    ran = subprocess.run(
        ["sh", "-c", command, sys.executable], cwd=root, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", f"overlaylint: {line}\n")


def test_a_message_never_goes_to_standard_output(tmp_path: Path) -> None:
    command = 'exec "$0" -m overlaylint check nothing-there 2>&-'
    ran = subprocess.run(
        ["sh", "-c", command, sys.executable], cwd=tmp_path, capture_output=True, check=False
    )
    assert (ran.returncode, ran.stdout) == (2, b"")


def test_a_working_folder_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    ran = overlaylint(["check"])
    assert (ran.status, ran.err) == (2, "overlaylint: .: no such file or directory\n")


def test_a_defect_is_no_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ValueError("a\x1b[31m\n::error::b")

    root = overlay(tmp_path, {HELLO: CLEAN})
    monkeypatch.setattr("overlaylint.engine.run.run", fail)
    ran = overlaylint(["check", root])
    assert (ran.status, ran.out) == (2, "")
    *traceback, last = ran.err.splitlines()
    assert last.startswith("overlaylint: this is a defect of overlaylint")
    assert all(line.startswith("| ") and line.isprintable() for line in traceback)


def test_python_dash_m(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: BROKEN})
    command = [sys.executable, "-m", "overlaylint", "check", "hello-1.ebuild"]
    ran = subprocess.run(
        command, cwd=root / "app-misc/hello", capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (1, "")
    assert "parse-error" in ran.stdout


def test_version_and_help() -> None:
    assert overlaylint(["--version"]).out == f"overlaylint {__version__}\n"
    shown = overlaylint(["--help"])
    assert shown.status == 0
    assert all(command in shown.out for command in ("check", "explain", "rules"))
    assert "--force-exclude" in overlaylint(["check", "--help"]).out


# What is reported on


def test_given_files_are_reported_on_and_the_rest_is_context(tmp_path: Path) -> None:
    other = "app-misc/other/other-1.ebuild"
    root = overlay(tmp_path, {HELLO: BROKEN, other: BROKEN, "eclass/x.eclass": BROKEN})
    assert found([root / HELLO]) == [(HELLO, "parse-error")]
    assert found([root / HELLO, root / "eclass"]) == [
        (HELLO, "parse-error"),
        ("eclass/x.eclass", "parse-error"),
    ]
    assert found([root / "app-misc"]) == [(HELLO, "parse-error"), (other, "parse-error")]
    assert len(found([root])) == 3


def test_a_given_link_stands_for_the_file_it_leads_to(tmp_path: Path) -> None:
    live = "app-misc/hello/hello-9999.ebuild"
    root = overlay(tmp_path, {live: BROKEN}, {HELLO: "hello-9999.ebuild"})
    assert found([root / HELLO]) == [(live, "parse-error")]


def test_files_of_two_overlays_in_one_run(tmp_path: Path) -> None:
    first = overlay(tmp_path, {HELLO: BROKEN}, name="first")
    second = overlay(tmp_path, {HELLO: BROKEN}, name="second")
    ran = overlaylint(["check", "--output-format", "json", first / HELLO, second])
    report = json.loads(ran.out)
    assert [one["repository"] for one in report["findings"]] == ["first", "second"]
    text = overlaylint(["check", first, second]).out
    assert "first: 4 files checked" in text
    assert "second: 4 files checked" in text


def test_exclude_holds_for_folders_and_with_force_for_given_files(tmp_path: Path) -> None:
    configuration = 'exclude = ["app-misc/hello"]\n'
    root = overlay(tmp_path, {HELLO: BROKEN, "overlaylint.toml": configuration})
    assert found([root]) == []
    assert found([root / HELLO]) == [(HELLO, "parse-error")]
    ran = overlaylint(["check", "--force-exclude", root / HELLO])
    assert ran.status == 0
    assert ran.err == "overlaylint: every file given is excluded\n"


@pytest.mark.parametrize(
    "path", ["licenses/MIT", "metadata/news", "app-misc/other", "app-misc/hello/files", "sys-x"]
)
def test_a_bad_link_in_the_place_of_anything_is_a_finding_if_it_is_given(
    tmp_path: Path, path: str
) -> None:
    files = {HELLO: CLEAN, "profiles/categories": "app-misc\nsys-x\n"}
    root = overlay(tmp_path, files, {path: "gone"})
    assert found([root / path]) == [(path, "dangling-link")]


def test_select_and_ignore(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: b"EAPI=7\r\n)\r\n"})
    assert found([root]) == [(HELLO, "carriage-return"), (HELLO, "parse-error")]
    assert found([root, "--select", "parse-error,nul-byte"]) == [(HELLO, "parse-error")]
    assert found([root, "--ignore", "parse-error"]) == [(HELLO, "carriage-return")]
    assert found([root, "--select", "portage", "--ignore", "carriage-return"]) == [
        (HELLO, "parse-error")
    ]


def test_a_selection_of_nothing_is_none(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: BROKEN})
    for names in ("", ", "):
        failure = failed(["check", root, "--select", names])
        assert failure == "--select: it names no rule and no pack"


def test_a_pack_for_other_overlays_runs_when_selected(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN})
    coreos = overlay(tmp_path, {HELLO: CLEAN}, name="coreos")

    def count(*arguments: str | Path) -> int:
        report = json.loads(overlaylint(["check", "--output-format", "json", *arguments]).out)
        return int(report["summary"]["rules"])

    assert count(coreos) == count(root, "--select", "ALL") >= count(root)


def test_a_rule_that_fails_is_said_whatever_is_selected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raises(*_: object) -> None:
        raise ValueError("no")

    root = overlay(tmp_path, {HELLO: CLEAN})
    monkeypatch.setattr("overlaylint.overlay.files.TextFile.span", raises)
    (root / HELLO).write_bytes(b"\0")
    assert found([root, "--select", "nul-byte"]) == [(HELLO, "internal-error")]
    assert found([root, "--select", "nul-byte", "--ignore", "internal-error"]) == []


def test_configuration_selects_and_command_line_overrules(tmp_path: Path) -> None:
    toml = 'select = ["portage"]\nignore = ["carriage-return"]\n'
    root = overlay(tmp_path, {HELLO: b"EAPI=7\r\n)\r\n", "overlaylint.toml": toml})
    assert found([root]) == [(HELLO, "parse-error")]
    assert found([root, "--select", "carriage-return"]) == [(HELLO, "carriage-return")]


@pytest.mark.parametrize(
    ("toml", "line"),
    [
        ('selct = ["portage"]', "overlaylint.toml:1: unknown key 'selct'; did you mean select?"),
        (
            'select = "portage"',
            "overlaylint.toml:1: select: this must be a list, each of which",
        ),
        ("select = [1]", "overlaylint.toml:1: select[0]: this must be a string"),
        ("select = [", "overlaylint.toml: "),
        ('select = ["portag"]', "no rule or pack is called portag; did you mean portage?"),
        ("[rules.parse-eror]", "overlaylint.toml:1: rules.parse-eror: no rule is called"),
        ("[rules.parse-error]\nx = 1", "overlaylint.toml:1: rules.parse-error: the rule has no"),
    ],
)
def test_configuration_that_can_not_be_used(toml: str, line: str, tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN, "overlaylint.toml": toml})
    assert failed(["check", root]).startswith(line)


def test_configuration_that_is_not_utf_8(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN, "overlaylint.toml": b"# \xff\n"})
    assert failed(["check", root]) == "overlaylint.toml: not UTF-8 at byte 2"


# Masters


def test_a_master_beside_the_overlay_is_found(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN, "base::eclass/x.eclass": CLEAN})
    assert "missing" not in overlaylint(["check", root]).out


def test_a_missing_master_is_said(tmp_path: Path) -> None:
    files = {HELLO: CLEAN, "metadata/layout.conf": "masters = base\n"}
    root = overlay(tmp_path, files)
    ran = overlaylint(["check", root])
    assert ran.status == 0
    assert "master base is missing" in ran.out
    assert "--master base=PATH" in ran.out
    report = json.loads(overlaylint(["check", root, "--output-format", "json"]).out)
    assert [one["master"] for one in report["summary"]["missing_masters"]] == ["base"]


def test_a_master_is_given(tmp_path: Path) -> None:
    files = {HELLO: CLEAN, "metadata/layout.conf": "masters = base\n"}
    root = overlay(tmp_path / "one", files)
    base = overlay(tmp_path / "two", {"eclass/x.eclass": CLEAN}, name="other")
    assert "missing" not in overlaylint(["check", root, "--master", f"base={base}"]).out
    (root / "overlaylint.toml").write_text('masters = { base = "../../two/other" }\n')
    assert "missing" not in overlaylint(["check", root]).out


def test_a_master_that_is_no_folder(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN})
    assert "is not a folder" in failed(["check", root, "--master", "base=/nonexistent"])
    assert "NAME=PATH" in failed(["check", root, "--master", "base"])
    twice = ["--master", f"base={tmp_path}", "--master", f"base={root}"]
    assert failed(["check", root, *twice]).endswith("base is given twice")


# Where the report goes


def test_output_file(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: BROKEN})
    file = tmp_path / "report.json"
    ran = overlaylint(["check", root, "--output-format", "json", "--output-file", file])
    assert (ran.status, ran.out) == (1, "")
    assert json.loads(file.read_text())["schema"] == 1


def test_output_file_that_can_not_be_written(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: BROKEN})
    assert "can't be written" in failed(["check", root, "--output-file", tmp_path / "a/b"])


def test_color(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: BROKEN})
    assert "\x1b[" not in overlaylint(["check", root]).out
    assert "\x1b[" not in overlaylint(["check", root, "--color", "never"]).out
    assert "\x1b[1;31merror[parse-error]" in overlaylint(["check", root, "--color=always"]).out


# The other commands


def test_rules_lists_every_rule_with_its_pack() -> None:
    ran = overlaylint(["rules"])
    assert ran.status == 0
    for name in ("parse-error", "dangling-link", "internal-error", "unused-suppression"):
        assert f"  {name} " in ran.out
    assert "flatcar: Flatcar's coreos-overlay (on where the overlay is called coreos" in ran.out
    listed = json.loads(overlaylint(["rules", "--output-format", "json"]).out)
    assert {"name", "pack", "severity", "title"} <= set(listed[0])


def test_explain() -> None:
    ran = overlaylint(["explain", "dangling-link"])
    assert ran.status == 0
    assert ran.out.startswith("# dangling-link: A link leads nowhere")
    assert "## Why it matters" in ran.out
    assert failed(["explain", "danglin-link"]) == (
        "no rule is called danglin-link; did you mean dangling-link?"
    )


def test_the_small_overlay_has_findings() -> None:
    assert found([SMALL_OVERLAY]) == [
        ("app-misc/goodbye/goodbye-1.2.ebuild", "parse-error"),
        ("app-misc/goodbye/goodbye-1.3rc1.ebuild", "misplaced-ebuild"),
        ("app-misc/hello/hello-1.1.ebuild", "dangling-link"),
        ("dev-libs/greeting/greeting-2.0-r1.ebuild", "unused-suppression"),
    ]


def test_reports_are_the_same_each_time(tmp_path: Path) -> None:
    shown = set()
    for seed in ("0", "1", "2"):
        command = [sys.executable, "-m", "overlaylint", "check", str(SMALL_OVERLAY)]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        ran = subprocess.run(
            command, env=environment, capture_output=True, check=False, cwd=tmp_path
        )
        shown.add(ran.stdout)
    assert len(shown) == 1
