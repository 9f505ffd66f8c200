"""What is kept from one run to the next: believed only as far as its key says."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from support import Ran, overlay, overlaylint, write

from overlaylint.engine import cache as module
from overlaylint.engine.cache import Cache, cache_folder, cache_for
from overlaylint.overlay.evaluation import Evaluator
from overlaylint.overlay.masters import Repositories, find_repositories

TESTING = 'EAPI=8\nSLOT="0"\nKEYWORDS="~amd64"\n'
FILES = {
    "metadata/layout.conf": "masters = gentoo\nprofile-formats = portage-2\n",
    "profiles/profiles.desc": "amd64 amd64 dev\n",
    "profiles/amd64/make.defaults": 'ARCH="amd64"\nACCEPT_KEYWORDS="amd64"\n',
    "profiles/amd64/package.accept_keywords": "# nothing yet\n",
    "cat/user/user-1.ebuild": 'EAPI=8\nSLOT="0"\nKEYWORDS="amd64"\nRDEPEND="cat/lib"\n',
    "gentoo::eclass/keys.eclass": 'KEYWORDS="~amd64"\n',
    "gentoo::cat/lib/lib-1.ebuild": 'EAPI=8\ninherit keys\nSLOT="0"\n',
}
RULE = ("--select", "keyword-not-accepted")


class Evaluations:
    """Counts what is evaluated."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def of(self, run: Callable[[], Ran]) -> tuple[Ran, list[str]]:
        self.names.clear()
        return run(), sorted(set(self.names))


@pytest.fixture
def evaluations(monkeypatch: pytest.MonkeyPatch) -> Evaluations:
    counted = Evaluations()
    evaluate = Evaluator.evaluate

    def count(self: Evaluator, *arguments: object) -> object:
        counted.names.append(self.ebuild.PF)
        return evaluate(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Evaluator, "evaluate", count)
    return counted


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "overlaylint"


def load(tmp_path: Path) -> Path:
    return overlay(tmp_path / "trees", FILES)


def check(root: Path, *arguments: str) -> Ran:
    return overlaylint(["check", root, *RULE, *arguments])


def test_a_second_run_evaluates_no_master_and_says_the_same(
    tmp_path: Path, folder: Path, evaluations: Evaluations
) -> None:
    root = load(tmp_path)
    cold, names = evaluations.of(lambda: check(root))
    assert names == ["lib-1", "user-1"]
    assert "cat/lib-1 is needed, but its keyword is not accepted" in cold.out
    warm, names = evaluations.of(lambda: check(root))
    # Where the dependency is written is looked for in the text.
    assert names == ["user-1"]
    assert warm == cold


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("eclass/keys.eclass", 'KEYWORDS="amd64"\n'),
        ("cat/lib/lib-1.ebuild", 'EAPI=8\nSLOT="0"\nKEYWORDS="amd64"\n'),
        ("cat/lib/lib-2.ebuild", 'EAPI=8\nSLOT="0"\nKEYWORDS="amd64"\n'),
    ],
)
def test_what_changes_is_looked_at_anew(tmp_path: Path, folder: Path, path: str, text: str) -> None:
    root = load(tmp_path)
    assert check(root).status == 1
    write(root.parent / "gentoo", path, text)
    assert check(root).status == 0


def test_an_eclass_that_comes_to_stand_before_another(tmp_path: Path, folder: Path) -> None:
    root = load(tmp_path)
    write(root, "cat/user/user-1.ebuild", 'EAPI=8\ninherit keys\nSLOT="0"\nRDEPEND="cat/lib"\n')
    assert check(root).status == 0, "nothing asks for what is in testing"
    write(root, "eclass/keys.eclass", 'KEYWORDS="amd64"\n')
    assert check(root).status == 1


@pytest.mark.parametrize("how", ["option", "environment"])
def test_it_can_be_turned_off(
    how: str, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = load(tmp_path)
    if how == "environment":
        monkeypatch.setenv("OVERLAYLINT_NO_CACHE", "1")
    assert check(root, *(["--no-cache"] if how == "option" else [])).status == 1
    assert not folder.exists()


def the_file(folder: Path) -> Path:
    (found,) = folder.iterdir()
    return found


def test_only_the_user_can_read_it(tmp_path: Path, folder: Path) -> None:
    check(load(tmp_path))
    assert folder.stat().st_mode & 0o777 == 0o700
    assert the_file(folder).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1],
        lambda data: data.replace(b"~amd64", b"amd64"),
        lambda data: b"\0" * 100,
        lambda data: data.partition(b"\n")[2],
    ],
)
def test_a_damaged_file_is_as_good_as_none(
    damage: Callable[[bytes], bytes], tmp_path: Path, folder: Path, evaluations: Evaluations
) -> None:
    root = load(tmp_path)
    cold = check(root)
    file = the_file(folder)
    file.write_bytes(damage(file.read_bytes()))
    again, names = evaluations.of(lambda: check(root))
    assert again == cold
    assert names == ["lib-1", "user-1"]
    assert evaluations.of(lambda: check(root))[1] == ["user-1"], "it is written anew"


