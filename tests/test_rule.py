"""How a rule is put together, and what is said where it is not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from overlaylint.engine.packs import GROUP, load_catalog, load_pack
from overlaylint.finding import Finding
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.rule import HEADINGS, RuleError, parse_documentation, rule

DOCUMENTATION = "A title.\n\n" + "\n".join(f"## {heading}\n\ntext\n" for heading in HEADINGS)

MODULE = f'''"""{DOCUMENTATION}"""
from __future__ import annotations
from collections.abc import Iterator
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.rule import Finding, rule

@rule(packages="app-misc/hello")
def {{name}}(ebuild: Ebuild) -> Iterator[Finding]:
    yield Finding(ebuild.span(), "seen")
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield a folder on sys.path with a pack `some_rules`."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "some_rules").mkdir()
    (tmp_path / "some_rules/__init__.py").write_text(
        'from overlaylint.rule import Pack\nPACK = Pack("some rules")\n'
    )
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("some_rules"):
            del sys.modules[name]


def test_name_subject_and_options() -> None:
    @rule()
    def loses_its_way(ebuild: Ebuild) -> Iterator[Finding]:
        yield from ()

    assert (loses_its_way.name, loses_its_way.subject, loses_its_way.options) == (
        "loses-its-way",
        Ebuild,
        None,
    )


def test_a_subject_that_is_not_imported() -> None:
    @rule()
    def forgetful(ebuild: Ebuil) -> Iterator[Finding]:  # type: ignore[name-defined] # noqa: F821
        yield from ()

    with pytest.raises(RuleError, match="the parameter ebuild of forgetful needs a type"):
        _ = forgetful.subject


def test_documentation() -> None:
    documentation = parse_documentation(DOCUMENTATION, "x")
    assert documentation.title == "A title."
    assert tuple(documentation.sections) == HEADINGS
    assert parse_documentation(documentation.markdown[2:], "x") == documentation


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A title.",
        DOCUMENTATION.replace("## Example\n", ""),
        DOCUMENTATION.replace("## Example", "## Examples"),
        DOCUMENTATION.replace("## References\n\ntext", "## References\n"),
        "A title.\n" + "".join(f"## {heading}\ntext\n" for heading in reversed(HEADINGS)),
    ],
)
def test_documentation_that_is_not_whole(text: str) -> None:
    with pytest.raises(RuleError, match="the documentation of x needs"):
        parse_documentation(text, "x")


def test_a_heading_in_a_block_is_text() -> None:
    text = DOCUMENTATION.replace("## Example\n\ntext", "## Example\n\n```bash\n## a comment\n```")
    assert "## a comment" in parse_documentation(text, "x").sections["Example"]


def test_a_module_is_a_rule_without_another_word(folder: Path) -> None:
    (folder / "some_rules/first.py").write_text(MODULE.format(name="first"))
    (folder / "some_rules/second_rule.py").write_text(MODULE.format(name="second_rule"))
    (folder / "some_rules/_shared.py").write_text("")
    pack = load_pack("some", "some_rules")
    assert [one.name for one in pack.rules] == ["first", "second-rule"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must hold one rule, and holds 0"),
        (MODULE.format(name="one") + "another = rule()(one.check)\n", "and holds 2"),
        ("import nowhere_at_all\n", "can't be imported: No module named 'nowhere_at_all'"),
    ],
)
def test_a_module_that_is_no_rule(text: str, message: str, folder: Path) -> None:
    (folder / "some_rules/first.py").write_text(text)
    with pytest.raises(RuleError, match=message):
        load_pack("some", "some_rules")


def test_a_pack_that_does_not_say_what_it_is() -> None:
    with pytest.raises(RuleError, match="sets no PACK"):
        load_pack("some", "email")


def test_an_installed_pack_is_found(folder: Path) -> None:
    (folder / "some_rules/first.py").write_text(MODULE.format(name="first"))
    information = folder / "some-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: some\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(
        f"[console_scripts]\nfirst = nowhere:main\n\n[{GROUP}]\nsome = some_rules\n"
    )
    catalog = load_catalog()
    assert [pack.name for pack in catalog.packs] == ["flatcar", "overlaylint", "portage", "some"]
    assert catalog.pack_of(catalog.rules["first"]).name == "some"


def test_own_reading_of_entry_points_agrees_with_the_library() -> None:
    from importlib.metadata import entry_points

    from overlaylint.engine import packs

    assert isinstance(packs, ModuleType)
    expected = {point.name: point.value for point in entry_points(group=GROUP)}
    assert dict(packs._entry_points()) == expected
    assert {"flatcar", "portage"} <= set(expected)
