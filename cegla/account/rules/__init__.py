"""The pure core of accounts."""
