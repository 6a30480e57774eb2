"""Made-up jobs and employers."""

from dataclasses import dataclass
from random import Random
from typing import Any

from tsunagi.synthetic.organizations import corporate_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One kind of work."""

    industry: str
    employer: tuple[str, ...]
    department: str
    tasks: tuple[str, ...]
    strength: str
    challenge: str


TRADES = (
    Trade(
        industry="運輸業",
        employer=("物流", "ロジスティクス", "運輸"),
        department="倉庫課",
        tasks=("商品の仕分けと検品", "伝票に沿ったピッキングと梱包", "返品の確認と棚戻し"),
        strength="棚番号を覚え、数の間違いが少ない。",
        challenge="急ぎの荷物が重なると順番に迷う。",
    ),
    Trade(
        industry="卸売業",
        employer=("商事", "商会", "トレーディング"),
        department="管理部",
        tasks=("伝票の照合とファイリング", "請求データの点検", "郵便物の仕分けと発送"),
        strength="細かな違いに気付き、照合が正確。",
        challenge="電話の応対と、口頭での急な依頼。",
    ),
    Trade(
        industry="ビル管理業",
        employer=("ビルサービス", "クリーンサービス", "メンテナンス"),
        department="清掃班",
        tasks=("オフィスの床清掃とごみの回収", "病院の廊下と手すりの清掃", "共用部の清掃と備品の補充"),
        strength="手順を守り、隅まで仕上げる。",
        challenge="手順にない汚れへの判断。",
    ),
    Trade(
        industry="飲食業",
        employer=("フーズ", "給食", "キッチン"),
        department="調理場",
        tasks=("食器の洗浄と下膳", "野菜の下ごしらえと盛付け", "弁当の詰合せと検品"),
        strength="衛生の決まりを守り、同じ作業を続けられる。",
        challenge="混む時間の声かけに慌てる。",
    ),
    Trade(
        industry="社会福祉",
        employer=("ケアサービス", "ケアホーム", "福祉サービス"),
        department="生活支援課",
        tasks=("シーツ交換と居室の清掃", "洗濯物の仕分けと配布", "配膳と下膳、ホールの見守り補助"),
        strength="入居者への言葉づかいが丁寧。",
        challenge="頼まれごとを断れず、自分の作業が遅れる。",
    ),
    Trade(
        industry="食品製造業",
        employer=("製パン", "食品", "製菓"),
        department="製造一課",
        tasks=("商品の袋詰めとラベル貼り", "目視での検品と箱詰め", "容器の洗浄と型並べ"),
        strength="速さが安定し、不良を見逃さない。",
        challenge="機械の故障など予定外の停止。",
    ),
    Trade(
        industry="小売業",
        employer=("スーパー", "ストア", "ドラッグ"),
        department="売場",
        tasks=("品出しと値札の貼替え", "賞味期限の確認と前出し", "バックヤードの整理と段ボールの回収"),
        strength="売場の決まりを覚え、期限切れを見付ける。",
        challenge="客から尋ねられたときの受け答え。",
    ),
    Trade(
        industry="情報サービス業",
        employer=("データサービス", "システムズ", "ドキュメント"),
        department="データ管理課",
        tasks=("アンケートの入力と点検", "書類の電子化と名前付け", "画像への目印付け"),
        strength="入力の速さと正確さが高い。",
        challenge="終わりの見えない作業で疲れに気付かない。",
    ),
    Trade(
        industry="農業",
        employer=("農園", "ファーム", "青果"),
        department="栽培班",
        tasks=("水耕野菜の収穫と袋詰め", "苗の植付けと水やり", "出荷箱の組立てと計量"),
        strength="天候によらず休まず、扱いが丁寧。",
        challenge="暑い時期の体力の配分。",
    ),
    Trade(
        industry="リネンサプライ業",
        employer=("リネン", "クリーニング", "ランドリー"),
        department="仕上げ課",
        tasks=("タオルのたたみと結束", "シーツの機械投入", "ユニフォームの検品と仕分け"),
        strength="立ち作業を続ける体力がある。",
        challenge="機械の速さが変わると焦る。",
    ),
)

_STEMS = ("架空", "見本", "例示", "仮名", "想定", "試作")
"""What is plainly no company's name."""

_SCHEDULES = {
    20: "週4日 10時〜15時30分(休憩30分)",
    25: "月〜金 9時30分〜15時(休憩30分)",
    30: "月〜金 9時〜16時(休憩1時間)",
    35: "月〜金 9時〜17時(休憩1時間)",
    40: "月〜金 8時30分〜17時30分(休憩1時間)",
}
_COMMUTES = (
    "電車で40分(時差出勤)",
    "自転車で15分",
    "徒歩とバスで35分",
    "電車とバスで50分",
    "家族の車で20分",
    "送迎バスで25分",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What does not change between two handovers of the same person."""

    trade: Trade
    employer_name: str
    corporate_number: str
    insurance_number: str
    workplace: str
    task: str
    weekly_hours: int
    employment_type: str
    disclosure: str
    commute: str
    coach: str

    def episode(self) -> dict[str, Any]:
        """The members of an employment episode that hold from the first day on."""
        return {
            "episodeId": "1",
            "employerName": self.employer_name,
            "corporateNumber": self.corporate_number,
            "workplaceName": self.workplace,
            "employmentInsuranceNumber": self.insurance_number,
            "industry": self.trade.industry,
            "department": self.trade.department,
            "jobDescription": self.task,
            "employmentType": self.employment_type,
            "disclosure": self.disclosure,
            "weeklyHours": self.weekly_hours,
            "workSchedule": _SCHEDULES[self.weekly_hours],
            "wageType": "monthly" if self.employment_type == "regular" else "hourly",
            "commute": self.commute,
            "jobCoachAndSubsidies": self.coach,
        }


def job(rng: Random, number: int, prefecture_code: str) -> Job:
    """The job of the person of this number."""
    trade = rng.choice(TRADES)
    hours = rng.choice((20, 25, 30, 30, 35, 40))
    return Job(
        trade=trade,
        employer_name=employer_name(rng, trade),
        corporate_number=corporate_number(number % 10**8),
        insurance_number=f"{prefecture_code}99-{number % 10**6:06}-0",
        workplace=rng.choice(("本社", "第一事業所", "東センター", "中央店", "南工場")),
        task=rng.choice(trade.tasks),
        weekly_hours=hours,
        employment_type="regular" if hours == 40 else rng.choice(("contract", "part_time", "part_time")),
        disclosure=rng.choice(
            ("disability_quota", "disability_quota", "disability_quota", "general_disclosed")
        ),
        commute=rng.choice(_COMMUTES),
        coach=rng.choice(
            (
                "訪問型ジョブコーチを就職後3か月利用。",
                "特定求職者雇用開発助成金の対象。ジョブコーチの利用なし。",
                "トライアル雇用3か月の後に本採用。",
            )
        ),
    )


def employer_name(rng: Random, trade: Trade) -> str:
    stem, kind = rng.choice(_STEMS), rng.choice(trade.employer)
    return rng.choice((f"{stem}{kind}株式会社", f"株式会社{stem}{kind}"))
