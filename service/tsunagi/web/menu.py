"""Where one can go from every page, by role."""

from dataclasses import dataclass

from tsunagi.staff.rules import Role

ALL: frozenset[Role] = frozenset({"worker", "administrator", "auditor"})
HANDING: frozenset[Role] = frozenset({"worker", "administrator"})


@dataclass(frozen=True, slots=True)
class Item:
    path: str
    ja: str
    en: str
    roles: frozenset[Role]

    def around(self, path: str) -> bool:
        """Whether a page of that path lies below this one."""
        return path == self.path or path.startswith(self.path + "/")


MENU = (
    Item("/coming", "引継ぎの一覧", "Handovers", HANDING),
    Item("/hand-over", "引継ぎを申し込む", "Hand over", HANDING),
    Item("/area", "圏域", "Area", ALL),
    Item("/audit/ledger", "台帳", "Ledger", frozenset({"auditor", "administrator"})),
    Item("/verify", "受渡しの証明を確かめる", "Check a receipt", ALL),
    Item("/directory", "機関の名簿", "Directory", ALL),
    Item("/settings", "設定", "Settings", ALL),
)
