"""Reviewdog's format, held to its definition and to a validator of other people's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import host_tools
import jsonschema
import pytest
from hypothesis import given
from report_cases import LINE, SCRIPT, X, any_result, at, result_of, rich_result
from support import HELLO, overlay

from overlaylint.engine.fix import apply_fixes
from overlaylint.engine.result import Result
from overlaylint.finding import Edit, Fix, Span
from overlaylint.report import Settings
from overlaylint.report.rdjson import render
from overlaylint.tree import DirectoryTree

_POSITION = {
    "type": "object",
    "required": ["line", "column"],
    "additionalProperties": False,
    "properties": {
        "line": {"type": "integer", "minimum": 1},
        "column": {"type": "integer", "minimum": 1},
    },
}
_RANGE = {
    "type": "object",
    "required": ["start", "end"],
    "additionalProperties": False,
    "properties": {"start": _POSITION, "end": _POSITION},
}
_LOCATION = {
    "type": "object",
    "required": ["path", "range"],
    "additionalProperties": False,
    "properties": {"path": {"type": "string", "minLength": 1}, "range": _RANGE},
}
# What `reviewdog.proto` defines, as far as we use it; its own schema lets anything be added.
SCHEMA = {
    "type": "object",
    "required": ["source", "diagnostics"],
    "additionalProperties": False,
    "properties": {
        "source": {"const": {"name": "overlaylint"}},
        "diagnostics": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["message", "location", "severity", "code"],
                "additionalProperties": False,
                "properties": {
                    "message": {"type": "string"},
                    "location": _LOCATION,
                    "severity": {"enum": ["ERROR", "WARNING", "INFO"]},
                    "code": {
                        "type": "object",
                        "required": ["value"],
                        "additionalProperties": False,
                        "properties": {"value": {"type": "string", "minLength": 1}},
                    },
                    "suggestions": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": 1,
                        "items": {
                            "type": "object",
                            "required": ["range", "text"],
                            "additionalProperties": False,
                            "properties": {"range": _RANGE, "text": {"type": "string"}},
                        },
                    },
                    "related_locations": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["message", "location"],
                            "additionalProperties": False,
                            "properties": {"message": {"type": "string"}, "location": _LOCATION},
                        },
                    },
                },
            },
        },
    },
}


def diagnostics(*results: Result) -> list[dict[str, Any]]:
    report = json.loads(render(results, Settings()))
    jsonschema.validate(report, SCHEMA)
    found: list[dict[str, Any]] = report["diagnostics"]
    return found


def taken(suggestion: dict[str, Any], data: bytes) -> bytes:
    """Return a file as it is when a suggestion is taken: columns count bytes."""
    lines = data.split(b"\n")
    starts = [sum(len(line) + 1 for line in lines[:i]) for i in range(len(lines))]
    start, end = (
        starts[suggestion["range"][name]["line"] - 1] + suggestion["range"][name]["column"] - 1
        for name in ("start", "end")
    )
    return data[:start] + suggestion["text"].encode() + data[end:]


@given(any_result())
def test_anything_is_valid(result: Result) -> None:
    assert len(diagnostics(result)) == len(result.findings)


def test_a_validator_takes_it(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text(render([rich_result(tmp_path)], Settings()))
    program = "@umbrelladocs/rdformat-validator/bin/rdformat-validator.js"
    said = host_tools.node(host_tools.installed() / program, file)
    assert "Valid files: 1" in said
    assert "Total errors: 0" in said
    assert "Total warnings: 0" in said


def test_a_diagnostic(tmp_path: Path) -> None:
    found = diagnostics(rich_result(tmp_path))
    column = len(LINE[: LINE.index("x")].encode()) + 1
    place = {"start": {"line": 2, "column": column}, "end": {"line": 2, "column": column + 1}}
    assert found[2] == {
        "message": "x is wrong: 100%, `[a](b)`\nhelp: write y",
        "location": {"path": f"third party/overlay/{HELLO}", "range": place},
        "severity": "ERROR",
        "code": {"value": "parse-error"},
        "suggestions": [
            {
                "range": {**place, "start": {"line": 2, "column": column - 1}},
                "text": "y",
            }
        ],
        "related_locations": [
            {
                "message": "near",
                "location": {
                    "path": f"third party/overlay/{HELLO}",
                    "range": {"start": {"line": 1, "column": 1}, "end": {"line": 1, "column": 5}},
                },
            },
            {
                "message": "far",
                "location": {
                    "path": "third party/base/eclass/x.eclass",
                    "range": {"start": {"line": 2, "column": 1}, "end": {"line": 2, "column": 4}},
                },
            },
        ],
    }
    assert [one["severity"] for one in found] == ["WARNING", "INFO", "ERROR"]


@pytest.mark.parametrize(
    "edits",
    [
        [(X, X + 1, "y")],
        [(X, X + 1, "y"), (0, 4, "")],
        [(7, 7, "IUSE=''\n")],
        [(len(SCRIPT.encode()), len(SCRIPT.encode()), "IUSE=''\n")],
        [(7, SCRIPT.encode().index(b"SLOT"), "")],
        [(0, 6, "é"), (X - 1, X, "👋\t")],
    ],
)
def test_a_suggestion_does_what_the_fix_does(
    edits: list[tuple[int, int, str]], tmp_path: Path
) -> None:
    root = overlay(tmp_path, {HELLO: SCRIPT})
    made = [Edit(Span(HELLO, start, end), text) for start, end, text in edits]
    fix = Fix.safe("fix it", *made)
    finding = at(X, X + 1, fix=fix)
    (found,) = diagnostics(result_of(root, finding))
    (suggestion,) = found["suggestions"]
    fixed = apply_fixes([finding], DirectoryTree(root)).files[HELLO]
    assert taken(suggestion, SCRIPT.encode()) == fixed


@pytest.mark.parametrize(
    "fix",
    [
        Fix.unsafe("perhaps", Edit(Span(HELLO, 0, 4), "x")),
        Fix.safe("elsewhere", Edit(Span("eclass/x.eclass", 0, 1), "x")),
        Fix.safe("both", Edit(Span(HELLO, 0, 4), "x"), Edit(Span("eclass/x.eclass", 0, 1), "x")),
        Fix.safe("twice", Edit(Span(HELLO, 0, 4), "x"), Edit(Span(HELLO, 2, 5), "y")),
        Fix.safe("both at once", Edit(Span(HELLO, 2, 2), "x"), Edit(Span(HELLO, 2, 2), "y")),
        Fix.safe("a master's", Edit(Span(HELLO, 0, 4, "base"), "x")),
        Fix.safe("hidden", Edit(Span(HELLO, 0, 4), "\x1b[2J")),
        Fix.safe("no text", Edit(Span(HELLO, 0, 4), "\udcff")),
        Fix.safe("nothing"),
    ],
    ids=lambda fix: fix.title,
)
def test_what_one_suggestion_can_not_say_is_none(fix: Fix, tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: SCRIPT, "eclass/x.eclass": "# x\n"})
    (found,) = diagnostics(result_of(root, at(0, 4, fix=fix)))
    assert "suggestions" not in found
