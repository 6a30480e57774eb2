"""The assessment section."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple

from tsunagi.synthetic.story import Living, Story


class Area(NamedTuple):
    """What may be said of one of the five areas; any choice fits any other."""

    situations: tuple[str, ...]
    strengths: tuple[str, ...]
    challenges: tuple[str, ...]
    measures: tuple[str, ...]
    accommodations: tuple[str, ...]


_AREAS = {
    "health": Area(
        (
            "通院は続いており、大きな崩れはない。",
            "体調は安定しているが、季節の変わり目に疲れが出る。",
            "繁忙期に睡眠が短くなる。服薬は自分で管理している。",
            "この1年、体調による欠勤は月1日以内。",
        ),
        (
            "体調を毎日記録している。",
            "早寝早起きが身に付いている。",
            "受診を休んだことがない。",
            "食事を自分でつくる。",
        ),
        (
            "疲れを言葉にするのが遅い。",
            "無理をして崩れたことがある。",
            "気圧の変化で頭痛が出る。",
            "休日に寝過ぎる。",
        ),
        (
            "疲労度を10段階で日報に書く。",
            "休日も同じ時刻に起きる。",
            "昼休みに目を閉じて休む。",
            "水筒を持ち歩く。",
        ),
        (
            "疲労度が高い日は残業をしない。",
            "通院のための休み。",
            "1時間に5分の休憩。",
            "体調を尋ねる声かけ。",
        ),
    ),
    "daily_living": Area(
        ("公共交通機関を一人で使える。", "近所での買い物は一人でできる。", "日課はおおむね一定している。"),
        (
            "洗濯と掃除の日を決めている。",
            "貯金の習慣がある。",
            "一人で通える範囲が広い。",
            "困ったことを家族に話せる。",
        ),
        (
            "役所の手続を後回しにする。",
            "給料日前にお金が足りなくなる。",
            "季節に合わない服を着る。",
            "通販の買い物が増えがち。",
        ),
        (
            "予定をカレンダーに書く。",
            "週ごとに生活費を分ける。",
            "前の晩に持ち物をそろえる。",
            "家計簿アプリを使う。",
        ),
        (
            "年度替わりの手続を一緒に確認する。",
            "月1回の予算づくり。",
            "書類の読み方を一緒に確かめる。",
            "身だしなみの声かけ。",
        ),
    ),
    "interpersonal": Area(
        (
            "挨拶や返事は丁寧。雑談には入りにくい。",
            "限られた人とは良好な関係を保つ。",
            "人なつこく、誰にでも話しかける。",
            "大人数の場では口数が減る。1対1ならよく話す。",
        ),
        ("約束を守る。", "感謝を言葉にできる。", "年下の利用者に優しい。", "分からないときに聞き返せる。"),
        (
            "断ることが苦手。",
            "冗談を言葉どおりに受け取る。",
            "距離が近くなりすぎることがある。",
            "自分から話しかけられない。",
        ),
        (
            "気になったことをノートに書く。",
            "返事に迷うときは一晩置く。",
            "昼休みは一人で過ごす。",
            "話す前にメモをつくる。",
        ),
        (
            "意図を具体的に伝える。",
            "指示や依頼は一つの窓口から。",
            "大人数の行事は参加を選べるようにする。",
            "話し始めるまで待つ。",
        ),
    ),
    "work_habits": Area(
        (
            "出席率は9割を超え、遅刻はほとんどない。",
            "時間を守り、報告もできる。",
            "決まった手順の作業は最後までやり遂げる。",
            "作業は速いが、終わりの報告を忘れることがある。",
        ),
        (
            "期限を守る。",
            "準備と片付けを自分からする。",
            "休むときに自分で電話できる。",
            "同じ質の作業を続けられる。",
        ),
        (
            "急な依頼が重なると固まる。",
            "休憩を取り忘れる。",
            "手順の変更に時間がかかる。",
            "注意されると作業が止まる。",
        ),
        (
            "チェックリストを使う。",
            "上司に順番を尋ねる。",
            "タイマーで休憩を取る。",
            "終わったら手を挙げる。",
        ),
        ("変更は前日までに伝える。", "優先順位を示す。", "終わりの時刻を先に示す。", "できた点から伝える。"),
    ),
}

_LIVING: dict[Living, str] = {
    "family": "家族と同居し、身の回りのことは自立している。",
    "alone": "一人暮らし。家計は安定しているが、片付けが後回しになる。",
    "group_home": "グループホームで暮らし、金銭は世話人と確かめている。",
}


def assessment(story: Story) -> dict[str, Any]:
    rng, when = story.draws, story.when
    areas = {name: _area(story, area) for name, area in _AREAS.items()}
    areas["daily_living"]["situation"] = _LIVING[story.life.living] + areas["daily_living"]["situation"]
    areas["aptitude"] = _aptitude(story)
    section: dict[str, Any] = {
        "assessedOn": when.assessed.isoformat(),
        "assessedBy": f"{story.sender.name} {story.author.name}",
        "personWishes": rng.choice(_WISHES if story.when.hired_yet else _WISHES_BEFORE_WORK),
        "summary": _summary(story),
        "confirmedByPersonOn": (when.assessed + timedelta(days=rng.randint(1, 5))).isoformat(),
    }
    if story.size == "small":
        return section | {"areas": {name: {"situation": area["situation"]} for name, area in areas.items()}}
    items = list(_items(story))
    used = dict.fromkeys((item["instrument"], item["version"]) for item in items)
    instruments = [{"instrument": name, "version": version} for name, version in used]
    return section | {"instruments": instruments, "areas": areas, "items": items}


def _area(story: Story, area: Area) -> dict[str, str]:
    """The situation, and of the four other questions those that were answered."""
    choice = story.draws.choice
    questions = {
        "strengths": area.strengths,
        "challenges": area.challenges,
        "ownMeasures": area.measures,
        "accommodations": area.accommodations,
    }
    answers = {name: choice(texts) for name, texts in questions.items() if story.tells()}
    return {"situation": choice(area.situations), **answers}


def _aptitude(story: Story) -> dict[str, str]:
    accommodation = story.draws.choice(story.life.condition.accommodations) + "。"
    if story.life.job is None:
        return {
            "situation": "軽作業、清掃、事務補助を体験した。手順の決まった作業で力を出す。",
            "strengths": "見本があれば正確に作業できる。",
            "challenges": "どの仕事が向いているか、自分では決めかねている。",
            "accommodations": accommodation,
        }
    done = (
        "に取り組み、周囲から評価されている。"
        if story.when.hired_yet
        else "を職場実習で体験し、採用が決まった。"
    )
    return {
        "situation": story.life.job.task + done,
        "strengths": story.life.job.trade.strength,
        "challenges": story.life.job.trade.challenge,
        "accommodations": accommodation,
    }


_WISHES = (
    "今の会社で長く働きたい。困ったときに相談できる人がいてほしい。",
    "働き続けて、一人暮らしをしたい。",
    "もう少し長い時間働けるようになりたい。急に相手が替わるのは不安。",
    "仕事は気に入っている。職場の人に自分のことを分かってもらいたい。",
    "給料でやりくりして、好きなことにも使えるようになりたい。",
)
_WISHES_BEFORE_WORK = (
    "自分に向いた仕事を見付けたい。",
    "体力を付けて、長く働けるようになりたい。",
    "働きたいが不安もある。一緒に考えてほしい。",
    "自分のことを分かってくれる職場で働きたい。",
)


def _summary(story: Story) -> str:
    first, second = story.life.themes[:2]
    if story.life.job is None:
        return (
            f"見本と手順があれば力を出せる。{first.unresolved}と{second.unresolved}を支えながら、"
            "作業の体験を重ねて、本人と一緒に進む道を決めていくことが望ましい。"
        )
    if not story.when.hired_yet:
        now = "作業の力は十分で、採用が決まった。"
    elif story.when.at_work:
        now = "働く力は安定している。"
    else:
        now = "作業の力は十分で、職場にもなじみ始めている。"
    return f"{now}{first.unresolved}と{second.unresolved}が残っており、引き続き職場と生活の両面からの支えが要る。"


_MONITORING = (
    *("punctual_attendance", "healthy_life", "consult_report", "initiative", "concentration", "greeting"),
    *("stress", "stamina", "quality", "speed", "workplace_rules", "tidy_workplace", "completion"),
)
_CHECKLIST = (
    *("life_rhythm", "medication", "money", "self_understanding", "asking_for_help", "greeting"),
    *("conversation", "cooperation", "emotion_control", "motivation_employment", "reporting", "attendance"),
    *("endurance", "speed", "following_instructions", "accuracy", "adapting", "transport", "numbers"),
)
_ITEM_NOTES = (
    "時間を取って尋ねれば話せる。",
    "月の初めに下がりやすい。",
    "職場では高いが、家では低い。",
    "この半年で伸びた。",
)


def _items(story: Story) -> Iterator[dict[str, str]]:
    """Ratings by the instrument that organizations of the sender's kind use."""
    rng = story.draws
    settled = story.sender.kind in ("settlement", "center", "municipal_center")
    codes = _MONITORING if settled else _CHECKLIST
    instrument, version, scale, best = (
        ("settlement_monitoring_sheet", "1", "three_level", 3)
        if settled
        else ("nivr_transition_checklist", "2007", "five_level", 5)
    )
    for code in rng.sample(codes, len(codes) if story.large else rng.randint(2, 4)):
        value = rng.randint(1, best)
        item = {
            "instrument": instrument,
            "version": version,
            "itemCode": code,
            "scale": scale,
            "selfValue": str(value),
            "supporterValue": str(min(best, max(1, value + rng.choice((-1, 0, 0, 1))))),
        }
        if story.large or rng.random() < 0.25:
            item["note"] = rng.choice(_ITEM_NOTES)
        yield item
