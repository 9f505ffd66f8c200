"""What is installed is all that is needed: a wheel and an editable install, used from elsewhere."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

from project import PROJECT, copy_project, make_environment, run
from support import SMALL_OVERLAY

CHECK = ("check", "--output-format", "json", str(SMALL_OVERLAY))


def modules(*folders: str) -> set[str]:
    """Return the modules of the project's packages as paths in a wheel."""
    found = set()
    for folder, package in zip(folders, ("overlaylint", "overlaylint_rules"), strict=True):
        for path in (PROJECT / folder).rglob("*.py"):
            found.add(f"{package}/{path.relative_to(PROJECT / folder).as_posix()}")
    return found


def assert_works(bin_folder: Path, elsewhere: Path) -> None:
    """Assert that overlaylint and its rules are there, from a folder that is not the project."""
    elsewhere.mkdir()
    listed = json.loads(
        run(bin_folder / "overlaylint", "rules", "--output-format=json", cwd=elsewhere).stdout
    )
    names = {(one["pack"], one["name"]) for one in listed}
    for pack in ("flatcar", "portage"):
        expected = {
            (pack, path.stem.replace("_", "-"))
            for path in (PROJECT / "rules" / pack).glob("*.py")
            if not path.stem.startswith("_")
        }
        assert {one for one in names if one[0] == pack} == expected
    ran = run(bin_folder / "overlaylint", *CHECK, cwd=elsewhere, check=False)
    assert (ran.returncode, ran.stderr) == (1, "")
    assert len(json.loads(ran.stdout)["findings"]) == 4
    explained = run(bin_folder / "overlaylint", "explain", "dangling-link", cwd=elsewhere)
    assert "## Why it matters" in explained.stdout
    assert run(bin_folder / "python", "-m", "overlaylint", "--version", cwd=elsewhere).stdout


def test_wheel(tmp_path: Path) -> None:
    source = copy_project(tmp_path / "source")
    run(sys.executable, "-m", "build", "--wheel", "-o", tmp_path, source, cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    with ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == {
        *modules("overlaylint", "rules"),
        "overlaylint/overlaylint.schema.json",
        "overlaylint/py.typed",
        "overlaylint_rules/py.typed",
    }
    bin_folder = make_environment(tmp_path / "environment")
    run(bin_folder / "python", "-m", "pip", "install", "--quiet", wheel, cwd=tmp_path)
    assert_works(bin_folder, tmp_path / "elsewhere")


def test_editable_install(tmp_path: Path) -> None:
    source = copy_project(tmp_path / "source")
    bin_folder = make_environment(tmp_path / "environment")
    run(bin_folder / "python", "-m", "pip", "install", "-q", "-e", source, cwd=tmp_path)
    assert_works(bin_folder, tmp_path / "elsewhere")
    # A rule that is added is there without another installation.
    rule = (source / "rules/portage/dangling_link.py").read_text()
    (source / "rules/portage/new_rule.py").write_text(
        rule.replace("def dangling_link", "def new_rule")
    )
    listed = run(bin_folder / "overlaylint", "rules", cwd=tmp_path).stdout
    assert "  new-rule " in listed


def test_every_package_is_named() -> None:
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["setuptools"]
    expected = set()
    for folder, package in (("overlaylint", "overlaylint"), ("rules", "overlaylint_rules")):
        for path in (PROJECT / folder).rglob("__init__.py"):
            parts = path.parent.relative_to(PROJECT / folder).parts
            expected.add(".".join((package, *parts)))
    assert set(settings["packages"]) == expected


def test_no_committed_file_names_a_registry() -> None:
    hosts = ("pypi." + "org", "pythonhosted." + "org", "index" + "-url")
    listed = run("git", "ls-files", "-coz", "--exclude-standard", cwd=PROJECT).stdout
    for name in filter(None, listed.split("\0")):
        path = PROJECT / name
        if path.is_file():
            text = path.read_bytes()
            assert not [one for one in hosts if one.encode() in text], name
