"""The one way to disk: PostgreSQL for operations, the warehouse for analytics, files and keys.

Promise: a transaction that returned is on the disk; personal data stays in PostgreSQL; the warehouse can be rebuilt.
"""
