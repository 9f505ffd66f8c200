"""Where files may be written: not where a checked tree's link leads."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


def must_follow_no_link(place: Path, checked: Iterable[Path]) -> None:
    """Raise UsageError where what is to be written would be reached through a checked tree's link.

    `checked` are the overlays' roots.
    """
    from overlaylint.engine.errors import UsageError
    from overlaylint.tree import checked_tree

    trees = {str(checked_tree(root)) for root in checked}
    own = Path(os.path.abspath(place))  # noqa: PTH100 (links are what is looked for)
    way = (own, *own.parents)
    for number, above in enumerate(way[1:], 1):
        if os.path.realpath(above) in trees:
            for one in filter(Path.is_symlink, way[:number]):
                raise UsageError(f"{place} can't be written: {one} is a link in the checked tree")
