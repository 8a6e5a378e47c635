"""The HTTP API under /api/v1: parse, check the permission, call the slices' actions, answer. It decides nothing."""
