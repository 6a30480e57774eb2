"""What people live with: disabilities as the record's sections put them, with what goes together in a life."""

from dataclasses import dataclass
from random import Random
from typing import Any, Literal

HandbookKind = Literal["physical", "intellectual", "mental"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One kind of disability. Texts of one condition fit each other in any choice."""

    types: tuple[dict[str, Any], ...]
    diagnoses: tuple[str, ...]
    handbook: HandbookKind | None
    grades: tuple[str, ...] = ()
    in_own_words: tuple[str, ...]
    department: str
    visits: str
    medication: tuple[str, ...]
    warning_signs: tuple[str, ...]
    coping: tuple[str, ...]
    crisis: tuple[str, ...]
    accommodations: tuple[str, ...]
    support_category: str | None = None


INTELLECTUAL = Condition(
    types=({"code": "intellectual", "primary": True},),
    diagnoses=("軽度知的障害", "中等度知的障害", "軽度知的障害、てんかん(5年間発作なし)"),
    handbook="intellectual",
    in_own_words=(
        "一度にたくさん言われると分からなくなります。一つずつ、見本を見せてもらうと覚えられます。",
        "計算は苦手ですが、決まった仕事は最後までやれます。困ったときに声をかけてもらえると助かります。",
        "漢字が苦手です。ふりがなや絵があると自分で読めます。体を動かす仕事が好きです。",
    ),
    department="内科",
    visits="3か月に1回",
    medication=("定期の服薬はない。", "朝の服薬は家で済ませる。職場での配慮は不要。"),
    warning_signs=(
        "返事が小さくなり、同じ質問を繰り返す。",
        "身だしなみが乱れ、食事の量が減る。",
        "休み明けに腹痛を訴える。",
    ),
    coping=("休憩室で音楽を聴く。", "カードを見せて休みたいことを伝える。", "家で太鼓の練習をする。"),
    crisis=(
        "涙が止まらないときは作業を離れ、支援者が着くまで休憩室で待つ。",
        "2日続けて休んだら、支援者が家族に電話する。",
    ),
    accommodations=(
        "手順書を写真で示す",
        "指示は一つずつ出す",
        "一日の予定を朝に確認する",
        "数える作業には治具を使う",
    ),
    support_category="category_2",
)

SCHIZOPHRENIA = Condition(
    types=({"code": "mental", "primary": True},),
    diagnoses=("統合失調症", "統合失調症(残遺状態)", "統合失調感情障害"),
    handbook="mental",
    grades=("2級", "2級", "3級"),
    in_own_words=(
        "疲れると悪口を言われているように感じます。一人で静かに休むとおさまります。",
        "薬の影響で朝はぼんやりします。昼からのほうが調子が出ます。人のために働けることがうれしいです。",
        "声が聞こえることがありますが、仕事をしているときは気になりません。急に予定が変わると不安になります。",
    ),
    department="精神科",
    visits="4週に1回",
    medication=(
        "昼食後の服薬がある。人目のない場所を用意してもらう。",
        "持効性注射を月1回受けるため、半日の休みが要る。",
    ),
    warning_signs=(
        "眠りが浅い日が3日続く。",
        "周りの目を気にして席を離れることが増える。",
        "独り言が増え、入浴をしなくなる。",
    ),
    coping=("静かな部屋で10分休む。", "訪問看護師に電話する。", "好きな音楽をイヤホンで聴く。"),
    crisis=(
        "3日続けて眠れないときは本人が支援者に電話し、受診を早める。",
        "支援者は本人の了解のもとで主治医に連絡し、翌日の勤務を休みにしてよい。",
    ),
    accommodations=("休憩を1時間に5分取る", "席を壁際にする", "残業をしない", "通院日を固定の休みにする"),
    support_category="category_3",
)

BIPOLAR = Condition(
    types=({"code": "mental", "primary": True},),
    diagnoses=("双極性障害Ⅱ型", "双極性障害", "双極性障害、睡眠障害"),
    handbook="mental",
    grades=("2級", "3級"),
    in_own_words=(
        "調子がよいと仕事を引き受けすぎて、そのあと動けなくなります。ほどほどを一緒に確かめてほしいです。",
        "春と秋に波が来ます。早めに休めば大きく崩れません。",
        "気分の波を10点満点で記録しています。3点以下と8点以上のときは声をかけてください。",
    ),
    department="精神科",
    visits="月1回",
    medication=("朝・夕の服薬。眠気が出やすい。", "就寝前の服薬のみ。血中濃度の検査で年4回の半休が要る。"),
    warning_signs=("話し方が早くなり、予定を詰め込む。", "買い物が増える。", "遅刻が続き、返信が短くなる。"),
    coping=("予定を一つ減らす。", "就寝時刻を30分早める。", "気分の記録を支援者に見せる。"),
    crisis=(
        "気分の点数が8点以上の日が3日続いたら残業を止め、受診する。",
        "3点以下が3日続いたら勤務を半日にする。",
    ),
    accommodations=(
        "仕事の量の上限を決める",
        "残業をしない",
        "月1回の面談で気分の記録を見る",
        "季節の変わり目は業務を増やさない",
    ),
)

DEPRESSION = Condition(
    types=({"code": "mental", "primary": True},),
    diagnoses=("うつ病(寛解期)", "反復性うつ病性障害", "うつ病、不安症"),
    handbook="mental",
    grades=("3級", "3級", "2級"),
    in_own_words=(
        "頼まれると断れず、限界まで気付きません。疲れの数字を聞いてもらえると答えられます。",
        "朝がつらい日があります。無理に励まさず、できたことを一緒に数えてほしいです。",
        "失敗を引きずりやすいです。直すところを具体的に言ってもらえると次に進めます。",
    ),
    department="心療内科",
    visits="4週に1回(土曜)",
    medication=("就寝前の服薬のみ。職場での配慮は不要。", "朝の服薬。口が渇くため飲み物を手元に置く。"),
    warning_signs=("昼食を抜く。", "遅刻が週に2回を超える。", "表情が硬くなり、休みの日に外出しなくなる。"),
    coping=("昼休みに15分歩く。", "疲労度を日報に書く。", "休日の予定を入れない。"),
    crisis=("2日続けて休んだら本人が支援者にメールする。支援者は上司に連絡し、受診を勧める。",),
    accommodations=(
        "疲労度が8以上なら早退できる",
        "指示は文書で、優先順位を付けて出す",
        "月1回の上司との面談",
        "残業は週2時間まで",
    ),
)

AUTISM = Condition(
    types=({"code": "developmental", "primary": True},),
    diagnoses=("自閉スペクトラム症", "自閉スペクトラム症、うつ病(寛解期)", "自閉スペクトラム症、感覚過敏"),
    handbook="mental",
    grades=("3級", "2級", "3級"),
    in_own_words=(
        "曖昧な指示が苦手で、優先順位を決めてもらえると動けます。話し声が重なると疲れます。",
        "予定が変わるときは前の日までに知りたいです。決まった仕事は正確にできます。",
        "表情から気持ちを読むのが苦手です。言葉で伝えてもらえれば直せます。蛍光灯がまぶしいことがあります。",
    ),
    department="精神科",
    visits="6週に1回",
    medication=("定期の服薬はない。", "朝の服薬のみ。職場での配慮は不要。"),
    warning_signs=(
        "確認の回数が急に増える。",
        "耳をふさぐ、席を立つことが増える。",
        "返信が極端に短くなる。",
    ),
    coping=("耳栓やイヤーマフを使う。", "昼休みは一人で過ごす。", "予定表を見直して書き直す。"),
    crisis=("混乱したときは言葉をかけず、静かな部屋で30分待つ。落ち着いてから紙に書いて話す。",),
    accommodations=(
        "指示は文書で出す",
        "変更は前日までに伝える",
        "イヤーマフの使用",
        "電話応対の免除",
        "照明に近い席を避ける",
    ),
)

ADHD = Condition(
    types=({"code": "developmental", "primary": True}, {"code": "mental"}),
    diagnoses=("注意欠如・多動症", "注意欠如・多動症、不安症", "注意欠如・多動症、自閉スペクトラム症"),
    handbook="mental",
    grades=("3級", "2級"),
    in_own_words=(
        "思い付いたことから始めて、期限を忘れることがあります。やることが見える形になっていると動けます。",
        "一つのことに集中すると時間を忘れます。区切りで声をかけてもらえると助かります。",
        "聞いたことをすぐ忘れるのでメモを取ります。書く時間をください。",
    ),
    department="精神科",
    visits="4週に1回",
    medication=(
        "朝の服薬。午後に効き目が弱くなるため、点検の作業は午前に行う。",
        "服薬を忘れないよう通知を使う。",
    ),
    warning_signs=("忘れ物と遅刻が増える。", "早口になり、話が飛ぶ。", "夜更かしが続く。"),
    coping=("タイマーを使う。", "チェックリストに線を引く。", "立って行う作業に替えてもらう。"),
    crisis=("失敗が重なって自分を責めるときは、その日の作業を一つに絞り、翌日に支援者と振り返る。",),
    accommodations=(
        "作業を短く区切る",
        "期限を一覧で示す",
        "チェックリストを使う",
        "終わった仕事を一緒に確認する",
    ),
)

HIGHER_BRAIN = Condition(
    types=({"code": "higher_brain", "primary": True}, {"code": "physical", "physicalPart": "limb"}),
    diagnoses=(
        "脳梗塞後遺症による高次脳機能障害",
        "交通事故による高次脳機能障害",
        "くも膜下出血後の高次脳機能障害、右片麻痺",
    ),
    handbook="mental",
    grades=("2級", "1級"),
    in_own_words=(
        "新しいことを覚えにくくなりました。手帳とスマートフォンの通知を使っています。",
        "疲れると言葉が出てきません。少し待ってもらえれば話せます。右側の物に気付きにくいです。",
    ),
    department="リハビリテーション科",
    visits="2か月に1回",
    medication=("朝・夕の服薬。血圧の薬を飲み忘れないようにする。", "朝の服薬のみ。"),
    warning_signs=("あくびが増え、作業の手が止まる。", "同じ確認を何度もする。", "怒りっぽくなる。"),
    coping=("手帳を見る。", "席を離れて深呼吸する。", "15分横になる。"),
    crisis=("頭痛やしびれが出たら救急要請し、家族に連絡する。",),
    accommodations=(
        "作業手順を手元に置く",
        "1時間ごとに休憩する",
        "変更は手帳に書いて渡す",
        "騒がしい場所を避ける",
    ),
    support_category="category_2",
)

LIMB = Condition(
    types=({"code": "physical", "physicalPart": "limb", "primary": True},),
    diagnoses=(
        "脳性まひによる両下肢機能障害",
        "脊髄損傷による両下肢機能障害",
        "関節リウマチによる上肢機能障害",
    ),
    handbook="physical",
    grades=("2級", "3級", "1級"),
    in_own_words=(
        "車いすを使っています。机の高さが合えば自分でできます。手伝う前に一声かけてください。",
        "長く座ると痛みが出ます。姿勢を変える時間があれば続けられます。",
    ),
    department="整形外科",
    visits="2か月に1回",
    medication=("痛み止めを必要なときに飲む。", "定期の服薬はない。"),
    warning_signs=("痛みで座り直す回数が増える。", "冬にこわばりが強くなる。"),
    coping=("15分横になる。", "温める。", "作業の順番を入れ替える。"),
    crisis=("褥瘡や発熱があれば受診を優先し、在宅勤務に替える。",),
    accommodations=("多目的トイレに近い席", "在宅勤務を週2日まで", "車での通勤と駐車場", "昇降する机"),
)

HEARING = Condition(
    types=({"code": "physical", "physicalPart": "hearing_balance", "primary": True},),
    diagnoses=("両側感音難聴", "先天性の両側高度難聴"),
    handbook="physical",
    grades=("3級(第1種)", "2級", "4級"),
    in_own_words=(
        "補聴器を使っています。1対1なら口の動きと合わせて分かりますが、会議は文字が必要です。",
        "手話で話します。筆談もできます。後ろから呼ばれても気付きません。",
    ),
    department="耳鼻咽喉科",
    visits="年2回(補聴器の調整)",
    medication=("定期の服薬はない。",),
    warning_signs=("昼休みを一人で過ごす日が増える。", "聞き返さずにうなずくことが増える。"),
    coping=("文字で聞き直す。", "同じ障害のある仲間と話す。"),
    crisis=("連絡は電話でなくメールで行う。緊急時は光と振動で知らせる。",),
    accommodations=(
        "会議での文字表示",
        "連絡はチャットで行う",
        "年2回の手話通訳",
        "非常時の見張り役を決める",
    ),
)

INTRACTABLE = Condition(
    types=({"code": "intractable", "primary": True},),
    diagnoses=("潰瘍性大腸炎", "クローン病", "全身性エリテマトーデス"),
    handbook=None,
    in_own_words=(
        "見た目では分かりませんが、疲れがたまると再燃します。急にトイレに行くことがあります。",
        "日光に当たると体調を崩します。熱が出た日は休ませてください。",
    ),
    department="内科(専門外来)",
    visits="2か月に1回",
    medication=("朝・夕の服薬。点滴のため8週に1回の休みが要る。", "朝・昼・夕の服薬。食後に時間がほしい。"),
    warning_signs=("微熱と腹痛が3日続く。", "体重が減る。"),
    coping=("早めに休む。", "食事を記録して見直す。"),
    crisis=("再燃の兆しがあれば当日中に主治医へ連絡し、勤務を休む。",),
    accommodations=("トイレに近い席", "通院のための休み", "在宅勤務を選べる", "重い物を持たない"),
)

CONDITIONS = (
    *(
        INTELLECTUAL,
        INTELLECTUAL,
        INTELLECTUAL,
        SCHIZOPHRENIA,
        SCHIZOPHRENIA,
        BIPOLAR,
        DEPRESSION,
        DEPRESSION,
    ),
    *(AUTISM, AUTISM, AUTISM, ADHD, ADHD, HIGHER_BRAIN, LIMB, HEARING, INTRACTABLE),
)
"""As often as they are met in employment support, roughly."""

_REHABILITATION_HANDBOOKS: dict[str, tuple[str | None, tuple[str, ...]]] = {
    "13": ("愛の手帳", ("3度", "4度", "4度", "2度")),
    "11": ("みどりの手帳", ("B", "C", "C", "A")),
    "12": (None, ("Bの1", "Bの2", "Bの2", "Aの2")),
    "08": (None, ("B", "C", "C", "A")),
    "14": (None, ("B1", "B2", "B2", "A2")),
    "23": ("愛護手帳", ("3度", "4度", "4度", "2度")),
    "27": (None, ("B1", "B2", "B2", "A")),
    "40": (None, ("B1", "B2", "B2", "A3")),
}
"""Local name and grades of the rehabilitation handbook by prefecture; the last grade counts as severe.
Made to look right, not checked with each prefecture."""


def handbook_form(rng: Random, condition: Condition, prefecture_code: str) -> dict[str, Any]:
    """Local name, grade as printed, and its class, of the handbook that goes with the condition."""
    if condition.handbook == "intellectual":
        name, grades = _REHABILITATION_HANDBOOKS.get(prefecture_code, _REHABILITATION_HANDBOOKS["13"])
        grade = rng.choice(grades)
        form: dict[str, Any] = {"localName": name} if name else {}
        return form | {"localGrade": grade, "severity": "severe" if grade == grades[-1] else "other"}
    grade = rng.choice(condition.grades)
    severe = condition.handbook == "physical" and grade[0] in "12"
    return {"localGrade": grade, "severity": "severe" if severe else "other"}
