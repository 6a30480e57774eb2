"""What support is about. Whatever a record says of one theme fits together: plan, monthly report, what is left."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """One need, from the plan to what remains after the service."""

    need: str
    goal: str
    own_part: str
    policy: str
    support: str
    frequency: str
    result: str
    unresolved: str
    """What is not settled yet, as a noun phrase."""
    afterwards: str
    """The support that goes on, as a noun phrase."""
    at_work: bool = False
    """Whether it arises only once the person is employed."""
    with_family: bool = False
    """Whether it is one of people who live with their family."""


THEMES = (
    Theme(
        need="体調の波に気付くのが遅く、急に休むことがある。",
        goal="調子の変わり目を自分で見付け、前もって伝えられる。",
        own_part="体調を10段階で毎日記録する。",
        policy="休まないことより、早く伝えることを大切にする。",
        support="面談で1か月の記録を一緒に見て、崩れる前のサインを確かめる。",
        frequency="月1回",
        result="点数が下がった日に自分から申し出て、早めに休めた。",
        unresolved="体調の波への早めの対処",
        afterwards="月1回の体調の振り返り",
    ),
    Theme(
        need="休日の夜更かしから、週明けに生活が乱れる。",
        goal="平日と休日の起床時刻の差を1時間以内にする。",
        own_part="起床と就寝の時刻を手帳に書く。",
        policy="続いたことを一緒に喜び、責めない。",
        support="月曜の朝に電話で様子を尋ね、面談で手帳を見る。",
        frequency="週1回",
        result="週明けの遅刻が月3回から1回に減った。",
        unresolved="生活リズムを一人で保つこと",
        afterwards="週明けの様子の確認",
    ),
    Theme(
        need="給料を早くに使い切り、月末の食費が足りなくなる。",
        goal="1週間ごとの生活費でやりくりできる。",
        own_part="封筒に週ごとの生活費を分ける。",
        policy="買い物を責めず、使い方を一緒に決める。",
        support="給料日に一緒に予算を立て、月の半ばに残りを確かめる。",
        frequency="月2回",
        result="2か月続けて月末まで足りた。",
        unresolved="金銭の管理",
        afterwards="給料日ごとの予算づくりと、日常生活自立支援事業の利用の検討",
    ),
    Theme(
        need="困っても言い出せず、作業が止まってしまう。",
        goal="分からないときに、その日のうちに相談できる。",
        own_part="朝礼の後と退勤前に、担当者へ一言報告する。",
        policy="話す場面を決めておき、言い出しやすくする。",
        support="職場訪問で担当者と報告の場面を確かめ、うまくいった例を共有する。",
        frequency="月1回",
        result="退勤前の報告が習慣になり、手が止まる時間が減った。",
        unresolved="困ったときの相談",
        afterwards="職場の相談の場が続いているかの確認",
        at_work=True,
    ),
    Theme(
        need="同僚の冗談を重く受け止め、人間関係に疲れる。",
        goal="気になった言葉を一人で抱えず、確かめられる。",
        own_part="気になったことをノートに書き、面談に持って来る。",
        policy="相手の意図を言葉にして一緒に確かめる。",
        support="面談でノートを読み、必要なときは上司との話合いに同席する。",
        frequency="月1回",
        result="休憩の過ごし方を変え、話しかける相手を決めたことで落ち着いた。",
        unresolved="同僚との付合い方",
        afterwards="対人関係の悩みを話せる面談",
        at_work=True,
    ),
    Theme(
        need="上司や担当者が替わると、配慮が伝わらず不安になる。",
        goal="自分の配慮事項を一枚の紙で説明できる。",
        own_part="就労パスポートを更新する。",
        policy="本人が自分の言葉で伝えることを支える。",
        support="就労パスポートの更新を手伝い、説明の場に同席する。",
        frequency="2か月に1回",
        result="新しい上司に自分で説明でき、休憩の取り方が引き継がれた。",
        unresolved="担当者の交代に伴う配慮の引継ぎ",
        afterwards="異動の時期の職場訪問",
        at_work=True,
    ),
    Theme(
        need="急な依頼が重なると、何から手を付けるか分からなくなる。",
        goal="順番を尋ねてから作業に入れる。",
        own_part="依頼を付せんに書き、上司に順番を付けてもらう。",
        policy="判断を任せきりにせず、順番の見える仕組みをつくる。",
        support="職場と依頼の出し方を決め、訪問の際に使われているか見る。",
        frequency="月1回",
        result="付せんを使い始めてから、手戻りがなくなった。",
        unresolved="業務の変化への対応",
        afterwards="業務が変わるときの手順づくりの手伝い",
        at_work=True,
    ),
    Theme(
        need="疲れていても休憩を取らず、週の後半に力が落ちる。",
        goal="決めた時刻に休憩を取り、週末まで同じ調子で働ける。",
        own_part="タイマーが鳴ったら席を離れる。",
        policy="休むことも仕事のうちと、職場と共に伝える。",
        support="休憩の取り方を職場と決め、月ごとに勤怠を一緒に見る。",
        frequency="月1回",
        result="休憩を取るようになり、金曜の早退がなくなった。",
        unresolved="疲労をためない働き方",
        afterwards="繁忙期の前の面談",
        at_work=True,
    ),
    Theme(
        need="電車の遅れなど、いつもと違うことがあると職場に着けなくなる。",
        goal="遅れたときに連絡し、別の経路で通える。",
        own_part="連絡先と経路を書いたカードを持ち歩く。",
        policy="困る場面を前もって練習する。",
        support="別の経路を一緒に通り、連絡の練習をする。",
        frequency="3か月に1回",
        result="電車が止まった日に自分で電話し、バスで向かった。",
        unresolved="通う途中の予定外の出来事への対応",
        afterwards="経路が変わるときの同行",
    ),
    Theme(
        need="調子がよいと通院と服薬を後回しにする。",
        goal="通院を続け、自分で予約を取れる。",
        own_part="診察のたびに次の予約を手帳に書く。",
        policy="医療機関と三者で、続ける意味を確かめる。",
        support="半年に1回受診に同行し、服薬の残りを一緒に数える。",
        frequency="半年に1回",
        result="6か月間、予約の日に受診できた。",
        unresolved="通院と服薬の継続",
        afterwards="半年に1回の受診同行",
    ),
    Theme(
        need="身の回りのことを親に頼っており、親が高齢になってきた。",
        goal="一人暮らしを見通して、できる家事を増やす。",
        own_part="週に2回、自分で夕食をつくる。",
        policy="急がず、本人の望む暮らしから考える。",
        support="相談支援専門員と共に、グループホームの見学を計画する。",
        frequency="2か月に1回",
        result="グループホームを2か所見学し、体験利用を申し込んだ。",
        unresolved="親の高齢化に備えた暮らしの見通し",
        afterwards="相談支援事業所と進める住まいの相談",
        with_family=True,
    ),
    Theme(
        need="休日に話す相手がなく、孤立しがちである。",
        goal="月に1回は人と過ごす予定を持つ。",
        own_part="行きたい催しを一つ選ぶ。",
        policy="働くことの外にも楽しみをつくる。",
        support="余暇の集まりや当事者の会を一緒に探し、初回に同行する。",
        frequency="2か月に1回",
        result="在職者の集まりに続けて参加している。",
        unresolved="休日の孤立",
        afterwards="在職者交流会への案内",
    ),
    Theme(
        need="自分の障害と必要な配慮を、うまく説明できない。",
        goal="得意なことと配慮してほしいことを3つずつ言える。",
        own_part="就労パスポートの下書きをつくる。",
        policy="苦手なことより、できる条件を言葉にする。",
        support="就労パスポートを一緒に書き、説明の練習をする。",
        frequency="月1回",
        result="面談で得意なことと配慮事項を3つずつ話せた。",
        unresolved="障害の自己理解",
        afterwards="就労パスポートの更新の手伝い",
    ),
)

BEFORE_WORK = tuple(theme for theme in THEMES if not theme.at_work)


def themes_of(*, employed: bool, with_family: bool) -> tuple[Theme, ...]:
    """What may concern somebody who lives and works so."""
    return tuple(
        theme for theme in (THEMES if employed else BEFORE_WORK) if with_family or not theme.with_family
    )
