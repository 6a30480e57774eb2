"""Everything that may differ between two installations, read from the environment (`TSUNAGI_*`)."""

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parents[2]


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="TSUNAGI_", frozen=True, populate_by_name=True)

    database_url: str | None = Field(
        default=None, validation_alias=AliasChoices("DATABASE_URL", "TSUNAGI_DATABASE_URL", "database_url")
    )
    """PostgreSQL 15 or later. Absent: an embedded PostgreSQL is kept under `data_dir`."""

    allow_data_loss: bool = False
    """Start on a database that is set up to lose acknowledged writes, and leave it to the database to lose them."""

    data_dir: Path = Path(".tsunagi")
    """Holds the embedded database and the platform's keys."""

    master_keys: Path | None = None
    """The file of the master keys that records are sealed under. Absent: `keys/master.keys` in `data_dir`."""

    retention_rules: Path | None = None
    """How long what is known of people is kept: a CSV file as `erasure/retention.csv`, which holds when absent."""

    contract_dir: Path = ROOT
    """Where `openapi.yaml`, `schemas/` and `migrations/` lie."""

    base_url: str = "http://127.0.0.1:8080"
    """The issuer and audience of tokens; what callers reach the service by."""

    dpop_nonce: Literal["required", "none"] = "required"
    """Whether every DPoP proof needs a nonce of the server. RFC 9449 section 11.3 leaves nothing in between."""

    ledger_origin: str | None = None
    """The name of the ledger's log (C2SP tlog-checkpoint), which it keeps for ever. Absent: the host of `base_url`
    followed by `/ledger`."""

    ledger_keys_dir: Path | None = None
    """Holds the keys that sign the log. Only the sequencer opens it; absent: `ledger-keys` in `data_dir`."""

    sequencer: Literal["child", "none"] = "child"
    """Whether `tsunagi serve` runs the sequencer as a process beside it, or somebody else does (`tsunagi ledger
    sequence`): a key that the server cannot read belongs to another user of the machine, or to another machine."""

    sequencer_interval_seconds: float = 0.1
    """How often the sequencer looks for new entries."""

    host: str = "127.0.0.1"
    port: int = 8080
    metrics_port: int = 9090
    pool_size: int = 8
    trusted_proxies: str = "127.0.0.1"
    """Whose `X-Forwarded-For` is believed: addresses or networks, separated by commas."""

    max_body_bytes: int = 2_000_000
    head_seconds: float = 10.0
    request_seconds: float = 60.0
    worker_interval_seconds: float = 15.0
    webhooks_interval_seconds: float = 2.0
    webhooks_to_loopback: bool = False
    """For trials: webhooks may also lead to this machine itself, there without TLS, too."""

    openid_to_loopback: bool = False
    """For trials: organizations' own sign-in may also be on this machine itself, there without TLS, too."""

    matches_per_minute: int = 30
    client_requests_per_minute: int = 6_000
    organization_requests_per_minute: int = 3_000
    tokens_per_minute: int = 600
    token_failures_per_minute: int = 30
    strangers_pages_per_minute: int = 240
    """Of these five, 0 means no limit."""

    log_format: str = "json"

    @property
    def log_origin(self) -> str:
        return self.ledger_origin or f"{urlsplit(self.base_url).netloc}/ledger"

    @property
    def log_keys(self) -> Path:
        return self.ledger_keys_dir or self.data_dir / "ledger-keys"
