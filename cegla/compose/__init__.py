"""Compose: what a letter says. Blocks are edited as forms, undone, versioned, checked and drawn as MJML; nothing here sends anything."""
