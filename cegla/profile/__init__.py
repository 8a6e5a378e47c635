"""What do we know, and how do we know it? Events gain device, origin, session and value; people gain traits.

Promise: every trait says its confidence, its evidence and the sentence behind it; the same expression gives the same
answer for everybody and for just the people a batch touched; no e-mail, phone number or national id reaches the warehouse.
"""
