"""The world of the other tests, over a database of its own with real commits."""

import pytest

from tsunagi.db import Database


@pytest.fixture
def db(own_database: Database) -> Database:
    return own_database
