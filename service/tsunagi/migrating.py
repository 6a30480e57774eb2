"""Brings a database to the newest migration."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from tsunagi.settings import Settings


def configuration(url: str, migrations: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def migrate(url: str, migrations: Path, settings: Settings | None = None) -> None:
    """The database is at the newest migration; safe to call from several processes at once.

    Where the master keys are that a migration may need, the settings say: those given, or those of the environment.
    """
    config = configuration(url, migrations)
    config.attributes["settings"] = settings
    command.upgrade(config, "head")
