"""SARIF, held to the official schema, to its makers' validator, and to what GitHub asks for."""

from __future__ import annotations

import json
import platform
import subprocess
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import host_tools
import jsonschema
import pytest
from hypothesis import given, settings
from report_cases import LINE, SCRIPT, X, any_result, at, result_of, rich_result
from support import CLEAN, HELLO, SMALL_OVERLAY, overlay, overlaylint, write

from overlaylint.engine.packs import load_catalog
from overlaylint.engine.result import Result
from overlaylint.finding import Edit, Finding, Fix, Severity, Span
from overlaylint.report import Settings, sarif
from overlaylint.report.line_hash import LineHashes

MULTITOOL = "@microsoft/sarif-multitool-linux"


def log(*results: Result, **environment: str) -> dict[str, Any]:
    """Return a log, which the official schema and GitHub take."""
    text = sarif.render(results, Settings(environment=environment, show_undecided=True))
    report: dict[str, Any] = json.loads(text)
    official().validate(report)
    assert_github_takes(report)
    return report


def results_of(report: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = report["runs"][0]["results"]
    return found


@cache
def official() -> jsonschema.Draft202012Validator:
    """Return the schema of the standard, as its makers' package has it."""
    text = (host_tools.installed() / MULTITOOL / "sarif-2.1.0.json").read_text("utf-8-sig")
    return jsonschema.Draft202012Validator(json.loads(text))


def assert_github_takes(report: dict[str, Any]) -> None:
    """Assert what GitHub's "SARIF support for code scanning" requires besides the schema."""
    assert report["$schema"]
    assert report["version"] == "2.1.0"
    assert len(report["runs"]) == 1
    (run,) = report["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"]
    for rule in driver["rules"]:
        for name in ("shortDescription", "fullDescription"):
            assert 0 < len(rule[name]["text"]) <= 1024
        assert rule["help"]["text"]
        assert len(rule["id"]) <= 255
        assert len(rule["properties"]["tags"]) <= 10
    assert len(run["results"]) <= 25_000
    for result in run["results"]:
        assert 0 < len(result["message"]["text"]) <= 1024
        assert result["level"] in ("error", "warning", "note")
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["partialFingerprints"]["overlaylint/v1"]
        (location,) = result["locations"]
        place = location["physicalLocation"]
        uri = place["artifactLocation"]["uri"]
        assert uri
        assert not uri.startswith("/")
        assert ":" not in uri.partition("/")[0]
        region = place["region"]
        assert region["startLine"] <= region["endLine"]
        if region["startLine"] == region["endLine"]:
            assert region["startColumn"] <= region["endColumn"]


def validated(folder: Path, report: object) -> list[tuple[str, str]]:
    """Return the rule and level of what the validator says, GitHub's rules among its own."""
    if platform.machine() != "x86_64":
        pytest.skip("the validator is a program for x86_64")
    program = host_tools.installed() / MULTITOOL / "Sarif.Multitool"
    # npm would do that in a script of the package, and runs none here.
    program.chmod(0o755)
    (folder / "in.sarif").write_text(json.dumps(report))
    ran = subprocess.run(
        [
            *(program, "validate", folder / "in.sarif", "-o", folder / "out.sarif"),
            *("--rule-kind", "Sarif;Ghas", "--level", "Error;Warning;Note"),
        ],
        capture_output=True,
        text=True,
        check=False,
        # The machine may lack the tables of languages that .NET looks for.
        env={"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1", "HOME": str(folder)},
    )
    assert (folder / "out.sarif").exists(), f"{ran.stdout}{ran.stderr}"
    said = json.loads((folder / "out.sarif").read_text("utf-8-sig"))["runs"][0]
    assert said["invocations"][0]["executionSuccessful"], ran.stdout
    return [(one["ruleId"], one.get("level", "warning")) for one in said.get("results", ())]


def test_the_validator_has_nothing_against_it(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    report = log(rich_result(tmp_path / "work"))
    said = validated(tmp_path, report)
    assert [one for one in said if one[1] != "note"] == []
    # It wants numbers for names, help at an address, and copies of the text.
    assert {rule for rule, _ in said} <= {
        *("SARIF2002", "SARIF2003", "SARIF2006", "SARIF2009", "SARIF2010", "SARIF2011"),
        "SARIF2012",
    }


def test_the_validator_would_say_so(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    report = log(rich_result(tmp_path / "work"))
    first = results_of(report)[0]
    first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] = "no uri at all"
    first["ruleIndex"] = 0
    del report["runs"][0]["tool"]["driver"]["name"]
    assert [one for one in validated(tmp_path, report) if one[1] == "error"]


def test_a_real_run(tmp_path: Path) -> None:
    file = tmp_path / "real.sarif"
    overlaylint(["check", "--output-format", f"sarif={file}", SMALL_OVERLAY])
    report = json.loads(file.read_text())
    official().validate(report)
    assert_github_takes(report)
    assert [one for one in validated(tmp_path, report) if one[1] != "note"] == []


@given(any_result())
@settings(max_examples=40)
def test_anything_is_valid(result: Result) -> None:
    log(result)


def test_a_result(tmp_path: Path) -> None:
    report = log(rich_result(tmp_path))
    driver = report["runs"][0]["tool"]["driver"]
    rich = results_of(report)[2]
    index = [rule["id"] for rule in driver["rules"]].index("parse-error")
    hashes = rich.pop("partialFingerprints")
    assert hashes["primaryLocationLineHash"] == LineHashes(SCRIPT.encode()).of(2)
    path = "third%20party/overlay/app-misc/hello/hello-1.ebuild"
    # Columns are of UTF-16: the hand counts as two.
    before = len(LINE[: LINE.index("x")].encode("utf-16-le")) // 2
    place = {"startLine": 2, "startColumn": before + 1, "endLine": 2, "endColumn": before + 2}
    assert rich == {
        "ruleId": "parse-error",
        "ruleIndex": index,
        "level": "error",
        # No link that the overlay's text asks for.
        "message": {"text": "x is wrong: 100%, `[a] (b)`; write y"},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": path}, "region": place}}],
        "relatedLocations": [
            {
                "id": 1,
                "message": {"text": "near"},
                "physicalLocation": {
                    "artifactLocation": {"uri": path},
                    "region": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 5},
                },
            },
            {
                "id": 2,
                "message": {"text": "far"},
                "physicalLocation": {
                    "artifactLocation": {"uri": "third%20party/base/eclass/x.eclass"},
                    "region": {"startLine": 2, "startColumn": 1, "endLine": 2, "endColumn": 4},
                },
            },
        ],
        "fixes": [
            {
                "description": {"text": "write y"},
                "artifactChanges": [
                    {
                        "artifactLocation": {"uri": path},
                        "replacements": [
                            {"deletedRegion": place, "insertedContent": {"text": "y"}},
                            {
                                "deletedRegion": {
                                    **place,
                                    "startColumn": before,
                                    "endColumn": before + 1,
                                },
                                "insertedContent": {"text": ""},
                            },
                        ],
                    }
                ],
            }
        ],
    }


def test_every_rule_that_ran_is_listed_with_its_documentation(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN})
    rules = load_catalog().rules
    report = log(result_of(root, rules=tuple(rules.values())))
    (run,) = report["runs"]
    assert run["results"] == []
    listed = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    assert list(listed) == sorted(rules)
    one = listed["stage0-patchlevel"]
    documentation = rules["stage0-patchlevel"].documentation
    assert one["shortDescription"]["text"] == documentation.title
    assert "## Why it matters" in one["help"]["markdown"]
    assert one["properties"]["tags"] == ["gentoo", "overlay", "flatcar"]
    assert one["properties"]["precision"] == "very-high"
    assert run["columnKind"] == "utf16CodeUnits"
    assert run["automationDetails"] == {"id": "overlaylint/"}


