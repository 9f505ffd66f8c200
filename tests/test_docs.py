"""The documentation: it is built without a warning, and what it shows is true.

`tests/test_docs_configuration.py` and `tests/test_policies.py` run the examples of their pages.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
import yaml
from project import PROJECT, copy_project, run
from support import CLEAN, overlay, write

DOCUMENTS = sorted(
    path.relative_to(PROJECT).as_posix()
    for path in (PROJECT / "README.md", *(PROJECT / "docs").rglob("*.md"))
)
RULE_PAGE = "docs/writing-a-rule.md"
CONFIGURATION_PAGE = "docs/configuration.md"
_BLOCK = re.compile(
    r"^ *(?P<fence>`{3,})(?P<language>\w*)\n(?P<text>.*?)^ *(?P=fence)$", re.MULTILINE | re.DOTALL
)
_FILE = re.compile(
    r"^`(?P<path>[^`\n]+)`:\n\n(?P<fence>`{3,})\w*\n(?P<text>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)


def blocks(document: str, language: str) -> Iterator[str]:
    """Yield the fenced blocks of a language."""
    for match in _BLOCK.finditer((PROJECT / document).read_text()):
        if match["language"] == language:
            yield match["text"]


# What is built


def test_it_is_built_without_a_warning(tmp_path: Path) -> None:
    ran = run(
        *(sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path / "site"),
        cwd=PROJECT,
        # The theme tells of the plans of its makers.
        NO_MKDOCS_2_WARNING="1",
    )
    assert "WARNING" not in ran.stderr, ran.stderr
    pages = {path.relative_to(tmp_path / "site").as_posix() for path in tmp_path.rglob("*.html")}
    assert {"index.html", "rules/parse-error/index.html", "commands/index.html"} <= pages
    text = (tmp_path / "site/rules/stage0-patchlevel/index.html").read_text()
    assert "Why it matters" in text


def test_the_picture_shows_what_is_printed() -> None:
    """`make picture` draws it anew."""
    ran = run(programs().partition(os.pathsep)[0] + "/overlaylint", "check", "fixtures/overlay",
              cwd=PROJECT, check=False, COLUMNS="100")  # fmt: skip
    drawn = (PROJECT / "docs/check.svg").read_text()
    shown = re.findall(r'<text class="overlaylint-r[^>]*>(.*?)</text>', drawn)
    assert "".join(unescape("".join(shown)).split()) == "".join(ran.stdout.split())
    # Nothing is loaded from elsewhere when it is looked at.
    assert "url(http" not in drawn


# What it tells of


def documented_commands() -> Iterator[tuple[str, str]]:
    """Yield each command line of overlaylint's that a document shows, with the document."""
    for document in DOCUMENTS:
        if document in (RULE_PAGE, CONFIGURATION_PAGE):
            continue
        text = (PROJECT / document).read_text()
        without_blocks = _BLOCK.sub("", text)
        lines = [*re.findall(r"^    (overlaylint .*)$", without_blocks, re.MULTILINE)]
        for block in (*blocks(document, "console"), *blocks(document, "sh")):
            lines += re.findall(r"^\$ (overlaylint .*)$", block, re.MULTILINE)
        for line in dict.fromkeys(lines):
            yield document, line


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An overlay in which every documented command finds what it names."""
    folder = tmp_path_factory.mktemp("documented")
    profile = "profiles/coreos/amd64/generic"
    root = overlay(
        folder,
        {
            "dev-lang/rust/rust-1.46.0.ebuild": f'{CLEAN}KEYWORDS="amd64"\nIUSE="doc"\n',
            "sys-process/audit/audit-2.8.5.ebuild": f'{CLEAN}KEYWORDS="amd64"\nIUSE="daemon"\n',
            "profiles/arch.list": "amd64\n",
            "profiles/profiles.desc": "amd64 coreos/amd64/generic dev\n",
            f"{profile}/make.defaults": 'ARCH="amd64"\nACCEPT_KEYWORDS="amd64"\n',
            "metadata/layout.conf": "masters = portage-stable\n",
        },
        name="coreos",
    )
    overlay(folder, {"sys-apps/sed/sed-4.ebuild": CLEAN}, name="portage-stable")
    for arguments in (
        ("init", "--quiet", "--initial-branch=main"),
        ("add", "--all"),
        ("commit", "--quiet", "-m", "Start"),
        ("update-ref", "refs/remotes/origin/main", "HEAD"),
    ):
        run("git", *arguments, cwd=root, GIT_COMMITTER_DATE="2020-06-01T12:00:00Z")
    run("overlaylint", "check", "--write-baseline", "overlaylint-baseline.json", ".", cwd=root,
        check=False, PATH=programs())  # fmt: skip
    return root


def programs() -> str:
    """Return PATH with this environment's programs first."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.parametrize(("document", "line"), list(documented_commands()))
