"""The service as `tsunagi serve` runs it, without its logs and metrics, for the benchmark."""

import asyncio

from tsunagi import logs
from tsunagi.cli.context import database
from tsunagi.cli.serving import server
from tsunagi.settings import Settings


async def main() -> None:
    settings = Settings()
    async with database(settings) as db:
        await server(settings, db).serve()


logs.configure("json", quiet=True)
asyncio.run(main())
