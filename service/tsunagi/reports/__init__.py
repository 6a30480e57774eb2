"""Owns what a person can ask for: who received which part of their record, and the report in plain words that an
organization prints for them; and by which rules something is withheld from both.

Keeps nothing: readings are the ledger's, consents and responsibility those of their rooms.
"""
