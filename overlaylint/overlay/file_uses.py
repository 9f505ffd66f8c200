"""Where an ebuild uses the files that it brings along: each word that is a path in FILESDIR.

Read off the calls of its phases, and off the lists of files that a master's eclass or Portage
itself reads by name (PATCHES, UNIPATCH_LIST, DOCS).
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from itertools import chain, product

from overlaylint.finding import Span
from overlaylint.overlay.assignments import assignments
from overlaylint.overlay.commands import is_fatal
from overlaylint.overlay.ebuild import Ebuild
from overlaylint.overlay.evaluation import span_of
from overlaylint.overlay.filesdir import FILESDIR, FilesDir, names_filesdir
from overlaylint.overlay.gaps import ANYTHING, PART_OF_A_NAME, with_gaps
from overlaylint.overlay.hooks import env_hooks
from overlaylint.overlay.own_code import (
    called_from,
    leading_to,
    own_functions,
    own_traces,
    tokens,
    without_comments,
)
from overlaylint.overlay.trace import ORDER, Trace
from overlaylint.records import dataclass, once_each
from overlaylint.shell.calls import Call, Failing
from overlaylint.shell.conditions import Check, UseFlag, holds
from overlaylint.shell.effects import assigned_names
from overlaylint.shell.syntax import Function, Source
from overlaylint.shell.values import Mixed, Unknown, Value, join, pieces_of

# These say something, test or remove something, or only name it: no file has to be there.
_NO_USES = frozenset(
    {
        "[", "test", "echo", "printf", "einfo", "einfon", "elog", "ewarn", "eerror", "eqawarn",
        "ebegin", "eend", "die", "debug-print", "rm", "rmdir", "mkdir", "touch", "basename",
        "dirname", "export", "local", "declare", "readonly", "typeset", "unset", "eval", ":",
        "addread", "addwrite", "addpredict", "adddeny", "has", "return", "find", "true", "false",
        "nonfatal", "ls", "stat",
    }
)  # fmt: skip

# These fail for a file that is not there.
_TELLING = frozenset({"ls", "stat"})

# Their first word is a pattern, unless an option gives one.
_WITH_PATTERN = frozenset({"grep", "egrep", "fgrep", "zgrep", "rg"})
_GIVES_PATTERN = re.compile(r"-(?:-regexp|-file)\b.*|-[A-Za-z]*[ef].*")

# Their last word is where to write.
_WITH_DESTINATION = frozenset({"cp", "mv", "install", "ln", "rsync"})

# The lists that a phase reads where nothing is defined for it (PMS 9.1, 12.3.13).
_BY_DEFAULT = {"PATCHES": "src_prepare", "DOCS": "src_install", "HTML_DOCS": "src_install"}

# What may stand before a path in one word: an option, or the name of a variable.
_BEFORE = re.compile(r"(?:-{1,2}[A-Za-z][\w-]*=?|[A-Za-z_]\w*=|@|file://)?")

# Where a path in a longer word ends; the name of a file may have all of these but a blank.
_END = re.compile(r"[\s:;,|<>'\"()&]")
_BLANK = re.compile(r"\s")

_EXPANDED = re.compile(r"\$\{?[#!]?([A-Za-z_]\w*)")
_BARE = re.compile(r"(?<![\w${#!.-])[A-Za-z_]\w*")

# More ways to put a name together than these are not looked at one by one.
_MOST_WAYS = 64


@dataclass(frozen=True, slots=True)
class FileUse:
    """A path in FILESDIR that a phase uses.

    `path` starts with the symbol for FILESDIR. `is_certain` is false where the word may be put
    aside again. `place` is the narrowest place in the ebuild (or a hook) that is known: a call, or
    an assignment; where there is none, a place in an eclass, or one that lies in no file. `used_at`
    is where an eclass uses what the ebuild calls it for.
    """

    path: Mixed
    phase: str
    place: Span
    variable: str = ""
    is_certain: bool = True
    used_at: Span | None = None


@dataclass(frozen=True, slots=True)
class LostPhase:
    """A phase, or a function that is called back, that may use files which nobody can tell."""

    phase: str
    reason: str


def file_uses(ebuild: Ebuild) -> Iterator[FileUse | LostPhase]:
    """Yield what an ebuild uses of FILESDIR, each path once for each place."""
    if not may_use_files(ebuild):
        return
    files = FilesDir(ebuild)
    functions = {
        name: function
        for name, function in ebuild.evaluation.functions.items()
        if isinstance(function, Function)
    }
    lists = _lists(ebuild)
    wanted = _reaching(functions, frozenset({FILESDIR, *lists}))
    wanted |= {phase for name, phase in _BY_DEFAULT.items() if name in lists} - functions.keys()
    own = own_functions(ebuild)
    masters = {name: function for name, function in functions.items() if name not in own}
    follow = {name: masters[name] for name in _reaching(masters, frozenset({FILESDIR}))}
    wanted |= _setting(functions, wanted)
    for variables in _environments(ebuild, [functions[name] for name in wanted & functions.keys()]):
        traces = tuple(own_traces(ebuild, follow=follow, wanted=wanted, variables=variables))
        seen: set[Value] = set()
        for trace in traces:
            if trace.unknown is not None and trace.is_defined:
                yield LostPhase(trace.phase, trace.unknown.reason)
            ending = {call.place for call in trace if call.failing is Failing.ENDS}
            for call, place in _placed(trace):
                counts = _counts(files, call, masters, ending)
                for word in _words_of(call):
                    for path in _paths(files, word):
                        seen.add(path)
                        if counts is not False:
                            used_at = None if place == trace.span(call) else trace.span(call)
                            certain = bool(counts)
                            yield FileUse(path, trace.phase, place, "", certain, used_at)
        yield from _listed(ebuild, files, masters, traces, seen)


def _environments(ebuild: Ebuild, functions: Iterable[Function]) -> Iterator[Mapping[str, str]]:
    """Yield ARCH as the profiles have it for which the ebuild has keywords, if it matters."""
    if not any("ARCH" in tokens(function) for function in functions):
        yield {}
        return
    arches = {
        variable.text
        for profile in ebuild.repository.profiles
        if not profile.problems and (variable := profile.variable("ARCH")) is not None
    }
    keywords = ebuild.variable("KEYWORDS")
    words = {word.lstrip("~") for word in ((keywords and keywords.text) or "").split()}
    for arch in sorted(arches & words or arches) or [""]:
        yield {"ARCH": arch} if arch else {}


def may_use_files(ebuild: Ebuild) -> bool:
    """Whether the ebuild, or what it inherits, names FILESDIR: a quick look, to be confirmed."""
    name = FILESDIR.encode()
    if name in ebuild.read():
        return True
    eclasses = ebuild.known_eclasses
    for eclass in ebuild.evaluation.inherited if eclasses is None else eclasses:
        found = ebuild.repository.eclass(eclass)
        if found is not None and name in found[0].tree.read(found[1]):
            return True
    overlay = ebuild.repository
    return any(name in overlay.tree.read(hook) for hook in env_hooks(overlay, ebuild))


def _placed(trace: Trace) -> Iterator[tuple[Call, Span]]:
    """Yield calls with the place in the ebuild's own text where each is made, be it indirectly.

    That is the call itself, or else the call of the eclass's function that leads to it; where the
    ebuild calls none, it is the call's own place.
    """
    eclasses = frozenset(trace.ebuild.repository.eclasses.values())
    entered: dict[tuple[str, ...], Span] = {}
    for call in trace:
        place = trace.span(call)
        is_own = not place.repository and place.path not in eclasses
        if call.is_function:
            inside = (*call.stack, str(call.name))
            entered.pop(inside, None)
            if is_own:
                entered[inside] = place
        if not is_own:
            # The functions that it is called through, innermost first.
            outer = (entered.get(call.stack[:end]) for end in range(len(call.stack), 0, -1))
            place = next((one for one in outer if one is not None), place)
        yield call, place


def _counts(
    files: FilesDir,
    call: Call,
    masters: Mapping[str, Function],
    ending: Container[tuple[Source, int, int]],
) -> bool | None:
    """Whether a build goes wrong where a call finds no file; None where that can't be told.

    It does not where the call's failure is tested and something else is done then, nor where the
    call is what is done should the use of another file fail, which does not. What comes after a
    call at one of the places `ending` counts as if that did not fail: it is a fault of its own.
    """

    def decide(leaf: UseFlag | Check) -> bool | None:
        if not isinstance(leaf, Check):
            return None
        finds = _finds(files, leaf.words)
        is_fault = not finds and leaf.source and leaf.source.place(leaf.start, leaf.end) in ending
        return None if is_fault else finds

    if any(holds(guard, decide) is False for guard in call.guards):
        return False
    if call.failing in (Failing.UNASKED, Failing.ENDS) or is_fatal(
        call, files.ebuild.evaluation.eapi
    ):
        return True
    if call.failing is Failing.IGNORED or call.name not in masters:
        return False
    # An eclass's function may end the build by itself, as `epatch` does.
    return None


def _finds(files: FilesDir, words: tuple[Value, ...]) -> bool | None:
    """Whether a command finds the files that it is given, and so is taken to succeed."""
    name, *arguments = words
    if not isinstance(name, str) or (name in _NO_USES and name not in _TELLING):
        return None
    paths = [path for word in arguments for path in _paths(files, word)]
    answers = {files.test("-e", path) for path in paths}
    return False if False in answers else True if answers == {True} else None


# --- words ---


def _words_of(call: Call) -> Iterator[Value]:
    """Yield the words of a call that may name a file to be read."""
    for redirect in call.redirections:
        if redirect.operator == "<":
            yield redirect.target
    name = call.name if isinstance(call.name, str) else ""
    if name in _NO_USES or call.is_function:
        return
    if not name:
        yield call.name
    for _, value in call.environment:
        yield value
    arguments = call.arguments
    if name in _WITH_DESTINATION and len(arguments) > 1 and "-t" not in arguments:
        arguments = arguments[:-1]
    if name in _WITH_PATTERN:
        arguments = _without_pattern(arguments)
    yield from arguments


def _without_pattern(arguments: tuple[Value, ...]) -> tuple[Value, ...]:
    """Return the words of `grep` without the first one that is no option, if that is a pattern."""
    texts = [word if isinstance(word, str) else word.head for word in arguments]
    if any(map(_GIVES_PATTERN.fullmatch, texts)):
        return arguments
    at = next((at for at, text in enumerate(texts) if not text.startswith("-")), len(texts))
    return (*arguments[:at], *arguments[at + 1 :])


def _paths(files: FilesDir, word: Value) -> Iterator[Mixed]:
    """Yield the paths in FILESDIR that stand in a word, in each way that it may come to."""
    if isinstance(word, str) or not names_filesdir(word):
        return
    if files.test("-e", word):
        yield word
        return
    for one in _ways(word):
        pieces = pieces_of(one)
        for index, piece in enumerate(pieces):
            if isinstance(piece, Unknown) and piece.symbol == FILESDIR:
                path = _path(pieces, index)
                if path is not None:
                    yield path


def _ways(word: Mixed) -> Iterator[Value]:
    """Yield a word with each choice of what it may be, where there are only a few."""
    ways = [
        tuple(text for _, text in part.choices)
        if isinstance(part, Unknown) and part.choices
        else (part,)
        for part in word.parts
    ]
    count = 1
    for way in ways:
        count *= len(way)
    if count > _MOST_WAYS:
        yield word
        return
    for pieces in product(*ways):
        yield join(pieces)


def _path(pieces: tuple[str | Unknown, ...], index: int) -> Mixed | None:
    """Return the path that starts at a piece; None if it is no path, or part of a script."""
    before = pieces[index - 1] if index else ""
    # A word may be a list that is no array, or a line of sed's: what counts is the last blank.
    if not isinstance(before, str) or not _BEFORE.fullmatch(re.split(r"\s", before)[-1]):
        return None
    path: list[str | Unknown] = [pieces[index]]
    ending = _END if before or len(pieces) > 2 else _BLANK
    for piece in pieces[index + 1 :]:
        if isinstance(piece, str):
            end = ending.search(piece)
            path.append(piece if end is None else piece[: end.start()])
            if end is not None:
                break
        elif piece.symbol == FILESDIR:
            break
        else:
            path.append(piece)
    found = join(path)
    assert isinstance(found, Mixed)
    following = found.parts[1] if len(found.parts) > 1 else "/"
    if isinstance(following, str) and not following.startswith("/"):
        return None
    return found


# --- lists that are read by name ---


def _listed(
    ebuild: Ebuild,
    files: FilesDir,
    masters: Mapping[str, Function],
    traces: tuple[Trace, ...],
    seen: set[Value],
) -> Iterator[FileUse]:
    """Yield the paths that variables hold and no call shows, where something reads them."""
    read = _names_read(ebuild, masters, traces)
    for name, variable in ebuild.evaluation.state.scopes[0].items():
        value = variable.value
        if name not in read or value is None:
            continue
        values = value.values() if isinstance(value, dict) else (value,)
        place = span_of(ebuild.repository, variable.source, variable.start, variable.end)
        for word in values:
            for path in _paths(files, word):
                if path not in seen:
                    seen.add(path)
                    yield FileUse(path, read[name], place, name)
    for trace in traces:
        has_lost = any(
            isinstance(word, Mixed) and word.is_many and not names_filesdir(word)
            for call in trace
            for word in call.arguments
        )
        for given in trace.given:
            applies = given.name in read or (given.name == "PATCHES" and has_lost)
            if not applies and not (has_lost and given.is_list):
                continue
            for word in given.words:
                for path in _paths(files, word):
                    if path in seen:
                        continue
                    seen.add(path)
                    place = span_of(ebuild.repository, given.source, given.start, given.end)
                    yield FileUse(path, trace.phase, place, given.name, applies)


def _lists(ebuild: Ebuild) -> frozenset[str]:
    """Return the variables that hold paths in FILESDIR after global scope."""
    return frozenset(
        name
        for name, variable in ebuild.evaluation.state.scopes[0].items()
        if _holds_path(variable.value)
    )


def _holds_path(value: object) -> bool:
    values = value.values() if isinstance(value, dict) else (value,)
    return any(isinstance(one, Mixed) and names_filesdir(one) for one in values)


def _names_read(
    ebuild: Ebuild, masters: Mapping[str, Function], traces: tuple[Trace, ...]
) -> Mapping[str, str]:
    """Return the variables with paths in FILESDIR that a master's function reads, by phase."""
    found: dict[str, str] = {}
    given = {
        one.name for trace in traces for one in trace.given if any(map(names_filesdir, one.words))
    }
    # A variable that two scripts share has a name in capitals.
    for name in filter(str.isupper, sorted(given | _lists(ebuild))):
        readers = _reaching(masters, frozenset({name}))
        if _BY_DEFAULT.get(name) == "src_install":
            readers |= {"einstalldocs"}
        for trace in traces:
            if any(call.name in readers for call in trace) or (
                not trace.is_defined and trace.phase in readers
            ):
                found.setdefault(name, trace.phase)
    return found


