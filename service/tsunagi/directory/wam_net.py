"""WAM NET's open data as it is published: CSV files of 29 columns, alone or in a zip.

Every row becomes an office, whatever is wrong with it; what is doubtful gets a reason code.
"""

import csv
import hashlib
import io
import re
import zipfile
from calendar import monthrange
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import zip_longest
from pathlib import Path

from tsunagi.clock import JAPAN
from tsunagi.directory.rules import (
    CORPORATE_NUMBER,
    OFFICE_NUMBER,
    ascii_digits,
    clean,
    comparable,
    comparable_address,
    corporate_number_is_valid,
    full_width_katakana,
    office_number_is_valid,
)
from tsunagi.errors import Text
from tsunagi.municipalities import Place, locate

COLUMNS = (
    "都道府県コード又は市区町村コード",
    "NO（※システム内の固有の番号、連番）",
    "指定機関名",
    "法人の名称",
    "法人の名称_かな",
    "法人番号",
    "法人住所（市区町村）",
    "法人住所（番地以降）",
    "法人電話番号",
    "法人FAX番号",
    "法人URL",
    "サービス種別",
    "事業所の名称",
    "事業所の名称_かな",
    "事業所番号",
    "事業所住所（市区町村）",
    "事業所住所（番地以降）",
    "事業所電話番号",
    "事業所FAX番号",
    "事業所URL",
    "事業所緯度",
    "事業所経度",
    "利用可能な時間帯（平日）",
    "利用可能な時間帯（土曜）",
    "利用可能な時間帯（日曜）",
    "利用可能な時間帯（祝日）",
    "定休日",
    "利用可能曜日特記事項（留意事項）",
    "定員",
)

SERVICES = {
    comparable(name): code
    for name, code in {
        "生活介護": "22",
        "自立訓練（機能訓練）": "41",
        "自立訓練（生活訓練）": "42",
        "就労移行支援": "43",
        "就労継続支援Ａ型": "45",
        "就労継続支援Ｂ型": "46",
        "就労定着支援": "47",
        "就労選択支援": "48",
        "計画相談支援": "52",
    }.items()
}
"""The services the exchange knows, by the name in the files, with their billing codes."""

MAX_LENGTH = 200

DOUBTS = {
    "columns_count": Text("列の数が29ではありません", "The row does not have 29 columns"),
    "service_unknown": Text("サービス種別が読み取れません", "The service cannot be read"),
    "text_damaged": Text("文字化けがあります", "Characters are damaged"),
    "text_too_long": Text("200字を超えています", "A text has more than 200 characters"),
    "name_blank": Text("事業所の名称がありません", "The office has no name"),
    "office_number_blank": Text("事業所番号がありません", "There is no office number"),
    "office_number_format": Text(
        "事業所番号が10桁の数字ではありません", "The office number is not ten digits"
    ),
    "office_number_check_digit": Text(
        "事業所番号の検証番号が合いません", "The office number fails its check digit"
    ),
    "office_number_prefecture": Text(
        "事業所番号の都道府県が所在地と違います",
        "The office number is of another prefecture than the address",
    ),
    "office_number_shared": Text(
        "同じ事業所番号の行が複数あります（枝番で区別）",
        "Several rows share this office number (told apart by serial)",
    ),
    "row_repeated": Text(
        "番号・名称・住所が同じ行があります", "Another row has the same number, name and address"
    ),
    "corporate_number_blank": Text("法人番号がありません", "There is no corporate number"),
    "corporate_number_format": Text(
        "法人番号が13桁の数字ではありません", "The corporate number is not 13 digits"
    ),
    "corporate_number_check_digit": Text(
        "法人番号の検査数字が合いません", "The corporate number fails its check digit"
    ),
    "municipality_unknown": Text(
        "所在地の市区町村が分かりません", "The municipality of the address is not known"
    ),
    "address_blank": Text("所在地の番地以降がありません", "The address has nothing after the municipality"),
    "address_mixed_width": Text(
        "所在地に全角と半角の数字が混ざっています", "The address mixes full- and half-width digits"
    ),
    "phone_format": Text("電話番号の形ではありません", "This is not a telephone number"),
    "url_format": Text("URLの形ではありません", "This is not a URL"),
}
"""Why a row is doubtful: stable codes."""

_MONTH_IN_NAME = re.compile(r"(?<!\d)(20\d\d)(0[1-9]|1[0-2])(?!\d)")
_PHONE = re.compile(r"(?=(?:\d-?){10,11}$)\d+(?:-\d+)*", re.ASCII)
_URL = re.compile(r"https?://[!-~]+")
_HALF_WIDTH_DIGIT = re.compile("[0-9]")
_FULL_WIDTH_DIGIT = re.compile("[０-９]")


