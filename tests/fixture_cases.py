"""Cases written as Markdown: fixtures/README.md says how."""

from __future__ import annotations

import re
from codecs import decode
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

_FENCE = re.compile(r"^(?P<fence>```+) *(?P<words>.*)$")
_FILE = re.compile(r"^`(?P<path>[^`]+)`(?P<fixed>, fixed)?:$")
_LINK = re.compile(r"^`(?P<path>[^`]+) -> (?P<target>[^`]+)`(?: # (?P<mark>.+))?$")
_FOLDER = re.compile(r"^`(?P<path>[^`]+)/`(?: # (?P<mark>.+))?$")
_OUTCOME = re.compile(r"^(?P<kind>undecided|not applicable): (?P<reason>.+)$")
_MARK = re.compile(
    r"[ \t]*# (?P<severity>error|warning|notice): \[(?P<rule>[a-z0-9-]+)\](?P<text>.*)$"
)


class FixtureError(Exception):
    """A fixture file is not written as fixtures/README.md says."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A finding that a case marks: `text` is part of its message."""

    path: str
    line: int
    severity: str
    rule: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One overlay, and what a rule must say of it.

    Paths of a master's files have the master's name and `::` before them. `context` are
    files that the document gives before its first case.
    """

    name: str
    line: int
    files: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    fixed: dict[str, bytes] = field(default_factory=dict)
    findings: tuple[Expected, ...] = ()
    undecided: tuple[str, ...] = ()
    not_applicable: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is given: a heading with prose alone."""
        return not (self.files or self.links or self.folders)


def read_cases(path: Path) -> list[Case]:
    """Return the cases of a document, in order. Raises FixtureError with the line."""
    return list(parse_cases(path.read_text("utf-8"), str(path)))


def parse_cases(text: str, name: str) -> Iterator[Case]:
    """Yield the cases in the text of a document; `name` is for messages."""
    context: Case | None = None
    case = Case("", 1)
    for heading, line, lines in _sections(text):
        base = case if context is None else context
        case = replace(
            base,
            name=heading,
            line=line,
            files=dict(base.files),
            links=dict(base.links),
            fixed={},
        )
        case = _fill(case, lines, line, name)
        if context is None:
            context = case
            if case.fixed or case.findings or case.undecided or case.not_applicable:
                raise FixtureError(f"{name}: what is before the first case is context only")
        else:
            yield case


def _sections(text: str) -> Iterator[tuple[str, int, list[str]]]:
    """Yield each `##` heading with its line and the lines under it; first what is above."""
    heading, start, lines, fence = "", 1, list[str](), ""
    for number, line in enumerate(text.splitlines(), 1):
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark["fence"]
        elif fence and line.strip() == fence:
            fence = ""
        if line.startswith("## ") and not fence:
            yield heading, start, lines
            heading, start, lines = line[3:].strip(), number, []
        else:
            lines.append(line)
    yield heading, start, lines


def _fill(case: Case, lines: list[str], start: int, name: str) -> Case:
    findings: list[Expected] = []
    undecided: list[str] = []
    not_applicable: list[str] = []
    folders = list(case.folders)
    waiting: re.Match[str] | None = None
    block: list[str] | None = None
    fence = ""
    words: list[str] = []
    for number, line in enumerate(lines, start + 1):
        if block is not None:
            if line.strip() != fence:
                block.append(line)
                continue
            assert waiting is not None
            path = waiting["path"]
            content, marked = _content(block, words, path)
            if waiting["fixed"]:
                case.fixed[path] = content
            else:
                case.files[path] = content
                findings += marked
            waiting = block = None
            continue
        mark = _FENCE.match(line)
        if mark:
            if waiting is None:
                raise FixtureError(
                    f"{name}:{number}: no line above the block says which file it is"
                )
            block, fence, words = [], mark["fence"], mark["words"].split()
            continue
        file = _FILE.match(line)
        if file or line.strip():
            if waiting is not None:
                raise FixtureError(f"{name}:{number}: a block must follow {waiting['path']}")
            waiting = file
        link, folder = _LINK.match(line), _FOLDER.match(line)
        if link:
            case.links[link["path"]] = link["target"]
        elif folder:
            folders.append(folder["path"])
        named = link or folder
        if named and named["mark"]:
            findings.append(_expected(f"# {named['mark']}", named["path"], 1, f"{name}:{number}"))
        if outcome := _OUTCOME.match(line):
            kept = undecided if outcome["kind"] == "undecided" else not_applicable
            kept.append(outcome["reason"])
    if waiting is not None or block is not None:
        raise FixtureError(f"{name}:{start}: the last block is not there, or not closed")
    return replace(
        case,
        folders=tuple(folders),
        findings=tuple(findings),
        undecided=tuple(undecided),
        not_applicable=tuple(not_applicable),
    )


def _content(block: list[str], words: list[str], path: str) -> tuple[bytes, list[Expected]]:
    """Return the file without its marks, and what they expect."""
    kept: list[str] = []
    findings = []
    for line in block:
        mark = _MARK.search(line)
        if mark is None:
            kept.append(line)
            continue
        findings.append(_expected(mark.group().strip(), path, len(kept) + 1, path))
        if line[: mark.start()].strip():
            kept.append(line[: mark.start()])
    text = "".join(f"{line}\n" for line in kept)
    if "escaped" in words:
        return decode(text.encode("latin-1", "backslashreplace"), "unicode_escape").encode(
            "latin-1"
        ), findings
    if "no-newline" in words:
        text = text.removesuffix("\n")
    return text.encode(), findings


def _expected(text: str, path: str, line: int, where: str) -> Expected:
    mark = _MARK.fullmatch(text)
    if mark is None:
        raise FixtureError(f"{where}: this is no mark: {text}")
    return Expected(path, line, mark["severity"], mark["rule"], mark["text"].strip())


def write_overlay(case: Case, folder: Path, name: str) -> Path:
    """Write a case's overlay, called `name`, and its masters below `folder`; return its root.

    What every repository needs, and the case does not give, is added: profiles/repo_name,
    profiles/categories, and a metadata/layout.conf that names the masters of the case.
    """
    repositories: dict[str, dict[str, bytes]] = {"": {}}
    for path, content in case.files.items():
        master, _, rest = path.rpartition("::")
        repositories.setdefault(master, {})[rest] = content
    masters = " ".join(one for one in repositories if one)
    for master, files in repositories.items():
        called = master or name
        root = folder / called
        links = _of(master, case.links)
        given = {**files, **dict.fromkeys(links, b"")}
        categories = sorted({path.split("/")[0] for path in given if path.count("/") >= 2})
        no_categories = {"eclass", "profiles", "metadata", "licenses", "coreos"}
        defaults = {
            "profiles/repo_name": f"{called}\n",
            "profiles/categories": "".join(
                f"{one}\n" for one in categories if one not in no_categories
            ),
            "metadata/layout.conf": f"masters ={'' if master else f' {masters}'}\n",
        }
        for path, text in defaults.items():
            files.setdefault(path, text.encode())
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
        for path, target in links.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).symlink_to(target)
        if not master:
            for path in case.folders:
                (root / path).mkdir(parents=True, exist_ok=True)
    return folder / name


def _of(master: str, paths: dict[str, str]) -> dict[str, str]:
    found = {}
    for path, value in paths.items():
        name, _, rest = path.rpartition("::")
        if name == master:
            found[rest] = value
    return found
