"""Identifiers: one type each, so that no organization is ever passed where a person is meant."""

from typing import NewType
from uuid import UUID, uuid4

import uuid_utils.compat

OrganizationId = NewType("OrganizationId", UUID)
PersonId = NewType("PersonId", UUID)
HandoverId = NewType("HandoverId", UUID)
ConsentId = NewType("ConsentId", UUID)
ClientId = NewType("ClientId", str)
Stream = NewType("Stream", UUID)
"""The pseudonym under which the ledger knows a person; without the `people` row it leads to nobody."""


def number(handover_id: str) -> str:
    """By which two people know that they speak of the same handover, on pages, papers and in names of files: the end
    of its id, which says nothing about anybody."""
    return handover_id[-6:].upper()


def ordered_id() -> UUID:
    """A UUIDv7: new rows land at the end of their index."""
    return uuid_utils.compat.uuid7()


def opaque_id() -> UUID:
    """A UUIDv4: says nothing, not even when it was made. For people and their pseudonyms."""
    return uuid4()
