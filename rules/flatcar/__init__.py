"""Policies of Flatcar's coreos-overlay, each a decision that its maintainers wrote down."""

from overlaylint.rule import Pack

PACK = Pack("Flatcar's coreos-overlay", repositories=("coreos", "coreos-overlay"))
