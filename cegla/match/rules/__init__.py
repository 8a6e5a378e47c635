"""The pure part of finding likely duplicates: what people look like, how two of them are compared, what the comparison says."""
