"""The nonces' key lies beside the token keys, for all processes alike."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from tsunagi.proofs.nonces import kept_nonces

NOW = datetime(2026, 10, 1, 3, tzinfo=UTC)


def test_processes_that_share_the_folder_take_each_others_nonces(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        processes = list(pool.map(lambda _: kept_nonces(tmp_path / "keys"), range(8)))
    made = [one.make(NOW) for one in processes]
    assert all(one.made_at(nonce, NOW) == NOW for one in processes for nonce in made)
    assert kept_nonces(tmp_path / "elsewhere").made_at(made[0], NOW) is None


def test_the_key_is_its_owners_alone(tmp_path: Path) -> None:
    kept_nonces(tmp_path / "keys")
    (path,) = (tmp_path / "keys").iterdir()
    assert path.name == "nonces.key"
    assert path.stat().st_mode & 0o077 == 0
    assert len(path.read_bytes()) == 32
