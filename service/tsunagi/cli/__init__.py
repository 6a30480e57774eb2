"""The command `tsunagi`."""

import typer

from tsunagi.cli import clients, demo, directory, erasing, keeping, keys, ledger, serving, staff, verifying

main = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Tsunagi（繋ぎ）: the handover exchange.",
)
main.add_typer(directory.app, name="directory", help="Organizations and areas.")
main.add_typer(clients.app, name="client", help="Software clients and their keys.")
main.add_typer(staff.app, name="staff", help="Members of staff who sign in to the pages.")
main.add_typer(ledger.app, name="ledger", help="The log of the ledger, its sequencer and its keys.")
ledger.app.command("verify", context_settings=verifying.HANDED_ON)(verifying.verify)
main.add_typer(keys.app, name="keys", help="Master keys of what is sealed.")
main.command("erase")(erasing.erase)
main.add_typer(erasing.holds, name="hold")
main.command("serve")(serving.serve)
main.command("demo")(demo.demo)
main.command("migrate")(serving.migrate_command)
main.command("backup")(keeping.backup)
main.command("restore")(keeping.restore)
