"""Pure: what an action returned becomes what a template shows."""
