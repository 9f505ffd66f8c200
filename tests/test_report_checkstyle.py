"""Checkstyle's XML, held to a schema of what checkstyle's own XMLLogger writes."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from functools import cache
from pathlib import Path

import pytest
import xmlschema
from hypothesis import given, settings
from report_cases import any_result, at, result_of, rich_result
from support import HELLO, overlay

from overlaylint import __version__
from overlaylint.engine.result import Result
from overlaylint.report import Settings
from overlaylint.report.checkstyle import render

# Checkstyle publishes no schema of its output. What is here is what its XMLLogger writes:
# severities are those of its SeverityLevel, and a column may be missing.
SCHEMA = """
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:element name="checkstyle">
    <xs:complexType>
      <xs:sequence>
        <xs:element name="file" minOccurs="0" maxOccurs="unbounded">
          <xs:complexType>
            <xs:sequence>
              <xs:element name="error" minOccurs="0" maxOccurs="unbounded">
                <xs:complexType>
                  <xs:attribute name="line" type="xs:positiveInteger" use="required"/>
                  <xs:attribute name="column" type="xs:positiveInteger"/>
                  <xs:attribute name="severity" use="required">
                    <xs:simpleType>
                      <xs:restriction base="xs:string">
                        <xs:enumeration value="ignore"/>
                        <xs:enumeration value="info"/>
                        <xs:enumeration value="warning"/>
                        <xs:enumeration value="error"/>
                      </xs:restriction>
                    </xs:simpleType>
                  </xs:attribute>
                  <xs:attribute name="message" type="xs:string" use="required"/>
                  <xs:attribute name="source" type="xs:string" use="required"/>
                </xs:complexType>
              </xs:element>
            </xs:sequence>
            <xs:attribute name="name" type="xs:string" use="required"/>
          </xs:complexType>
        </xs:element>
      </xs:sequence>
      <xs:attribute name="version" type="xs:string" use="required"/>
    </xs:complexType>
  </xs:element>
</xs:schema>
"""


@cache
def schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(SCHEMA)


def report(*results: Result) -> ET.Element:
    text = render(results, Settings())
    schema().validate(text)
    root = ET.fromstring(text)
    names = [one.attrib["name"] for one in root]
    assert len(set(names)) == len(names)
    return root


@given(any_result())
@settings(max_examples=40)
def test_anything_is_valid(result: Result) -> None:
    assert len(list(report(result).iter("error"))) == len(result.findings)


def test_an_error(tmp_path: Path) -> None:
    root = report(rich_result(tmp_path))
    assert root.attrib == {"version": __version__}
    assert [one.attrib["name"] for one in root] == [
        "third party/overlay/app-misc/hello/hello-2.ebuild",
        f"third party/overlay/{HELLO}",
    ]
    assert root[1][1].attrib == {
        "line": "2",
        "column": "17",
        "severity": "error",
        "message": "x is wrong: 100%, `[a](b)`; write y",
        "source": "overlaylint.parse-error",
    }
    assert [one.attrib["severity"] for one in root.iter("error")] == ["warning", "info", "error"]


def test_the_schema_refuses_what_is_wrong(tmp_path: Path) -> None:
    text = render([result_of(overlay(tmp_path, {HELLO: "x\n"}), at(0, 1))], Settings())
    for wrong in (text.replace('line="1"', 'line="0"'), text.replace('"error"', '"notice"')):
        with pytest.raises(xmlschema.XMLSchemaValidationError):
            schema().validate(wrong)
