"""What was the weather? Hour by hour, by powiat, from a provider of the operator's choice.

Promise: a provider hears of places and days only, rounded to a grid of about ten kilometres, never of a person; without one, or while it is
away, everything else works as before.
"""
