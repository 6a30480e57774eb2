"""Owns the view from above: who may see a person's timeline, which dates matter, and what needs attention.

Findings are computed from what the other rooms keep; this room keeps nothing of its own.
"""
