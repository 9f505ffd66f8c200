"""Which files a script copies whose names come from `find`, through filters, loops and functions.

The script is evaluated on files that are made up: `find`, `ls` and wildcards see those, filters
such as `grep` work on the text that they are given, and what at last copies or removes the files
that are named is noted. Nothing is run. What is not understood makes the text behind it unknown.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field

from overlaylint.overlay import commands as pm
from overlaylint.overlay import eapi as eapis
from overlaylint.overlay.find import MadeUpFiles, UnknownFind, find, resolved
from overlaylint.overlay.text_filters import FILTERS, run_filter
from overlaylint.overlay.xargs import UnknownXargs, xargs
from overlaylint.records import dataclass
from overlaylint.shell.branching import DIE, EXIT
from overlaylint.shell.budget import Exhausted
from overlaylint.shell.builtins import BUILTINS
from overlaylint.shell.calls import Invocation, Status
from overlaylint.shell.interpreter import Builtin, Interpreter
from overlaylint.shell.invocations import check
from overlaylint.shell.state import State
from overlaylint.shell.syntax import Function, Source, Word
from overlaylint.shell.values import Flag, Mixed, Value, Variable, unknown

#: Where the script starts, and where the image is.
WORK = "/workdir"
IMAGE = "/image"

_Place = tuple[Source, int, int]


@dataclass(frozen=True, slots=True)
class FindCall:
    """A call of find: where it stands, where it looks, and what it names, as absolute paths.

    `is_unknown` marks one whose expression is not understood.
    """

    place: _Place
    starts: tuple[str, ...]
    named: frozenset[str]
    is_unknown: bool = False


@dataclass(slots=True)
class Listing:
    """What a script did with the files.

    `copied` maps the files that are copied to where find named them; `doubts` says where and why
    it is not known what is copied or removed. `called` names the functions that were called.
    """

    finds: list[FindCall] = field(default_factory=list)
    copied: dict[str, None] = field(default_factory=dict)
    doubts: list[tuple[str, _Place]] = field(default_factory=list)
    called: set[str] = field(default_factory=set)
    flags: set[str] = field(default_factory=set)


class _Flags(dict[str, bool]):
    """USE flags: one that is not given is off, and noted."""

    def __init__(self, use: Mapping[str, bool], asked: set[str]) -> None:
        super().__init__(use)
        self._asked = asked

    def get(self, name: str, default: bool | None = None) -> bool:  # type: ignore[override]
        if name not in self:
            self._asked.add(name)
        return super().get(name, False)


@dataclass(slots=True)
class _Phase:
    eapi: str
    use: Mapping[str, bool]


class Lister:
    """Evaluates functions one after another, on one state and one set of files."""

    def __init__(
        self,
        state: State,
        files: Iterable[str],
        variables: Mapping[str, str],
        outputs: Mapping[str, str],
        use: Mapping[str, bool],
        eapi: str,
        destination: str,
        whole: tuple[str, ...] = (),
    ) -> None:
        """Set everything up.

        `variables` are set before and kept; `outputs` is what some commands write, whatever
        their arguments; files are copied to `destination` under the names that they are
        given with. Of folders whose paths end in one of `whole` the files are all there is.
        """
        self.whole = whole
        self.listing = Listing()
        self.files = MadeUpFiles(files)
        self.variables = variables
        self.destination = destination
        own: dict[str, Builtin] = {
            **pm.COMMON, **pm.versions(eapi),
            **pm.phase_commands(_Phase(eapi, _Flags(use, self.listing.flags))),
            **dict.fromkeys(FILTERS, self._filter), "find": self._find, "ls": self._ls,
            **dict.fromkeys(("cd", "pushd", "popd"), self._change_folder),
            "cpio": self._cpio, "tar": self._tar, "rsync": self._rsync, "xargs": self._xargs,
            **dict.fromkeys(("cp", "install", "mv"), self._copy),
            **dict.fromkeys(("doins", "doexe", "newins", "newexe"), self._install),
            "rm": self._remove,
            "tee": self._filter_nothing,
        }  # fmt: skip
        for name, text in outputs.items():
            own[name] = _writing(text)
        self.shell = _Shell(self, own, eapi)
        self.shell.files = self
        self.shell.state = state.copy()

    def run(self, name: str, function: Function) -> None:
        """Call a function without arguments, in the folder where every phase starts."""
        shell = self.shell
        shell.state.options -= {"failglob"}
        for variable, text in {**self.variables, "PWD": WORK, "S": WORK}.items():
            shell.state.scopes[0][variable] = Variable(text, Flag.EXPORTED | Flag.KEPT)
        shell.calls = []
        try:
            shell.call(name, function, ())
        except (Exhausted, RecursionError) as problem:
            place = (function.source, function.start, function.end)
            self.listing.doubts.append((str(problem) or "it nests too deeply", place))
        if shell.signal in (DIE, EXIT):
            shell.signal = 0
        self.listing.called |= {str(call.name) for call in shell.calls if call.is_function}

    # --- what names files ---

    @property
    def folder(self) -> str:
        """The folder that the script is in."""
        variable = self.shell.find("PWD")
        value = None if variable is None else variable.value
        return value if isinstance(value, str) else WORK

    def _change_folder(self, shell: Interpreter, invocation: Invocation) -> Status:
        arguments = [one for one in invocation.arguments if one != "--"]
        stack = shell.find("DIRSTACK")
        before = stack.value if stack is not None and isinstance(stack.value, str) else ""
        here = self.folder
        if invocation.name == "popd":
            before, _, to = before.rpartition("\n")
        elif arguments and isinstance(arguments[0], str):
            to = resolved(arguments[0], here)
            before = f"{before}\n{here}" if invocation.name == "pushd" else before
        else:
            return check(invocation)
        place = (invocation.source, invocation.start, invocation.end)
        shell.assign("PWD", to or WORK, *place)
        shell.state.scopes[0]["DIRSTACK"] = Variable(before)
        return 0

    def _find(self, shell: Interpreter, invocation: Invocation) -> Status:
        place = invocation.source, invocation.start, invocation.end
        words = [one for one in invocation.arguments if isinstance(one, str)]
        problem = "an argument that is unknown"
        found = None
        if len(words) == len(invocation.arguments):
            try:
                found = find(words, self.files, self.folder)
            except UnknownFind as error:
                problem = str(error)
        if found is None:
            shell.write(unknown(f"`find` has {problem}", *place))
            self.listing.finds.append(FindCall(place, self._starts(words), frozenset(), True))
            return check(invocation)
        named = {
            resolved(line, self.folder)
            for line in found.output.replace("\0", "\n").split("\n")
            if line
        }
        for command in found.commands:
            named |= {resolved(one, self.folder) for one in command if "/" in one}
        self.listing.finds.append(FindCall(place, found.starts, frozenset(named)))
        shell.write(found.output)
        for command in found.commands:
            self._run(invocation, list(command))
        for path in found.deleted:
            self._take_away(path, invocation)
        return 0

    def _starts(self, words: list[str]) -> tuple[str, ...]:
        found: list[str] = []
        for word in words:
            if word.startswith("-") and found:
                break
            if not word.startswith("-"):
                found.append(resolved(word, self.folder))
        return tuple(found)

    def _ls(self, shell: Interpreter, invocation: Invocation) -> Status:
        options = "".join(str(one)[1:] for one in invocation.arguments if str(one)[:1] == "-")
        operands = [one for one in invocation.arguments if str(one)[:1] != "-"] or ["."]
        names: list[str] = []
        is_missing = False
        for one in operands:
            path = resolved(one, self.folder) if isinstance(one, str) else ""
            if set(options) - set("1dAaUL") or not isinstance(one, str):
                place = invocation.source, invocation.start, invocation.end
                shell.write(unknown("it is what `ls` writes", *place))
                return check(invocation)
            if not self.files.exists(path):
                is_missing = True
            elif "d" in options or not self.files.is_folder(path):
                names.append(one)
            else:
                names += self.files.names(path)
        shell.write("".join(f"{name}\n" for name in names))
        return 2 if is_missing else 0

    # --- what the interpreter asks ---

    def matching(self, pattern: Value, *, extended: bool, hidden: bool) -> None:
        """Leave wildcards to the shell, which asks for all of them."""

    def script(self, path: Value) -> None:
        """Know no script: none of the files has a text."""

    def test(self, operator: str, path: Value) -> bool | None:
        """Return whether `test operator path` holds, where it is known what there is."""
        if not isinstance(path, str) or operator not in ("-d", "-e", "-f"):
            return None
        place = resolved(path, self.folder)
        if not self.files.exists(place):
            return False if posixpath.dirname(place).endswith(self.whole) else None
        return operator == "-e" or self.files.is_folder(place) is (operator == "-d")

    # --- what filters them ---

    def _filter(self, shell: Interpreter, invocation: Invocation) -> Status:
        arguments = self._patterns_read(invocation)
        return run_filter(shell, invocation, arguments, self._input(shell, invocation))

    def _patterns_read(self, invocation: Invocation) -> list[Value]:
        """Return a filter's arguments, with the patterns of `grep -f <(command)` in place."""
        found: list[Value] = []
        for one in invocation.arguments:
            before = found[-1] if found else ""
            if (
                isinstance(one, Mixed)
                and one.unknown.symbol in self.shell.processes
                and invocation.name.endswith("grep")
                and isinstance(before, str)
                and before.startswith("-")
                and before.endswith("f")
            ):
                content = self.shell.processes[one.unknown.symbol]
                found[-1] = f"{before[:-1]}e"
                found.append(content.rstrip("\n") if isinstance(content, str) else content)
            else:
                found.append(one)
        return found

    def _filter_nothing(self, shell: Interpreter, invocation: Invocation) -> Status:
        shell.write(self._input(shell, invocation))
        return 0

    def _input(self, shell: Interpreter, invocation: Invocation) -> Value:
        value = invocation.input if invocation.input is not None else shell.input
        return "" if value is None else value

    # --- what copies and removes them ---

    def _cpio(self, shell: Interpreter, invocation: Invocation) -> Status:
        words = [str(one) for one in invocation.arguments]
        short = "".join(one[1:] for one in words if one[:1] == "-" and one[1:2] != "-")
        text = self._input(shell, invocation)
        if "o" in short or "--create" in words:
            shell.write(self._archived(text, recurses=False))
        elif "p" in short or "--pass-through" in words:
            self._copy_list(text, invocation, to=invocation.arguments[-1])
        else:
            self._copy_list(text, invocation, to=_after(invocation, "-D", "--directory"))
        return 0

    def _tar(self, shell: Interpreter, invocation: Invocation) -> Status:
        words = [str(one) for one in invocation.arguments]
        text = self._input(shell, invocation)
        takes_list = any(
            one in ("--files-from=-", "-T-")
            or (one in ("-T", "--files-from") and words[at + 1 : at + 2] == ["-"])
            or (one.endswith("T") and not one.startswith("--") and words[at + 1 : at + 2] == ["-"])
            for at, one in enumerate(words)
        )
        if takes_list:
            # The folders of the list are taken with all that is in them.
            shell.write(self._archived(text, recurses="--no-recursion" not in words))
        elif words and "x" in words[0].lstrip("-"):
            self._copy_list(text, invocation, to=_after(invocation, "-C", "--directory"))
        return 0

    def _archived(self, text: Value, *, recurses: bool) -> Value:
        """Return a list of files as it is in an archive that stands for it: absolute paths."""
        if isinstance(text, Mixed):
            return text
        lines = [line for line in text.replace("\0", "\n").split("\n") if line]
        paths = [resolved(line, self.folder) for line in lines]
        if recurses:
            paths = [one for path in paths for one in self.files.below(path)]
        return "".join(f"{path}\n" for path in paths)

    def _rsync(self, shell: Interpreter, invocation: Invocation) -> Status:
        words = [str(one) for one in invocation.arguments]
        if "--files-from=-" in words:
            # That option turns the recursion of -a off, and an -r of its own on again.
            recurses = "--recursive" in words or any(
                one[:1] == "-" and one[1:2] != "-" and "r" in one for one in words
            )
            text = self._input(shell, invocation)
            self._copy_list(text, invocation, to=invocation.arguments[-1], recurses=recurses)
        return 0

    def _copy_list(
        self, text: Value, invocation: Invocation, *, to: Value, recurses: bool = False
    ) -> None:
        if not self._is_image(to):
            return
        if isinstance(text, Mixed):
            place = invocation.source, invocation.start, invocation.end
            self.listing.doubts.append((text.unknown.reason, place))
            return
        for line in text.replace("\0", "\n").split("\n"):
            if line:
                self._bring(line, recurses=recurses)

    def _is_image(self, to: Value) -> bool:
        """Whether a folder lies in the image; what is unknown may."""
        head = to if isinstance(to, str) else to.head
        if isinstance(to, Mixed) and not head:
            return True
        path = resolved(head, self.folder)
        return path == IMAGE or path.startswith(f"{IMAGE}/")

    def _bring(self, written: str, *, recurses: bool) -> None:
        path = resolved(written, self.folder)
        found = list(self.files.below(path)) if recurses or not self.files.is_folder(path) else []
        for one in found:
            if not one.startswith(f"{IMAGE}/"):
                self.listing.copied[one] = None
                self.files.add(resolved(posixpath.relpath(one, WORK), self.destination))

    def _copy(self, shell: Interpreter, invocation: Invocation) -> Status:
        words = [str(one) for one in invocation.arguments]
        options = [one for one in words if one.startswith("-")]
        letters = "".join(one[1:] for one in options if not one.startswith("--"))
        recurses = invocation.name == "mv" or "--recursive" in options
        recurses |= bool(set("rRa") & set(letters))
        operands = [one for one in invocation.arguments if str(one)[:1] != "-"]
        to = operands[-1:]
        if "t" in letters:
            to, operands = [_after(invocation, "-t", "--target-directory")], [*operands, ""]
        if to and self._is_image(to[0]):
            for one in operands[:-1]:
                if isinstance(one, str):
                    self._bring(one, recurses=recurses)
        return 0

    def _install(self, shell: Interpreter, invocation: Invocation) -> Status:
        """Carry out a helper that installs into the image, wherever insinto says."""
        operands = [one for one in invocation.arguments if str(one)[:1] != "-"]
        if invocation.name.startswith("new"):
            operands = operands[:1]
        for one in operands:
            if isinstance(one, str):
                self._bring(one, recurses="-r" in invocation.arguments)
        return 0

    def _remove(self, shell: Interpreter, invocation: Invocation) -> Status:
        for one in invocation.arguments:
            if isinstance(one, str):
                if not one.startswith("-"):
                    self._take_away(resolved(one, self.folder), invocation)
            elif one.head.startswith(IMAGE) and self.listing.copied:
                place = invocation.source, invocation.start, invocation.end
                self.listing.doubts.append((one.unknown.reason, place))
        return 0

    def _take_away(self, path: str, invocation: Invocation) -> None:
        if self.shell.guards:
            if path.startswith(f"{IMAGE}/") and any(self.files.below(path)):
                place = invocation.source, invocation.start, invocation.end
                self.listing.doubts.append((f"it depends on `{self.shell.guards[-1]}`", place))
            return
        gone = set(self.files.below(path))
        self.files.remove(path)
        for one in tuple(self.listing.copied):
            if resolved(posixpath.relpath(one, WORK), self.destination) in gone:
                del self.listing.copied[one]

    def _xargs(self, shell: Interpreter, invocation: Invocation) -> Status:
        text = self._input(shell, invocation)
        words = [one for one in invocation.arguments if isinstance(one, str)]
        commands: list[list[str]] = []
        reason = text.unknown.reason if isinstance(text, Mixed) else ""
        if isinstance(text, str):
            try:
                commands = list(xargs(words, text))
            except UnknownXargs as problem:
                reason = f"`xargs` has {problem}"
        if len(words) < len(invocation.arguments):
            reason = "an argument of `xargs` is unknown"
        if reason:
            place = invocation.source, invocation.start, invocation.end
            self.listing.doubts.append((reason, place))
            shell.write(unknown(reason, *place))
            return check(invocation)
        for command in commands:
            self._run(invocation, command)
        return 0

    def _run(self, invocation: Invocation, words: list[str]) -> None:
        """Run the command that another one is given."""
        name, *rest = words
        source, start, end = invocation.source, invocation.start, invocation.end
        arguments: list[Value] = list(rest)
        self.shell.invoke(
            Invocation(name, arguments, list(arguments), source, start, end, ""), (), ()
        )


