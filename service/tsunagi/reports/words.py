"""What the report says, in words that everybody understands: short sentences, easy words, `{word|reading}`.

Written for people who find official language hard. What the schemas call a section or a domain has a plainer name here.
"""

from collections.abc import Mapping

from tsunagi.consent.rules import ConsentStatus
from tsunagi.errors import Text
from tsunagi.provisions.rules import Ground
from tsunagi.responsibility.milestones import MilestoneKind
from tsunagi.responsibility.rules import Domain, Role

SECTIONS: Mapping[str, Text] = {
    "identity": Text("{名前|なまえ}・{住所|じゅうしょ}・{電話|でんわ}など", "your name, address and phone"),
    "disability": Text("{障害|しょうがい}や{手帳|てちょう}のこと", "your disability and handbooks"),
    "medical": Text("{病院|びょういん}や{薬|くすり}のこと", "your doctors and medicine"),
    "family": Text("{家族|かぞく}のこと", "your family"),
    "assessment": Text("とくいなこと・にがてなこと", "what you do well and what is hard for you"),
    "employment": Text("{仕事|しごと}のこと", "your work"),
    "employer_contacts": Text("{会社|かいしゃ}の{連絡先|れんらくさき}", "whom to reach at your company"),
    "support_plan": Text("{支援|しえん}の{計画|けいかく}", "the plan of your support"),
    "support_history": Text("これまでの{支援|しえん}", "your support until now"),
    "continuing_needs": Text("これからも{必要|ひつよう}な{支援|しえん}", "the support you still need"),
    "handover_plan": Text("{引|ひ}きつぎの{計画|けいかく}", "the plan for the handover"),
}

DOMAINS: Mapping[Domain, Text] = {
    "employment": Text("{仕事|しごと}の{相談|そうだん}", "Work"),
    "daily_life": Text("{生活|せいかつ}の{相談|そうだん}", "Daily life"),
    "employer_liaison": Text("{会社|かいしゃ}との{連絡|れんらく}", "Talking with your company"),
}

ROLES: Mapping[Role, Text] = {
    "primary": Text("{担当|たんとう}", "in charge"),
    "co_support": Text("いっしょに{支援|しえん}", "also supports you"),
    "backup": Text("うしろから{支援|しえん}", "helps when needed"),
}

GROUNDS: Mapping[Ground, Text] = {
    "consent": Text("あなたの{同意|どうい}", "You agreed"),
    "law": Text("{法律|ほうりつ}で{決|き}まっているため", "The law says so"),
    "life_protection": Text("{命|いのち}や{体|からだ}を{守|まも}るため", "To protect life or health"),
    "child_welfare": Text("みんなの{健康|けんこう}や{子|こ}どものため", "For public health or children"),
    "public_cooperation": Text(
        "{国|くに}や{市町村|しちょうそん}の{仕事|しごと}のため", "For the work of public offices"
    ),
    "abuse_report": Text("{虐待|ぎゃくたい}の{通報|つうほう}", "Report of abuse"),
}

STATUSES: Mapping[ConsentStatus, Text] = {
    "not_yet": Text("まだ{始|はじ}まっていません", "Not begun yet"),
    "active": Text("{続|つづ}いています", "In force"),
    "ended": Text("{期間|きかん}が{終|お}わりました", "Ended"),
    "withdrawn": Text("やめました", "Withdrawn"),
}

COMING: Mapping[MilestoneKind, Text] = {
    "follow_up_ends": Text(
        "{就職|しゅうしょく}してから6か{月|げつ}の{支援|しえん}の、さいごの{日|ひ}",
        "Last day of the support in the first six months of your job",
    ),
    "settlement_starts": Text(
        "{就労定着支援|しゅうろうていちゃくしえん}が{始|はじ}まる{日|ひ}", "Settlement support begins"
    ),
    "settlement_ends": Text(
        "{就労定着支援|しゅうろうていちゃくしえん}の、さいごの{日|ひ}", "Last day of settlement support"
    ),
    "conference_due": Text(
        "この{日|ひ}までに、あなたと{支援者|しえんしゃ}が{集|あつ}まって{話|はな}し{合|あ}います",
        "By this day you and those who support you meet",
    ),
    "overlap_starts": Text(
        "{新|あたら}しい{機関|きかん}も、いっしょに{支援|しえん}を{始|はじ}める{日|ひ}",
        "The new organization begins to support you, too",
    ),
    "service_ends": Text(
        "いまの{機関|きかん}の{支援|しえん}の、さいごの{日|ひ}", "Last day of the support you have now"
    ),
    "planned_date": Text(
        "{新|あたら}しい{機関|きかん}が{担当|たんとう}になる{予定|よてい}の{日|ひ}",
        "The new organization is to take over",
    ),
}
"""The dates that matter to the person; others are the organizations' business."""

