"""One line for each finding, which an editor can follow."""

from __future__ import annotations

from pathlib import Path

import pytest
from report_cases import at, result_of, rich_result
from support import HELLO, overlay, overlaylint, write

from overlaylint.finding import Finding, Span
from overlaylint.report import Settings
from overlaylint.report.concise import render


def test_lines(tmp_path: Path) -> None:
    result = rich_result(tmp_path)
    assert result.root is not None
    shown = render([result], Settings(folder=result.root))
    assert shown.splitlines()[:3] == [
        "app-misc/hello/hello-2.ebuild:1:1: warning[dangling-link]: leads nowhere",
        f"{HELLO}:1:1: notice[parse-error]: two lines",
        f"{HELLO}:2:17: error[parse-error]: x is wrong: 100%, `[a](b)`",
    ]
    assert shown.splitlines()[3].startswith("1 file checked with ")


def test_paths_lead_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = overlay(tmp_path, {HELLO: "EAPI=7\n)\n"})
    for folder in (root, root / "app-misc", tmp_path):
        monkeypatch.chdir(folder)
        line = overlaylint(["check", "--output-format", "concise", root]).out.splitlines()[0]
        path, number, *_ = line.split(":")
        assert (folder / path).resolve() == (root / HELLO).resolve()
        assert (root / HELLO).read_text().splitlines()[int(number) - 1] == ")"


def test_colour(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: "EAPI=7\n"})
    shown = render([result_of(root, at(0, 4))], Settings(use_color=True, folder=root))
    assert "\x1b[1;31merror[parse-error]\x1b[0m: the message" in shown


@pytest.mark.parametrize("category", ["::error::x", " ::add-mask::y"])
def test_no_path_starts_a_command(category: str, tmp_path: Path) -> None:
    name = f"{category}/hello/hello-1.ebuild"
    root = overlay(tmp_path, {})
    write(root, name, "EAPI=7\n")
    result = result_of(root, Finding(Span(name, 0, 4), "m", rule="parse-error"))
    assert render([result], Settings(folder=root)).startswith(f"./{category}/hello/hello-1.ebuild:")