def test_suppressed_findings_keep_their_reasons(tmp_path: Path) -> None:
    result = rich_result(tmp_path)
    (suppressed,) = [one for one in results_of(log(result)) if "suppressions" in one]
    (suppression,) = suppressed["suppressions"]
    assert suppression["kind"] == "inSource"
    assert suppression["justification"] == "a test [needs](it)"
    assert suppression["location"]["physicalLocation"]["region"]["startLine"] == 2
    # GitHub would open an alert for it.
    on_github = results_of(log(result, GITHUB_ACTIONS="true"))
    assert not [one for one in on_github if "suppressions" in one]


def test_what_did_not_run_is_said(tmp_path: Path) -> None:
    (invocation,) = log(rich_result(tmp_path))["runs"][0]["invocations"]
    texts = [one["message"]["text"] for one in invocation["toolExecutionNotifications"]]
    assert texts[0] == "not-utf-8 did not run: no masters"
    assert texts[1] == "the master gone is missing: not there"
    assert texts[2].startswith("nul-byte can't tell at app-misc/hello/hello-1.ebuild:2:")


def test_several_overlays_are_one_run(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    roots = [overlay(tmp_path / name, {HELLO: SCRIPT}, name=name) for name in ("one", "two")]
    report = log(*(result_of(root, at(0, 4)) for root in roots))
    found = results_of(report)
    uris = [one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in found]
    assert uris == [f"one/one/{HELLO}", f"two/two/{HELLO}"]
    assert len({one["partialFingerprints"]["overlaylint/v1"] for one in found}) == 2


def test_a_master_in_another_repository_has_no_address(tmp_path: Path) -> None:
    result = rich_result(tmp_path)
    folder = tmp_path / "third party" / "overlay"
    (folder / ".git").mkdir()
    far = results_of(log(result))[2]["relatedLocations"][1]
    assert "physicalLocation" not in far
    assert far["message"]["text"] == "far (at base::eclass/x.eclass:2:1)"
    assert far["logicalLocations"] == [{"fullyQualifiedName": "base::eclass/x.eclass"}]


@pytest.mark.parametrize("name", ["a b", "100%", "ü", "\udcff", "a:b", "#1", "[x]", "a\nb", "//"])
def test_an_address_leads_back_to_the_name(name: str) -> None:
    uri = sarif._uri(f"cat/{name}")
    assert uri.isascii()
    assert uri.isprintable()
    assert " " not in uri
    assert unquote(uri, errors="surrogateescape") == f"cat/{name}"


def test_long_texts_are_cut(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: SCRIPT})
    (one,) = results_of(log(result_of(root, at(0, 4, "x" * 5000))))
    assert len(one["message"]["text"]) == 1024