def _reaching(functions: Mapping[str, Function], names: frozenset[str]) -> frozenset[str]:
    """Return the functions that name one of `names`, or call one that does.

    `default` reads PATCHES and DOCS, as PMS has it. This only says what may be worth following.
    """
    phases = tuple({_BY_DEFAULT[name] for name in names & _BY_DEFAULT.keys()})
    wanted = names | {"einstalldocs"} if "src_install" in phases else names
    more = {
        name
        for name, function in functions.items()
        if not wanted.isdisjoint(tokens(function))
        or (phases and name.endswith(phases) and _has_default(function))
    }
    return leading_to(functions, more)


def _setting(functions: Mapping[str, Function], names: frozenset[str]) -> frozenset[str]:
    """Return the phases that may set what functions, or what these call, read."""
    read = {name for one in _called(functions, names) for name in _expanded(one)}
    found = set()
    for phase in ORDER:
        if phase not in functions or phase in names:
            continue
        # A look at the text, which is quick, may spare the look at the commands.
        if any(not read.isdisjoint(_bare(one)) for one in _called(functions, frozenset({phase}))):
            assigned, is_complete = assigned_names(functions[phase], functions)
            if not is_complete or not read.isdisjoint(assigned):
                found.add(phase)
    return frozenset(found)


def _called(functions: Mapping[str, Function], names: frozenset[str]) -> Iterator[Function]:
    """Yield functions, and those that they may call."""
    return (functions[name] for name in called_from(functions, names))


