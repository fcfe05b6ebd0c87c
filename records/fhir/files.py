"""FHIR R4 as it lies in files: a Bundle, a single resource, NDJSON, or a folder of them. Every fault is named by its place."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from meso.csv_in import BadFile, Problem

MAX_LINE = 64 * 1024 * 1024  # bytes: a document of 25 MB in base64 fits, a file without line ends is refused unread
MAX_DEPTH = 64  # elements within elements: far more than FHIR's own, far less than Python's stack
NAMELESS = "this is no FHIR resource: it names no resourceType"
MORE = "there is more than one value on this line"
LINES, WHOLE = (".ndjson", ".jsonl"), (".json",)


@dataclass(frozen=True, slots=True)
class Found:
    """A resource and where it stood: the file, and its line or its number among the Bundle's entries (0: alone in its file)."""

    file: str
    unit: str
    number: int
    full_url: str
    resource: dict

    @property
    def type(self) -> str:
        """Its resourceType."""
        return self.resource["resourceType"]

    @property
    def where(self) -> str:
        """Its place in words: "a.json, entry 4"."""
        return f"{self.file}, {self.unit} {self.number}" if self.number else self.file

    def problem(self, path: str, reason: str) -> Problem:
        """A fault of this resource."""
        return Problem(self.number, path, reason, file=self.file, unit=self.unit)


class BadElementError(Exception):
    """An element that can't be taken: its path, such as "Patient.name[0].given", and the reason."""

    def __init__(self, path: str, reason: str):
        self.path, self.reason = path, reason
        super().__init__(f"{path}: {reason}")


@dataclass(frozen=True, slots=True)
class At:
    """A group of elements and its path: reads its parts and says where one is not of its type (BadElementError)."""

    value: dict
    path: str

    def _as(self, key: str, kind: type | tuple, called: str, missing: Any) -> Any:
        found = self.value.get(key)
        if found is None:
            return missing
        if not isinstance(found, kind) or (isinstance(found, bool) and kind is not bool):
            raise BadElementError(f"{self.path}.{key}", f"this should be {called}")
        return found

    def text(self, key: str) -> str:
        """A string, letter for letter; "" where there is none or only blanks."""
        found = self._as(key, str, "text", "")
        return found if found.strip() else ""

    def flag(self, key: str) -> bool:
        """True only where true stands."""
        return self._as(key, bool, "true or false", False)

    def child(self, key: str) -> "At":
        """A group of elements within; an empty one where there is none."""
        return At(self._as(key, dict, "a group of elements in { }", {}), f"{self.path}.{key}")

    def _listed(self, key: str, kind: type, called: str) -> list[tuple[int, Any]]:
        found = self._as(key, list, "a list in [ ]", [])
        for place, item in enumerate(found):
            if item is not None and not isinstance(item, kind):
                raise BadElementError(f"{self.path}.{key}[{place}]", f"this should be {called}")
        return [(place, item) for place, item in enumerate(found) if item is not None]

    def items(self, key: str) -> list["At"]:
        """The groups of a list."""
        return [At(item, f"{self.path}.{key}[{place}]") for place, item in self._listed(key, dict, "a group of elements in { }")]

    def texts(self, key: str) -> list[str]:
        """The strings of a list; blank ones left out."""
        return [item for _, item in self._listed(key, str, "text") if item.strip()]


def name_of(file: Path) -> str:
    """The file's name as it can be printed."""
    return file.name.encode(errors="backslashreplace").decode()


def files_of(path: Path) -> list[Path]:
    """The file itself, or the folder's .json and .ndjson files by name. Raises BadFile where there is nothing to read."""
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in (*LINES, *WHOLE) and file.name[0] != ".")
    if not files:
        raise BadFile([Problem(0, "", "there is no .json or .ndjson file in this folder", file=name_of(path))])
    return files


def read(path: Path, problems: list[Problem], advance: Callable[[int], None]) -> Iterator[Found]:
    """Yield every resource under `path`, one file after the other; what can't be read is added to `problems`.

    NDJSON is read line by line. `advance` is told the bytes read.
    """
    for file in files_of(path):
        try:
            if file.suffix.lower() in LINES:
                yield from _of_lines(file, problems, advance)
            else:
                yield from _of_whole(file, problems, advance)
        except OSError as error:
            problems.append(Problem(0, "", f"the file can't be read: {error.strerror}", file=name_of(file)))


