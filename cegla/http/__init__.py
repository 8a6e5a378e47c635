"""HTTP/1.1 for what is asked thousands of times a second: the collectors, and profiles that are read."""
