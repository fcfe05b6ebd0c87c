"""`demo`: an invented office on the default database, served on this machine."""

import os
import socket
import sys
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandParser

from meso import clock
from meso.commands import Command as MesoCommand
from meso.commands import Failed
from meso.models import Office, User
from requests_app.demo import people
from requests_app.demo.load import load


class Command(MesoCommand):
    """Migrates the default database, loads an invented office if there is none, prints the logins and the address, serves."""

    help = "Migrates the default database, loads an invented office if there is none, prints the logins and the address, serves."
    needs_migrated_database = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="the port on 127.0.0.1 (8000)")
        parser.add_argument("--no-serve", action="store_true", help="load the office and stop")

    def work(self, *, port: int, no_serve: bool, **options: Any) -> None:
        """Do all of it; the server takes this process's place. Raises Failed when the port is taken."""
        if settings.PRODUCTION:
            raise Failed("MESO_ENV is production: an invented office, with logins that are in print, has no place there.")
        if not no_serve:
            self._ask_for_port(port)
        call_command("migrate", verbosity=0)
        clock.set_zone(Office.current().time_zone)
        if not User.objects.exists():
            self.stdout.write("Loading an invented office (about half a minute) ...")
            load(on=clock.today(), at=clock.now())
        self.tell()
        call_command("collectstatic", verbosity=0, interactive=False)
        self._say_how_to_log_in(port)
        if not no_serve:
            self._serve(port)

    def _ask_for_port(self, port: int) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except (OSError, OverflowError) as error:
                raise Failed(f"Port {port} can't be used ({error}). Try another: python manage.py demo --port 8001") from error

    def _say_how_to_log_in(self, port: int) -> None:
        known = set(User.objects.values_list("username", flat=True))
        if {username for username, *_ in people.STAFF} <= known:
            self.stdout.write(f"\nLogins, all with the password {people.PASSWORD}; the second step shows its code.")
            for username, first, last, role, _ in people.STAFF:
                self.stdout.write(f"  {username:<10} {first} {last}, {role.replace('_', ' ')}")
        else:
            self.stdout.write("\nThis database holds an office of its own; log in as you do there.")
        self.stdout.write(f"\nStaff:    http://127.0.0.1:{port}/\nPatients: http://127.0.0.1:{port}/privacy/\n")
        self.stdout.flush()

    def _serve(self, port: int) -> None:
        arguments = ["--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "4", "--log-level", "warning", "meso.wsgi"]
        env = os.environ | {"MESO_DEMO": "true"}
        os.execve(sys.executable, [sys.executable, "-m", "gunicorn", *arguments], env)  # noqa: S606  (fixed words and a number)
