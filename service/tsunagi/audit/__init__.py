"""Owns looking at the ledger: which entries somebody may see, and the receipt of a handover with its proofs.

Keeps nothing of its own. What an entry says is the ledger's, what proves it the log's.
"""