TEXTS: Mapping[str, Text] = {
    "title": Text("あなたの{情報|じょうほう}の{報告|ほうこく}", "Report on your information"),
    "intro": Text(
        "あなたの{情報|じょうほう}を、だれが、いつ、なぜ{受|う}け{取|と}ったかをお{知|し}らせします。"
        "いま、だれがあなたを{担当|たんとう}しているかも{書|か}いてあります。",
        "This tells you who received your information, when and why. It also tells you who supports you now.",
    ),
    "name": Text("お{名前|なまえ}", "Your name"),
    "madeBy": Text("{作|つく}ったところ", "Made by"),
    "phone": Text("{電話|でんわ}", "Phone"),
    "madeAt": Text("{作|つく}った{日|ひ}", "Made on"),
    "responsible": Text("いま、だれがあなたを{担当|たんとう}していますか", "Who is in charge of what now"),
    "received": Text(
        "だれが、あなたの{情報|じょうほう}を{受|う}け{取|と}りましたか", "Who received your information"
    ),
    "refused": Text("{見|み}ようとして、{見|み}られなかったところ", "Who asked and was refused"),
    "consents": Text("あなたの{同意|どうい}", "What you agreed to"),
    "coming": Text("これからの{予定|よてい}", "What is coming"),
    "howToWithdraw": Text(
        "{同意|どうい}は、いつでもやめることができます。やめたいときは、「あなたの{同意|どうい}」の{表|ひょう}にある"
        "{電話番号|でんわばんごう}に{電話|でんわ}してください。やめると、それからはその{情報|じょうほう}を"
        "{見|み}られなくなります。もう{受|う}け{取|と}った{情報|じょうほう}は、{相手|あいて}に{残|のこ}ることがあります。",
        "You can take back what you agreed to at any time: call the number in the table. From then on that"
        " information can no longer be seen. Those who already have it may keep it.",
    ),
    "howToWithdrawTitle": Text("{同意|どうい}をやめたいとき", "To take back what you agreed to"),
    "whomToAskTitle": Text("わからないこと・まちがいがあるとき", "Questions and mistakes"),
    "whomToAsk": Text(
        "この{報告|ほうこく}を{作|つく}ったところに{聞|き}いてください。まちがいを{直|なお}すように{言|い}うこともできます。",
        "Ask whoever made this report. You can also ask for mistakes to be put right.",
    ),
    "notEverything": Text(
        "{法律|ほうりつ}によって、この{報告|ほうこく}に{書|か}けないことがあります。これは、どの{報告|ほうこく}にも{書|か}いてあります。",
        "The law may forbid to write some things here. Every report says this.",
    ),
    "what": Text("{何|なに}を", "What"),
    "where": Text("どこが", "Who"),
    "person": Text("{担当者|たんとうしゃ}", "Person"),
    "when": Text("いつ", "When"),
    "why": Text("なぜ", "Why"),
    "toWhom": Text("どこに", "To whom"),
    "until": Text("いつまで", "Until"),
    "withdrawAt": Text("やめるときの{電話|でんわ}", "Call to take it back"),
    "nobody": Text("いまは、だれもいません", "Nobody at present"),
    "noPhone": Text("（{登録|とうろく}がありません）", "(not recorded)"),
    "noneResponsible": Text("{記録|きろく}がありません。", "Nothing is recorded."),
    "noneReceived": Text("まだ、だれも{受|う}け{取|と}っていません。", "Nobody has received anything yet."),
    "noneRefused": Text("ありません。", "Nobody."),
    "noneConsents": Text("{同意|どうい}の{記録|きろく}がありません。", "No consent is recorded."),
    "noneComing": Text("{決|き}まっている{予定|よてい}はありません。", "No dates are set."),
    "more": Text("このほかにも、{前|まえ}の{記録|きろく}があります。", "There is more from earlier."),
}
