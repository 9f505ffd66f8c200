"""What programs may put into a folder of the image that they are given, or that they run in.

Most of the base system only reads what it is given, or changes attributes and what is in a file.
What is not known here may install anything: a script of the sources, or `go build -o`.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from overlaylint.overlay.command_lines import SHELLS
from overlaylint.overlay.commands import COMMON
from overlaylint.overlay.eapi import SAME_PLACE
from overlaylint.overlay.install_targets import COMMANDS, COPYING, WRITING, copies_folders
from overlaylint.overlay.scene import Thing, scenes
from overlaylint.overlay.steps import Location, Step, pattern_of
from overlaylint.shell.builtins import BUILTINS
from overlaylint.shell.values import Unknown, Value, join, pieces_of

#: Commands that install what only a makefile knows, where they are asked to install.
MAKE = frozenset({"emake", "make", "gmake", "ninja", "eninja", "samu", "meson", "cmake"})

# Where commands of the package manager, and of eclasses, install what they are given; more than
# one folder where that depends. Those whose target is known to the letter are in `COMMANDS`.
_HELPER_FOLDERS: Mapping[str, tuple[str, ...]] = {
    # PMS 12.3.9
    "dodoc": ("/usr/share/doc",), "newdoc": ("/usr/share/doc",), "dohtml": ("/usr/share/doc",),
    "einstalldocs": ("/usr/share/doc",),
    "doheader": ("/usr/include",), "newheader": ("/usr/include",),
    "doinfo": ("/usr/share/info",), "doman": ("/usr/share/man",), "newman": ("/usr/share/man",),
    "domo": ("/usr/share/locale",),
    "doenvd": ("/etc/env.d",), "newenvd": ("/etc/env.d",),
    "dolib": ("/usr/lib", "/usr/lib64", "/lib", "/lib64"),
    "dolib.a": ("/usr/lib", "/usr/lib64", "/lib", "/lib64"),
    "dolib.so": ("/usr/lib", "/usr/lib64", "/lib", "/lib64"),
    "newlib.a": ("/usr/lib", "/usr/lib64", "/lib", "/lib64"),
    "newlib.so": ("/usr/lib", "/usr/lib64", "/lib", "/lib64"),
    # desktop, bash-completion-r1, shell-completion, udev, pam
    "doicon": ("/usr/share",), "newicon": ("/usr/share",), "domenu": ("/usr/share",),
    "newmenu": ("/usr/share",), "make_desktop_entry": ("/usr/share",),
    "dobashcomp": ("/usr/share/bash-completion",), "newbashcomp": ("/usr/share/bash-completion",),
    "bashcomp_alias": ("/usr/share/bash-completion",),
    "dofishcomp": ("/usr/share/fish",), "newfishcomp": ("/usr/share/fish",),
    "dozshcomp": ("/usr/share/zsh",), "newzshcomp": ("/usr/share/zsh",),
    "udev_dorules": ("/lib/udev", "/usr/lib/udev"),
    "udev_newrules": ("/lib/udev", "/usr/lib/udev"),
    "dopamd": ("/etc/pam.d",), "newpamd": ("/etc/pam.d",), "pamd_mimic": ("/etc/pam.d",),
    "python_domodule": ("/usr/lib", "/usr/lib64"), "doelisp": ("/usr/share/emacs",),
}  # fmt: skip

# Programs that put no file into a folder, by the package that they are of. Those of coreutils
# that make files are followed, or below.
_LEAVING: Mapping[str, str] = {
    "coreutils": """
        arch b2sum base32 base64 basename basenc cat chcon chgrp chmod chown cksum comm cut date df
        dir dircolors dirname du expand expr factor fmt fold groups head hostid id join logname ls
        md5sum mktemp nl nohup nproc numfmt od paste pathchk pinky pr printenv ptx readlink
        realpath rm rmdir runcon seq sha1sum sha224sum sha256sum sha384sum sha512sum shred shuf
        sleep sort stat stdbuf stty sum sync tac tail tr truncate tsort tty uname unexpand uniq
        unlink uptime users vdir wc who whoami yes""",
    "findutils": "find locate xargs",
    "util-linux": """
        blkid chattr chrt col column fallocate findmnt flock getopt hardlink hexdump ionice logger
        look lsattr lsblk more mountpoint namei prlimit rev setarch taskset unshare whereis
        """,
    "acl, attr and libcap": """
        attr chacl filecap getcap getfacl getfattr getpcaps setcap setfacl setfattr""",
    "binutils and elfutils": """
        addr2line c++filt elfedit gprof nm objdump ranlib readelf size strings strip
        eu-elfcmp eu-elflint eu-findtextrel eu-nm eu-objdump eu-readelf eu-size eu-strings
        eu-strip""",
    "gzip, bzip2, xz-utils, zstd, lz4 and ncompress": """
        bunzip2 bzip2 compress gunzip gzip lz4 lzma unlz4 unxz unzstd xz zstd""",
    "pax-utils, patchelf and chrpath": "dumpelf lddtree patchelf chrpath pspax scanelf symtree",
    "diffutils, grep, sed, file, less, tree and which": """
        cmp diff diff3 sdiff egrep fgrep grep sed file less tree which rg""",
    "texinfo": "install-info",
    "glibc": "getconf getent iconv ldconfig ldd locale",
    "kmod": "depmod kmod lsmod modinfo",
    "systemd": "systemd-sysusers systemd-tmpfiles udevadm",
    "e2fsprogs, cryptography and policies": "restorecon setfiles gpg openssl evmctl",
    "other tools for one file": "dos2unix unix2dos dtc xmllint desktop-file-validate jq",
    # PMS 12.3, and what Portage adds
    "the package manager": """
        addpredict addread addwrite adddeny assert best_version has_version docompress dostrip
        diropts exeopts insopts libopts econf eapply eapply_user einstalldocs fowners fperms
        get_libdir inherit prepall prepallstrip prepalldocs prepman prepinfo use usex
        use_enable use_with useq usev in_iuse hasq hasv ver_cut ver_rs ver_test eend epatch""",
    # fcaps, pax-utils, python-utils-r1, toolchain-funcs, ltprune, dot-a, prefix, and so on
    "eclasses": """
        fcaps pax-mark list-paxables python_fix_shebang python_optimize python_setup
        tc-is-static-only prune_libtool_files strip-lto-bytecode eprefixify hprefixify edos2unix
        append-cppflags append-cflags append-ldflags systemd_update_catalog tmpfiles_process
        udev_reload xdg_pkg_postinst optfeature readme.gentoo_create_doc gnome2_gconf_install
        secureboot_auto_sign secureboot_sign_efi_file lua_setup""",
}

_LEAVES = frozenset(
    {*COMMANDS, *BUILTINS, *COMMON, *SHELLS,
     *(name for names in _LEAVING.values() for name in names.split())}
)  # fmt: skip

# Programs that write files as they are named, and nothing into a folder.
_WRITING_WHAT_THEY_NAME = frozenset(
    {"ar", "as", "awk", "bc", "c++", "cc", "clang", "cpp", "csplit", "dd", "g++", "gawk", "gcc",
     "gperf", "ld", "link", "m4", "mkfifo", "mkfs.btrfs", "mkfs.ext4", "mknod", "mksquashfs",
     "mkswap", "objcopy", "eu-objcopy", "llvm-objcopy", "zip", "zcat", "xzcat",
     "bzcat"}
)  # fmt: skip


# Of those that put no file into a folder, the ones that write a file as it is named.
_WITH_OUTPUT = frozenset(
    {"dos2unix", "dtc", "eu-strip", "fallocate", "gpg", "iconv", "mktemp", "openssl", "patchelf",
     "shuf", "sort", "strip", "uniq", "unix2dos", "xmllint"}
)  # fmt: skip

# Programs that put a file beside the one that they are given: `x` from `x.gz`.
_COMPRESSORS = frozenset(
    {
        "bunzip2",
        "bzip2",
        "compress",
        "gunzip",
        "gzip",
        "lz4",
        "lzma",
        "unlz4",
        "unxz",
        "unzstd",
        "xz",
        "zstd",
    }
)
_RENAMING = frozenset({"prename", "rename"})


def is_harmless(step: Step) -> bool:
    """Whether a step makes no files but those that `writes` tells of, whatever it is given."""
    return step.name in _LEAVES


def may_put(step: Step, place: Location) -> bool:
    """Whether a step that `writes` does not follow may put a file at a place of the image."""
    folders = () if step.call.is_function else _HELPER_FOLDERS.get(step.name, ())
    is_below = any(f"{place.path}/".startswith(f"{one}/") for one in folders)
    return is_below or installs_sources(step) or is_handed(step, place)


def may_write(step: Step, place: Location) -> bool:
    """Whether a step that `writes` follows may make what is at a place: where it writes is unknown.

    That is `mkdir "$(command)"`, and a copy of a file of that name, or a folder, to such a place.
    """
    words: list[Value] = [one.target for one in step.call.redirections if one.operator in WRITING]
    operands = [word for word in step.arguments if not pattern_of(word).startswith("-")]
    if step.name in ("mkdir", "tee", "touch"):
        words += operands
    elif step.name in COPYING and operands:
        names = [pattern_of(word).rstrip("/").rpartition("/")[2] for word in operands]
        own = place.path.rpartition("/")[2]
        if copies_folders(step) or any(fnmatchcase(own, name) for name in names):
            words += operands if step.name == "install" else operands[-1:]
    scene = next(scenes(place, Thing.FILE))
    return not all(scene.named(step, word).is_certain for word in words)


def installs_sources(step: Step) -> bool:
    """Whether a step installs what the sources say: `make install`, or a master's phase."""
    if step.call.is_function or step.name in _LEAVES:
        return False
    if step.name in MAKE:
        return any("install" in pattern_of(one) for one in step.arguments)
    return step.name.endswith(("src_install", "_install", "einstall"))


