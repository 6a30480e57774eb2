"""The secret of the keyed hashes."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tsunagi.people.rules import KEY_BYTES
from tsunagi.people.secret import matching_secret


def test_the_secret_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    first = matching_secret(folder)
    assert len(first) == KEY_BYTES
    assert matching_secret(folder) == first
    assert (folder / "matching.key").stat().st_mode & 0o077 == 0
    assert folder.stat().st_mode & 0o077 == 0
    assert [path.name for path in folder.iterdir()] == ["matching.key"]


def test_two_installations_have_two_secrets(tmp_path: Path) -> None:
    assert matching_secret(tmp_path / "one") != matching_secret(tmp_path / "other")


def test_all_who_start_at_once_have_the_same_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: matching_secret(tmp_path / "keys"), range(8)))
    assert len(set(found)) == 1
