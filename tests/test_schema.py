"""The JSON schema of the configuration takes and refuses what the loader does."""

from __future__ import annotations

import copy
import json
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from fixture_cases import read_cases
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from project import PROJECT
from support import CLEAN, HELLO, overlay, overlaylint
from test_policies import DOCUMENTS

from overlaylint.engine.configuration import Configuration, Configured, load_configuration
from overlaylint.engine.errors import ConfigurationError
from overlaylint.engine.packs import load_catalog
from overlaylint.engine.schema import FILE_NAME, configuration_schema
from overlaylint.engine.settings import Where, from_table
from overlaylint.policies import forms
from overlaylint.policies.policy import Policy
from overlaylint.syntax import Atom, Regex, Syntax
from overlaylint.tree import DirectoryTree

CATALOG = load_catalog()
SCHEMA = configuration_schema(CATALOG)


def _format_checker() -> FormatChecker:
    """Return one that knows what the loader checks beyond types."""
    checker = FormatChecker(())
    for kind in (Atom, Regex, *vars(forms).values()):
        for syntax in getattr(kind, "__metadata__", ()):
            if isinstance(syntax, Syntax):
                checker.checks(syntax.name, raises=ValueError)(_check_of(syntax))
    return checker


def _check_of(syntax: Syntax) -> Any:
    def check(value: object) -> bool:
        if isinstance(value, str):
            syntax.check(value)
        return True

    return check


VALIDATOR = Draft202012Validator(SCHEMA, format_checker=_format_checker())

WHOLE = """
select = ["portage", "flatcar"]
ignore = ["dangling-link"]
severity = { parse-error = "warning" }
exclude = ["app-misc/*"]
masters = { portage-stable = "../portage-stable" }
profiles = ["coreos/*"]
baseline = "known.json"

[[ignore-paths]]
paths = ["app-misc/hello"]
rules = ["ALL"]
reason = "it is upstream's"

[rules.implicit-base-package]
required = ["sys-apps/acl"]

[rules.stage0-patchlevel]
variables = ["X"]
"""
DOCUMENTS_OF_TESTS = [
    tomllib.loads(WHOLE),
    *(
        tomllib.loads(case.files["overlaylint.toml"].decode())
        for path in DOCUMENTS
        for case in read_cases(path)
    ),
]


def loads(document: dict[str, Any]) -> bool:
    """Whether the loader takes a document."""
    try:
        found = from_table(Configuration, document, Where("x"), {"Policy": Policy})
        Configured(found, "x").rule_options(CATALOG)
    except ConfigurationError:
        return False
    return True


def test_the_shipped_schema_is_the_one_of_the_types() -> None:
    shipped = json.loads(files("overlaylint").joinpath(FILE_NAME).read_text("utf-8"))
    assert shipped == SCHEMA, "`make lint` renews it"
    Draft202012Validator.check_schema(shipped)
    printed = overlaylint(["config", "--schema"])
    assert printed.status == 0
    assert json.loads(printed.out) == SCHEMA
    assert printed.out == (PROJECT / "overlaylint" / FILE_NAME).read_text("utf-8")


def test_every_key_is_described() -> None:
    ours = {name for name, one in vars(forms).items() if isinstance(one, type)}
    tables = {"": SCHEMA, **SCHEMA["$defs"]}
    for name, table in tables.items():
        if name in ("", "IgnoredPaths", "Policy", *ours):
            assert table["description"]
            for key, value in table["properties"].items():
                assert value.get("description"), f"{name}.{key}"


@pytest.mark.parametrize("document", DOCUMENTS_OF_TESTS)
def test_what_is_written_is_valid(document: dict[str, Any]) -> None:
    VALIDATOR.validate(document)
    assert loads(document)


WORDS = ("name", "select", "in", "atom", "when", "x", "before", "equals", "has", "path", "rules")
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(("", " ", "x", "a/b", ">=a/b-1", "on", "RDEPEND", "use x", "(", ">=5.8", "-x")),
    st.booleans(),
    st.integers(-1, 2),
    st.just([]),
    st.lists(st.sampled_from(("a/b", "x", "use !y", "", "DEPEND")), max_size=2),
    st.just({}),
    st.dictionaries(st.sampled_from(WORDS), st.sampled_from(("x", "a/b", "")), max_size=2),
)


