"""Which rules run on what, and what becomes of the findings."""
