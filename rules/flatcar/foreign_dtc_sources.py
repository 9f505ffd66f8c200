"""Device-tree sources of other architectures are shipped.

## What it does

Where the kernel's eclass, or an ebuild that inherits it, lists `source/scripts` with `find` to copy
what modules are built with, the list is followed through filters, variables and functions, for each
architecture that Flatcar is built for. Of `scripts/dtc/include-prefixes` only the architecture's
own folder and `dt-bindings` may be copied, and those have to be.

The files are made up: one or two for each architecture. `grep`, `find`, `sed` and the like are
evaluated on their names, and nothing is run.

## Why it matters

Below `include-prefixes` lie links to the device trees of every architecture, which are followed.
They took 50 MB of `/usr`, which has a fixed size on every machine that was ever installed, and no
module for amd64 is built with a device tree for MIPS.

## Example

`eclass/coreos-kernel.eclass`:

```bash
install_build_source() {
        {
                echo source/Makefile
                find source/include source/scripts -follow -print
        } | cpio -pd "${D}/usr/lib/modules/${KV_FULL}"
}
```

## Use instead

`eclass/coreos-kernel.eclass`:

```bash
install_build_source() {
        local arch others=()
        for arch in arc arm arm64 c6x h8300 microblaze mips nios2 openrisc powerpc sh xtensa; do
                [[ ${arch} == "$(tc-arch-kernel)" ]] || others+=( -e "include-prefixes/${arch}" )
        done
        {
                echo source/Makefile
                find source/include -follow -print
                find source/scripts -follow -print | grep -v -w "${others[@]}"
        } | cpio -pd "${D}/usr/lib/modules/${KV_FULL}"
}
```

## Options

- `eclass`: the eclass that installs the sources.
- `architectures`: what Flatcar is built for, in Portage's names.
- `prefixes`: the folders below `include-prefixes`, but for those in `kept`.
- `kept`: the folders that every architecture needs.

## Limits

Links count as what they lead to. A list that is kept in a file in between is not followed.

Up to Linux 6.5, `make modules_install` leaves a link `source` in the image, which a list of the
architectures can be made from. With a later kernel there is no such link, and that list is empty.

## References

- flatcar/coreos-overlay, commit 849e882d0299: "eclass: exclude unnecessary architectures from DTC
  in Kernel".
- flatcar/scripts, commit f1c8d36616ec: the link `source` is no longer generated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

from overlaylint.finding import NotApplicable, Outcome, Span, Undecided
from overlaylint.overlay.kernel_config import Release, release_of
from overlaylint.overlay.repository import Repository
from overlaylint.records import dataclass
from overlaylint.rule import Finding, Severity, rule
from overlaylint.tree import Kind

if TYPE_CHECKING:
    from overlaylint.overlay.ebuild import Ebuild
    from overlaylint.overlay.listing import FindCall, Listing
    from overlaylint.shell.state import State
    from overlaylint.shell.syntax import Function

_CATEGORY = "sys-kernel"
_WORK = "/workdir"
_PREFIXES = "scripts/dtc/include-prefixes"

# Where the kernel's sources are: linked into the build folder, and where they are installed.
_KERNEL = "/usr/src/linux"
_SOURCES = (f"{_WORK}/source", _KERNEL)

_RELEASE = "6.0.0-flatcar"
_IMAGE = f"/image/usr/lib/modules/{_RELEASE}"

# The first kernel whose modules_install leaves no link `source`.
_WITHOUT_LINK: Release = (6, 6)

_KERNEL_ARCH = {
    "amd64": "x86", "x86": "x86", "arm64": "arm64", "arm": "arm", "ppc": "powerpc",
    "ppc64": "powerpc", "mips": "mips", "riscv": "riscv", "loong": "loongarch", "s390": "s390",
}  # fmt: skip
_HOST = {"amd64": "x86_64-cros-linux-gnu", "arm64": "aarch64-cros-linux-gnu"}

_PHASES = (
    "src_unpack", "src_prepare", "src_configure", "src_compile", "src_install", "pkg_preinst",
)  # fmt: skip

# How many files are made up for each prefix.
_FILES_OF_EACH = 2

# More USE flags than these are not looked at in all their combinations.
_MOST_FLAGS = 3


@dataclass(frozen=True, slots=True)
class Options:
    """Which eclass installs the sources, for what, and what there is below include-prefixes."""

    eclass: str = "coreos-kernel"
    architectures: tuple[str, ...] = ("amd64", "arm64")
    prefixes: tuple[str, ...] = (
        "arc",
        "arm",
        "arm64",
        "c6x",
        "h8300",
        "microblaze",
        "mips",
        "nios2",
        "openrisc",
        "powerpc",
        "sh",
        "xtensa",
    )
    kept: tuple[str, ...] = ("dt-bindings",)


@rule(
    severity=Severity.ERROR,
    files=("eclass/*", f"{_CATEGORY}/*"),
    decided_in="849e882d0299",
)
def foreign_dtc_sources(repository: Repository, options: Options) -> Iterator[Outcome]:
    path = f"eclass/{options.eclass}.eclass"
    if repository.tree.kind(path) is not Kind.FILE:
        yield NotApplicable(f"there is no {path}")
        return
    faults: dict[tuple[str, Span, str], _Fault] = {}
    doubts: dict[Undecided, None] = {}
    is_listed = False
    for script in _scripts(repository, path, options):
        if script.path == path and is_listed:
            # What is run in a build is known; what is not does no harm.
            break
        for arch in options.architectures:
            for outcome in _outcomes(repository, script, arch, options):
                is_listed = True
                if isinstance(outcome, Undecided):
                    doubts[outcome] = None
                elif outcome is not None:
                    known = faults.setdefault((outcome.kind, outcome.span, outcome.why), outcome)
                    known.names.setdefault(arch, outcome.names[arch])
    if not is_listed:
        yield NotApplicable(f"nothing that {path} is for lists source/scripts with find")
    yield from doubts
    for fault in faults.values():
        yield fault.finding()


# --- what is run ---


@dataclass(frozen=True, slots=True)
class _Script:
    """Functions to be called one after another on a state, for a kernel if it is known which."""

    path: str
    state: State
    entries: tuple[tuple[str, Function], ...]
    eapi: str
    release: Release | None


def _scripts(repository: Repository, path: str, options: Options) -> Iterator[_Script]:
    """Yield the phases of each ebuild that inherits the eclass, else the eclass's functions."""
    from overlaylint.overlay.own_code import (
        called_from,
        masters_functions,
        own_evaluation,
        own_functions,
        tokens,
    )
    from overlaylint.overlay.trace import ScriptTracer
    from overlaylint.shell.syntax import Function

    if b"find" not in repository.tree.read(path) and not any(
        b"find" in ebuild.read() for ebuild in _ebuilds(repository, options)
    ):
        return
    called: set[str] = set()
    for ebuild in _ebuilds(repository, options):
        evaluation = own_evaluation(ebuild)
        if options.eclass not in evaluation.inherited or evaluation.failure is not None:
            continue
        state = evaluation.state.copy()
        own = own_functions(ebuild, evaluation)
        # What a master knows of the folders is a filter that has to be followed.
        words = frozenset({_PREFIXES.rpartition("/")[2]})
        state.functions = {**masters_functions(ebuild, words), **own}
        entries = tuple((name, own[name]) for name in _PHASES if name in own)
        called |= called_from(own, (name for name, _ in entries))
        yield _Script(ebuild.source_path, state, entries, evaluation.eapi, release_of(ebuild.PV))
    tracer = ScriptTracer(repository, path)
    functions = {
        name: function
        for name, function in tracer.functions.items()
        if isinstance(function, Function)
    }
    roots = [
        name
        for name in functions
        if name not in called
        and not any(name in tokens(one) for other, one in functions.items() if other != name)
    ]
    for name in roots:
        yield _Script(path, tracer.state, ((name, functions[name]),), "7", None)


