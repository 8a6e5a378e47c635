"""Act: templates, campaigns, messages and the channels they leave by.

Promise: at most one message per person and campaign, whatever crashes; none without a yes from the consent gate at the moment
of the hand-off; what nobody can know (the server died between the final dot and its reply) is reported, never guessed.
"""
