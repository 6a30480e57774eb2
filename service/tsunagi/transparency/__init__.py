"""Owns what others check the ledger with: a Merkle tree over the commitments of its entries, in tiles, and the signed
checkpoints that bind the platform to it (C2SP tlog-tiles, tlog-checkpoint, signed-note, tlog-proof).

Does not know what an entry says, or about whom.
"""