@once_each
def _expanded(function: Function) -> frozenset[str]:
    """Return the names after a dollar sign: what may be read."""
    text = function.source.text[function.start : function.end]
    return frozenset(_EXPANDED.findall(text))


@once_each
def _bare(function: Function) -> frozenset[str]:
    """Return the names without a dollar sign: what may be assigned."""
    return frozenset(_BARE.findall(without_comments(function)))


@once_each
def _has_default(function: Function) -> bool:
    return not tokens(function).isdisjoint(
        ("default", "default_src_prepare", "default_src_install", "einstalldocs")
    )


def each_place(uses: Iterable[FileUse | LostPhase]) -> Iterator[FileUse | LostPhase]:
    """Yield the first use of each path at each place, and each lost phase once."""
    said: set[object] = set()
    for use in uses:
        key = (use.path, use.place) if isinstance(use, FileUse) else use
        if key not in said:
            said.add(key)
            yield use


def name_pattern(path: Mixed) -> tuple[str, bool]:
    """Return a regular expression for a path below FILESDIR, and whether unknown text is in it.

    What is unknown may be anything, wildcards in a part of a name all but a slash.
    """
    pattern: list[str] = []
    is_unknown = False
    for part in path.parts[1:]:
        if isinstance(part, str):
            pattern.append(re.escape(part))
        elif part.pattern:
            pattern += _expression(part.pattern)
        else:
            pattern.append(ANYTHING)
            is_unknown = True
    return with_gaps(pattern), is_unknown


