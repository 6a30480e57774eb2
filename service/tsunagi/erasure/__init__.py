"""Owns how long what is known of a person is kept, what stops its end (legal hold), and how it is taken away.

What stays is what leads to nobody: the ledger's commitments, and who held responsibility for a pseudonym. Records of
provision have an end of their own.
"""