class ImportRefused(Exception):
    """The files are not imported, and nothing has changed: which one is at fault, and why."""

    def __init__(self, file: str, reason: Text) -> None:
        super().__init__(f"{file}: {reason.ja} / {reason.en}")


class UnreadableFile(ImportRefused):
    """The file is not one of WAM NET's."""


@dataclass(slots=True)
class Office:
    """One row, texts as published. `doubts` are pairs of a code of `DOUBTS` and the value that raised it."""

    file: str
    line: int
    service_code: str
    wam_number: str | None
    office_number: str
    name: str
    name_kana: str | None
    place: Place
    address_rest: str
    phone: str | None
    url: str | None
    corporation_name: str | None
    corporation_kana: str | None
    corporation_place: Place
    corporation_address: str | None
    corporate_number: str
    match_name: str
    match_address: str
    doubts: list[tuple[str, str]] = field(default_factory=list)

    @property
    def valid_corporate_number(self) -> str | None:
        return self.corporate_number if corporate_number_is_valid(self.corporate_number) else None


@dataclass(frozen=True, slots=True)
class ListFile:
    """One CSV: the service it lists, its rows, and the release it says it is of."""

    name: str
    sha256: str
    service_code: str
    released_on: date
    offices: list[Office]


Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and of how much."""


def silent(_what: str, _done: int, _total: int) -> None:
    pass


def read(path: Path, progress: Progress = silent) -> list[ListFile]:
    """The lists in a CSV file or a zip of them. Raises UnreadableFile when one is not WAM NET's."""
    try:
        data = path.read_bytes()
        modified = path.stat().st_mtime
    except OSError as error:
        reason = Text("ファイルを開けません", "The file cannot be opened")
        raise UnreadableFile(str(path), reason) from error
    if not data.startswith(b"PK"):
        day = _release(path.name) or datetime.fromtimestamp(modified, JAPAN).date()
        return [_list_file(path.name, data, day, progress)]
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [member for member in archive.infolist() if _is_list(member.filename)]
            lists = [
                _list_file(
                    f"{path.name}/{member.filename}",
                    archive.read(member),
                    _release(path.name) or _release(member.filename) or date(*member.date_time[:3]),
                    progress,
                )
                for member in members
            ]
    except zipfile.BadZipFile as error:
        raise UnreadableFile(path.name, Text("zipが壊れています", "The zip is damaged")) from error
    if not lists:
        raise UnreadableFile(path.name, Text("zipの中にCSVがありません", "The zip holds no CSV"))
    return lists


def mark_repeated(offices: list[Office]) -> None:
    """Rows that share their number with others of the same service, or repeat one, say so."""
    numbers = Counter((office.service_code, office.office_number) for office in offices)
    whole = Counter(_identity(office) for office in offices)
    for office in offices:
        if office.office_number and numbers[office.service_code, office.office_number] > 1:
            office.doubts.append(("office_number_shared", office.office_number))
        if whole[_identity(office)] > 1:
            office.doubts.append(("row_repeated", office.name))


def _identity(office: Office) -> tuple[str, ...]:
    return (office.service_code, office.office_number, office.match_name, office.match_address)


def _is_list(member: str) -> bool:
    return member.lower().endswith(".csv") and not member.startswith("__MACOSX/")


def _release(name: str) -> date | None:
    """The last day of the month that a file name gives as YYYYMM."""
    found = _MONTH_IN_NAME.search(name)
    if found is None:
        return None
    year, month = int(found[1]), int(found[2])
    return date(year, month, monthrange(year, month)[1])


def _list_file(name: str, data: bytes, released_on: date, progress: Progress) -> ListFile:
    rows = list(_rows(name, data))
    if not rows:
        raise UnreadableFile(name, Text("行がありません", "The file has no rows"))
    services = Counter(SERVICES.get(comparable(row[11])) for _, row in rows if len(row) > 11)
    service_code = next((code for code, _ in services.most_common() if code is not None), None)
    if service_code is None:
        raise UnreadableFile(
            name, Text("対象のサービスの一覧ではありません", "It does not list a service that is dealt with")
        )
    offices = []
    for done, (line, row) in enumerate(rows, start=1):
        offices.append(_office(name, line, row, service_code))
        if done % 200 == 0 or done == len(rows):
            progress(name, done, len(rows))
    return ListFile(name, hashlib.sha256(data).hexdigest(), service_code, released_on, offices)


