"""What codes are called on the pages: the labels that the contract's schemas give them, and those of the ledger."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tsunagi.contract import BASE_URI, Contract
from tsunagi.errors import Text
from tsunagi.ids import number
from tsunagi.paper.rules import Language

Labels = Mapping[str, Mapping[str, Text]]
"""By code system (the last part of its URI) and code."""

ALONE = ""
"""The system of codes that stand alone in a schema, beside those of a list."""

ACTIONS: Mapping[str, Text] = {
    "calendars:read": Text("購読している予定表の取得", "Subscribed calendar read"),
    "clients:register": Text("ソフトウェアの登録", "Software registered"),
    "clients:revoke": Text("ソフトウェアの停止", "Software revoked"),
    "clients:rotate": Text("ソフトウェアの鍵の交換", "Software's keys changed"),
    "clients:withdraw": Text("ソフトウェアの委任の取消し", "Software no longer acts for one"),
    "consents:except": Text("同意によらない提供の記録", "Legal exception recorded"),
    "consents:give": Text("同意の記録", "Consent recorded"),
    "consents:read": Text("同意の閲覧", "Consent read"),
    "consents:withdraw": Text("同意の撤回", "Consent withdrawn"),
    "directory:import": Text("名簿の取込み", "Directory imported"),
    "directory:succeed": Text("機関の承継の記録", "Succession recorded"),
    "disclosures:read": Text("開示の記録の閲覧", "Disclosures read"),
    "evidence:export": Text("減算の証拠の取得", "Evidence exported"),
    "evidence:read": Text("減算の証拠の閲覧", "Evidence read"),
    "findings:read": Text("所見の閲覧", "Findings read"),
    "guidelines:adopt": Text("指針の制定", "Guideline adopted"),
    "guidelines:read": Text("指針の閲覧", "Guideline read"),
    "handovers:accept": Text("引継ぎの受諾", "Handover accepted"),
    "handovers:amend": Text("引継ぎ記録の修正", "Handover amended"),
    "handovers:assign": Text("担当者の決定", "Assignee changed"),
    "handovers:complete": Text("引継ぎの完了", "Handover completed"),
    "handovers:create": Text("引継ぎ記録の作成", "Handover drafted"),
    "handovers:decline": Text("引継ぎの辞退", "Handover declined"),
    "handovers:expire": Text("回答期限の経過", "Handover expired"),
    "handovers:export": Text("引継ぎの一括取得", "Handovers exported"),
    "handovers:offer": Text("引継ぎの申込み", "Handover offered"),
    "handovers:open": Text("開示の前倒し", "Window opened early"),
    "handovers:overlap": Text("重なり期間の始まり", "Overlap begun"),
    "handovers:read": Text("引継ぎ記録の閲覧", "Handover read"),
    "handovers:read_activities": Text("連携の記録の閲覧", "Activities read"),
    "handovers:receive": Text("引継ぎの受領", "Handover received"),
    "handovers:record_activity": Text("連携の記録", "Activity recorded"),
    "handovers:return": Text("引継ぎの差戻し", "Handover returned"),
    "handovers:withdraw": Text("引継ぎの取下げ", "Handover withdrawn"),
    "handovers:withdraw_activity": Text("連携の記録の取消し", "Activity taken back"),
    "ledger:read": Text("台帳の閲覧", "Ledger read"),
    "openid:change": Text("機関のサインインの変更", "Organization's sign-in changed"),
    "openid:register": Text("機関のサインインの登録", "Organization's sign-in registered"),
    "openid:remove": Text("機関のサインインの削除", "Organization's sign-in removed"),
    "people:erase": Text("本人の情報の消去", "Person erased"),
    "people:hold": Text("法的保全の開始", "Legal hold begun"),
    "people:match": Text("本人の照合", "Person matched"),
    "people:register": Text("本人の登録", "Person registered"),
    "people:release": Text("法的保全の解除", "Legal hold ended"),
    "people:report": Text("本人への報告", "Report to the person"),
    "people:withhold": Text("本人への不開示", "Withheld from the person"),
    "provisions:export": Text("第三者提供記録の取得", "Records of provision exported"),
    "provisions:read": Text("第三者提供記録の閲覧", "Records of provision read"),
    "responsibility:change": Text("責任の変更", "Responsibility changed"),
    "responsibility:correct": Text("責任の訂正", "Responsibility corrected"),
    "responsibility:end": Text("責任の終了", "Responsibility ended"),
    "responsibility:read": Text("責任の閲覧", "Responsibility read"),
    "responsibility:report": Text("圏域の責任の閲覧", "Area's responsibility read"),
    "responsibility:succeed": Text("責任の承継", "Responsibility passed to a successor"),
    "staff:add": Text("職員の登録", "Member of staff added"),
    "staff:add_passkey": Text("パスキーの登録", "Passkey added"),
    "staff:change": Text("職員の役割・状態の変更", "Member of staff changed"),
    "staff:join": Text("職員の利用開始", "Member of staff joined"),
    "staff:link": Text("機関のサインインとの結び付け", "Linked with the organization's sign-in"),
    "staff:remove_passkey": Text("パスキーの削除", "Passkey removed"),
    "staff:reset": Text("職員の再招待", "Member of staff invited anew"),
    "staff:sign_in": Text("職員のサインイン", "Member of staff signed in"),
    "staff:sign_out": Text("職員のサインアウト", "Member of staff signed out"),
    "staff:unlink": Text(
        "機関のサインインとの結び付けの解除", "Link with the organization's sign-in removed"
    ),
    "tokens:issue": Text("アクセストークンの発行", "Token issued"),
    "webhooks:add": Text("通知先の登録", "Webhook added"),
    "webhooks:pause": Text("通知の休止", "Webhook paused"),
    "webhooks:remove": Text("通知先の削除", "Webhook removed"),
    "webhooks:resume": Text("通知の再開", "Webhook resumed"),
    "webhooks:rotate": Text("通知の秘密の交換", "Webhook's secret changed"),
}
"""Of an entry of the ledger; the schema gives them no label."""

SUBJECTS: Mapping[str, Text] = {
    "handovers": Text("引継ぎ", "Handovers"),
    "consents": Text("同意", "Consents"),
    "people": Text("本人", "People"),
    "responsibility": Text("責任", "Responsibility"),
    "findings": Text("所見", "Findings"),
    "disclosures": Text("開示", "Disclosures"),
    "provisions": Text("第三者提供記録", "Records of provision"),
    "evidence": Text("減算の証拠", "Evidence"),
    "guidelines": Text("指針", "Guidelines"),
    "ledger": Text("台帳", "Ledger"),
    "directory": Text("機関の名簿", "Directory"),
    "staff": Text("職員", "Staff"),
    "openid": Text("機関のサインイン", "Organization's sign-in"),
    "clients": Text("ソフトウェア", "Software"),
    "tokens": Text("アクセストークン", "Access tokens"),
    "webhooks": Text("通知先", "Webhooks"),
    "calendars": Text("予定表", "Calendars"),
}
"""What the actions are about, by what stands before the colon; those first that an auditor asks for most."""

STAFF_ROLES: Mapping[str, Text] = {
    "worker": Text("支援担当者", "worker"),
    "administrator": Text("管理者", "administrator"),
    "auditor": Text("監査担当者", "auditor"),
}

RECORDS: Mapping[str, Text] = {
    "handover": Text("引継ぎ", "Handover"),
    "consent": Text("同意", "Consent"),
    "person": Text("本人", "Person"),
    "responsibility": Text("責任", "Responsibility"),
    "provision": Text("第三者提供記録", "Record of provision"),
    "guideline": Text("指針", "Guideline"),
    "organization": Text("機関", "Organization"),
    "client": Text("ソフトウェア", "Software"),
    "staff": Text("職員", "Member of staff"),
    "webhook": Text("通知先", "Webhook"),
    "openid_provider": Text("機関のサインイン", "Organization's sign-in"),
}
"""What an entry of the ledger can be about."""


@lru_cache(maxsize=1)
def labels(contract: Contract) -> Labels:
    """Every labeled list of codes of the contract. Where two schemas label one code, that of the later file counts:
    the ledger's `outcome`, the common `service-code-system`. Read once: the contract stays as it is.
    """
    found: dict[str, dict[str, Text]] = {}
    for system, code, label in _labeled(contract.schemas):
        found.setdefault(system, {})[code] = label
    return found


def _labeled(node: Any) -> Iterator[tuple[str, str, Text]]:
    if isinstance(node, list):
        for inner in node:
            yield from _labeled(inner)
    elif isinstance(node, dict):
        system = str(node.get("x-code-system", "")).rpartition("/")[2]
        for code, label in node.get("x-enum-labels", {}).items():
            yield system, code, Text(label["ja"], label["en"])
        if isinstance(node.get("const"), str) and "x-title-en" in node:
            yield ALONE, node["const"], Text(node["title"], node["x-title-en"])
        for inner in node.values():
            yield from _labeled(inner)


@dataclass(frozen=True, slots=True)
class Words:
    """What a page calls things, in one language."""

    contract: Contract
    labels: Labels
    language: Language

    def label(self, system: str, code: str) -> str:
        """Of a code in its system: `label("milestone-kind", "window_opens")`. One without a label stands for itself."""
        known = self.labels[system].get(code)
        return code if known is None else self.text(known)

    def text(self, text: Text | Mapping[str, str]) -> str:
        """In the language of the page, of a text in both."""
        if isinstance(text, Text):
            return text.ja if self.language == "ja" else text.en
        return text[self.language]

    def title(self, uri: str) -> str:
        """What a schema calls itself: `title("schemas/employment.json#/properties/hiredOn")`."""
        schema = self.contract.resolve(f"{BASE_URI}{uri}")
        return str(schema["title" if self.language == "ja" else "x-title-en"])

    def scope(self, code: str) -> str:
        """What software may do, as the contract says it in both languages."""
        flows = self.contract.openapi["components"]["securitySchemes"]["oauth2"]["flows"]
        ja, _, en = flows["clientCredentials"]["scopes"].get(code, code).partition(" / ")
        return self.text(Text(ja, en or ja))

    def number(self, handover_id: str) -> str:
        """By which two people on the telephone know that they speak of the same handover."""
        return self.text(Text(f"番号 {number(handover_id)}", f"No. {number(handover_id)}"))

    def domain(self, code: str) -> str:
        return self.label("domain", code)

    def role(self, code: str) -> str:
        return self.label("role", code)

    def status(self, code: str) -> str:
        return self.label("handover-status", code)

    def handover_type(self, code: str) -> str:
        return self.label("handover-type", code)

    def section(self, code: str) -> str:
        return self.label("section", code)

    def sections(self, codes: Iterable[str]) -> str:
        return self.text(Text("、", ", ")).join(map(self.section, codes))

    def organization_kind(self, code: str) -> str:
        return self.label("organization-kind", code)

    def milestone(self, code: str) -> str:
        return self.label("milestone-kind", code)

    def finding(self, code: str) -> str:
        return self.label("finding-kind", code)

    def severity(self, code: str) -> str:
        return self.label("severity", code)

    def party(self, code: str) -> str:
        return self.label("responsible-party", code)

    def basis(self, code: str) -> str:
        return self.label("basis", code)

    def decision(self, code: str) -> str:
        return self.label("domain-decision", code)

    def withheld(self, code: str) -> str:
        return self.label("withheld-reason", code)

    def reason(self, status: str, code: str) -> str:
        """Why a handover has come to be in that state, or why it was once returned before."""
        systems = {"declined": "decline-reason", "withdrawn": "withdraw-reason"}
        return self.label(systems.get(status, "return-reason"), code)

    def change_code(self, code: str) -> str:
        """Why a version of responsibility was corrected or ended."""
        systems = ("correction-reason", "end-reason", ALONE)
        return self.label(next((one for one in systems if code in self.labels[one]), ALONE), code)

    def staff_role(self, code: str) -> str:
        """What a member of staff may do."""
        return self.text(STAFF_ROLES.get(code, Text(code, code)))

    def action(self, code: str) -> str:
        """Of an entry of the ledger."""
        return self.text(ACTIONS.get(code, Text(code, code)))

    def record(self, kind: str) -> str:
        """Of what an entry of the ledger is about."""
        return self.text(RECORDS.get(kind, Text(kind, kind)))
