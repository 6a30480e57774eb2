"""Made-up people, each known by a number: different numbers are different people."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from tsunagi.synthetic.names import FAMILY_NAMES, GIVEN_NAMES, Sex

_FIRST_BIRTH = date(1966, 4, 2)
_BIRTH_DAYS = (date(2003, 4, 2) - _FIRST_BIRTH).days

PEOPLE = len(FAMILY_NAMES) * len(GIVEN_NAMES) * _BIRTH_DAYS
"""How many different people there are: as many as pairs of readings and days of birth."""

_STEP = 179_424_673  # a prime larger than any factor of PEOPLE: numbers that follow each other lie far apart
_CERTIFICATES = 10**9
_CERTIFICATE_STEP = 618_033_989  # odd and no multiple of five: no certificate number comes twice


@dataclass(frozen=True, slots=True)
class Person:
    """A person's name and birth. No two numbers share kana name and birth date, nor a certificate number."""

    number: int
    family_name: str
    given_name: str
    family_name_kana: str
    given_name_kana: str
    sex: Sex
    birth_date: date
    certificate_number: str

    @property
    def name(self) -> str:
        return f"{self.family_name} {self.given_name}"


def draws(key: str) -> Random:
    """The same draws whenever the key is the same."""
    return Random(key)  # noqa: S311  made-up data: what matters is that it can be repeated


def person(number: int) -> Person:
    """The person of this number, from 0 up to PEOPLE. Raises ValueError beyond."""
    if not 0 <= number < PEOPLE:
        raise ValueError(f"there are {PEOPLE} people, numbered from 0")
    rest, family = divmod(number * _STEP % PEOPLE, len(FAMILY_NAMES))
    day, given = divmod(rest, len(GIVEN_NAMES))
    family_name, given_name = FAMILY_NAMES[family], GIVEN_NAMES[given]
    return Person(
        number=number,
        family_name=family_name.variants[number % len(family_name.variants)],
        given_name=given_name.variants[number // 7 % len(given_name.variants)],
        family_name_kana=family_name.kana,
        given_name_kana=given_name.kana,
        sex=given_name.sexes[number % len(given_name.sexes)],
        birth_date=_FIRST_BIRTH + timedelta(days=day),
        certificate_number=f"{number * _CERTIFICATE_STEP % _CERTIFICATES:010}",
    )


def staff_name(rng: Random) -> str:
    """The name of somebody at work: supporters, physicians, contacts."""
    return f"{rng.choice(FAMILY_NAMES).variants[0]} {rng.choice(GIVEN_NAMES).variants[0]}"


def relative_name(rng: Random, family_name: str, sex: Sex) -> str:
    """Somebody of the family, with its name."""
    return f"{family_name} {rng.choice(_BY_SEX[sex])}"


_BY_SEX: dict[Sex, tuple[str, ...]] = {
    sex: tuple(name.variants[0] for name in GIVEN_NAMES if sex in name.sexes) for sex in ("female", "male")
}