_WILDCARD = re.compile(r"\\(.)|(\*)|(\?)|(\[[^]]*\])", re.DOTALL)


def _expression(pattern: str) -> Iterator[str]:
    """Yield what is at least matched by wildcards: a bracket is taken for any character."""
    end = 0
    for match in _WILDCARD.finditer(pattern):
        yield re.escape(pattern[end : match.start()])
        quoted, many = match[1], match[2]
        yield re.escape(quoted) if quoted else PART_OF_A_NAME if many else "[^/]"
        end = match.end()
    yield re.escape(pattern[end:])


# --- where it is written ---

# Words as bash has them, and words inside of quotes, as a list that is no array has them.
_WRITTEN = (
    re.compile(r"""(?:"(?:\\.|[^"\\])*"|'[^']*'|\$\([^)]*\)|[^\s\\"']|\\.)+""", re.DOTALL),
    re.compile(r"(?:[^\s\\]|\\.)+", re.DOTALL),
)
_EXPANSION = re.compile(r"\$\{[^}]*\}|\$\w+|\$\([^)]*\)|\{[^}]*\}|[*?]")


def written_path(ebuild: Ebuild, use: FileUse) -> Span:
    """Return the word that names a path, as far as it can be found; else the use's place.

    This is for a rule that has found something: it may evaluate the ebuild once more.
    """
    places = [use.place] if use.place.path and not use.place.repository else []
    names = dict.fromkeys((use.variable or "PATCHES",))
    for place in places:
        text = ebuild.repository.tree.read(place.path)[place.start : place.end].decode("latin-1")
        names |= dict.fromkeys(_EXPANDED.findall(text))
    for name in names:
        places += reversed(assignments(ebuild, name))
    for place in places:
        found = _written_in(ebuild, place, str(use.path))
        if found is not None:
            return found
    return places[0] if places else use.place


