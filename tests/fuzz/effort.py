"""How long the fuzzers look: a little in every run and always the same, or long and at random (`make fuzz`)."""

import os
import secrets
from dataclasses import dataclass

from hypothesis import Phase


@dataclass(frozen=True)
class Effort:
    lives: int
    steps: int
    states: int
    examples: int
    texts: int
    documents: int
    requests: int
    generated: int
    """By schemathesis, for each operation."""
    derandomize: bool

    @property
    def phases(self) -> tuple[Phase, ...]:
        """In a short run a failure is shown as it was found: to make it small takes minutes."""
        return (Phase.generate,) if self.derandomize else (Phase.generate, Phase.shrink)


SHORT = Effort(
    lives=8,
    steps=20,
    states=6,
    examples=100,
    texts=800,
    documents=150,
    requests=200,
    generated=15,
    derandomize=True,
)
LONG = Effort(
    lives=400,
    steps=60,
    states=10,
    examples=5_000,
    texts=300_000,
    documents=20_000,
    requests=20_000,
    generated=2_000,
    derandomize=False,
)

EFFORT = LONG if os.environ.get("TSUNAGI_FUZZ") == "long" else SHORT
SEED = 0 if EFFORT.derandomize else secrets.randbits(64)
"""Of what is not Hypothesis' to choose; a failure tells it."""
