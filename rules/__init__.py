"""The rule packs that come with overlaylint; installed as `overlaylint_rules`."""
