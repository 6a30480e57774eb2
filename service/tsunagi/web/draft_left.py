"""What a draft leaves open without a word, and whoever sends it should have decided: told to nobody else."""

from collections.abc import Iterator

from tsunagi.drafts.rules import Draft
from tsunagi.errors import Notice, Text
from tsunagi.evidence.rules import SHARED
from tsunagi.handovers.rules import DOMAIN_NAMES

OF_SETTLEMENT = "settlement_to_center"
_UNJUDGED = Text(
    "要継続支援かどうかの判断がありません（未判断）。判断されるまで、支援体制構築未実施減算の確認には、証拠がそろっているかどうかが"
    "示されません。要と判断したときは、提供先がこの項目群を支援終了の3か月前までに読むことが、共有の証拠になります",
    "There is no judgment on whether support is needed afterwards (undetermined). Until there is, the review of the "
    "fee reduction does not tell whether the evidence is there; where it is needed, sharing is shown by the receiver’s "
    "reading this section three months before the service ends",
)
"""As the room of evidence counts: of those not judged it tells no conditions, and a reading alone is sharing."""


def left_open(draft: Draft) -> Iterator[Notice]:
    """Domains that are not handed over, and of a settlement provider the judgment that its evidence begins with."""
    offered = {one["domain"] for one in draft.overview["domains"]}
    for domain, name in DOMAIN_NAMES.items():
        if domain not in offered:
            text = Text(
                f"{name.ja}は、この引継ぎでは渡りません。これから誰が担うのかを、確かめておいてください",
                f"{name.en} is not handed over with this: make sure that it is clear who holds it",
            )
            yield Notice("domains.not_offered", "info", text, "/domains")
    judged = draft.sections.get(SHARED, {}).get("determination", "undetermined")
    if draft.overview["handoverType"] == OF_SETTLEMENT and judged == "undetermined":
        yield Notice("continuing_needs.undetermined", "info", _UNJUDGED, f"/sections/{SHARED}/determination")
