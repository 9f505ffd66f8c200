"""The only module that imports pkgcore, and not before an atom asks for it.

Importing `pkgcore.ebuild.atom` takes 65 to 80 ms, a third of what checking one file may
take. So names, versions and atoms as nearly all are written are read without it (version.py,
atom.py), and the rest of the syntax is pkgcore's: what each EAPI allows of slots, USE dependencies
and blockers, what is written otherwise, and what is wrong with it.

Where pkgcore does not do what Portage does, and this package goes its own way:

- profiles, layout.conf: pkgcore reads paths on disk; a git revision or unsaved text is none,
  and it keeps no places. Profile `package.*` files are ordered by Portage by how specific
  an atom is, not by line.
- matching: `=cat/pkg-1*` matches version 10 in pkgcore, but only whole parts in Portage.
- comparing: to pkgcore, version 1 is more than 01; to PMS 3.3 and Portage they are equal.
- `foo-1B` is no package name in pkgcore, though `1B` is no version (PMS 3.2).
- `a/b/c` is an atom of category `a/b` in pkgcore, and `~cat/pkg-1-r1` none.
- atoms with wildcards (`*/*`) are no atoms in either's profiles.
- a dependency string becomes restrictions that no longer know where they stood.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logging import LogRecord


class AtomError(ValueError):
    """A text is no atom; the message is one line and says why."""


def _is_no_word_of_bash(record: LogRecord) -> bool:
    return re.match(r"EAPI '[^']*' requires >=bash-", record.getMessage()) is None


def parse_atom_parts(text: str, eapi: str | None) -> dict[str, str | tuple[str, ...] | None]:
    """Return the parts of an atom as pkgcore reads them, or raise AtomError.

    `eapi` None allows what any EAPI allows, and `::repository`.
    """
    import logging

    # Where bash is older than 5.3, pkgcore says so when it is imported. Bash is not used here.
    logging.getLogger("pkgcore").addFilter(_is_no_word_of_bash)
    from snakeoil.process import spawn

    if hasattr(spawn, "bash_version") and not hasattr(spawn.bash_version, "cached_result"):
        # pkgcore would start bash to ask for its version, and refuse EAPIs that want a newer one
        spawn.bash_version.cached_result = "5.3.0"
    from pkgcore.ebuild.atom import atom
    from pkgcore.ebuild.errors import MalformedAtom

    try:
        parsed = atom(text, eapi="-1" if eapi is None else eapi)
    except MalformedAtom as error:
        reason = str(error).rpartition("': ")[2].partition("\n")[0]
        raise AtomError(reason) from error
    return {
        "operator": parsed.op,
        "category": parsed.category,
        "package": parsed.package,
        "version": parsed.fullver,
        "slot": parsed.slot,
        "subslot": parsed.subslot,
        "slot_operator": parsed.slot_operator,
        "repository": parsed.repo_id,
    }
