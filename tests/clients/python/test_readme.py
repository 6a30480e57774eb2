"""The README's example runs as it stands, but for who is calling."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.clients.python.faces import Software
from tests.world import consent_for
from tsunagi_client import Tsunagi

README = Path(__file__).parents[3] / "clients" / "python" / "README.md"


@pytest.mark.parametrize("software", [Tsunagi], indirect=True)
def test_the_example_offers_a_handover(
    software: Software, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = tmp_path / "key.pem"
    key.write_bytes(software.key.as_pem(private=True))
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    for theirs, ours in {
        "http://127.0.0.1:8080": software.service.base_url,
        "aozora-software.pem": str(key),
        "aozora-software": software.id,
        "01930000-0000-7000-8000-00000000a001": str(software.sending),
    }.items():
        assert f'"{theirs}"' in example
        example = example.replace(f'"{theirs}"', repr(ours))
    known: dict[str, Any] = {"record": software.record(), "consent": consent_for("", software.receiving)}
    exec(compile(example, str(README), "exec"), known)
    assert known["offered"].data["status"] == "offered"
    assert capsys.readouterr().out
