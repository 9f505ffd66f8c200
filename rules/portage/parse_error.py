"""A script is not valid bash.

## What it does

Parses every ebuild, eclass, profile.bashrc and hook as bash does, and reports the first place
where bash would refuse to go on.

## Why it matters

Portage sources these files. One that bash refuses can't be built from at all, and an eclass
takes every ebuild with it that inherits it. No other rule can say anything of such a file.

## Example

`app-misc/hello/hello-1.0.ebuild`:

```bash
EAPI=7
if [[ ${PV} == 9999 ]]; then
        SLOT="live"
```

## Use instead

`app-misc/hello/hello-1.0.ebuild`:

```bash
EAPI=7
if [[ ${PV} == 9999 ]]; then
        SLOT="live"
fi
```

## References

- Package Manager Specification, 6: ebuilds are bash scripts.
- The bash manual, 3.2: shell commands.
"""

from __future__ import annotations

from collections.abc import Iterator

from overlaylint.overlay.files import ScriptFile
from overlaylint.rule import Finding, Severity, rule


@rule(severity=Severity.ERROR)
def parse_error(file: ScriptFile) -> Iterator[Finding]:
    for problem in file.script.errors[:1]:
        yield Finding(
            file.span(problem.start, max(problem.end, problem.start + 1)),
            f"bash can't parse this: {problem.message}",
            help="`bash -n` shows what bash itself says of the file",
        )