def _ebuilds(repository: Repository, options: Options) -> Iterator[Ebuild]:
    for entry in repository.entries(_CATEGORY):
        package = repository.package(f"{_CATEGORY}/{entry.name}")
        for ebuild in package.ebuilds if package is not None else ():
            if options.eclass.encode() in ebuild.read() and not ebuild.is_built_as_links_only:
                yield ebuild


# --- what is copied ---


def _outcomes(
    repository: Repository, script: _Script, arch: str, options: Options
) -> Iterator[_Fault | Undecided | None]:
    """Yield what is wrong for one architecture; None where the list is right."""
    has_link = script.release is None or script.release < _WITHOUT_LINK
    listing = _listing(script, arch, {}, options, has_link=has_link)
    flags = sorted(listing.flags - {arch})[:_MOST_FLAGS]
    listings = [listing]
    for states in product((False, True), repeat=len(flags)):
        if any(states):
            use = dict(zip(flags, states, strict=True))
            listings.append(_listing(script, arch, use, options, has_link=has_link))
    outcomes: list[_Fault | Undecided] = []
    is_listed = False
    for one in listings:
        if any(map(_covers, one.finds)):
            is_listed = True
            outcomes += _judged(repository, one, arch, options)
    if not is_listed:
        return
    if not has_link and any(isinstance(one, _Fault) for one in outcomes):
        # Is it only the link that the list is made of?
        other = _listing(script, arch, {}, options, has_link=True)
        if not any(_judged(repository, other, arch, options)):
            version = ".".join(map(str, script.release or ()))
            why = f"Linux {version} installs no link `source` to list them by"
            outcomes = [
                replace(one, why=why) if isinstance(one, _Fault) else one for one in outcomes
            ]
    yield from outcomes
    if not outcomes:
        yield None


