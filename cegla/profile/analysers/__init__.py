"""One analyser a file: what can be known of a person in one matter, as pure rules over Ibis expressions and columns.

How to write one: docs/how-to/write-an-analyser.md. Imports nothing, so that one analyser is reached without the others.
"""
