"""A tree that is a git revision, or what is staged for the next commit.

One `git cat-file --batch` process serves every revision of a repository. Tree objects
are read and kept by their object name, so replaying hundreds of revisions reads what
changed between them and little else. git is the only process that overlaylint starts;
it is told never to fetch, to lock or to ask.
"""

from __future__ import annotations

import os
import threading
import weakref
from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING

from overlaylint.records import dataclass
from overlaylint.tree.base import LARGEST_FILE, Kind, Listing, Node, StoredTree, TreeError

if TYPE_CHECKING:
    import subprocess

#: Blobs are kept up to this many bytes: neighbouring revisions share most of them.
KEPT_BYTES = 16 * 1024 * 1024
#: So many folders are kept: some revisions of a large repository.
KEPT_FOLDERS = 16384

# Set by git for its hooks; they name the repository of the commit, not the one asked for.
_FOREIGN = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR")

_FOLDER_MODE = "40000"
#: What git has for the mode of a symbolic link.
LINK_MODE = "120000"
_SUBMODULE_MODE = "160000"

# Stages of the index: what is settled, and "our" side of what is not (gitrevisions(7)).
_OURS = ("0", "2")

_Folder = dict[str, tuple[Node, str]]


class GitObjects:
    """The objects of one repository, through one lasting `git cat-file --batch`.

    It may be used from several threads and after a fork; each process gets a git of its own.
    """

    def __init__(self, repository: Path) -> None:
        self.repository = repository
        self._lock = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._folders: dict[str, _Folder] = {}
        self._blobs: OrderedDict[str, bytes] = OrderedDict()
        self._kept = 0

    def tree_of(self, revision: str) -> str:
        """Return the object name of a revision's root tree; TreeError if there is none."""
        if not revision or "\n" in revision or "\0" in revision or revision.startswith("-"):
            raise TreeError("", f"no such revision: {revision!r}")
        answer = self._request(f"{revision}^{{tree}}")
        if answer is None or answer[1] != "tree":
            raise TreeError("", f"no such revision: {revision!r}")
        self._keep_folder(answer[0], answer[2])
        return answer[0]

    def folder(self, object_name: str, path: str) -> _Folder:
        """Return a tree object's names; `path` is what errors call it."""
        known = self._folders.get(object_name)
        if known is not None:
            return known
        return self._keep_folder(object_name, self._content(object_name, path))

    def blob(self, object_name: str, path: str) -> bytes:
        """Return a blob's bytes; `path` is what errors call it."""
        with self._lock:
            known = self._blobs.get(object_name)
            if known is not None:
                self._blobs.move_to_end(object_name)
                return known
            content = self._content(object_name, path)
            self._blobs[object_name] = content
            self._kept += len(content)
            while self._kept > KEPT_BYTES:
                self._kept -= len(self._blobs.popitem(last=False)[1])
            return content

    def staged(self) -> list[tuple[str, str, str]]:
        """Return (mode, object name, path) of everything in the index.

        Of what a merge left unsettled, that is what "our" side has.
        """
        listed = _run(self.repository, "ls-files", "--stage", "-z", "--full-name", ":/", index=True)
        found = []
        for line in os.fsdecode(listed).split("\0"):
            head, tab, path = line.partition("\t")
            if tab:
                mode, object_name, stage = head.split(" ")
                if stage in _OURS:
                    found.append((mode, object_name, path))
        return found

    def close(self) -> None:
        """End the process. The next request starts another."""
        with self._lock:
            if self._process is not None and self._owner == os.getpid():
                _end(self._process)
            self._process = None

    def _content(self, object_name: str, path: str) -> bytes:
        answer = self._request(object_name)
        if answer is None:
            raise TreeError(path, f"git has no object {object_name}")
        return answer[2]

    def _keep_folder(self, object_name: str, content: bytes) -> _Folder:
        found = self._parse_folder(content, len(object_name) // 2)
        if len(self._folders) >= KEPT_FOLDERS:
            # Few are asked for again after so many others.
            self._folders.clear()
        self._folders[object_name] = found
        return found

    def _parse_folder(self, content: bytes, hash_bytes: int) -> _Folder:
        found: _Folder = {}
        start = 0
        while start < len(content):
            space = content.index(b" ", start)
            end = content.index(b"\0", space)
            mode = content[start:space].decode("ascii")
            name = os.fsdecode(content[space + 1 : end])
            start = end + 1 + hash_bytes
            found[name] = self.node(mode, content[end + 1 : start].hex(), name)
        return found

    def node(self, mode: str, object_name: str, path: str) -> tuple[Node, str]:
        """Return what git's file mode says, with a link's text read."""
        if mode == LINK_MODE:
            target = os.fsdecode(self.blob(object_name, path))
            return Node(Kind.BROKEN_LINK, target), object_name
        if mode.lstrip("0") == _FOLDER_MODE:
            return Node(Kind.FOLDER), object_name
        if mode == _SUBMODULE_MODE:
            # Its files are in another repository; a checkout without them is an empty folder.
            return Node(Kind.FOLDER), ""
        return Node(Kind.FILE), object_name

    def _request(self, name: str) -> tuple[str, str, bytes] | None:
        """Ask for one object: its name, type and bytes, or None if git has none."""
        with self._lock:
            process = self._running()
            stdin, stdout = _pipes(process)
            try:
                stdin.write(os.fsencode(name) + b"\n")
                stdin.flush()
                head = stdout.readline()
                words = head.decode("utf-8", "replace").split()
                if len(words) != 3 or not words[2].isdigit():
                    if not head:
                        raise TreeError("", self._why_ended(process))
                    return None
                size = int(words[2])
                if size > LARGEST_FILE:
                    # The answer has to be read to its end, or the process be given up.
                    self.close()
                    raise TreeError("", f"is larger than {LARGEST_FILE // 1024 // 1024} MB")
                content = stdout.read(size)
                stdout.read(1)
            except OSError as error:
                raise TreeError("", self._why_ended(process)) from error
            except KeyboardInterrupt:
                # The rest of the answer would be taken for the next one.
                self.close()
                raise
            return words[0], words[1], content

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._owner != os.getpid():
            self._process = _start(self.repository, "cat-file", "--batch")
            self._owner = os.getpid()
            weakref.finalize(self, _end, self._process, os.getpid())
        return self._process

    def _why_ended(self, process: subprocess.Popen[bytes]) -> str:
        process.kill()
        complaint = process.stderr.read() if process.stderr else b""
        _end(process)
        self._process = None
        return _complaint(complaint)


class _GitStoredTree(StoredTree):
    """What revisions and the index have in common: folders whose files are objects."""

    def __init__(self, objects: GitObjects, subfolder: str) -> None:
        super().__init__()
        self._objects = objects
        self.subfolder = subfolder.strip("/")
        self._listings: dict[str, Listing] = {}

    @property
    def places(self) -> tuple[str, ...]:
        """Return where the files are checked out, if they are."""
        found = find_git_root(self._objects.repository)
        if found is None:
            return ()
        return (str(found[0] / self.subfolder),)

    def list_stored(self, folder: str) -> Listing:
        """Return the names in a real folder."""
        known = self._listings.get(folder)
        if known is None:
            found = self._folder(folder)
            known = self._listings[folder] = {name: node for name, (node, _) in found.items()}
        return known

    def load_stored(self, path: str) -> bytes:
        """Return the bytes of a real file."""
        return self._objects.blob(self.object_name(path), path)

    def object_name(self, path: str) -> str:
        """Return git's name for a real file's content: the same bytes have the same name."""
        folder, _, name = path.rpartition("/")
        return self._folder(folder)[name][1]

    @abstractmethod
    def _folder(self, folder: str) -> _Folder:
        """Return what a real folder holds."""


class GitTree(_GitStoredTree):
    """The files of `revision`, or of `subfolder` in it, as git stores them.

    `repository` is a work tree, a folder in one, or a bare repository. Raises TreeError
    where there is no such repository, revision or folder.
    """

    def __init__(self, repository: Path, revision: str, subfolder: str = "") -> None:
        super().__init__(git_objects(repository), subfolder)
        self.revision = revision
        self._roots = {"": self._objects.tree_of(revision)}
        for part in filter(None, self.subfolder.split("/")):
            node = self._folder("").get(part)
            if node is None or node[0].kind is not Kind.FOLDER:
                raise TreeError("", f"no folder {self.subfolder!r} in revision {revision!r}")
            self._roots[""] = node[1]

    def __repr__(self) -> str:
        return f"GitTree({self._objects.repository!r}, {self.revision!r}, {self.subfolder!r})"

    @property
    def name(self) -> str:
        """Return the revision, and the folder in it, as git writes them."""
        return f"{self.revision}:{self.subfolder}" if self.subfolder else self.revision

    def _folder(self, folder: str) -> _Folder:
        object_name = self._roots.get(folder)
        if object_name is None:
            parent, _, name = folder.rpartition("/")
            object_name = self._roots[folder] = self._folder(parent)[name][1]
        return self._objects.folder(object_name, folder) if object_name else {}


class StagedTree(_GitStoredTree):
    """What the next commit of a work tree would hold: the files of git's index.

    Files in the middle of a merge are as "our" side has them.
    """

    def __init__(self, repository: Path, subfolder: str = "") -> None:
        super().__init__(git_objects(repository), subfolder)
        self._folders: dict[str, _Folder] = {"": {}}
        before = f"{self.subfolder}/" if self.subfolder else ""
        for mode, object_name, path in self._objects.staged():
            if path.startswith(before):
                inside = path[len(before) :]
                self._add(inside, self._objects.node(mode, object_name, inside))
        if before and not self._folders[""]:
            raise TreeError("", f"no folder {self.subfolder!r} among what is staged")

    @property
    def name(self) -> str:
        """Return what git's own messages call it."""
        return "staged"

    def _folder(self, folder: str) -> _Folder:
        return self._folders.get(folder, {})

    def _add(self, path: str, node: tuple[Node, str]) -> None:
        while path:
            folder, _, name = path.rpartition("/")
            names = self._folders.setdefault(folder, {})
            if name in names and node[0].kind is Kind.FOLDER:
                return
            names[name] = node
            path, node = folder, (Node(Kind.FOLDER), "")


@lru_cache(maxsize=8)
def _objects_at(repository: str) -> GitObjects:
    return GitObjects(Path(repository))


def git_objects(repository: Path) -> GitObjects:
    """Return the objects of the repository at a path, the same for the same path."""
    return _objects_at(os.path.realpath(repository))


def find_git_root(folder: Path) -> tuple[Path, str] | None:
    """Return the work tree that a folder lies in, and the folder's path inside it.

    None where the folder is in no work tree; nothing is started to find out.
    """
    place = Path(os.path.realpath(folder))
    for above in (place, *place.parents):
        if (above / ".git").exists():
            inside = place.relative_to(above).as_posix()
            return above, "" if inside == "." else inside
    return None


def checked_tree(root: Path) -> Path:
    """Return the real path of the work tree that an overlay lies in, or of the overlay itself.

    Whoever sent what is checked may have put anything there, links too.
    """
    found = find_git_root(root)
    return found[0] if found else Path(os.path.realpath(root))


def commit_of(repository: Path, revision: str) -> str:
    """Return the id of the commit that a revision names. Raises TreeError if it names none."""
    if not revision or revision.startswith("-"):
        raise TreeError("", f"no such revision: {revision!r}")
    try:
        found = _run(repository, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    except TreeError as error:
        raise TreeError("", f"no such revision: {revision!r}") from error
    return found.decode("ascii", "replace").strip()


def merge_base(repository: Path, revision: str) -> str:
    """Return the commit at which HEAD's history parted from a revision's.

    Raises TreeError where there is no such revision, or no such commit: a shallow clone may
    not have it.
    """
    commit = commit_of(repository, revision)
    head = commit_of(repository, "HEAD")
    try:
        found = _run(repository, "merge-base", commit, head)
    except TreeError as error:
        raise TreeError(
            "",
            f"no commit is common to HEAD and {revision!r};"
            " a shallow clone may need more of the history (`git fetch --unshallow`)",
        ) from error
    return found.decode("ascii", "replace").split()[0]


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit's id, and when it was committed: seconds since 1970."""

    id: str
    time: int


def first_parents(
    repository: Path, tip: str, folders: Sequence[str], after: str = ""
) -> tuple[Commit, ...]:
    """Return the commits on the main line up to `tip` that change some folders, oldest first.

    With `after`, those that are not part of that revision's history. Raises TreeError where
    there is no such revision.
    """
    ids = [commit_of(repository, tip), *([f"^{commit_of(repository, after)}"] if after else [])]
    options = ("--first-parent", "--reverse", "--timestamp")
    listed = _run(repository, "rev-list", *options, *ids, "--", *_places(folders))
    found = []
    for line in listed.decode("ascii").splitlines():
        time, _, commit = line.partition(" ")
        found.append(Commit(commit, int(time)))
    return tuple(found)


def changes_between(
    repository: Path, pairs: Iterable[tuple[str, str]], folder: str
) -> dict[tuple[str, str], tuple[RawChange, ...]]:
    """Return what differs in a folder between each two commits, folders included.

    The paths are relative to the folder.
    """
    wanted = tuple(pairs)
    # With two commits on a line, the second is taken for the parent of the first.
    lines = "".join(f"{new} {old}\n" for old, new in wanted)
    options = ("--stdin", "--raw", "-z", "-r", "-t", "--no-renames", "--no-ext-diff", "--always")
    output = _run(
        repository, "diff-tree", *options, "--", *_places([folder]), given=lines.encode("ascii")
    )
    before = f"{folder}/" if folder else ""
    found: dict[tuple[str, str], list[RawChange]] = {}
    order = iter(wanted)
    words = iter(os.fsdecode(output).split("\0"))
    changes: list[RawChange] = []
    for head in words:
        if head.startswith(":"):
            old_mode, mode, old, new, status = head[1:].split(" ")
            path = next(words)
            if path.startswith(before):
                inside = path[len(before) :]
                changes.append(RawChange(old_mode, mode, old, new, status[:1], inside))
        elif head:
            changes = found[next(order)] = []
    return {pair: tuple(changes) for pair, changes in found.items()}


def _places(folders: Sequence[str]) -> list[str]:
    """Return what git is to be told to look at folders alone, whatever is in their names."""
    # A bare repository knows no `:/`; without any place git looks everywhere.
    return [] if "" in folders else [f":(top,literal){folder}" for folder in folders]


def changed_since(repository: Path, commit: str, folders: Sequence[str]) -> frozenset[str]:
    """Return what in some folders of a work tree differs from a commit: paths in the repository.

    Files that git does not know count, unless they are ignored; so do deleted ones, and both
    names of a renamed one. Those that a filter of git's changes on its way into the repository
    always count: git itself would start the filter to find out.
    """
    places = _places(folders)
    output = _run(repository, "diff-index", "--cached", *_RAW, commit, "--", *places)
    found = {change.path for change in _raw_changes(output)}
    listed = _run(repository, "ls-files", "--stage", "-t", "-z", "--full-name", "--", *places)
    for line in os.fsdecode(listed).split("\0"):
        head, tab, path = line.partition("\t")
        # A file that a sparse checkout leaves out is as it was.
        if tab and not head.startswith("S ") and path not in found:
            _, mode, name, _stage = head.split(" ")
            if mode != _SUBMODULE_MODE and _object_name(repository / path, len(name)) != name:
                found.add(path)
    options = ("--others", "--exclude-standard", "-z", "--full-name")
    others = _run(repository, "ls-files", *options, "--", *places)
    return frozenset(found | {path for path in os.fsdecode(others).split("\0") if path})


def changed_in_index(repository: Path) -> frozenset[str]:
    """Return what the next commit would change: paths in the repository."""
    try:
        head = commit_of(repository, "HEAD")
    except TreeError:
        # There is no commit yet.
        return frozenset(path for _, _, path in git_objects(repository).staged())
    output = _run(repository, "diff-index", "--cached", *_RAW, head, "--", index=True)
    return frozenset(change.path for change in _raw_changes(output))


_RAW = ("--raw", "-z", "-r", "--no-renames", "--no-ext-diff", "--ignore-submodules=dirty")


@dataclass(frozen=True, slots=True)
class RawChange:
    """One change as `git diff --raw` tells it: modes and object names before and after."""

    old_mode: str
    mode: str
    old: str
    new: str
    status: str
    path: str


def _raw_changes(output: bytes) -> Iterator[RawChange]:
    words = iter(os.fsdecode(output).split("\0"))
    for head in words:
        if head.startswith(":"):
            old_mode, mode, old, new, status = head[1:].split(" ")
            yield RawChange(old_mode, mode, old, new, status[:1], next(words))


def _object_name(place: Path, length: int) -> str:
    """Return git's name for what a file or link holds, empty where it is neither."""
    import hashlib
    import stat

    try:
        status = place.lstat()
        if stat.S_ISLNK(status.st_mode):
            data = os.fsencode(place.readlink())
        elif stat.S_ISREG(status.st_mode) and status.st_size <= LARGEST_FILE:
            data = place.read_bytes()
        else:
            return ""
    except OSError:
        # It is gone, or can't be read.
        return ""
    new = hashlib.sha1 if length == 40 else hashlib.sha256
    return new(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _hook_index(repository: Path) -> str | None:
    """Return the index that git has a hook look at: `git commit --all` has one of its own.

    None where it is not one of this repository's: a hook may well check another one.
    """
    given = os.environ.get("GIT_INDEX_FILE")
    if not given:
        return None
    folder = _run(repository, "rev-parse", "--absolute-git-dir").decode("utf-8", "surrogateescape")
    index = os.path.realpath(given)
    inside = os.path.realpath(folder.rstrip("\n"))
    return index if os.path.dirname(index) == inside else None  # noqa: PTH120 (as above)


def _environment(index: str | None = None) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    chosen = {} if index is None else {"GIT_INDEX_FILE": index}
    return (
        kept
        | chosen
        | {
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_ALLOW_PROTOCOL": "",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C",
        }
    )


def _start(repository: Path, *arguments: str, index: str | None = None) -> subprocess.Popen[bytes]:
    import subprocess

    try:
        # --no-replace-objects: what was committed, not what refs/replace makes of it.
        # core.fsmonitor: it may name a program.
        options = ("--no-pager", "--no-replace-objects", "-c", "core.fsmonitor=false")
        return subprocess.Popen(
            ["git", *options, "-C", str(repository), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(index),
            # Ctrl-C is for this process to hear, which may still have to read something.
            process_group=0,
        )
    except OSError as error:
        raise TreeError("", f"git can't be started: {error.strerror or error}") from error


def _run(
    repository: Path, *arguments: str, index: bool = False, given: bytes | None = None
) -> bytes:
    """Return what git prints; with `index`, of the index that a hook is to look at.

    `given` is what git reads.
    """
    process = _start(repository, *arguments, index=_hook_index(repository) if index else None)
    output, complaint = process.communicate(given)
    if process.returncode:
        raise TreeError("", _complaint(complaint))
    return output


def _complaint(stderr: bytes) -> str:
    first = stderr.decode("utf-8", "replace").strip().partition("\n")[0]
    return first or "git ended without an answer"


def _pipes(process: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    if process.stdin is None or process.stdout is None:
        raise TreeError("", "git was started without pipes")
    return process.stdin, process.stdout


def _end(process: subprocess.Popen[bytes], owner: int | None = None) -> None:
    """Close git's input, which ends it. A forked child leaves its parent's git alone."""
    if owner is not None and owner != os.getpid():
        return
    if process.stdin is not None:
        try:
            process.stdin.close()
        except OSError:
            process.kill()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    process.wait()
