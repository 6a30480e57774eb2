"""Checks what a Tsunagi ledger proves. Shares no code with the service that makes the proofs."""

from tsunagi_verifier.merkle import Refused, check_consistency, check_inclusion, leaf_hash
from tsunagi_verifier.notes import Checkpoint, Key, open_checkpoint
from tsunagi_verifier.proofs import Proof, read_proof

__all__ = [
    "Checkpoint",
    "Key",
    "Proof",
    "Refused",
    "check_consistency",
    "check_inclusion",
    "leaf_hash",
    "open_checkpoint",
    "read_proof",
]
