"""Who is it? Typed identifiers, the links between them, and the people that follow from the links.

Promise: the same events in any order, with repeats, give the same people; a link can be taken back exactly, because
events point at identifiers and people are derived; a link that is refused stays visible with its reason.
"""
