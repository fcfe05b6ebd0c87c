"""Bad files for every importer of the command line."""

import io
import json
import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError
from hypothesis import strategies as st

from tests.fuzz import naughty
from tests.fuzz.attack import Attacker, Finding
from tests.fuzz.office import would_commit

PATIENTS = "chart_number,first_name,last_name,date_of_birth,sex,phone,email,address_1,address_2,city,state,zip,language"
DISCLOSURES = "chart_number,disclosed_on,recipient,recipient_address,information,purpose_code,purpose,authorized_on"
REQUESTS = "chart_number,kind,received_on,description,closed_on,outcome"
ROWS = {
    "import_patients": (PATIENTS, "90001,Ann,Lee,1980-02-03,female,518-555-0101,ann@example.org,1 Elm,,Albany,NY,12210,en"),
    "import_disclosures": (DISCLOSURES, "10023,2026-03-04,Health Dept,1 Main St,Lab result,public_health,Report,"),
    "import_requests": (REQUESTS, "10023,access,2026-11-02,The whole record,,"),
}
BUNDLE = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [
        {
            "resource": {
                "resourceType": "Patient",
                "id": "p1",
                "identifier": [{"system": "urn:chart", "value": "90002"}],
                "name": [{"family": "Lee", "given": ["Ann"]}],
                "birthDate": "1980-02-03",
                "gender": "female",
                "telecom": [{"system": "phone", "value": "518-555-0101"}],
                "address": [{"line": ["1 Elm"], "city": "Albany", "state": "NY", "postalCode": "12210"}],
            }
        },
        {
            "resource": {
                "resourceType": "DocumentReference",
                "status": "current",
                "subject": {"reference": "Patient/p1"},
                "date": "2026-01-02T10:00:00Z",
                "type": {"text": "Visit note"},
                "content": [{"attachment": {"contentType": "text/plain", "data": "aGVsbG8="}}],
            }
        },
        {
            "resource": {
                "resourceType": "Observation",
                "status": "final",
                "subject": {"reference": "Patient/p1"},
                "code": {"text": "Weight"},
                "effectiveDateTime": "2026-01-02",
                "valueQuantity": {"value": 70, "unit": "kg"},
            }
        },
    ],
}


def csv_file(header: str, row: str) -> st.SearchStrategy[bytes]:
    """The CSV with cells gone mad, columns that are not there, bytes cut off or turned."""

    def build(cells: dict[int, str], head: str, again: int, cut: int, turned: bytes) -> bytes:
        plain = row.split(",")
        for place, words in cells.items():
            plain[place % len(plain)] = '"' + words.replace('"', '""') + '"' if words else ""
        text = "\n".join([head, *[",".join(plain)] * again, row]) + "\n"
        data = text.encode("utf-8", "surrogatepass")
        return data[: len(data) - cut] + turned

    columns = header.split(",")
    wrong = [",".join(columns[1:]), header + ",who", header.upper(), columns[0], "", header + "\0"]
    cells = st.dictionaries(st.integers(0, len(columns) - 1), naughty.words, max_size=4)
    cuts = st.just(0) | st.integers(0, 80)
    return st.builds(
        build,
        cells,
        st.just(header) | st.just(header) | st.sampled_from(wrong),
        st.integers(0, 3),
        cuts,
        st.just(b"") | st.binary(max_size=20),
    )


def _paths(node: Any, before: tuple = ()) -> list[tuple]:
    """Where every value of a JSON tree stands."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [path for key, value in items for path in [(*before, key), *_paths(value, (*before, key))]]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | naughty.words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(naughty.words, inner, max_size=3),
    max_leaves=6,
)


def bundle() -> st.SearchStrategy[bytes]:
    """The bundle with up to four values replaced by anything, or bytes cut off."""

    def build(changes: list[tuple[tuple, Any]], cut: int) -> bytes:
        tree = json.loads(json.dumps(BUNDLE))
        for path, value in changes:
            node = tree
            try:
                for key in path[:-1]:
                    node = node[key]
                node[path[-1]] = value
            except (KeyError, IndexError, TypeError):
                continue  # what stood there was replaced before
        data = json.dumps(tree).encode()
        return data[: len(data) - cut]

    places = st.tuples(st.sampled_from(_paths(BUNDLE)), JSON)
    return st.builds(build, st.lists(places, max_size=4), st.just(0) | st.integers(0, 200))


def lines() -> st.SearchStrategy[bytes]:
    """The same as NDJSON, a resource a line."""

    def build(data: bytes, glue: bytes) -> bytes:
        try:
            entries = json.loads(data)["entry"]
            return glue.join(json.dumps(entry).encode() for entry in [one["resource"] for one in entries])
        except (ValueError, KeyError, TypeError):
            return data

    return st.builds(build, bundle(), st.sampled_from([b"\n", b"\r\n", b"\n\n", b" ", b"\0\n", b""]))


def targets(attacker: Attacker, folder: Path) -> Iterator[tuple[str, Callable[[int], None]]]:
    """Each importer with each kind of bad file, and with noise: its name, and what sends so many."""
    noise = st.binary(max_size=2_000) | st.integers(0, 2**32).map(lambda number: random.Random(number).randbytes(5_000))
    for name, (header, row) in ROWS.items():
        yield name, partial(attacker.throw, name, csv_file(header, row), _import(attacker, name, folder / "file.csv"))
        yield f"{name} noise", partial(attacker.throw, f"{name} noise", noise, _import(attacker, name, folder / "noise.csv"))
    for kind, files in (("json", bundle()), ("ndjson", lines()), ("json", noise)):
        name = f"import_patients {kind}{' noise' if files is noise else ''}"
        yield name, partial(attacker.throw, name, files, _import(attacker, "import_patients", folder / f"file.{kind}"))


def _import(attacker: Attacker, name: str, file: Path) -> Callable[[bytes], None]:
    def one(data: bytes) -> None:
        file.write_bytes(data)
        with attacker.office.undone() as written:
            try:
                call_command(name, str(file), stdout=io.StringIO(), stderr=io.StringIO())
                attacker.report.answers["file taken in"] += 1
                would_commit(written)
            except CommandError as error:
                attacker.report.answers["file refused"] += 1
                if not str(error).strip() or "Traceback" in str(error):
                    raise Finding("refused without a word") from error
                if changed := attacker.office.unchanged(written):
                    raise Finding(f"refused, but {', '.join(changed)} changed") from error

    return one
