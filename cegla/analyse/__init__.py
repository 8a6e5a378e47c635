"""What happened? Reports over the history, each printing its own definition.

Promise: two reports that show the same number count it with the same expression; a report says its window, unit and time zone.
"""
