"""The pure core of reports: expressions over the history and the definitions they print."""
