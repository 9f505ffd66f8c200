"""The JSON report, held to its documentation."""

from __future__ import annotations

import json
import re
from pathlib import Path

from support import CLEAN, HELLO, SMALL_OVERLAY, overlay, overlaylint, write

from overlaylint.engine.fingerprint import fingerprints
from overlaylint.engine.result import Result, Skipped, Sources
from overlaylint.finding import Edit, Finding, Fix, Related, Span, Undecided
from overlaylint.overlay.masters import find_repositories
from overlaylint.report import Settings
from overlaylint.report.json import render

DOCUMENT = (Path(__file__).parent.parent / "docs" / "json.md").read_text()


def test_the_documents_example_is_what_is_printed() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)
    path = SMALL_OVERLAY / "app-misc/goodbye/goodbye-1.2.ebuild"
    arguments = ["check", "--output-format", "json", "--select", "portage,overlaylint"]
    printed = json.loads(overlaylint([*arguments, path]).out)
    expected = json.loads(example)
    expected["summary"]["files"] = 1
    assert printed["findings"] == expected["findings"]
    rules = printed["summary"].pop("rules")
    assert rules >= expected["summary"].pop("rules")
    assert printed == expected


def test_everything_a_run_has_is_there(tmp_path: Path) -> None:
    text = 'EAPI=7\nDESCRIPTION="é x"\n'
    root = overlay(tmp_path, {HELLO: text, "base::eclass/x.eclass": "one\ntwo\n"})
    start = text.encode().index(b"x")
    span = Span(HELLO, start, start + 1)
    finding = Finding(
        span,
        "the message",
        help="the help",
        related=(Related(Span("eclass/x.eclass", 4, 7, "base"), "there"),),
        fix=Fix.safe("the fix", Edit(span, "y")),
        rule="the-rule",
    )
    result = Result(
        Sources(find_repositories(root).overlay),
        root,
        rules=(),
        files=1,
        findings=(finding,),
        undecided=(Undecided(span, "who knows", "the-rule"),),
        skipped=(Skipped("other-rule", "no masters"),),
    )
    place = {
        "path": HELLO,
        "start": {"line": 2, "column": 16},
        "end": {"line": 2, "column": 17},
    }
    report = json.loads(render([result], Settings()))
    assert report["findings"][0].pop("fingerprint") == fingerprints(result)[finding]
    assert report["findings"] == [
        {
            "rule": "the-rule",
            "severity": "error",
            "message": "the message",
            "help": "the help",
            "repository": "overlay",
            **place,
            "related": [
                {
                    "message": "there",
                    "repository": "base",
                    "path": "eclass/x.eclass",
                    "start": {"line": 2, "column": 1},
                    "end": {"line": 2, "column": 4},
                }
            ],
            "fix": {"title": "the fix", "safe": True, "edits": [{**place, "text": "y"}]},
        }
    ]
    assert report["undecided"] == [
        {
            "rule": "the-rule",
            "repository": "overlay",
            "path": HELLO,
            "start": place["start"],
            "reason": "who knows",
        }
    ]
    assert report["skipped"] == [
        {"rule": "other-rule", "repository": "overlay", "reason": "no masters"}
    ]


def test_every_documented_key_is_there_and_the_other_way_round(tmp_path: Path) -> None:
    report = json.loads(overlaylint(["check", "--output-format", "json", SMALL_OVERLAY]).out)
    table = DOCUMENT.partition("## A finding")[2].partition("A position has")[0]
    documented = set()
    for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE):
        documented.update(re.findall(r"`(\w+)`", row))
    assert all(set(finding) == documented for finding in report["findings"])


def test_names_that_are_no_text_are_json_all_the_same(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN})
    write(root, "app-misc/hello/hello-\udcff1.ebuild", "EAPI=7\n)\n")
    ran = overlaylint(["check", "--output-format", "json", root])
    paths = {one["path"] for one in json.loads(ran.out)["findings"]}
    assert paths == {"app-misc/hello/hello-\\xff1.ebuild"}
    assert ran.out.isascii()


def test_what_is_suppressed_is_listed_with_its_reason(tmp_path: Path) -> None:
    text = "EAPI=7\nSLOT=0\0 # overlaylint: ignore[nul-byte] -- the test\n"
    root = overlay(tmp_path, {HELLO: text})
    report = json.loads(overlaylint(["check", "--output-format", "json", root]).out)
    assert not report["findings"]
    assert [(one["rule"], one["reason"]) for one in report["suppressed"]] == [
        ("nul-byte", "the test")
    ]
    assert report["summary"]["suppressed"] == 1
