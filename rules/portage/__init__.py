"""Rules that every overlay wants."""

from overlaylint.rule import Pack

PACK = Pack("any overlay")
