"""Brings a database to the newest migration."""

from pathlib import Path

from alembic import command
from alembic.config import Config


def configuration(url: str, migrations: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def migrate(url: str, migrations: Path) -> None:
    """The database is at the newest migration; safe to call from several processes at once."""
    command.upgrade(configuration(url, migrations), "head")
