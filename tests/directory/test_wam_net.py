"""Files as they are published: every row is read, what is doubtful is named, what is not WAM NET's is refused."""

import os
import zipfile
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from tests.directory.lists import MARCH, SEPTEMBER
from tsunagi.directory import wam_net
from tsunagi.directory.wam_net import ImportRefused, Office

TRANSITION = MARCH / "csvdownload060.csv"


def offices(path: Path = TRANSITION) -> list[Office]:
    found = wam_net.read(path)[0].offices
    wam_net.mark_repeated(found)
    return found


def codes(office: Office) -> set[str]:
    return {code for code, _ in office.doubts}


def test_every_row_of_the_file_becomes_an_office_with_the_line_it_begins_on() -> None:
    assert [office.line for office in offices()] == [2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13]


def test_a_row_is_read_as_published_with_codes_and_katakana_beside_it() -> None:
    first = offices()[0]
    assert (first.service_code, first.office_number) == ("43", "1319900013")
    assert first.name == "ものがたり就労支援センター"
    assert first.name_kana == "モノガタリシュウロウシエンセンター"
    assert (first.place.prefecture_code, first.place.municipality_code) == ("13", "13101")
    assert first.address_rest == "架空町１−１ものがたりビル２階"
    assert first.doubts == []


def test_towns_are_found_behind_their_district_and_wards_below_their_city() -> None:
    assert offices()[2].place.municipality_code == "08364"
    assert (offices()[5].place.municipality_code, offices()[5].place.city_code) == ("14104", "14100")


def test_surrounding_space_goes_and_sound_marks_join_their_kana() -> None:
    assert (offices()[5].name, offices()[5].name_kana) == ("ヴィオラ", "ヴィオラ")


def test_each_doubtful_row_says_why() -> None:
    assert [codes(office) for office in offices()] == [
        set(),
        {"office_number_shared"},
        {"office_number_shared"},
        {"corporate_number_blank"},
        {"corporate_number_format", "address_mixed_width"},
        set(),
        {"office_number_check_digit", "phone_format", "url_format"},
        {"office_number_shared", "row_repeated"},
        {"office_number_shared", "row_repeated"},
        {"corporate_number_check_digit"},
        {"text_damaged", "municipality_unknown", "address_blank"},
    ]


def test_every_reason_has_a_text_in_both_languages() -> None:
    assert all(code in wam_net.DOUBTS for office in offices() for code in codes(office))
    assert all(text.ja and text.en for text in wam_net.DOUBTS.values())


def changed(tmp_path: Path, old: str, new: str) -> Office:
    path = tmp_path / "changed.csv"
    path.write_text(TRANSITION.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    return offices(path)[0]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('"1319900013"', '"13199"', "office_number_format"),
        ('"1319900013"', "", "office_number_blank"),
        ('"1319900013"', '"0819900010"', "office_number_prefecture"),
        ('"ものがたり就労支援センター"', "", "name_blank"),
        ('"ものがたり就労支援センター"', f'"{"長" * 300}"', "text_too_long"),
        ('"就労移行支援","ものがたり就', '"就労い行","ものがたり就', "service_unknown"),
        ("139.00000000,", "139.00000000,,", "columns_count"),
        ('"土日祝",,20\n', '"土日祝"\n', "columns_count"),
    ],
)
def test_a_damaged_row_is_still_an_office(tmp_path: Path, old: str, new: str, code: str) -> None:
    office = changed(tmp_path, old, new)
    assert code in codes(office)
    assert office.service_code == "43"
    assert 0 < len(office.name) <= wam_net.MAX_LENGTH


def test_full_width_numbers_are_read(tmp_path: Path) -> None:
    assert changed(tmp_path, "1319900013", "１３１９９０００１３").office_number == "1319900013"


