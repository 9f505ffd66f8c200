"""Where the configuration is found, what it may hold, and what it does to a run."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import CLEAN, HELLO, Ran, overlay, overlaylint, write

from overlaylint.engine.configuration import load_configuration
from overlaylint.engine.errors import ConfigurationError
from overlaylint.engine.toml_lines import line_of, statement_lines
from overlaylint.tree import DirectoryTree

BROKEN = "EAPI=7\r\n"
OTHER = "app-misc/other/other-1.ebuild"


def check(root: Path, *arguments: str) -> Ran:
    return overlaylint(["check", "--output-format", "json", *arguments, root])


def error(root: Path) -> str:
    ran = overlaylint(["check", root])
    assert ran.status == 2, ran.out
    assert not ran.out
    return ran.err.removeprefix("overlaylint: ").rstrip("\n")


# --- lines ---

TOML = '''# a comment

select = [
    "portage",  # one
    "flatcar",
]
"ignore" = []
[rules.a-rule]
text = """
[no.header]
x = 1
"""
inline = { one = 1, two = { three = 3 } }

[[policy]]
name = "first"
[[policy]]
name = "second"
policy.deep = 1
[policy.sub]
y = 1
[[policy.list]]
z = 1
[[policy.list]]
z = 2
'''


def test_every_key_has_the_line_of_its_statement() -> None:
    lines = statement_lines(TOML)
    expected = {
        ("select",): 3,
        ("select", 1): 3,
        ("ignore",): 7,
        ("rules", "a-rule"): 8,
        ("rules", "a-rule", "text"): 9,
        ("rules", "a-rule", "inline", "two", "three"): 13,
        ("policy",): 15,
        ("policy", 0): 15,
        ("policy", 0, "name"): 16,
        ("policy", 1): 17,
        ("policy", 1, "name"): 18,
        ("policy", 1, "policy", "deep"): 19,
        ("policy", 1, "sub", "y"): 21,
        ("policy", 1, "list", 1, "z"): 25,
    }
    assert {keys: lines.get(keys) for keys in expected} == expected
    assert line_of(lines, ("select", 7)) == 3
    assert line_of(lines, ("nothing",)) is None
    assert ("x",) not in lines


def test_a_long_list_takes_no_longer_than_it_must() -> None:
    names = "".join(f'    "app-misc/hello-{at}",\n' for at in range(5000))
    lines = statement_lines(f"exclude = [\n{names}]\nignore = []\n")
    assert lines[("ignore",)] == 5003
    # Every line may be the end, so that this one is left alone in the end.
    tables = "".join(f"    [{at}],\n" for at in range(5000))
    assert statement_lines(f"select = []\nexclude = [\n{tables}]\nignore = []\n") == {
        ("select",): 1
    }


# --- where it is ---


def select_of(root: Path) -> tuple[str, ...]:
    return load_configuration(DirectoryTree(root), root).select


def test_the_nearest_file_wins(tmp_path: Path) -> None:
    root = overlay(tmp_path / "work" / "overlays", {HELLO: CLEAN})
    write(tmp_path, "overlaylint.toml", 'select = ["outside"]')
    assert select_of(root) == ()
    (tmp_path / "work" / ".git").mkdir()
    assert select_of(root) == (), "nothing above the work tree's root is looked at"
    write(tmp_path / "work", "overlaylint.toml", 'select = ["top"]')
    assert select_of(root) == ("top",)
    write(tmp_path / "work" / "overlays", "pyproject.toml", "[project]\nname = 'x'\n")
    assert select_of(root) == ("top",), "a pyproject.toml without the table says nothing"
    write(
        tmp_path / "work" / "overlays",
        "pyproject.toml",
        '[tool.overlaylint]\nselect = ["between"]\n',
    )
    assert select_of(root) == ("between",)
    write(root, "pyproject.toml", '[tool.overlaylint]\nselect = ["own"]\n')
    assert select_of(root) == ("own",)
    write(root, "overlaylint.toml", "exclude = []")
    assert select_of(root) == (), "nothing of another file counts"


def test_a_work_tree_ends_at_its_own_root(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN})
    (tmp_path / ".git").mkdir()
    write(tmp_path, "overlaylint.toml", 'select = ["outer"]')
    assert select_of(root) == ("outer",)
    write(root, ".git", "gitdir: elsewhere\n")
    assert select_of(root) == ()


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    root = overlay(tmp_path / "third_party", {HELLO: BROKEN, OTHER: BROKEN})
    master = overlay(tmp_path / "elsewhere", {"eclass/x.eclass": ""}, name="base")
    write(root, "metadata/layout.conf", "masters = base\n")
    (tmp_path / ".git").mkdir()
    write(
        tmp_path,
        "overlaylint.toml",
        'masters = { base = "elsewhere/base" }\n'
        'exclude = ["third_party/overlay/app-misc/other", "app-misc/hello"]\n',
    )
    ran = check(root, "--select", "carriage-return,portage")
    assert f'"path": "{HELLO}"' in ran.out
    assert OTHER not in ran.out
    assert '"missing_masters": []' in ran.out
    assert master.is_dir()


def test_every_fault_of_a_file_above_names_it(tmp_path: Path) -> None:
    root = overlay(tmp_path / "sub", {HELLO: CLEAN})
    (tmp_path / ".git").mkdir()
    write(tmp_path, "overlaylint.toml", "\nexclud = []\n")
    assert error(root) == "../../overlaylint.toml:2: unknown key 'exclud'; did you mean exclude?"
    write(tmp_path, "overlaylint.toml", "tool = 1\n")
    write(root, "pyproject.toml", "[tool.overlaylint]\n\n[tool.overlaylint.rules.carriage]\n")
    assert error(root) == (
        "pyproject.toml:3: rules.carriage: no rule is called carriage;"
        " did you mean carriage-return?"
    )
    write(root, "pyproject.toml", "[tool]\noverlaylint = 1\n")
    assert error(root) == "pyproject.toml:2: this must be a table"
    write(root, "pyproject.toml", "[tool\n")
    assert error(root).startswith("pyproject.toml: ")


# --- what it holds ---


def test_severity(tmp_path: Path) -> None:
    root = overlay(
        tmp_path, {HELLO: BROKEN, "overlaylint.toml": '[severity]\ncarriage-return = "notice"\n'}
    )
    assert '"severity": "notice"' in check(root).out
    write(root, "overlaylint.toml", '[severity]\ncarriage-return = "bad"\n')
    assert error(root) == (
        "overlaylint.toml:2: severity.carriage-return: this must be one of notice, warning, error"
    )
    write(root, "overlaylint.toml", '[severity]\ncarriage-returns = "notice"\n')
    assert error(root) == (
        "overlaylint.toml:2: severity.carriage-returns: no rule is called carriage-returns;"
        " did you mean carriage-return?"
    )


IGNORE = """
[[ignore-paths]]
paths = ["app-misc/hello/*"]
rules = ["carriage-return"]
reason = "saved on another system"
"""


def test_ignored_paths(tmp_path: Path) -> None:
    files = {HELLO: BROKEN, OTHER: BROKEN, "overlaylint.toml": IGNORE}
    ran = check(overlay(tmp_path, files), "--select", "carriage-return,unused-path-ignore")
    assert OTHER in ran.out
    assert (
        "unused-path-ignore" not in ran.out.partition('"findings"')[2].partition('"undecided"')[0]
    )
    assert ran.out.count('"rule": "carriage-return"') >= 1


@pytest.mark.parametrize(
    ("toml", "text"),
    [
        (IGNORE.replace("reason", "because"), ":5: ignore-paths[0]: unknown key 'because'"),
        (
            IGNORE.replace("saved on another system", " "),
            ":5: ignore-paths[0].reason: ' ' is no text: it is empty",
        ),
        (IGNORE.replace('"app-misc/hello/*"', ""), ":3: ignore-paths[0].paths: the list is empty"),
        (IGNORE.partition("reason")[0], ":2: ignore-paths[0]: 'reason' is missing"),
        (IGNORE.replace("return", "retrun"), ":4: ignore-paths[0].rules[0]: no rule or pack is"),
    ],
)
def test_ignored_paths_that_can_not_be(toml: str, text: str, tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: BROKEN, "overlaylint.toml": toml})
    assert error(root).startswith(f"overlaylint.toml{text}")


def test_an_unused_entry_is_judged_on_the_whole_overlay_only(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN, "overlaylint.toml": IGNORE})
    assert check(root).status == 1
    assert check(root / HELLO).status == 0
    assert check(root, "--ignore", "carriage-return").status == 0


def test_an_unused_entry_of_a_file_above(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN})
    (tmp_path / ".git").mkdir()
    inside = IGNORE.replace("app-misc", "overlay/app-misc")
    write(tmp_path, "overlaylint.toml", IGNORE.replace("app-misc", "another/app-misc") + inside)
    ran = check(root)
    assert ran.status == 1
    assert ran.out.count("finds nothing in") == 1
    assert "../overlaylint.toml:7: carriage-return finds nothing in overlay/app-misc/" in ran.out
    assert '"path": "profiles/repo_name"' in ran.out
    write(root, HELLO, BROKEN)
    assert check(root, "--select", "carriage-return,unused-path-ignore").status == 0


def test_profiles(tmp_path: Path) -> None:
    files = {
        HELLO: CLEAN,
        "profiles/amd64/eapi": "7\n",
        "profiles/arm64/eapi": "7\n",
        "overlaylint.toml": 'profiles = ["amd*"]\n',
    }
    root = overlay(tmp_path, files)
    from overlaylint.cli.overlays import open_overlay

    assert open_overlay(root, {}).overlay.profiles.names == ("amd64",)
    write(root, "overlaylint.toml", 'profiles = ["x86"]\n')
    assert error(root) == (
        "overlaylint.toml:1: profiles: no profile here is one of these; there are amd64, arm64"
    )


def test_a_checked_overlay_names_no_code(tmp_path: Path) -> None:
    """Every value that a user may write is a name, a text, a number or a path to data."""
    root = overlay(tmp_path, {HELLO: CLEAN, "evil.py": "raise SystemExit(9)\n"})
    for key in ("packs", "plugins", "import", "extend", "rule-packs"):
        write(root, "overlaylint.toml", f'{key} = ["evil"]\n')
        assert f"unknown key '{key}'" in error(root)
    write(root, "overlaylint.toml", 'select = ["evil"]\n')
    assert "no rule or pack is called evil" in error(root)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("exclude = " + 100_000 * "[" + 100_000 * "]", "it is nested too deeply"),
        ("exclude = " + 5_000 * "9", "a number has too many digits"),
        (100_000 * "a." + "b = 1", "it has more than 2000 dots"),
        (1_500 * "a." + "b = 1", "unknown key 'a'"),
        (f"# {'x' * 1024 * 1024}", "it is larger than 1024 KiB"),
        ('ignore = ["\\u001b[31m"]', "\\x1b"),
        ('"\\u001b[31m" = 1', "\\x1b"),
    ],
)
def test_a_hostile_file_is_one_line(text: str, message: str, tmp_path: Path) -> None:
    found = error(overlay(tmp_path, {HELLO: CLEAN, "overlaylint.toml": text}))
    assert message in found
    assert found.isprintable()


def test_a_file_that_is_none(tmp_path: Path) -> None:
    root = overlay(tmp_path, {HELLO: CLEAN})
    (root / "overlaylint.toml").mkdir()
    assert error(root) == "overlaylint.toml: is a folder, not a file"
    (root / "overlaylint.toml").rmdir()
    (root / "overlaylint.toml").symlink_to("/etc/passwd")
    assert error(root) == "overlaylint.toml: link that leads out of the tree"
    with pytest.raises(ConfigurationError):
        load_configuration(DirectoryTree(root))
