"""`tsunagi ledger verify`: the verifier that others run too. It speaks to the service over HTTP alone."""

from typing import Any

import typer

from tsunagi_verifier.command import main

HANDED_ON: dict[str, Any] = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "help_option_names": [],
}
"""What this command is told, the verifier is told."""


def verify(context: typer.Context) -> None:
    """Verifies a whole log, growth since a kept checkpoint, receipts or pages of entries, as `tsunagi-verify` does."""
    raise typer.Exit(main(context.args, prog="tsunagi ledger verify"))