def _places(value: Any, above: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [above] if above else []
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, inner in items:
        found += _places(inner, (*above, key))
    return found


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_what_is_changed_is_judged_alike(data: st.DataObject) -> None:
    document = copy.deepcopy(data.draw(st.sampled_from(DOCUMENTS_OF_TESTS)))
    for _ in range(data.draw(st.integers(1, 2))):
        places = _places(document)
        if not places:
            break
        *way, last = data.draw(st.sampled_from(places))
        holder: Any = document
        for key in way:
            holder = holder[key]
        change = data.draw(st.sampled_from(("remove", "replace", "rename", "add")))
        if change == "remove":
            del holder[last]
        elif change == "replace":
            holder[last] = data.draw(VALUES)
        elif isinstance(holder, dict):
            word = data.draw(st.sampled_from(WORDS))
            holder[word] = holder.pop(last) if change == "rename" else data.draw(VALUES)
    assert VALIDATOR.is_valid(document) is loads(document), document


# --- overlaylint config ---


def test_every_value_has_its_origin(tmp_path: Path) -> None:
    toml = (
        'ignore = ["dangling-link"]\n\nmasters = { a = "a", b = "b" }\n'
        '[rules.implicit-base-package]\nrequired = []\n[[policy]]\nname = "no-x"\n'
        'why = "we said so"\nforbid-file = { path = "x" }\n'
    )
    (tmp_path / "other").mkdir()
    root = overlay(tmp_path, {HELLO: CLEAN, "overlaylint.toml": toml})
    arguments = ["config", root, "--master", f"a={tmp_path / 'other'}", "--select", "ALL"]
    arguments += ["--baseline", "known.json"]
    ran = overlaylint([*arguments, "--output-format", "json"])
    assert ran.status == 0, ran.err
    shown = json.loads(ran.out)
    found = {
        ".".join(map(str, one["key"])): (one["value"], one["origin"], one["line"])
        for one in shown["settings"]
    }
    assert found["select"] == (["ALL"], "command line", None)
    assert found["ignore"] == (["dangling-link"], "overlaylint.toml", 1)
    assert found["masters.a"] == (str(tmp_path / "other"), "command line", None)
    assert found["masters.b"] == ("b", "overlaylint.toml", 3)
    assert found["baseline"] == ("known.json", "command line", None)
    assert found["exclude"] == ([], "default", None)
    assert found["rules.implicit-base-package.required"] == ([], "overlaylint.toml", 5)
    assert found["rules.stage0-patchlevel.variables"][1:] == ("default", None)
    assert found["policy.0"][0]["name"] == "no-x"
    assert found["policy.0"][1:] == ("overlaylint.toml", 6)
    assert "no-x" in shown["rules"]
    text = overlaylint(arguments).out.splitlines()
    assert text[0].startswith("# overlay: overlaylint.toml; ")
    for line in text:
        tomllib.loads(line.replace("[0]", "") if line.startswith("policy") else line)
    assert any(line.endswith("  # overlaylint.toml:3") for line in text)
    assert any(line.endswith("  # command line") for line in text)


def test_there_is_no_file(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN})
    assert overlaylint(["config", root]).out.startswith("# overlay: there is no file; ")
    assert load_configuration(DirectoryTree(root)).file == ""


def test_what_can_not_be_loaded_is_not_shown(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN, "overlaylint.toml": 'ignore = ["x"]'})
    ran = overlaylint(["config", root])
    assert (ran.status, ran.out) == (2, "")
    assert "no rule or pack is called x" in ran.err


def test_the_schema_is_in_the_wheel() -> None:
    text = (PROJECT / "pyproject.toml").read_text("utf-8")
    assert FILE_NAME in tomllib.loads(text)["tool"]["setuptools"]["package-data"]["overlaylint"]
