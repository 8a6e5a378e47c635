"""The `cegla` command: a client of the API that answers people in words and programs in JSON. It decides nothing."""
