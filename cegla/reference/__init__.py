"""Reference data: what is true of the world, not of a person: places, networks, devices, referrers, calendars, words. Each set with its version and licence."""
