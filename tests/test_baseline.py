"""The baseline: what was found before is not reported again, and what is gone is said."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_cases import all_rules, any_result, at, result_of
from support import CLEAN, HELLO, Ran, overlay, overlaylint, write

from overlaylint.engine.baseline import (
    Baseline,
    baseline_of,
    read_baseline,
    with_baseline,
    write_baseline,
)
from overlaylint.engine.errors import UsageError
from overlaylint.engine.fingerprint import fingerprints
from overlaylint.engine.result import Known, Result, Skipped
from overlaylint.finding import Finding, Span, Undecided

BROKEN = "EAPI=7\n)\n"
DOCUMENT = (Path(__file__).parent.parent / "docs" / "formats.md").read_text()


def check(root: Path, *arguments: str | Path) -> Ran:
    return overlaylint(["check", root, *arguments])


def report(root: Path, *arguments: str | Path) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = json.loads(
        check(root, "--output-format", "json", *arguments).out
    )
    return found


def many_findings(folder: Path) -> Path:
    """Write an overlay in which there are 800 things to find, of several rules."""
    files: dict[str, str | bytes] = {}
    for number in range(200):
        package = f"app-misc/package{number}"
        files[f"{package}/package{number}-1.ebuild"] = "EAPI=7\r\nSLOT=0\n"
        files[f"{package}/package{number}-2.ebuild"] = "EAPI=7\nif true; then\n"
        files[f"{package}/package{number}-3.ebuild"] = "EAPI=7\nSLOT=0\0\n"
        files[f"{package}/package{number}-4.ebuild"] = ""
    return overlay(folder, files)


def test_a_team_with_800_findings_adopts_it(tmp_path: Path) -> None:
    root = many_findings(tmp_path)
    file = tmp_path / "baseline.json"
    before = check(root)
    assert before.status == 1
    assert "800 findings (" in before.out

    # One command, and from then on only what is new counts.
    adopted = check(root, "--write-baseline", file)
    assert adopted.err == f"overlaylint: {file} holds 800 findings: 800 added, 0 removed\n"
    assert adopted.status == 0
    assert adopted.out.endswith("no new findings, 800 in the baseline\n")
    after = check(root, "--baseline", file)
    assert (after.status, after.out, after.err) == (0, adopted.out, "")

    # Lines move, and nothing of it is new.
    for number in range(0, 200, 2):
        for version, text in ((1, "EAPI=7\r\nSLOT=0\n"), (2, "EAPI=7\nif true; then\n")):
            path = f"app-misc/package{number}/package{number}-{version}.ebuild"
            write(root, path, f"# Copyright\n\n\n{text}")
    assert check(root, "--baseline", file).out == adopted.out

    # What is new is seen, and what is mended is said.
    write(root, "app-misc/package7/package7-1.ebuild", CLEAN)
    write(root, "app-misc/package8/package8-5.ebuild", "EAPI=7\nfi\n")
    now = check(root, "--baseline", file)
    assert now.status == 1
    assert now.out.count("-->") == 1
    assert "--> app-misc/package8/package8-5.ebuild:2:1" in now.out
    assert now.out.splitlines()[-1].endswith(
        "1 new finding (1 error), 799 in the baseline,"
        " 1 of the baseline gone (--show-gone lists them)"
    )
    listed = check(root, "--baseline", file, "--show-gone").out
    assert "gone: app-misc/package7/package7-1.ebuild: carriage-return: " in listed

    # The file changes by the lines of what changed.
    old = file.read_text().splitlines()
    again = check(root, "--write-baseline", file)
    assert again.err == f"overlaylint: {file} holds 800 findings: 1 added, 1 removed\n"
    new = file.read_text().splitlines()
    assert len(set(old) - set(new)) == len(set(new) - set(old)) == 1


def test_the_configuration_names_it(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: BROKEN, "overlaylint.toml": 'baseline = "known.json"\n'})
    ran = check(root)
    assert (ran.status, ran.out) == (2, "")
    assert "baseline" in ran.err
    assert ran.err.endswith("no such file or folder\n")
    assert check(root, "--write-baseline", root / "known.json").status == 0
    assert check(root).status == 0
    # What is given on the command line goes before it.
    other = tmp_path / "other.json"
    other.write_text(write_baseline(Baseline()))
    assert check(root, "--baseline", other).status == 1
    assert check(root, "--no-baseline").status == 1
    for contrary in (
        ["--no-baseline", "--baseline", other],
        ["--diff", "--write-baseline", tmp_path / "new.json"],
    ):
        ran = check(root, *contrary)
        assert (ran.status, ran.out) == (2, "")
        assert ran.err.endswith(" exclude each other\n")


def test_a_configuration_names_no_file_outside(tmp_path: Path) -> None:
    outside = tmp_path / "secret.json"
    outside.write_text('{"secret": "xyzzy"}')
    root = overlay(
        tmp_path,
        {HELLO: BROKEN, "overlaylint.toml": 'baseline = "../secret.json"\n'},
        {"link.json": "../secret.json"},
    )
    for name in ("../secret.json", "/dev/zero", str(outside), "link.json"):
        write(root, "overlaylint.toml", f'baseline = "{name}"\n')
        ran = check(root)
        assert (ran.status, ran.out) == (2, "")
        assert "xyzzy" not in ran.err
        assert "secret`" not in ran.err
        assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "is no baseline: Expecting value"),
        ("[" * 100_000, "is no baseline: "),
        ("{", "is no baseline: "),
        ("\ufeff\x1b", "is no baseline: "),
        ("[]", "it must hold an object with `schema` and `findings`"),
        ('{"schema": 1}', "it must hold an object with `schema` and `findings`"),
        ('{"schema": 2, "findings": []}', "of another schema than 1"),
        ('{"schema": 1, "findings": {}}', "`findings` must be a list"),
        ('{"schema": 1, "findings": [1]}', "finding 1 must have fingerprint, message, path,"),
        ('{"schema": 1, "findings": [{"rule": "x"}]}', "finding 1 must have fingerprint,"),
        (
            json.dumps(
                {
                    "schema": 1,
                    "findings": [dict.fromkeys(map(str, Known.__slots__), 1)],
                }
            ),
            "what finding 1 has must be strings",
        ),
    ],
)
def test_what_is_no_baseline(text: str, expected: str, tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: BROKEN})
    file = tmp_path / "base\x1b.json"
    file.write_text(text)
    for option in ("--baseline", "--write-baseline"):
        ran = check(root, option, file)
        assert (ran.status, ran.out) == (2, "")
        assert ran.err.count("\n") == 1
        assert "base\\x1b.json" in ran.err
        assert expected in ran.err
        # What is there is not lost either.
        assert file.read_text() == text


def test_a_file_that_is_not_there_or_can_not_be_written(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: BROKEN})
    ran = check(root, "--baseline", tmp_path / "none.json")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.endswith("none.json can't be read: No such file or directory\n")
    ran = check(root, "--write-baseline", tmp_path / "no/where.json")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.endswith("where.json can't be written: No such file or directory\n")


def test_what_was_not_looked_at_stays(tmp_path: Path) -> None:
    other = "app-misc/other/other-1.ebuild"
    root = overlay(tmp_path, {HELLO: BROKEN, other: "EAPI=7\r\n"})
    file = tmp_path / "baseline.json"
    check(root, "--write-baseline", file)
    before = file.read_text()
    write(root, HELLO, CLEAN)
    # The other file, and another rule.
    for arguments in ([root / other], [root, "--select", "carriage-return"]):
        ran = overlaylint(["check", *arguments, "--baseline", file])
        assert "gone" not in ran.out
        overlaylint(["check", *arguments, "--write-baseline", file])
        assert file.read_text() == before
    assert "1 of the baseline gone" in check(root, "--baseline", file).out
    check(root, "--write-baseline", file)
    (left,) = json.loads(file.read_text())["findings"]
    assert left["path"] == other


def test_several_overlays_share_a_file(tmp_path: Path) -> None:
    roots = [
        overlay(tmp_path / name, {HELLO: BROKEN}, name=name) for name in ("one", "two", "three")
    ]
    file = tmp_path / "baseline.json"
    assert overlaylint(["check", *roots[:2], "--write-baseline", file]).status == 0
    assert overlaylint(["check", *roots[:2], "--baseline", file]).status == 0
    assert overlaylint(["check", *roots, "--baseline", file]).status == 1
    assert overlaylint(["check", roots[2], "--write-baseline", file]).status == 0
    names = {one["repository"] for one in json.loads(file.read_text())["findings"]}
    assert names == {"one", "two", "three"}


def test_the_reports_hold_only_what_is_new(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: BROKEN})
    file = tmp_path / "baseline.json"
    check(root, "--write-baseline", file)
    write(root, HELLO, "EAPI=7\nfi\n")
    found = report(root, "--baseline", file)
    assert [one["message"] for one in found["findings"]] == [
        "bash can't parse this: unexpected `fi`"
    ]
    assert [one["message"] for one in found["gone"]] == ["bash can't parse this: unexpected `)`"]
    assert found["summary"]["known"] == 0
    assert found["summary"]["gone"] == 1
    sarif = json.loads(check(root, "--output-format", "sarif", "--baseline", file).out)
    assert len(sarif["runs"][0]["results"]) == 1


def test_a_suppressed_finding_needs_no_baseline(tmp_path: Path) -> None:
    text = "EAPI=7\nSLOT=0\0{}\n"
    root = overlay(tmp_path, {HELLO: text.format("")})
    file = tmp_path / "baseline.json"
    check(root, "--write-baseline", file)
    comment = " # overlaylint: ignore[nul-byte] -- a test"
    write(root, HELLO, text.format(comment))
    found = report(root, "--baseline", file)
    assert (len(found["suppressed"]), len(found["gone"])) == (1, 1)


# What a run can tell


def known(result: Result) -> Baseline:
    return baseline_of([result], Baseline())


def test_a_rule_that_fails_is_never_known(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: "EAPI=7\n"})
    result = result_of(root, at(0, 4, rule="internal-error"))
    assert known(result).entries == ()
    (entry,) = known(result_of(root, at(0, 4))).entries
    forged = Known(
        entry.repository,
        entry.path,
        "internal-error",
        "the message",
        fingerprints(result)[result.findings[0]],
    )
    assert with_baseline(result, Baseline((forged,))).findings == result.findings


def test_gone_is_only_what_the_run_could_tell(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: "EAPI=7\n"})
    baseline = known(result_of(root, at(0, 4)))
    nothing = result_of(root)
    assert with_baseline(nothing, baseline).gone == baseline.entries
    assert with_baseline(nothing, baseline, lambda path: path != HELLO).gone == ()
    for more in (
        {"skipped": (Skipped("parse-error", "no masters"),)},
        {"failed": ("parse-error",)},
        {"undecided": (Undecided(Span(HELLO), "who knows", "parse-error"),)},
        {"rules": tuple(rule for rule in all_rules() if rule.name != "parse-error")},
    ):
        assert with_baseline(result_of(root, **more), baseline).gone == ()


@given(any_result())
def test_a_baseline_knows_what_it_was_made_of(result: Result) -> None:
    text = write_baseline(known(result))
    assert text.isascii()
    baseline = read_baseline(text.encode(), "it")
    assert write_baseline(baseline) == text
    again = with_baseline(result, baseline)
    assert (again.findings, again.gone) == ((), ())
    assert again.known == result.findings
    assert known(again) == baseline
    # What the baseline holds already is no other finding than before.
    assert fingerprints(again) == fingerprints(result)


@given(st.binary(max_size=60))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(UsageError, match=r"\Ait is "):
        read_baseline(data, "it")


def test_the_document_has_the_form(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: BROKEN}, name="hello-overlay")
    file = tmp_path / "baseline.json"
    check(root, "--write-baseline", file)
    written = file.read_text()
    example = DOCUMENT.partition("```json\n")[2].partition("```")[0]
    assert written == example


# The fingerprint


def prints(
    folder: Path, text: str, *places: tuple[int, int], rule: str = "parse-error"
) -> list[str]:
    root = overlay(folder, {HELLO: text})
    result = result_of(root, *(at(*place, rule=rule) for place in places))
    by_finding = fingerprints(result)
    return [by_finding[one] for one in result.findings]


def test_a_fingerprint_survives_what_is_not_its_line(tmp_path: Path) -> None:
    (first,) = prints(tmp_path / "1", "EAPI=7\nSLOT=0\n", (7, 8))
    (moved,) = prints(tmp_path / "2", "# a\n\nEAPI=8\n\t SLOT=0  \nIUSE=\n", (15, 16))
    assert moved == first
    assert len(first) == 20
    others = [
        prints(tmp_path / "3", "EAPI=7\nSLOT=1\n", (7, 8)),
        prints(tmp_path / "4", "EAPI=7\nSLOT=0\n", (7, 8), rule="nul-byte"),
    ]
    assert first not in [one for each in others for one in each]


def test_findings_that_are_alike_are_counted(tmp_path: Path) -> None:
    one, two, other = prints(tmp_path / "1", "die\ndie\nx\n", (0, 3), (4, 7), (8, 9))
    assert len({one, two, other}) == 3
    assert prints(tmp_path / "2", "x\ndie\n", (0, 1), (2, 5)) == [other, one]


def test_findings_on_one_line_are_told_apart(tmp_path: Path) -> None:
    assert len(set(prints(tmp_path, "one two\n", (0, 3), (4, 7)))) == 2


def test_what_is_said_of_a_file_is_known_by_its_message(tmp_path: Path) -> None:
    found = {}
    for number, text in enumerate(("EAPI=7\n", "EAPI=8\n")):
        root = overlay(tmp_path / str(number), {HELLO: text})
        findings = [Finding(Span(HELLO), one, rule="empty-ebuild") for one in ("a", "b")]
        by_finding = fingerprints(result_of(root, *findings))
        found[number] = [by_finding[one] for one in findings]
    assert found[0] == found[1]
    assert len(set(found[0])) == 2


def test_no_finding_has_to_be_read_as_the_file_is_gone(tmp_path: Path) -> None:
    root = overlay(tmp_path, {}, {"app-misc/hello/hello-1.ebuild": "nowhere"})
    os.mkfifo(root / "app-misc/hello/pipe")
    finding = Finding(Span("app-misc/hello/pipe", 3, 4), "m", rule="unreadable-file")
    assert len(fingerprints(result_of(root, finding))) == 1