def _covers(call: FindCall) -> bool:
    """Whether a call of find lists the prefixes, or a folder of the sources that they are in."""
    for root in _SOURCES:
        wanted = f"{root}/{_PREFIXES}"
        if any(path == wanted or path.startswith(f"{wanted}/") for path in call.named):
            return True
        if not call.named and not call.is_unknown:
            continue
        for start in call.starts:
            is_above = wanted == start or wanted.startswith(f"{start.rstrip('/')}/")
            if start.startswith(f"{root}/scripts") and (is_above or start.startswith(wanted)):
                return True
    return False


def _listing(
    script: _Script, arch: str, use: Mapping[str, bool], options: Options, *, has_link: bool
) -> Listing:
    from overlaylint.overlay.listing import Lister

    kernel = _KERNEL_ARCH.get(arch, arch)
    image = "/image/" if script.eapi in "0123456" else "/image"
    variables = {
        "D": image, "ED": image, "WORKDIR": _WORK, "T": "/temp", "FILESDIR": "/files",
        "ROOT": "/", "SYSROOT": "/", "ESYSROOT": "/", "EPREFIX": "", "ARCH": arch,
        "CHOST": _HOST.get(arch, arch), "CBUILD": _HOST["amd64"], "KV_FULL": _RELEASE,
        "KV_DIR": _KERNEL, "KERNEL_DIR": _KERNEL, "KV_OUT_DIR": f"{_WORK}/build",
    }  # fmt: skip
    outputs = {
        "tc-arch-kernel": kernel, "tc-arch": arch, "tc-ninja_magic_to_arch": "x86",
        "get_libdir": "lib64", "uname": _RELEASE, "gcc-specs-pie": "",
        # What is asked of make in a substitution is which release it is.
        "emake": _RELEASE,
    }  # fmt: skip
    roots = [*_SOURCES, f"{_IMAGE}/source"] if has_link else list(_SOURCES)
    files = [f"{root}/{path}" for root in roots for path in _files(options, kernel)]
    files += [f"{_WORK}/build/{name}" for name in ("Makefile", ".config", "scripts/mod/modpost")]
    # The architecture's own flag is on, and no other's.
    assumed = {**dict.fromkeys((*_KERNEL_ARCH, *options.prefixes), False), arch: True, **use}
    lister = Lister(
        script.state, files, variables, outputs, assumed, script.eapi, _IMAGE, (f"/{_PREFIXES}",)
    )
    for name, function in script.entries:
        lister.run(name, function)
    return lister.listing