def poisoned(folder: Path, change: Callable[[dict[str, object]], object]) -> None:
    """Write a file whose checksum is right and whose content is not."""
    file = the_file(folder)
    found = json.loads(file.read_bytes().partition(b"\n")[2])
    body = json.dumps(change(found)).encode()
    file.write_bytes(module._checksum(body) + b"\n" + body)


@pytest.mark.parametrize(
    "change",
    [
        lambda found: [],
        lambda found: dict.fromkeys(found, 1),
        lambda found: {key: [1, 2] for key in found},
        lambda found: {key: [{"KEYWORDS": 1}, []] for key in found},
        lambda found: {key: [{"PATH": "x"}, []] for key in found},
        lambda found: {key: [{}, [1]] for key in found},
        lambda found: {re.sub("^.", "x", key): value for key, value in found.items()},
    ],
)
def test_what_has_no_meaning_is_passed_over(
    change: Callable[[dict[str, object]], object], tmp_path: Path, folder: Path
) -> None:
    root = load(tmp_path)
    cold = check(root)
    poisoned(folder, change)
    assert check(root) == cold


def test_another_version_of_overlaylint_begins_anew(
    tmp_path: Path, folder: Path, evaluations: Evaluations, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = load(tmp_path)
    check(root)
    monkeypatch.setattr(module, "_own_code", lambda: b"another")
    assert evaluations.of(lambda: check(root))[1] == ["lib-1", "user-1"]


@pytest.mark.parametrize("how", ["writable", "link", "folder", "fifo"])
def test_a_file_that_others_may_have_made_is_not_read(
    how: str, tmp_path: Path, folder: Path, evaluations: Evaluations
) -> None:
    root = load(tmp_path)
    cold = check(root)
    file = the_file(folder)
    if how == "writable":
        file.chmod(0o666)
    else:
        file.rename(tmp_path / "elsewhere")
        if how == "link":
            file.symlink_to(tmp_path / "elsewhere")
        elif how == "fifo":
            os.mkfifo(file)
        else:
            file.mkdir()
    again, names = evaluations.of(lambda: check(root))
    assert again == cold
    assert names == ["lib-1", "user-1"]


def test_it_never_lies_in_a_checked_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = load(tmp_path)
    for inside in (root, root.parent / "gentoo"):
        monkeypatch.setenv("XDG_CACHE_HOME", str(inside / "cache"))
        before = sorted(inside.rglob("*"))
        assert check(root).status == 1
        assert sorted(inside.rglob("*")) == before


def test_it_never_lies_in_the_work_tree_around_an_overlay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = load(tmp_path / "work")
    (tmp_path / "work/.git").mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "work/cache"))
    check(root)
    assert not (tmp_path / "work/cache").exists()
    (tmp_path / "out").mkdir()
    (tmp_path / "work/link").symlink_to(tmp_path / "out")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "work/link"))
    check(root)
    assert not list((tmp_path / "out").iterdir())


def test_links_in_a_circle_are_no_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = load(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "loop"))
    assert check(root).status in (0, 1)


def test_a_run_with_nothing_new_notes_only_that_it_was_used(tmp_path: Path, folder: Path) -> None:
    root = load(tmp_path)
    check(root)
    check(root)
    file = the_file(folder)
    os.utime(file, (0, 0))
    before = file.stat()
    check(root)
    after = file.stat()
    assert after.st_ino == before.st_ino
    assert after.st_mtime > before.st_mtime


def test_where_it_can_not_be_written_nothing_is_lost(tmp_path: Path, folder: Path) -> None:
    root = load(tmp_path)
    folder.parent.write_text("no folder")
    assert check(root).status == 1


def test_where_it_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/user")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path("/home/user/.cache/overlaylint")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # to be ignored, as the specification says
    assert cache_folder() == Path("/home/user/.cache/overlaylint")
    monkeypatch.setenv("HOME", "")
    assert cache_folder() is None
    assert cache_for(Path("/somewhere"), ()) is None


def test_it_stays_small(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 400)
    monkeypatch.setattr(module, "MOST_FILES", 2)
    for number in range(4):
        cache = Cache(folder / f"{number}.json")
        for key in range(40):
            cache.keep(f"key {key}", "x" * 10)
        cache.save()
        os.utime(cache.path, (number, number))
    assert sorted(path.name for path in folder.iterdir()) == ["2.json", "3.json"]
    assert all(path.stat().st_size <= 400 for path in folder.iterdir())
    again = Cache(folder / "3.json")
    assert again.get("key 0") == "x" * 10
    again.keep("another", [1])
    again.save()
    kept = Cache(folder / "3.json")
    assert kept.get("another") == [1]
    assert kept.get("key 0") == "x" * 10


def test_nothing_is_kept_while_a_master_is_missing(tmp_path: Path, folder: Path) -> None:
    files = {path: text for path, text in FILES.items() if not path.startswith("gentoo::")}
    root = overlay(tmp_path / "trees", files)
    found: Repositories = find_repositories(root)
    assert found.missing
    cache = Cache(folder / "x.json")
    found.overlay.store = cache
    (ebuild,) = found.overlay.ebuilds
    assert ebuild.metadata.values["KEYWORDS"] == "amd64"
    cache.save()
    assert not folder.exists()
