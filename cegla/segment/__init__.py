"""Who belongs together? A rule is written once, as a typed tree, and compiled to one expression over the history.

Promise: everybody at once and just the people touched get the same answer; a value somebody types never becomes code;
every membership can be explained rule by rule.
"""
