"""Results to make reports of, without a run that finds them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from hypothesis import strategies as st
from support import HELLO, overlay

from overlaylint.engine.packs import load_catalog
from overlaylint.engine.result import Result, Skipped, Sources, Suppressed
from overlaylint.finding import Edit, Finding, Fix, Related, Severity, Span, Undecided
from overlaylint.overlay.masters import find_repositories
from overlaylint.overlay.repository import Repository
from overlaylint.rule import Rule
from overlaylint.tree.base import Kind, Listing, Node, StoredTree

#: `é` is two bytes and a character; the hand is four bytes, a character, and two UTF-16 units.
LINE = "DESCRIPTION='é👋 x'"
SCRIPT = f"EAPI=7\n{LINE}\nSLOT=0\n"
X = SCRIPT.encode().index(b"x'")


@cache
def all_rules() -> tuple[Rule, ...]:
    """Return every rule there is."""
    return tuple(load_catalog().rules.values())


def result_of(root: Path, *findings: Finding, **more: object) -> Result:
    """Return a result with these findings in the overlay at `root`."""
    more = {"rules": all_rules(), **more}
    sources = Sources(find_repositories(root).overlay)
    return Result(sources, root, files=1, findings=findings, **more)  # type: ignore[arg-type]


def at(start: int, end: int, message: str = "the message", **more: object) -> Finding:
    """Return a finding in HELLO."""
    more = {"rule": "parse-error", **more}
    return Finding(Span(HELLO, start, end), message, **more)  # type: ignore[arg-type]


def rich_result(folder: Path) -> Result:
    """Return a result that has one of everything, in an overlay below a git work tree."""
    (folder / ".git").mkdir(parents=True)
    root = overlay(
        folder / "third party",
        {HELLO: SCRIPT, "base::eclass/x.eclass": "one\ntwo\n"},
        {"app-misc/hello/hello-2.ebuild": "nowhere"},
    )
    span = Span(HELLO, X, X + 1)
    rich = Finding(
        span,
        "x is wrong: 100%, `[a](b)`",
        help="write y",
        related=(
            Related(Span(HELLO, 0, 4), "near"),
            Related(Span("eclass/x.eclass", 4, 7, "base"), "far"),
        ),
        fix=Fix.safe("write y", Edit(span, "y"), Edit(Span(HELLO, X - 1, X), "")),
        rule="parse-error",
    )
    link = Finding(
        Span("app-misc/hello/hello-2.ebuild"),
        "leads nowhere",
        rule="dangling-link",
        severity=Severity.WARNING,
    )
    lines = at(0, SCRIPT.encode().index(b"SLOT"), "two lines", severity=Severity.NOTICE)
    suppressed = at(0, 4, "let be")
    return result_of(
        root,
        link,
        lines,
        rich,
        suppressed=(Suppressed(suppressed, Span(HELLO, 7, 18), "a test [needs](it)"),),
        undecided=(Undecided(span, "who knows", "nul-byte"),),
        skipped=(Skipped("not-utf-8", "no masters"),),
        missing_masters={"gone": "not there"},
    )


# Anything at all, for properties


class MemoryTree(StoredTree):
    """Files in memory, whose names may be anything that a file system takes."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        super().__init__()
        self.files = files

    @property
    def name(self) -> str:
        """Return what the tree is called."""
        return "memory"

    def list_stored(self, folder: str) -> Listing:
        """Return the names in a folder."""
        prefix = f"{folder}/" if folder else ""
        found = {}
        for path in self.files:
            if path.startswith(prefix):
                name, slash, _ = path[len(prefix) :].partition("/")
                found[name] = Node(Kind.FOLDER if slash else Kind.FILE)
        return found

    def load_stored(self, path: str) -> bytes:
        """Return the content of a file."""
        return self.files[path]


HOSTILE = (
    "\n::add-mask::x",
    "##[error]x",
    "\x1b[31mred\x1b]0;title\x07",
    "<![CDATA[ ]]> &lt; \"'",
    "[click](https://example.org)",
    "\u202etxt.exe\u2066",
    "\ufffe\uffff\ud800\udcff",
    "%0A%3A,:%",
    "{0} ${D}",
    "\r\u2028\x85\x00",
)
ANY_TEXT = st.one_of(
    st.text(st.characters(exclude_categories=()), max_size=40),
    st.binary(max_size=40).map(os.fsdecode),
    st.sampled_from(HOSTILE),
    st.text(max_size=5).map(lambda text: text * 400),
)
_NAMES = (
    st.one_of(
        st.binary(min_size=1, max_size=12).map(
            lambda data: data.decode("utf-8", "surrogateescape")
        ),
        st.sampled_from(HOSTILE),
    )
    .map(lambda name: name.replace("/", "_").replace("\0", "_").replace("\ud800", "_"))
    .filter(lambda name: name not in ("", ".", ".."))
)


@st.composite
def any_result(draw: st.DrawFn) -> Result:
    """Draw a result whose paths, contents, places and texts may be anything."""
    path = f"app-misc/{draw(_NAMES)}/{draw(_NAMES)}"
    data = draw(st.binary(max_size=60))
    offsets = st.integers(0, len(data) + 3)
    repository = Repository(MemoryTree({"profiles/repo_name": b"memory\n", path: data}))

    def span() -> Span:
        start = draw(offsets)
        return Span(path, start, max(start, draw(offsets)))

    def finding() -> Finding:
        edits = [Edit(span(), draw(ANY_TEXT)) for _ in range(draw(st.integers(0, 2)))]
        return Finding(
            span(),
            draw(ANY_TEXT),
            help=draw(ANY_TEXT),
            related=tuple(Related(span(), draw(ANY_TEXT)) for _ in range(draw(st.integers(0, 1)))),
            fix=Fix(draw(ANY_TEXT), tuple(edits), draw(st.booleans())) if edits else None,
            rule=draw(st.sampled_from(["parse-error", "nul-byte"])),
            severity=draw(st.sampled_from(list(Severity))),
        )

    findings = sorted({finding() for _ in range(draw(st.integers(0, 4)))}, key=Finding.order)
    return Result(
        Sources(repository),
        None,
        rules=all_rules(),
        files=1,
        findings=tuple(findings[1:]),
        suppressed=tuple(Suppressed(one, span(), draw(ANY_TEXT)) for one in findings[:1]),
        undecided=(Undecided(span(), draw(ANY_TEXT), "nul-byte"),),
        skipped=(Skipped("not-utf-8", draw(ANY_TEXT)),),
    )
