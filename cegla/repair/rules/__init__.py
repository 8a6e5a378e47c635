"""The pure core: how a fix changes an event, and why an event cannot come back."""