def _of_lines(file: Path, problems: list[Problem], advance: Callable[[int], None]) -> Iterator[Found]:
    empty, name = True, name_of(file)
    with file.open("rb") as lines:
        number = 0
        while line := lines.readline(MAX_LINE + 1):
            number += 1
            advance(len(line))
            if len(line) > MAX_LINE:
                problems.append(
                    Problem(number, "", "this line is longer than 64 MB; NDJSON has one resource a line", file=name_of(file))
                )
                return
            if line.strip(b" \t\r\n\xef\xbb\xbf"):
                empty = False
                try:
                    parsed = parse(line.rstrip(b"\r\n"))
                except BadElementError as bad:
                    problems.append(Problem(number, bad.path, bad.reason, file=name))
                else:
                    yield from _resources(name, "line", number, parsed, problems)
    if empty:
        problems.append(Problem(0, "", "the file is empty", file=name))


def _of_whole(file: Path, problems: list[Problem], advance: Callable[[int], None]) -> Iterator[Found]:
    data = file.read_bytes()
    try:
        parsed = parse(data)
    except BadElementError as bad:
        if bad.reason == MORE:  # NDJSON under another name
            yield from _of_lines(file, problems, advance)
        else:
            advance(len(data))
            problems.append(Problem(0, bad.path, bad.reason, file=name_of(file)))
        return
    advance(len(data))
    yield from _resources(name_of(file), "entry", 0, parsed, problems)


def parse(data: bytes) -> Any:
    """The JSON of a file or a line, numbers as written. Raises BadElementError with line, column and reason."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadElementError("", "this is not UTF-8 text") from None
    if not text.strip():
        raise BadElementError("", "the file is empty")
    if text.lstrip()[0] == "<":
        raise BadElementError("", "this is XML; Meso reads FHIR as JSON")
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and "\n" not in text[: error.pos].strip():
            raise BadElementError(f"column {error.colno}", MORE) from None
        where = f"column {error.colno}" if "\n" not in text else f"line {error.lineno}, column {error.colno}"
        raise BadElementError(where, f"the JSON is broken: {error.msg}") from None
    except RecursionError:
        raise BadElementError("", "the JSON is nested too deeply") from None
    except ValueError as error:
        raise BadElementError("", f"the JSON holds a number that is none: {error}") from None


def _no_number(name: str) -> None:
    raise ValueError(name)


def _resources(file: str, unit: str, number: int, parsed: Any, problems: list[Problem]) -> Iterator[Found]:
    """The resource itself, or the resources of a Bundle; what is none is added to `problems`."""
    if not isinstance(parsed, dict) or not isinstance(parsed.get("resourceType"), str):
        problems.append(
            Problem(number, "resourceType", "this is no FHIR resource: it names no resourceType", file=file, unit=unit)
        )
    elif parsed["resourceType"] == "Bundle":
        yield from _of_bundle(file, unit, number, parsed, problems)
    else:
        yield from _sound(Found(file, unit, number, "", parsed), problems)


def _of_bundle(file: str, unit: str, number: int, bundle: dict, problems: list[Problem]) -> Iterator[Found]:
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        problems.append(Problem(number, "Bundle.entry", "this should be a list in [ ]", file=file, unit=unit))
        return
    for place, entry in enumerate(entries, start=1):
        at, of = (place, "entry") if unit == "entry" else (number, unit)
        resource = entry.get("resource") if isinstance(entry, dict) else entry
        if resource is None and isinstance(entry, dict):
            continue  # a request or an answer without content, as R4 allows
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            problems.append(Problem(at, f"Bundle.entry[{place - 1}].resource", NAMELESS, file=file, unit=of))
        elif resource["resourceType"] == "Bundle":
            problems.append(Problem(at, f"Bundle.entry[{place - 1}]", "a Bundle within a Bundle is not read", file=file, unit=of))
        else:
            url = entry.get("fullUrl")
            yield from _sound(Found(file, of, at, url if isinstance(url, str) else "", resource), problems)


def _sound(found: Found, problems: list[Problem]) -> Iterator[Found]:
    """The resource, if no element of it is nested too deeply or holds what no database keeps."""
    waiting: list[tuple[Any, str, int]] = [(found.resource, found.type[:64], 1)]
    while waiting:
        value, path, depth = waiting.pop()
        if depth > MAX_DEPTH:
            problems.append(found.problem(found.type[:64], f"elements are nested more than {MAX_DEPTH} deep"))
            return
        if isinstance(value, str) and (reason := unkept(value)):
            problems.append(found.problem(path, reason))
            return
        if isinstance(value, dict):
            waiting += [(item, f"{path}.{key}", depth + 1) for key, item in value.items()]
            waiting += [(key, f"{path}.(a name)", depth) for key in value if not key.isidentifier()]
        elif isinstance(value, list):
            waiting += [(item, f"{path}[{place}]", depth + 1) for place, item in enumerate(value)]
    yield found


def unkept(text: str) -> str:
    """Why a database can't keep this text, or ""."""
    if "\0" in text:
        return "there is a NUL character in this text"
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        return "there is half a character in this text (a lone surrogate)"
    return ""
