"""Who a folder is given to: held to the real chown where the tests may run it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import overlay

from overlaylint.overlay.masters import find_repositories
from overlaylint.overlay.owners import Owner, gifts
from overlaylint.overlay.steps import Location, Step, steps

PATH = "app-misc/hello/hello-1.ebuild"
HOME = Location("D", "/home/core")

needs_root = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="only root may give a folder away"
)


def run(folder: Path, commands: str) -> tuple[Step, ...]:
    text = f"EAPI=8\nIUSE=x\nsrc_install() {{\n{commands}\n}}\n"
    ebuild = find_repositories(overlay(folder, {PATH: text})).overlay.ebuild_at(PATH)
    assert ebuild is not None
    return steps(ebuild.trace("src_install"))


def told(folder: Path, commands: str) -> tuple[Owner, bool]:
    """Return whose the folder is in the end, root's at first, and whether that is certain."""
    owner: Owner = "0", "0"
    is_certain = True
    for gift in gifts(run(folder, commands), HOME):
        new = [was if now == "" else now for was, now in zip(owner, gift.owner, strict=True)]
        owner = new[0], new[1]
        is_certain &= gift.is_certain
    return owner, is_certain


@needs_root
@pytest.mark.parametrize(
    "commands",
    [
        'chown 500:501 "${D}/home/core"',
        'chown 500 "${D}/home/core"',
        'chown :501 "${D}"/home/*',
        'chown +500:+501 "${D}"/home/c[a-z]re',
        'chown 500.501 "${D}"/home/core',
        'chgrp 501 "${D}/home/core"',
        'chown 500:501 "${D}/home"',
        'chown -R 500:501 "${D}/home"',
        'chown --recursive -- 500:501 "${D}"',
        'chown -R 500:501 "${D}/home/core/x"',
        'chown 500:501 "${D}/home/*"',
        'cd "${D}/home" && chown 500:501 core',
        'cd "${D}/home/core" && chown -R 500:501 .',
        'find "${D}/home/core" -exec chown 500:501 {} +',
        r'find "${D}" -name core -type d -exec chown 500:501 {} \;',
        r'find "${D}/home" -mindepth 1 -exec chgrp 501 {} \;',
        'find "${D}" -type f -exec chown 500:501 {} +',
        'find "${D}" -maxdepth 1 -exec chown 500:501 {} +',
        'find "${D}/home" -print0 | xargs -0 chown 500:501',
        'echo "${D}/home/core" | xargs chown 500:501',
        'echo "${D}/home/other" | xargs chown 500:501',
        'echo core | xargs -I{} chown 500:501 "${D}/home/{}"',
        'chown 500:501 "${D}/home/core"; chown -R 0 "${D}"',
        'install -d -o 500 -g 501 "${D}/home/core"',
        'install -m755 -vdo500 "${D}/home/core"',
        'install -d --owner=500 --group 501 "${D}/home/core/x" "${D}/home/core"',
        'install -d -o 500 -g 501 "${D}/home/core/x"',
        'for one in core x; do chown 500:501 "${D}/home/${one}"; done',
        'mkdir -p "${D}/home/core"; echo chown 500:501 "${D}/home/core"',
    ],
)  # fmt: skip
def test_what_chown_does(tmp_path: Path, commands: str) -> None:
    home = tmp_path / "image" / "home" / "core"
    home.mkdir(parents=True)
    (home / "file").touch()
    os.chown(home, 0, 0)
    subprocess.run(
        ["bash", "-c", commands],
        env={"D": str(tmp_path / "image"), "LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=False,
    )
    status = home.stat()
    expected = (str(status.st_uid), str(status.st_gid)), True
    assert told(tmp_path / "overlay", commands) == expected


@pytest.mark.parametrize(
    ("commands", "owner", "is_certain"),
    [
        ("fowners 500:501 /home/core", ("500", "501"), True),
        ("fowners -R core: /home", ("core", "core"), True),
        ("fowners 500 home/core", ("500", "0"), True),
        ("diropts -o 500 -g 501; dodir /home/core", ("500", "501"), True),
        ("diropts -o 500 -g 501; keepdir /home/core; diropts -m0755", ("500", "501"), True),
        ("diropts -o 500; diropts -g 501; keepdir /home/core", ("0", "501"), True),
        ("diropts -o 500; dodir /home/core/x", ("0", "0"), True),
        ("insinto /home; diropts -o 500 -g 501; doins -r core", ("500", "501"), True),
        ('chown "$(< x)" "${D}/home/core"', (None, None), True),
        ('chown "500:$(< x)" "${D}/home/core"', ("500", None), True),
        ('chown --reference=x "${D}/home/core"', (None, None), True),
        ('chown --from=0 500 "${D}/home/core"', ("500", "0"), False),
        ('chown 500:501 "$(< x)"', ("500", "501"), False),
        ('find "${D}" -newer x -exec chown 500:501 {} +', (None, None), False),
        (r"""find "${D}" -exec sh -c 'chown 500 "$1"' _ {} \;""", (None, None), False),
        ("cat list | xargs chown 500:501", (None, None), False),
        ('cp -a "${T}"/core "${D}/home/"', (None, None), True),
        ('cp -r "${T}"/core "${D}/home/"', ("0", "0"), True),
        ('chown 500:501 "${T}/home/core" /home/core', ("0", "0"), True),
    ],
)
def test_what_helpers_do_and_what_is_unknown(
    tmp_path: Path, commands: str, owner: Owner, is_certain: bool
) -> None:
    assert told(tmp_path, commands) == (owner, is_certain)