def _files(options: Options, kernel: str) -> Iterator[str]:
    """Yield the kernel's source files, as far as they matter: paths below its root."""
    yield from ("Makefile", "include/linux/module.h", "scripts/mod/modpost.c", "scripts/dtc/dtc.c")
    for name in ("Makefile", "Kbuild.platforms", "include/asm/page.h", "scripts/a", "boot/x.S"):
        yield f"arch/{kernel}/{name}"
    for name in (*options.prefixes, *options.kept):
        yield f"{_PREFIXES}/{name}/board.dtsi"
        # Vendors, and architectures once more, have folders there.
        yield f"{_PREFIXES}/{name}/arm/soc.dtsi"


# --- what is wrong ---


@dataclass(frozen=True, slots=True)
class _Fault:
    """What is copied that should not be, or not copied that should be: by architecture."""

    kind: str
    span: Span
    names: dict[str, list[str]]
    why: str = ""

    def finding(self) -> Finding:
        arches = list(self.names)
        first, *others = self.names.values()
        shared = [name for name in first if all(name in one for one in others)]
        every = dict.fromkeys(name for one in self.names.values() for name in one)
        names = _joined(shared or list(every))
        if self.kind == "foreign":
            message = f"on {_joined(arches)} the device-tree sources of {names} are copied"
            help_ = (
                "take include-prefixes/<arch> out of the list for every architecture but the one"
                " that is built for"
            )
        else:
            verb = "is" if len(shared or every) == 1 else "are"
            message = f"on {_joined(arches)} include-prefixes/{names} {verb} not copied as a whole"
            help_ = "let the filter match the names of other architectures exactly, nothing else"
        return Finding(self.span, f"{message}: {self.why}" if self.why else message, help_)


def _judged(
    repository: Repository, listing: Listing, arch: str, options: Options
) -> Iterator[_Fault | Undecided]:
    kernel = _KERNEL_ARCH.get(arch, arch)
    calls = [call for call in listing.finds if _covers(call)]
    span = _span(repository, calls[0].place)
    if listing.doubts:
        reason, place = listing.doubts[0]
        where = _span(repository, place)
        reason = f"it is unknown what is copied for {arch}: {reason}"
        yield Undecided(span if where.repository or not where.path else where, reason)
        return
    if not any(path in call.named for call in calls for path in listing.copied):
        # Something else takes it, in a file or by a program that is not known.
        yield Undecided(span, f"it is unknown what becomes of this list for {arch}")
        return
    by_name: dict[str, list[str]] = {}
    for path in listing.copied:
        _, inside, rest = path.partition(f"/{_PREFIXES}/")
        if inside:
            by_name.setdefault(rest.partition("/")[0], []).append(path)
    foreign = [name for name in options.prefixes if name != kernel and name in by_name]
    if foreign:
        first = by_name[foreign[0]][0]
        place = next((one.place for one in calls if first in one.named), calls[0].place)
        yield _Fault("foreign", _span(repository, place), {arch: foreign})
    needed = [*options.kept, *(name for name in options.prefixes if name == kernel)]
    lost = [name for name in needed if len({*by_name.get(name, ())}) < _FILES_OF_EACH]
    if lost:
        yield _Fault("lost", span, {arch: lost})


def _joined(names: list[str]) -> str:
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]


def _span(repository: Repository, place: tuple[object, int, int]) -> Span:
    from overlaylint.overlay.evaluation import span_of
    from overlaylint.shell.syntax import Source

    source, start, end = place
    return span_of(repository, source if isinstance(source, Source) else None, start, end)
