"""Checks what a Tsunagi ledger proves. Shares no code with the service that makes the proofs."""

from tsunagi_verifier.merkle import check_consistency, check_inclusion, leaf_hash
from tsunagi_verifier.notes import Checkpoint, Key, open_checkpoint
from tsunagi_verifier.proofs import Proof, read_proof
from tsunagi_verifier.refusals import Refused, Unchecked
from tsunagi_verifier.sources import Folder, Server
from tsunagi_verifier.trees import Tree

__all__ = [
    "Checkpoint",
    "Folder",
    "Key",
    "Proof",
    "Refused",
    "Server",
    "Tree",
    "Unchecked",
    "check_consistency",
    "check_inclusion",
    "leaf_hash",
    "open_checkpoint",
    "read_proof",
]
