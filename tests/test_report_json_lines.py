"""One object a line: what the JSON report holds, as a program reads it line by line."""

from __future__ import annotations

import json
import re
from pathlib import Path

from report_cases import rich_result

from overlaylint.report import Settings, json_lines
from overlaylint.report import json as json_report

DOCUMENT = (Path(__file__).parent.parent / "docs" / "json.md").read_text()


def test_the_lines_are_the_report(tmp_path: Path) -> None:
    result = rich_result(tmp_path)
    lines = [json.loads(line) for line in json_lines.render([result], Settings()).splitlines()]
    report = json_report.report([result], Settings())
    types = [one.pop("type") for one in lines]
    assert types == ["finding"] * 3 + ["undecided", "skipped", "suppressed", "summary"]
    assert lines[:3] == report["findings"]
    assert lines[3:6] == [*report["undecided"], *report["skipped"], *report["suppressed"]]
    assert lines[6] == {"schema": report["schema"], **report["summary"]}


def test_every_type_is_documented() -> None:
    documented = re.findall(r"`([a-z]+)`", DOCUMENT.partition("with a `type`:")[2])
    types = [json_lines._TYPES.get(name, name) for name in json_report.LISTS]
    assert documented[: len(types) + 1] == [*types, "summary"]
