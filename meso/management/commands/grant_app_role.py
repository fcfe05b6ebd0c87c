"""grant_app_role: the rights of the database role under which the office works."""

from argparse import ArgumentParser
from typing import Any

from django.db import connection, transaction

from meso import app_role, backups
from meso.commands import Command as HouseCommand
from meso.commands import Failed


class Command(HouseCommand):
    """Gives PostgreSQL roles what the office's work needs and nothing more; run it after each migrate, as the tables' owner."""

    help = __doc__
    needs_migrated_database = False  # asked below: a restore wants the database empty, and the base leaves a row

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("roles", nargs="+", metavar="ROLE", help="a role that the server knows and that owns no table")

    def work(self, *, roles: list[str], **options: Any) -> str:
        if connection.vendor != "postgresql":
            raise Failed("SQLite has no roles: whoever can write its file can do everything. The triggers alone guard it.")
        self.ask_for_migrations()
        if not backups.is_empty(connection):
            self.tell()
        try:
            with transaction.atomic():
                for role in roles:
                    app_role.grant(connection, role)
        except app_role.NoSuchRole as refused:
            raise Failed(str(refused)) from refused
        added = sum(verbs == app_role.ADDED for verbs in app_role.rights().values())
        return f"{' and '.join(roles)} may add to {added} tables and never change them, own none and change no schema."