class _Shell(Interpreter):
    """An interpreter to which the made-up files are there."""

    def __init__(self, lister: Lister, commands: Mapping[str, Builtin], eapi: str) -> None:
        super().__init__(commands=commands, builtins=BUILTINS)
        self._lister = lister
        self.environment = self._environment
        self.compatibility = eapis.bash_compatibility(eapi)
        self.calls = []
        self.is_tracing = True

    def _environment(self, name: str) -> Value | None:
        known = self._lister.variables.get(name)
        if known is not None:
            return known
        from overlaylint.overlay.trace import build_environment

        return build_environment(name)

    def file_names(self, word: Word, pattern: Value, plain: Value) -> list[Value]:
        """Return the made-up files that a word with wildcards stands for."""
        if not isinstance(pattern, str):
            return super().file_names(word, pattern, plain)
        found: Iterator[str] = iter(sorted(self._lister.files.glob(pattern, self._lister.folder)))
        names: list[Value] = list(found)
        if names or self.state.option("nullglob") is True:
            return names
        return [plain]


def _after(invocation: Invocation, *options: str) -> Value:
    """Return the argument of an option; the folder where the command runs, where there is none."""
    for at, one in enumerate(invocation.arguments):
        if one in options:
            return invocation.arguments[at + 1] if at + 1 < len(invocation.arguments) else "."
        for option in options:
            if isinstance(one, str) and one.startswith(f"{option}="):
                return one.partition("=")[2]
    return "."


def _writing(text: str) -> Builtin:
    def run(shell: Interpreter, invocation: Invocation) -> Status:  # noqa: ARG001 (a builtin's)
        if text:
            shell.write(f"{text}\n")
        return 0

    return run
