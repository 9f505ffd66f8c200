"""Where files come from: a directory, a git revision, or either with unsaved text over it.

A tree is read-only; what may be written into a directory goes through `write_file`. Paths
are relative to the root, with `/` between their parts; the root is the empty path. No link is
ever followed out of a tree.
"""

from overlaylint.tree.base import Entry, Kind, Tree, TreeError, walk
from overlaylint.tree.directory import DirectoryTree
from overlaylint.tree.git import (
    GitTree,
    StagedTree,
    changed_in_index,
    changed_since,
    changes_between,
    checked_tree,
    find_git_root,
    first_parents,
    merge_base,
)
from overlaylint.tree.overlaid import OverlaidTree
from overlaylint.tree.writing import write_file

__all__ = [
    "DirectoryTree",
    "Entry",
    "GitTree",
    "Kind",
    "OverlaidTree",
    "StagedTree",
    "Tree",
    "TreeError",
    "changed_in_index",
    "changed_since",
    "changes_between",
    "checked_tree",
    "find_git_root",
    "first_parents",
    "merge_base",
    "walk",
    "write_file",
]
