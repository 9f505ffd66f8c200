"""GitLab's code quality report, held to what its documentation asks for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
from hypothesis import given
from report_cases import any_result, at, result_of, rich_result
from support import HELLO, overlay

from overlaylint.engine.fingerprint import fingerprints
from overlaylint.engine.result import Result
from overlaylint.report import Settings
from overlaylint.report.gitlab import render

_TEXT = {"type": "string", "minLength": 1}
_PLACE = {
    "type": "object",
    "required": ["line", "column"],
    "additionalProperties": False,
    "properties": {
        "line": {"type": "integer", "minimum": 1},
        "column": {"type": "integer", "minimum": 1},
    },
}
# "Code Quality report format" of GitLab's documentation as a schema; GitLab publishes none.
SCHEMA = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "additionalProperties": False,
        "properties": {
            "description": _TEXT,
            "check_name": _TEXT,
            "fingerprint": _TEXT,
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "positions"],
                "additionalProperties": False,
                "properties": {
                    "path": {"type": "string", "pattern": "^(?!\\./|/)."},
                    "positions": {
                        "type": "object",
                        "required": ["begin", "end"],
                        "additionalProperties": False,
                        "properties": {"begin": _PLACE, "end": _PLACE},
                    },
                },
            },
        },
    },
}


def issues(*results: Result, **environment: str) -> list[dict[str, Any]]:
    """Return a report's issues; GitLab keeps one issue of a fingerprint."""
    report: list[dict[str, Any]] = json.loads(render(results, Settings(environment=environment)))
    jsonschema.validate(report, SCHEMA)
    assert len({one["fingerprint"] for one in report}) == len(report)
    return report


@given(any_result())
def test_anything_is_valid(result: Result) -> None:
    assert len(issues(result)) == len(result.findings)


def test_an_issue(tmp_path: Path) -> None:
    result = rich_result(tmp_path)
    found = issues(result)
    assert found[2] == {
        "description": "parse-error: x is wrong: 100%, `[a](b)`",
        "check_name": "parse-error",
        "fingerprint": fingerprints(result)[result.findings[2]],
        "severity": "major",
        "location": {
            "path": f"third party/overlay/{HELLO}",
            "positions": {"begin": {"line": 2, "column": 17}, "end": {"line": 2, "column": 18}},
        },
    }
    assert [one["severity"] for one in found] == ["minor", "info", "major"]


def test_paths_start_at_the_project(tmp_path: Path) -> None:
    result = rich_result(tmp_path / "project")
    path = issues(result, CI_PROJECT_DIR=str(tmp_path))[2]["location"]["path"]
    assert path == f"project/third party/overlay/{HELLO}"


def test_two_checkouts_of_an_overlay_have_their_own_fingerprints(tmp_path: Path) -> None:
    roots = [overlay(tmp_path / name, {HELLO: "EAPI=7\n"}) for name in ("one", "two")]
    found = issues(*(result_of(root, at(0, 4)) for root in roots))
    assert found[1]["fingerprint"] == f"{found[0]['fingerprint']}-2"
