"""The options about what is kept from one run to the next."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from overlaylint.cli.options import options
from overlaylint.records import dataclass

if TYPE_CHECKING:
    from overlaylint.cli.overlays import Opened

NO_CACHE = "OVERLAYLINT_NO_CACHE"


@dataclass(frozen=True, slots=True)
class Caching:
    """What is given on the command line."""

    no_cache: bool

    @contextmanager
    def used_for(self, opened: Opened) -> Iterator[None]:
        """Let an overlay and its masters take from the cache, and keep what they add to it."""
        from overlaylint.engine.cache import cache_for
        from overlaylint.tree import DirectoryTree

        if self.no_cache or os.environ.get(NO_CACHE):
            yield
            return
        family = opened.overlay.family
        trees = [one.tree.root for one in family if isinstance(one.tree, DirectoryTree)]
        cache = cache_for(opened.root, trees)
        for one in family:
            one.store = cache
        yield
        if cache is not None:
            cache.save()


caching_options = options(
    "caching",
    "Cache",
    Caching,
    click.option(
        "--no-cache",
        is_flag=True,
        help="Neither read nor write what is kept from one run to the next.",
    ),
)