def is_handed(step: Step, place: Location) -> bool:
    """Whether a program that may put files anywhere below a folder is given one around a place.

    So is one that may write a file at the place, and is given that.
    """
    name = step.name
    if step.call.is_function or name in _HELPER_FOLDERS:
        return False
    if name in _COMPRESSORS | _RENAMING:
        return any(_is_beside(step, word, place) for word in step.arguments)
    if name in _LEAVES - _WITH_OUTPUT:
        return False
    given = (*step.arguments, *(word for _, word in step.call.environment))
    words = [_from_root(word, place.root) for word in given]
    if name == "rsync":
        # The others are what it reads.
        del words[:-1]
    inside = [word for word in words if word is not None]
    if name not in _WRITING_WHAT_THEY_NAME | _WITH_OUTPUT and not _makes_an_archive(step):
        scene = next(scenes(place, Thing.FILE))
        named = [scene.named(step, word) for word in (".", *inside)]
        is_in_image = step.folder is not None and step.folder.root == place.root
        return any(one.paths or not one.is_certain for one in named[not is_in_image :])
    return any(step.at(word) == place for word in (*step.arguments, *inside))


def _is_beside(step: Step, word: Value, place: Location) -> bool:
    """Whether a compressor, or what renames files, may make a place of the file that is named."""
    found = step.at(word)
    if found is None or found.root != place.root:
        return False
    folder, _, name = found.path.rpartition("/")
    own_folder, _, own = place.path.rpartition("/")
    if not fnmatchcase(own_folder, folder):
        return False
    return step.name in _RENAMING or any(
        fnmatchcase(own, one) for one in (name, f"{name}.*", name.rpartition(".")[0])
    )


def _from_root(word: Value, root: str) -> Value | None:
    """Return a word from where it names a place below a root: `--root=${D}/usr`."""
    parts = pieces_of(word)
    for at, part in enumerate(parts):
        if isinstance(part, Unknown) and SAME_PLACE.get(part.symbol, part.symbol) == root:
            return join(parts[at:])
    return None


def _makes_an_archive(step: Step) -> bool:
    """Whether it is an archiver that packs what it reads, or lists what is packed."""
    words = [pattern_of(word) for word in step.arguments]
    letters = "".join(word for word in words if word.startswith("-") and word[1:2] != "-")
    if step.name in ("tar", "gtar", "bsdtar", "star"):
        letters += "".join(words[:1])
        extracts = "x" in letters or not {"--extract", "--get"}.isdisjoint(words)
        return not extracts and any(
            one in letters or long in words
            for one, long in (("c", "--create"), ("t", "--list"), ("r", "--append"))
        )
    return step.name == "cpio" and ("o" in letters or "--create" in words)
