"""Hold policies without code to the commits that took the decisions.

    python tests/real_policies.py GIT_DIR

GIT_DIR is that of a clone of flatcar/coreos-overlay with its history. For each decision, the policy
that says it in TOML and the rule that says it in code must find the same: something in the
commit's parent, and nothing in the commit.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from test_policies import CATALOG, SAME

from overlaylint.engine.configuration import load_configuration
from overlaylint.engine.run import Plan, run
from overlaylint.overlay.masters import find_repositories
from overlaylint.tree import GitTree, OverlaidTree


@dataclass(frozen=True)
class Decision:
    """A commit, and the policies that say what it decided."""

    commit: str
    same: tuple[str, ...]
    breaks: bool = True
    """Whether the parent breaks it by what a form can say."""


DECISIONS = (
    Decision("dda7813403b", ("diffutils",)),
    Decision("6c393d3ba90", ("stage0",)),
    Decision("d5dfe3be5", ("saved", "savedconfig")),
    Decision("26a504000104", ("installed",)),
    # The parent turns no flag on, for it has none.
    Decision("26a504000104", ("daemon",), breaks=False),
    Decision("2e805c92d8b", ("kernel",)),
)


def found(git_dir: Path, revision: str, name: str, *, is_policy: bool) -> list[tuple[str, int]]:
    """Return where the policy, or its rule, finds something in a revision."""
    rule, toml, is_meant, _ = SAME[name]
    tree = OverlaidTree(GitTree(git_dir, revision), {"overlaylint.toml": toml.encode()})
    with tempfile.TemporaryDirectory() as nowhere:
        repositories = find_repositories(Path(nowhere), {}, tree)
    catalog = CATALOG.with_policies(load_configuration(tree))
    names = [one.name for one in catalog.packs[-1].rules] if is_policy else [rule]
    rules = tuple(catalog.rules[one] for one in names)
    result = run(repositories.overlay, Plan(rules, frozenset(catalog.rules)))
    for one in result.undecided:
        print(f"    undecided: {one.span.path}: {one.reason}")
    return sorted(
        {(one.span.path, one.span.start) for one in result.findings if is_policy or is_meant(one)}
    )


def main(git_dir: Path) -> int:
    """Compare, print, and return how many decisions are not as they should be."""
    wrong = 0
    for decision in DECISIONS:
        for name in decision.same:
            for revision, is_broken in ((f"{decision.commit}^", True), (decision.commit, False)):
                by_policy = found(git_dir, revision, name, is_policy=True)
                by_rule = found(git_dir, revision, name, is_policy=False)
                expected = is_broken and decision.breaks
                is_right = by_policy == by_rule and bool(by_policy) is expected
                wrong += not is_right
                verdict = "as expected" if is_right else f"WRONG, the rule has {by_rule}"
                print(f"{revision} {name}: {by_policy or 'nothing'}: {verdict}")
    return wrong


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
