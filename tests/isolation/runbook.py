"""What docs/operations.md tells operators to type."""

import re

from tests.world import ROOT


def sql_of(section: str) -> list[list[str]]:
    """The statements of each block of SQL in the section with this heading."""
    page = (ROOT / "docs" / "operations.md").read_text()
    body = re.split(r"^#+ ", page.partition(f"# {section}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    blocks = re.findall(r"```sql\n(.*?)```", body, flags=re.DOTALL)
    return [[one.strip() for one in block.split(";") if one.strip()] for block in blocks]
