"""An entry of ignore-paths suppresses nothing.

## What it does

Reports each name in the `rules` of an `[[ignore-paths]]` that found nothing in its paths. Only a
run on the whole overlay judges; a rule that did not run, or that could not tell in one of those
files, is not judged. Neither is an entry that is about another overlay.

## Why it matters

An entry that outlives its findings hides the next one: when the decision is broken again in those
files, nobody hears of it.

## Example

`app-misc/hello/hello-1.0.ebuild`:

```bash
EAPI=7
SLOT="0"
```

`overlaylint.toml`:

```toml
[[ignore-paths]]
paths = ["app-misc/*"]
rules = ["carriage-return"]
reason = "the files were saved on another system"
```

## Use instead

Remove the entry, or the one name from it.

`app-misc/hello/hello-1.0.ebuild`:

```bash
EAPI=7
SLOT="0"
```

`overlaylint.toml`:

```toml
exclude = []
```

## References

- docs/configuration.md has the form of such an entry.
- `overlaylint explain unused-suppression`: the same for comments.
"""

from __future__ import annotations

from collections.abc import Iterator

from overlaylint.engine.path_ignores import PathIgnore
from overlaylint.rule import Finding, Severity, rule


@rule(severity=Severity.WARNING)
def unused_path_ignore(ignore: PathIgnore) -> Iterator[Finding]:
    where = f"{ignore.shown}: " if ignore.shown else ""
    paths = ", ".join(ignore.paths)
    for name, rules in ignore.rules:
        if rules <= ignore.judged and not rules & ignore.used:
            yield Finding(
                ignore.span,
                f"{where}{name} finds nothing in {paths} that this entry would suppress",
                help="remove the name, or the entry",
            )
