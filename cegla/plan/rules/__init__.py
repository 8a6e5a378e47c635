"""The pure core: the form of a plan, its validator, its differences, and the plan that observations suggest."""
