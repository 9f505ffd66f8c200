"""Which files a word names that is known in part."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import overlay

from overlaylint.overlay.masters import find_repositories
from overlaylint.overlay.named_files import named_by

PATH = "app-misc/hello/hello-1.ebuild"
FILES = "app-misc/hello/files"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('"${FILESDIR}/a.patch"', [("a.patch",)]),
        ('"${FILESDIR}/a.patch ${FILESDIR}/c.patch"', [("a.patch",), ()]),
        ('"${FILESDIR}/more"', [("more/b.patch",)]),
        ('"${FILESDIR}/*.patch"', [("a.patch",)]),
        ('"${FILESDIR}/*/"', [("more/b.patch",)]),
        ('"${FILESDIR}/[am]*"', [("a.patch", "more/b.patch")]),
        ('"${FILESDIR}/more/../../files/a.patch"', [("a.patch",)]),
        ('"${FILESDIR}/${RANDOM}.patch"', [None]),
        ('"${FILESDIR}/a${RANDOM}"', [("a.patch",)]),
        ('"${RANDOM}"', [None]),
        ('"a.patch /a.patch"', [(), ()]),
        ('""', []),
    ],
)
def test_files_that_a_value_names(
    tmp_path: Path, value: str, expected: list[tuple[str, ...] | None]
) -> None:
    names = ("a.patch", "more/b.patch", "c.patch")
    files = {f"{FILES}/{name}": "" for name in names}
    root = overlay(tmp_path, {PATH: f"EAPI=7\nX={value}\n", **files})
    ebuild = find_repositories(root).overlay.ebuild_at(PATH)
    assert ebuild is not None
    variable = ebuild.variable("X")
    assert variable is not None
    assert not isinstance(variable.value, dict)
    wanted = [f"{FILES}/{name}" for name in names[:2]]
    found = named_by(ebuild, variable.value, wanted, is_split=True)
    shown = [one and tuple(path[len(FILES) + 1 :] for path in one) for one in found]
    assert shown == expected