def test_a_documented_command_can_be_given(document: str, line: str, place: Path) -> None:
    ran = subprocess.run(
        # What it is piped into is not ours.
        ["bash", "-c", line.partition(" | ")[0]],
        cwd=place,
        env={**os.environ, "PATH": programs()},
        input=CLEAN,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode in (0, 1), ran.stderr


def test_commands_are_found() -> None:
    """Without this the test above could be one of nothing."""
    shown = {shlex.split(line, comments=True)[1] for _, line in documented_commands()}
    assert {"check", "explain", "rules", "metadata", "packages", "why", "config"} <= shown


def test_hooks_and_inputs_that_documents_name_are_there() -> None:
    hooks = {one["id"] for one in yaml.safe_load((PROJECT / ".pre-commit-hooks.yaml").read_text())}
    inputs = set(yaml.safe_load((PROJECT / "action.yml").read_text())["inputs"])
    named: set[str] = set()
    given: set[str] = set()
    for document in DOCUMENTS:
        for block in blocks(document, "yaml"):
            assert yaml.safe_load(block)
            named |= set(re.findall(r"- id: (\S+)", block))
            for steps in re.findall(
                r"uses: flatcar/overlaylint\S*\n +with:\n((?: {10,}.*\n)+)", block
            ):
                given |= set(re.findall(r"^ +([a-z-]+):", steps, re.MULTILINE))
    assert named == hooks
    assert {"path", "sarif-file", "args", "changed-only"} <= given <= inputs
    table = (PROJECT / "docs/start/github.md").read_text()
    assert set(re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)) == inputs


# The page that is followed


def followed(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield the files and the commands of a page in their order: (kind, name, text)."""
    found = [(one.start(), "file", one["path"], one["text"]) for one in _FILE.finditer(text)]
    for block in _BLOCK.finditer(text):
        if block["language"] == "console":
            for part in re.split(r"^\$ ", block["text"], flags=re.MULTILINE)[1:]:
                command, _, output = part.partition("\n")
                found.append((block.start(), "command", command, output))
    for _, kind, name, content in sorted(found, key=lambda one: one[0]):
        yield kind, name, content


def pattern(expected: str) -> str:
    """Return a regular expression for an expected output, in which `...` is anything."""
    return ".*".join(map(re.escape, expected.rstrip("\n").split("...")))


def test_writing_a_rule_goes_as_the_page_says(tmp_path: Path) -> None:
    copy = copy_project(tmp_path / "overlaylint")
    environment = copy / ".venv"
    run(sys.executable, "-m", "venv", environment, cwd=copy)
    # Its own overlaylint, and this environment's other packages: they are the same.
    ours = Path(yaml.__file__).parent.parent
    packages = next(environment.glob("lib/python*/site-packages"))
    (packages / "other.pth").write_text(f"{ours}\n")
    run(environment / "bin/pip", "install", "--quiet", "--no-deps", "--editable", ".", cwd=copy)
    for name in ("pytest", "mypy"):
        script = write(
            environment,
            f"bin/{name}",
            f'#!/bin/sh\nexec "{environment}/bin/python" -m {name} "$@"\n',
        )
        script.chmod(0o755)
    (environment / "bin/ruff").symlink_to(Path(sys.executable).parent / "ruff")
    for name in ("installed", "installed-test"):
        (environment / name).touch()
    for kind, name, content in followed((PROJECT / RULE_PAGE).read_text()):
        if kind == "file":
            write(copy, name, content)
            continue
        ran = run("bash", "-c", name, cwd=copy, check=False)
        assert ran.returncode == 0, f"{name}\n{ran.stdout}{ran.stderr}"
        expected = pattern(content)
        assert not content or re.fullmatch(expected, ran.stdout.rstrip("\n"), re.DOTALL), (
            name,
            ran.stdout,
        )
    # What the page has written is as the formatter would have it.
    for kind, name, content in followed((PROJECT / RULE_PAGE).read_text()):
        if kind == "file":
            assert (copy / name).read_text() == content
