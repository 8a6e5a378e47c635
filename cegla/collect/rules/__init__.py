"""The pure part of taking in: bytes and times in, events and reasons out."""
