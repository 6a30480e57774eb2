"""Bodies in which nothing depends on who sends them."""

from typing import Any

NEVER_HELD = {
    "domain": "employment",
    "role": "primary",
    "from": "2020-01-01",
    "to": "2020-02-01",
    "held": True,
    "reason": {"code": "not_recorded"},
}
ENDS = {"domain": "employment", "role": "primary", "on": "2027-01-01", "reason": {"code": "other"}}


def visited(told: str) -> dict[str, Any]:
    visit = {"visitedOn": "2026-10-01", "employerName": told, "companions": [told], "content": told}
    return {"kind": "joint_visit", "jointVisit": visit}
