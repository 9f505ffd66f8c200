"""The common shapes of policies: what rules and the `[[policy]]` tables of a user both say.

Each module holds one shape as plain functions over the overlay's model. A rule calls them with
its own words; a policy (policy.py) is a form (forms.py) with a name and a reason. So there is
one way in which a dependency is required, and both are proved by the same cases.
"""
