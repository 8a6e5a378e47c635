"""Charts drawn on the server: numbers in, inline SVG and a table out. No script, no inline style, text of constant size.

Every shape is sized in percent of its box, so a chart fits any width while its labels keep their size.
"""
