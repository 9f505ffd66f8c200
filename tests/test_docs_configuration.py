"""Every example of docs/configuration.md, and that it tells of every key."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest
from support import CLEAN, HELLO, overlay, overlaylint, write

from overlaylint.engine.configuration import Configuration, Configured, configuration_keys
from overlaylint.engine.packs import load_catalog
from overlaylint.engine.settings import Where, from_table
from overlaylint.policies.policy import Policy

DOCS = Path(__file__).parent.parent / "docs"
TEXT = (DOCS / "configuration.md").read_text("utf-8")
README = (DOCS.parent / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
CONSOLE = [text for kind, text in BLOCKS if kind == "console"]
WHOLE = next(text for kind, text in BLOCKS if kind == "toml" and "[[policy]]" in text)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    files = {HELLO: CLEAN, "profiles/coreos/amd64/generic/make.defaults": 'ARCH="amd64"\n'}
    found = overlay(tmp_path, files, name="coreos")
    write(tmp_path, "portage-stable/profiles/repo_name", "portage-stable\n")
    monkeypatch.chdir(found)
    return found


def test_every_key_has_a_heading() -> None:
    headings = re.findall(r"^### (.+)$", TEXT, re.MULTILINE)
    assert sorted(headings) == sorted(configuration_keys())


@pytest.mark.parametrize("text", [text for kind, text in BLOCKS if kind == "toml"])
def test_every_toml_is_loaded(text: str) -> None:
    found = from_table(Configuration, tomllib.loads(text), Where("x"), {"Policy": Policy})
    catalog = load_catalog().with_policies(Configured(found))
    Configured(found).severities(catalog)
    Configured(found).rule_options(catalog)


def test_the_readme_is_loaded() -> None:
    section = README.partition("### Configuration")[2].partition("\n### ")[0]
    blocks = re.findall(r"^```toml\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert blocks
    for text in blocks:
        test_every_toml_is_loaded(text)


def test_the_whole_one_sets_every_key() -> None:
    assert set(tomllib.loads(WHOLE)) == set(configuration_keys())


def test_what_config_shows(root: Path) -> None:
    write(root, "overlaylint.toml", WHOLE)
    command, *expected = next(one for one in CONSOLE if "config --ignore" in one).splitlines()
    ran = overlaylint(shlex.split(command.removeprefix("$ overlaylint ")))
    assert ran.status == 0, ran.err
    assert [line for line in ran.out.splitlines() if line in expected] == expected


def test_what_a_mistake_shows(root: Path) -> None:
    write(root, "overlaylint.toml", "ignore = []\nexclud = []\n")
    command, expected = next(one for one in CONSOLE if "exclud" in one).splitlines()
    ran = overlaylint(shlex.split(command.removeprefix("$ overlaylint ")))
    assert (ran.status, ran.err.rstrip("\n")) == (2, expected)


def test_the_schema_is_printed(root: Path) -> None:
    (command,) = next(one for one in CONSOLE if "--schema" in one).splitlines()
    arguments, _, target = command.removeprefix("$ overlaylint ").partition(" > ")
    ran = overlaylint(shlex.split(arguments))
    assert json.loads(ran.out)["title"]
    assert f"./{target}" in TEXT