def _rows(name: str, data: bytes) -> Iterator[tuple[int, list[str]]]:
    """The rows below the header, each with the number of its first line."""
    reader = csv.reader(io.StringIO(data.decode("utf-8-sig", errors="replace"), newline=""))
    line = 1
    try:
        _check_header(name, next(reader, []), data)
        for row in reader:
            first, line = line + 1, reader.line_num
            if row:
                yield first, row
    except csv.Error as error:
        raise UnreadableFile(
            name, Text(f"{line}行目の後がCSVとして読めません", f"It is not CSV after line {line}")
        ) from error


def _check_header(name: str, header: list[str], data: bytes) -> None:
    if [comparable(column) for column in header] == [comparable(column) for column in COLUMNS]:
        return
    first_line = data.partition(b"\n")[0]
    if COLUMNS[2] in first_line.decode("cp932", errors="ignore"):
        raise UnreadableFile(
            name,
            Text(
                "文字コードがShift_JISです。公表されたままのUTF-8のファイルを指定してください",
                "It is Shift_JIS; give the file as published, in UTF-8",
            ),
        )
    for place, (found, expected) in enumerate(zip_longest(header, COLUMNS, fillvalue=""), start=1):
        if comparable(found) != comparable(expected):
            raise UnreadableFile(
                name,
                Text(
                    f"WAM NETの29列ではありません。{place}列目が「{expected}」ではありません",
                    f"It does not have WAM NET's 29 columns: column {place} is not 「{expected}」",
                ),
            )


def _office(file: str, line: int, row: list[str], file_service: str) -> Office:
    values = [clean(value)[:MAX_LENGTH] for value in (*row, *[""] * len(COLUMNS))[: len(COLUMNS)]]
    number = ascii_digits(values[14])
    corporation = values[3] or None
    name = values[12] or corporation or number
    office = Office(
        file=file,
        line=line,
        service_code=SERVICES.get(comparable(values[11]), file_service),
        wam_number=values[1] or None,
        office_number=number,
        name=name or "（名称なし）",
        name_kana=full_width_katakana(values[13]) or None,
        place=locate(values[15]),
        address_rest=values[16],
        phone=ascii_digits(values[17]) or None,
        url=values[19] or None,
        corporation_name=corporation,
        corporation_kana=full_width_katakana(values[4]) or None,
        corporation_place=locate(values[6]),
        corporation_address=(values[6] + values[7]) or None,
        corporate_number=ascii_digits(values[5]),
        match_name=comparable(name),
        match_address=comparable_address(values[15] + values[16]),
    )
    office.doubts.extend(_doubts(office, row, values))
    return office


def _doubts(office: Office, row: list[str], values: list[str]) -> Iterator[tuple[str, str]]:
    if len(row) != len(COLUMNS):
        yield "columns_count", str(len(row))
    if comparable(values[11]) not in SERVICES:
        yield "service_unknown", values[11]
    if not values[12]:
        yield "name_blank", ""
    yield from (("text_damaged", value) for value in values if "\ufffd" in value)
    yield from (("text_too_long", value[:20]) for value in row if len(clean(value)) > MAX_LENGTH)
    yield from _doubts_of_numbers(office)
    if office.place.municipality_code is None:
        yield "municipality_unknown", values[15]
    if not office.address_rest:
        yield "address_blank", ""
    if _HALF_WIDTH_DIGIT.search(values[16]) and _FULL_WIDTH_DIGIT.search(values[16]):
        yield "address_mixed_width", values[16]
    if office.phone is not None and not _PHONE.fullmatch(office.phone):
        yield "phone_format", office.phone
    if office.url is not None and not _URL.fullmatch(office.url):
        yield "url_format", office.url


def _doubts_of_numbers(office: Office) -> Iterator[tuple[str, str]]:
    number, corporate = office.office_number, office.corporate_number
    if not number:
        yield "office_number_blank", ""
    elif not OFFICE_NUMBER.fullmatch(number):
        yield "office_number_format", number
    else:
        if not office_number_is_valid(number):
            yield "office_number_check_digit", number
        if office.place.prefecture_code not in (None, number[:2]):
            yield "office_number_prefecture", number
    if not corporate:
        yield "corporate_number_blank", ""
    elif not CORPORATE_NUMBER.fullmatch(corporate):
        yield "corporate_number_format", corporate
    elif not corporate_number_is_valid(corporate):
        yield "corporate_number_check_digit", corporate
