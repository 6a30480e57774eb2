"""Who may do what, which passwords are taken, and when a code is right."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsunagi.auth.rules import Scope
from tsunagi.errors import RuleViolated
from tsunagi.staff.rules import CODE_SECONDS, SCOPES, check_name, check_password, code_step, login_of

SECRET = pyotp.random_base32()
NOW = datetime(2026, 11, 20, 3, 0, 10, tzinfo=UTC)
INSTANTS = st.integers(1_790_000_000, 4_000_000_000).map(lambda second: datetime.fromtimestamp(second, UTC))


def shown(at: datetime) -> str:
    return pyotp.TOTP(SECRET).at(at)


def test_an_auditor_reads_no_record_and_changes_nothing() -> None:
    assert not {one for one in SCOPES["auditor"] if one.startswith("handovers") or one.startswith("consents")}
    assert not {one for one in SCOPES["auditor"] if one.endswith(":write")}
    assert SCOPES["auditor"] < SCOPES["worker"] < SCOPES["administrator"] == set(Scope)


@given(INSTANTS, st.integers(-30, 59))
def test_a_code_is_right_now_and_for_the_step_before_and_after(at: datetime, seconds: int) -> None:
    step = code_step(SECRET, shown(at), at + timedelta(seconds=seconds), used=None)
    near = abs(int(at.timestamp()) // CODE_SECONDS - int(at.timestamp() + seconds) // CODE_SECONDS) <= 1
    assert step == (int(at.timestamp()) // CODE_SECONDS if near else None)


@given(INSTANTS)
def test_no_code_is_right_twice_nor_one_before_it(at: datetime) -> None:
    step = code_step(SECRET, shown(at), at, used=None)
    assert step is not None
    assert code_step(SECRET, shown(at), at, used=step) is None
    earlier = shown(at - timedelta(seconds=CODE_SECONDS))
    if earlier != shown(at):
        assert code_step(SECRET, earlier, at, used=step) is None


@pytest.mark.parametrize("code", ["", "12345", "１２３４５６", "abcdef", "0" * 500, "\0"])
def test_what_is_no_code_is_wrong(code: str) -> None:
    assert code_step(SECRET, code, NOW, used=None) is None


def test_a_code_may_be_typed_with_a_gap_and_in_full_width() -> None:
    code = shown(NOW)
    assert code_step(SECRET, f" {code[:3]} {code[3:]} ", NOW, used=None)
    assert code_step(SECRET, "".join(chr(ord(one) + 0xFEE0) for one in code), NOW, used=None)


@pytest.mark.parametrize(
    "password",
    ["short", "x" * 129, "aaaaaaaaaaaa", "abababababab", "my-hanako-2026-pass", "HANAKO-and-more-1"],
)
def test_weak_passwords_are_refused(password: str) -> None:
    with pytest.raises(RuleViolated) as refused:
        check_password(password, "hanako@example.jp")
    assert password not in str(refused.value.errors)


@pytest.mark.parametrize(
    "password", ["correct horse battery", "さくらの木の下で待っています", "tr0ub4dor-and-3x"]
)
def test_long_passwords_are_taken(password: str) -> None:
    check_password(password, "hanako@example.jp")


@pytest.mark.parametrize(
    ("text", "login"),
    [("Hanako@Example.JP ", "hanako@example.jp"), ("ａｂｃ＠ｄ", "abc@d"), ("a-b_c.d+e", "a-b_c.d+e")],
)
def test_a_login_is_kept_without_regard_to_case(text: str, login: str) -> None:
    assert login_of(text) == login


@pytest.mark.parametrize("text", ["", "ab", "花子", "a b c", "-abc", "x" * 101, "a\nbc"])
def test_what_is_no_login_is_refused(text: str) -> None:
    with pytest.raises(RuleViolated):
        login_of(text)


@pytest.mark.parametrize("name", ["", "x" * 101, "a\nb", "\x00"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(RuleViolated):
        check_name(name)
