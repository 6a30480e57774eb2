"""Owns what is printed: documents made of a few kinds of blocks become PDF files, in a font of our own.

Knows the look of paper (headings, tables, furigana, footers, dates in Japanese eras), and nothing of what a document
is about. Needs no font, program or library of the system.
"""
