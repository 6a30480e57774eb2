"""That what somebody did has worked: said once, on the page that comes next.

The name of one of these sentences travels in a cookie that only that page is sent: an address can be forged, and would
say it again each time it is opened.
"""

from collections.abc import Mapping

from tsunagi.errors import Text

DONE_COOKIE = "done"
DONE_SECONDS = 60
"""Until the page that says it must have been asked for."""

DONE: Mapping[str, Text] = {
    "accepted": Text(
        "回答を登録し、提供元に知らせました。受けた領域の責任は、それぞれの開始日に移ります。",
        "Your answer is recorded, and the sender is told. Responsibility for what you took moves on its first day.",
    ),
    "returned": Text(
        "差し戻し、提供元に知らせました。提供元が直すと、もう一度申し込まれます。",
        "It is sent back, and the sender is told. Once amended it is offered again.",
    ),
    "declined": Text(
        "辞退を登録し、提供元に知らせました。責任は提供元に残ります。",
        "You have declined, and the sender is told. Responsibility stays with the sender.",
    ),
    "offered": Text(
        "引継ぎを申し込み、提供先に知らせました。相手が受けるまで、責任は移りません。",
        "The handover is offered, and the receiver is told. Until they accept, responsibility stays here.",
    ),
    "amended": Text(
        "直した記録を新しい版として登録し、提供先に知らせました。",
        "The amended record is a new version, and the receiver is told.",
    ),
    "withdrawn": Text(
        "引継ぎを取り下げました。責任は移りません。",
        "The handover is withdrawn. No responsibility moves.",
    ),
    "opened": Text(
        "開示を早めました。提供先は、いまから記録を読めます。",
        "It is open: the receiver can read the record from now on.",
    ),
    "recorded": Text(
        "記録しました。相手の機関も見られます。",
        "It is recorded, and the other side can see it.",
    ),
    "taken_back": Text(
        "記録を取り消しました。取り消したことは、相手の機関にも見えます。",
        "It is taken back, and the other side can see that it is.",
    ),
    "consent_withdrawn": Text(
        "撤回を記録しました。提供先には、次に開くときから示されません。",
        "The withdrawal is recorded. From the next reading on the recipients are not shown it.",
    ),
    "assigned": Text("担当者を変えました。", "Changed who is in charge."),
    "saved": Text("変更を登録しました。", "Your change is recorded."),
    "removed": Text("削除しました。", "It is removed."),
    "unsubscribed": Text(
        "購読を止めました。前のアドレスは、もう使えません。",
        "The old address of the calendar works no longer.",
    ),
}