def test_bytes_that_are_not_utf_8_cost_a_character_and_not_the_row(tmp_path: Path) -> None:
    path = tmp_path / "damaged.csv"
    path.write_bytes(TRANSITION.read_bytes().replace("就労支援センター".encode(), b"\x8f\xa0", 1))
    assert codes(offices(path)[0]) == {"text_damaged"}
    assert len(offices(path)) == 11


def test_a_zip_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "list-202503.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(MARCH.glob("*.csv")):
            archive.write(file, file.name)
        archive.writestr("readme.txt", "not a list")
        archive.writestr("__MACOSX/._csvdownload060.csv", b"\x00\x05\x16\x07")
    lists = wam_net.read(path)
    assert [(list_.service_code, len(list_.offices)) for list_ in lists] == [("45", 2), ("43", 11), ("47", 3)]
    assert lists[0].name == "list-202503.zip/csvdownload045.csv"
    assert {list_.released_on for list_ in lists} == {date(2025, 3, 31)}


def test_the_release_is_the_month_in_the_name_else_the_date_in_the_zip_else_the_files(tmp_path: Path) -> None:
    archive = tmp_path / "list.zip"
    with zipfile.ZipFile(archive, "w") as writing:
        member = zipfile.ZipInfo("csvdownload060.csv", date_time=(2025, 9, 30, 0, 0, 0))
        writing.writestr(member, TRANSITION.read_bytes())
    assert wam_net.read(archive)[0].released_on == date(2025, 9, 30)
    plain = tmp_path / "csvdownload060.csv"
    plain.write_bytes(TRANSITION.read_bytes())
    os.utime(plain, (1_743_400_000, 1_743_400_000))
    assert wam_net.read(plain)[0].released_on == date(2025, 3, 31)
    dated = plain.rename(tmp_path / "list_202402.csv")
    assert wam_net.read(dated)[0].released_on == date(2024, 2, 29)


def zipped(name: str, content: bytes, folder: Path) -> bytes:
    path = folder / "inner.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, content)
    return path.read_bytes()


def test_what_is_not_wam_nets_is_refused_with_file_and_reason(tmp_path: Path) -> None:
    text = TRANSITION.read_text(encoding="utf-8-sig")
    header = text.partition("\n")[0]
    wrong: dict[str, tuple[bytes, str]] = {
        "sjis.csv": (text.encode("cp932", errors="replace"), "Shift_JIS"),
        "utf16.csv": (text.encode("utf-16"), "29 columns"),
        "columns.csv": (text.replace('"定員"', '"人数"', 1).encode(), "column 29"),
        "fewer.csv": (text.replace(',"定員"', "", 1).encode(), "column 29"),
        "empty.csv": (b"", "29 columns"),
        "headed.csv": (header.encode(), "no rows"),
        "other.csv": (text.replace("就労移行支援", "居宅介護").encode(), "not list a service"),
        "open.csv": ((text + '"' + "x" * 200_000).encode(), "not CSV after line 13"),
        "broken.zip": (b"PK\x03\x04 not a zip", "damaged"),
        "bare.zip": (zipped("readme.txt", b"", tmp_path), "no CSV"),
        "bad.zip": (zipped("notes.csv", b"a,b\n1,2\n", tmp_path), "29 columns"),
    }
    for name, (content, reason) in wrong.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(ImportRefused, match=reason) as refused:
            wam_net.read(path)
        assert str(refused.value).startswith(name)
    with pytest.raises(ImportRefused, match="cannot be opened"):
        wam_net.read(tmp_path / "absent.csv")


def test_the_progress_ends_with_all_rows() -> None:
    told: list[tuple[str, int, int]] = []
    wam_net.read(TRANSITION, lambda *told_now: told.append(told_now))
    assert told[-1] == ("csvdownload060.csv", 11, 11)


def test_the_next_release_differs_where_the_tests_say_so() -> None:
    now, then = offices(), offices(SEPTEMBER / "csvdownload060.csv")
    assert len(now) == len(then) == 11
    assert Counter(office.corporation_name for office in then)["株式会社ヴィオラ"] == 3
