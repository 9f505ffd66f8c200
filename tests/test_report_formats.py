"""What holds for every format, whatever a finding says, and for several formats in one run."""

from __future__ import annotations

import json
import re
import unicodedata
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given
from report_cases import any_result, rich_result
from support import CLEAN, HELLO, SMALL_OVERLAY, overlay, overlaylint

from overlaylint.engine.result import Result
from overlaylint.report import FORMATS, FORMATS_OF_LINES, Settings, load_format

CONTROL = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
ON_GITHUB = {"GITHUB_ACTIONS": "true"}


def strings(value: object) -> list[str]:
    """Return every string in what JSON says."""
    if isinstance(value, dict):
        return [one for pair in value.items() for each in pair for one in strings(each)]
    if isinstance(value, list):
        return [one for each in value for one in strings(each)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("name", FORMATS)
@given(result=any_result())
def test_no_report_has_a_control_character(name: str, result: Result) -> None:
    settings = Settings(environment=ON_GITHUB, show_undecided=True)
    text = load_format(name).render([result], settings)
    assert text.isascii() or name in FORMATS_OF_LINES
    for line in text.split("\n"):
        assert not {unicodedata.category(one) for one in line} & CONTROL
        # In a line that is a command, the runner looks for no other.
        if name in FORMATS_OF_LINES and not line.startswith("::"):
            assert "##[" not in line


@pytest.mark.parametrize("name", ["text", "concise"])
@given(result=any_result())
def test_no_line_is_a_command_of_a_runner(name: str, result: Result) -> None:
    settings = Settings(environment=ON_GITHUB, show_undecided=True)
    for line in load_format(name).render([result], settings).splitlines():
        # The runner looks at the start of a line, blanks left out.
        assert not re.match(r"\s*::(?!: )", line)


@pytest.mark.parametrize("name", ["sarif", "gitlab", "rdjson"])
@given(result=any_result())
def test_a_host_is_sent_no_control_character_in_json(name: str, result: Result) -> None:
    report = json.loads(load_format(name).render([result], Settings(show_undecided=True)))
    for text in strings(report):
        left = text.replace("\n", "").replace("\t", "")
        assert left.isprintable()


@pytest.mark.parametrize("name", ["junit", "checkstyle"])
@given(result=any_result())
def test_xml_is_well_formed(name: str, result: Result) -> None:
    text = load_format(name).render([result], Settings())
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<')
    root = ET.fromstring(text.encode())
    tag = {"junit": "failure", "checkstyle": "error"}[name]
    assert len(list(root.iter(tag))) == len(result.findings)


@pytest.mark.parametrize("name", FORMATS)
def test_every_finding_is_in_every_format(name: str, tmp_path: Path) -> None:
    text = load_format(name).render([rich_result(tmp_path)], Settings())
    for message in ("x is wrong", "leads nowhere", "two lines"):
        assert message in text


@pytest.mark.parametrize("name", FORMATS)
def test_a_run_without_findings_has_a_report(name: str, tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN})
    ran = overlaylint(["check", "--output-format", name, root])
    assert (ran.status, ran.err) == (0, "")
    if name not in FORMATS_OF_LINES:
        assert ran.out.endswith("\n")
    assert "error" not in ran.out or name not in FORMATS_OF_LINES


# Several at once


def test_several_formats_in_one_run(tmp_path: Path) -> None:
    sarif, junit = tmp_path / "out.sarif", tmp_path / "out.xml"
    formats = [f"sarif={sarif}", "text", f"junit={junit}"]
    arguments = [word for one in formats for word in ("--output-format", one)]
    ran = overlaylint(["check", *arguments, SMALL_OVERLAY])
    assert ran.status == 1
    assert ran.out == overlaylint(["check", "--output-format", "text", SMALL_OVERLAY]).out
    count = len(json.loads(sarif.read_text())["runs"][0]["results"])
    assert count == len(list(ET.fromstring(junit.read_text()).iter("failure"))) > 0


def test_two_documents_do_not_fit_one_place(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN})
    place = tmp_path / "one"
    for first, second, where in (
        ("json", "text", "standard output"),
        ("sarif", "gitlab", "standard output"),
        (f"json={place}", f"text={place}", str(place)),
    ):
        ran = overlaylint(["check", "--output-format", first, "--output-format", second, root])
        assert (ran.status, ran.out) == (2, "")
        assert f"can't both go to {where}; write FORMAT=FILE\n" in ran.err
    assert not place.exists()


def test_lines_fit_together(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: "EAPI=7\n)\n"})
    ran = overlaylint(["check", "--output-format=concise", "--output-format=github", root])
    assert [line.partition(" ")[0] for line in ran.out.splitlines()][-1] == "::error"


def test_output_file_is_for_one_format(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN})
    file = tmp_path / "out.json"
    ran = overlaylint(["check", "--output-format", "json", "--output-file", file, root])
    assert (ran.status, ran.out) == (0, "")
    assert json.loads(file.read_text())["findings"] == []
    for formats in (["json", "text"], ["json=other"]):
        words = [word for one in formats for word in ("--output-format", one)]
        ran = overlaylint(["check", *words, "--output-file", file, root])
        assert ran.status == 2
        assert "--output-file is for one format" in ran.err


def test_what_can_be_written_is_though_another_file_can_not(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: "EAPI=7\n)\n"})
    good = tmp_path / "good.json"
    bad = tmp_path / "nowhere/bad.xml"
    formats = [f"junit={bad}", f"json={good}", "text"]
    ran = overlaylint(["check", *[f"--output-format={one}" for one in formats], root])
    assert ran.status == 2
    assert ran.err.count("\n") == 1
    assert "bad.xml can't be written: No such file or directory" in ran.err
    assert "parse-error" in ran.out
    assert json.loads(good.read_text())["findings"]


@pytest.mark.parametrize("given", ["xml", "sarif=", "=x", "jsonx=y"])
def test_what_is_no_format(given: str, tmp_path: Path) -> None:
    ran = overlaylint(["check", "--output-format", given, overlay(tmp_path, {HELLO: CLEAN})])
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.count("\n") == 1


def test_on_github_annotations_come_beside_the_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = overlay(tmp_path, {HELLO: "EAPI=7\n)\n"})
    page = tmp_path / "page"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    ran = overlaylint(["check", root])
    lines = ran.out.splitlines()
    assert lines[0].startswith("error[parse-error]: ")
    assert lines[-1].startswith("::error title=overlaylint%3A parse-error,file=")
    assert "### overlaylint: 1 finding" in page.read_text()
    # Who asks for a format gets that.
    assert "::error" not in overlaylint(["check", "--output-format=text", root]).out
    file = tmp_path / "out"
    assert overlaylint(["check", "--output-file", file, root]).out == ""
    assert "::error" not in file.read_text()


def test_annotations_beside_text_repeat_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"app-misc/hello/hello-{i}.ebuild": "EAPI=7\n)\n" for i in range(30)}
    root = overlay(tmp_path, files)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    lines = overlaylint(["check", root]).out.splitlines()
    assert sum(line.startswith("::error ") for line in lines) == 10
    assert not [line for line in lines if line.startswith("- error")]
    assert lines[-1] == "::notice title=overlaylint::20 more findings are in the log"
    counted = overlaylint(["check", "--statistics", root]).out.splitlines()
    assert sum(line.startswith("- error: ") for line in counted) == 20