def test_too_many_results_are_cut_the_least_bad_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sarif, "MOST_RESULTS", 5)
    root = overlay(tmp_path, {HELLO: SCRIPT})
    found = [at(i, i + 1, severity=one) for i, one in enumerate([*Severity, *Severity, *Severity])]
    report = log(result_of(root, *found))
    assert [one["level"] for one in results_of(report)] == ["error"] * 3 + ["warning"] * 2
    (invocation,) = report["runs"][0]["invocations"]
    (said,) = invocation["toolExecutionNotifications"]
    assert said["message"]["text"] == "4 results are left out: a host takes 5"


@pytest.mark.parametrize("text", ["a\x1bb", "\udcff", "\u202e", "\x00"])
def test_a_fix_that_can_not_be_said_is_left_out(text: str, tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: SCRIPT})
    fix = Fix.safe("write it", Edit(Span(HELLO, X, X + 1), text))
    (one,) = results_of(log(result_of(root, at(X, X + 1, fix=fix))))
    assert "fixes" not in one


# GitHub's own hash. The values are what github/codeql-action's `hash` gave for these texts.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "EAPI=7\nSLOT=0\n\nSLOT=0\n",
            [
                *("fb0a7a0358fa759c:1", "55415a64bda91e33:1", "7ceeadfccd35b32e:1"),
                *("165eff83a9a2533c:1", "c129715d7a2bc9a3:1"),
            ],
        ),
        (
            "\tx  y\r\nxy\r\n" + "z" * 150,
            ["1ac8abe00a94fc36:1", "5ceb8107ebb80355:1", "430534b53b700418:1"],
        ),
        ("é👋" * 60 + "\nend", ["5b9f01ba811f22fa:1", "43b6461eda086fe2:1"]),
        ("x\n" * 60, ["c0fe7b2700d6c254:1", "c0fe7b2700d6c254:2"]),
    ],
)
def test_the_hash_is_that_of_githubs_upload(text: str, expected: list[str]) -> None:
    hashes = LineHashes(text.encode())
    assert [hashes.of(line) for line in range(1, len(expected) + 1)] == expected


def test_no_hash_where_lines_are_counted_otherwise(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: "EAPI=7\rSLOT=0\nIUSE=x\n"})
    (one,) = results_of(log(result_of(root, at(14, 15))))
    assert list(one["partialFingerprints"]) == ["overlaylint/v1"]


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN})
    name = "app-misc/hello/hello-\udcff1.ebuild"
    write(root, name, "EAPI=7\n)\n")
    (one,) = results_of(log(result_of(root, Finding(Span(name, 7, 8), "m", rule="parse-error"))))
    place = one["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "app-misc/hello/hello-%FF1.ebuild"
