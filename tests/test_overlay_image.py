"""What a build leaves in the image: what is installed, and what is taken away again."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import overlay

from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.image import covers, presence
from overlaylint.overlay.install_targets import COMMANDS, targets
from overlaylint.overlay.masters import find_repositories
from overlaylint.overlay.own_code import own_traces

PATH = "app-misc/hello/hello-1.ebuild"


def ebuild(folder: Path, body: str) -> Ebuild:
    text = f"EAPI=8\nsrc_install() {{\n{body}\n}}\n"
    found = find_repositories(overlay(folder, {PATH: text})).overlay.ebuild_at(PATH)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("dobin a b/c", ["/usr/bin/a", "/usr/bin/c"]),
        ("newbin a b; dosbin c; newsbin d e", ["/usr/bin/b", "/usr/sbin/c", "/usr/sbin/e"]),
        ("into /; dobin a; into /opt; dosbin b", ["/bin/a", "/opt/sbin/b"]),
        ("insinto /etc; newins a b; doins c", ["/etc/b", "/etc/c"]),
        ("( into /opt; dobin a; insinto /x ); dobin b; doins c", [
            "/opt/bin/a", "/usr/bin/b", "/c",
        ]),
        ("f() ( exeinto /x; doexe a ); f; doexe b; insinto /y; ( doins c )", [
            "/x/a", "/b", "/y/c",
        ]),
        ("dosym ../x /usr/bin/y", ["/usr/bin/y"]),
        ("systemd_newunit a b.service", ["/usr/lib/systemd/system/b.service"]),
        ('install -m0755 a "${ED}/usr/bin"', ["/usr/bin/a"]),
        ('install -m0755 -t "${ED}/usr/bin" a b', ["/usr/bin/a", "/usr/bin/b"]),
        ('install -Dt "${ED}/usr/bin" a', ["/usr/bin/a"]),
        ('install -dm0755 -- "${D}/etc" "${D}/-d"', ["/etc", "/-d"]),
        ('cp --target-directory="${D}"/etc a', ["/etc/a"]),
        ('cp -r bin "${ED}/usr"', ["/usr", "/usr/bin", "/usr/bin/*"]),
        ('cp -a bin/. "${ED}/usr/bin"', ["/usr/bin", "/usr/bin/*"]),
        ('cd "${ED}/usr/bin" || die; ln -s a b', ["/usr/bin/b", "/usr/bin/b/a"]),
        ('pushd "${D}"/etc; popd; ln -s a b', []),
        ('pushd "${D}"/etc; pushd sub; cp x y; popd; cp z w', [
            "/etc/sub/y", "/etc/sub/y/x", "/etc/w", "/etc/w/z",
        ]),
        ('cp a "${S}/b"; cp a /usr/bin', []),
    ],
)  # fmt: skip
def test_targets(tmp_path: Path, body: str, expected: list[str]) -> None:
    trace = ebuild(tmp_path, body).trace("src_install")
    assert [path for _, path in targets(trace)] == expected


@pytest.mark.parametrize(
    ("body", "is_there"),
    [
        ("dobin hello", True),
        ("dobin out/*", True),
        ("dobin other", False),
        ("dobin $(ls out)", None),
        ("use x && dobin hello", True),
        ("use y && dobin hello", False),
        ("[[ -e hello ]] && dobin hello", None),
        ("emake install", None),
        ("emake install; dobin hello", True),
        ("nonfatal emake install", None),
        ("emake tools", False),
        ("other_src_install", None),
        ("./setup --prefix=${D}/usr", None),
        ("./setup -p/tmp/${D}", None),
        ('DESTDIR="${D}" ./setup', None),
        ("./setup ${D}; dobin hello", True),
        ("./setup --prefix=${ED}/opt ${S}/usr ${ED}/usr/bin/other", False),
        ('cd "${ED}"/usr && tar -xf "${DISTDIR}"/a.tar', None),
        ('cd "${ED}"/etc && tar -xf "${DISTDIR}"/a.tar', False),
        ('cd "${D}"; use x && einfo hello; chmod 755 usr; strip *', False),
        ("readlink -f ${D}; realpath ${D}; stat ${D}; du -s ${ED}; tree ${D}; file ${D}", False),
        ("setcap x ${D}/usr; pax-mark m ${ED}; patchelf ${ED}; scanelf -R ${D}; nm ${D}", False),
        ("tar -C ${D} -cf x.tar .; mksquashfs ${D} ${T}/x; rsync -a ${D}/ ${T}/", False),
        ("dodoc -r ${D}/usr; doman ${ED}; ldconfig -r ${D}; depmod -b ${D}", False),
        ("tar -C ${D} -xf x.tar", None),
        ("bsdtar xf x.tar -C ${ED}", None),
        ("rsync -a ${T}/ ${D}/", None),
        ("unsquashfs -d ${D} x", None),
        ("unzip -d ${D} x.zip", None),
        ("go build -o ${ED}/usr/bin ./...", None),
        ("GOBIN=${ED}/usr/bin go install ./...", None),
        ("cmake --install build", None),
        ("cargo install --root=${ED}/usr", None),
        ("dd if=x of=${ED}/usr/bin/hello", None),
        ("dd if=x of=${ED}/usr", False),
        ("sort -o ${ED}/usr/bin/hello x", None),
        ("sort --output=${ED}/usr/bin/hello x", None),
        ("cd ${ED}/usr/bin; strip -o hello x", None),
        ("sort ${ED}/usr/bin/other; strip ${ED}/usr/bin/*.so", False),
        ("gunzip ${ED}/usr/bin/hello.gz", None),
        ("gunzip ${ED}/usr/bin/*.xz", None),
        ("gzip ${ED}/usr/bin/other ${ED}/usr/share/man/hello", False),
        ("rename x hello ${ED}/usr/bin/x", None),
        ("rename x hello ${ED}/usr/share/man/x", False),
        ("flock lock cp hello ${ED}/usr/bin/", True),
        ("setarch x86_64 install -D hello ${ED}/usr/bin/hello", True),
        ("gcc -o ${ED}/usr/bin/hello x.c", None),
        ("distutils-r1_python_install", None),
        ("cp hello $(pick)", None),
        ("cp hello $(pick)/bin", None),
        ("cp hello $(pick)/sbin", False),
        ("cp other $(pick)/bin", False),
        ("cp -r bin $(pick)", None),
        ("cat x > $(pick)", None),
        ("cat x > $(pick)/other", False),
        ("install -m755 hello $(pick)/usr/bin/hello", None),
        ("find out | xargs dobin", None),
        ("echo out/hello | xargs dobin", None),
        ("echo out/other | xargs dobin", False),
        ("dodir /usr; cp -r bin ${ED}/usr/bin", None),
        ("dodir /usr/bin; cp -r bin ${ED}/usr/bin", False),
        ("cd ${ED}/usr; unpack x.tar", None),
        ("nonfatal find out -exec cp -t ${ED}/usr/bin {} +", None),
        ("find out -exec cp -t ${ED}/usr/sbin {} +", False),
        ("find out -name 'h*' -exec dobin {} +", None),
        ("find out -name 'b*' -exec dobin {} +", False),
        ("find out ! -name 'h*' | xargs dobin", False),
        ("find out -maxdepth 1 -name hello | xargs -I{} cp {} ${ED}/usr/bin/", None),
        ("exeinto /opt; find out -name hello -exec doexe {} +", False),
        ("exeinto /usr/bin; find out -name hello -exec doexe {} +", None),
        ("dobin hello; rm ${ED}/usr/bin/hello", False),
        ("dobin hello; rm -r ${ED}/usr/bin", False),
        ("dobin hello; rm -r ${ED}/usr/bin/hello-more", True),
        ("dobin hello; use y && rm ${ED}/usr/bin/hello", True),
        ("dobin hello; rm ${ED}/usr/bin/$(pick)", None),
        ("dobin hello; [[ -e y ]] && rm ${ED}/usr/bin/hello", None),
        ("rm ${ED}/usr/bin/hello; dobin hello", True),
        ("rm out/hello; dobin out/*", False),
        ("rm out/$(pick); dobin out/*", None),
        ("dobin out/*; rm out/hello", True),
        ("rm out/hello; rm out/other; dobin out/*", False),
        ("dobin hello; mv ${ED}/usr/bin/hello ${ED}/usr/bin/bye", False),
        ("dobin hello; mv ${ED}/usr/bin ${ED}/x; mv ${ED}/x ${ED}/usr/bin", None),
        ("dobin hello; mv ${ED}/usr/bin ${ED}/x; mv ${ED}/y ${ED}/usr/bin", False),
        ("dobin hello; mv ${ED}/usr/bin ${ED}/x; mv ${ED}/x ${ED}/usr/sbin", False),
        ("dobin bye; mv ${ED}/usr/bin/bye ${ED}/usr/bin/hello", True),
        ("dobin hello; find ${ED} -name 'h*' -delete", False),
        ("dobin hello; find ${ED} -name 'b*' -delete", True),
        ("dobin hello; find ${ED}/etc -name 'h*' -delete", True),
        ("dobin hello; find ${ED} -name 'h*' -exec rm -f {} +", False),
        ("dobin hello; find ${ED} -name 'h*'", True),
        ("dobin hello; find ${ED} ! -name 'h*' -delete", True),
        ("dobin hello; find ${ED} -mindepth 1 -delete", False),
        ("dobin hello; find ${ED} -type d -empty -delete", True),
        ("dobin hello; find ${ED} -type f | xargs rm", False),
        ("dobin hello; rm ${ED}/usr/*", True),
        ("dobin hello; rm ${ED}/usr/bin", True),
        ("dobin hello; rm -r ${ED}/usr/*", False),
        ("dobin hello; rmdir -p ${ED}/usr/bin", True),
        ("dodir /usr/bin/hello; rm -f ${ED}/usr/bin/hello", True),
        ("dodir /usr/bin/hello; rmdir ${ED}/usr/bin/hello", False),
        ("keepdir /usr/bin/hello; rmdir ${ED}/usr/bin/hello", True),
        ("dodir /usr/bin/hello /usr/bin/hello/x; rmdir ${ED}/usr/bin/hello", True),
        ("dosym x /usr/bin/hello; find ${D} -type l -delete", False),
        ("dosym x /usr/bin/hello; find ${D} -type f -delete", True),
        ("find out -name 'h*' -delete; dobin out/*", False),
        ("rm other/hello; dobin out/*", True),
        ("( into /opt ); find out -name hello -exec dobin {} +", None),
        ("into /opt; find out -name hello -exec dobin {} +", False),
        ("dobin hello; find ${ED} -name 'h*' -newer x -delete", None),
    ],
)
def test_presence(tmp_path: Path, body: str, is_there: bool | None) -> None:
    traces = tuple(own_traces(ebuild(tmp_path, body)))
    assert presence(traces, "/usr/bin/hello", {"x": True, "y": False}).is_there is is_there


def test_commands_that_write(tmp_path: Path) -> None:
    for name in COMMANDS - {"insinto", "exeinto", "into"}:
        words = "-s 0 a" if name == "truncate" else "a b"
        trace = ebuild(tmp_path / name, f'cd "${{D}}"; {name} {words}').trace("src_install")
        assert list(targets(trace)), name


def test_what_settled_it(tmp_path: Path) -> None:
    traces = tuple(own_traces(ebuild(tmp_path, 'dobin hello; rm "${ED}"/usr/bin/*')))
    found = presence(traces, "/usr/bin/hello", {})
    assert found.call is not None
    assert found.call.name == "rm"
    assert presence(traces, "/usr/bin/other", {}).call is None


def test_what_merging_takes_away(tmp_path: Path) -> None:
    text = 'dobin hello\n}\npkg_preinst() {\nrm "${ED}"/usr/bin/hello'
    traces = tuple(own_traces(ebuild(tmp_path, text)))
    assert presence(traces, "/usr/bin/hello", {}).is_there is False


@pytest.mark.parametrize(
    ("compiled", "is_there"),
    [
        ("emake; rm out/hello", False),
        ("rm -f out/hello; emake", True),
        ("emake; use x && rm -r out/hello", False),
        ("emake; use y && rm -r out/hello", True),
        ("emake; [[ -e y ]] && rm -r out/hello", None),
        ("emake; strip out/*; find out -name 'h*' -delete", False),
    ],
)
def test_what_compiling_takes_away(tmp_path: Path, compiled: str, is_there: bool | None) -> None:
    text = f"dobin out/*\n}}\nsrc_compile() {{\n{compiled}"
    traces = tuple(own_traces(ebuild(tmp_path, text)))
    assert presence(traces, "/usr/bin/hello", {"x": True, "y": False}).is_there is is_there


def test_covers() -> None:
    assert covers("/usr/bin/a*", "/usr/bin/ab") is True
    assert covers("/usr/bin/a?*", "/usr/bin/ab") is None
    assert covers("/usr/bin/a?*", "/usr/bin/b") is False
