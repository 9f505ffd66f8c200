"""What the engine itself has to say: of its comments in the overlay, and of rules that fail."""

from overlaylint.rule import Pack

PACK = Pack("overlaylint itself")