def _written_in(ebuild: Ebuild, place: Span, path: str) -> Span | None:
    """Return the word in a place that most of a path's text is written out in."""
    data = ebuild.repository.tree.read(place.path)[place.start : place.end].decode("latin-1")
    best: tuple[int, Span] | None = None
    for match in chain.from_iterable(one.finditer(data) for one in _WRITTEN):
        word = match.group().strip("();").replace('"', "").replace("'", "")
        known = sum(map(len, _EXPANSION.split(word)))
        if "$" not in word or not known:
            continue
        if re.search(_as_written(word) + r"\Z", path, re.DOTALL):
            start, end = place.start + match.start(), place.start + match.end()
            if best is None or known > best[0]:
                best = known, Span(place.path, start, end)
    return best[1] if best else None


def _as_written(word: str) -> str:
    """Return a regular expression for what a word may come to."""
    found = []
    end = 0
    for match in _EXPANSION.finditer(word):
        found.append(re.escape(word[end : match.start()]))
        alternatives = match.group()[1:-1].split(",")
        if match.group().startswith("{") and len(alternatives) > 1:
            found.append(f"(?:{'|'.join(map(re.escape, sorted(alternatives, key=len)))})")
        else:
            found.append(ANYTHING)
        end = match.end()
    return with_gaps([*found, re.escape(word[end:])])
