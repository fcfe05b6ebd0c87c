"""A FHIR resource as text for a reader: one element a line, codes with their system, values with their unit.

It reads whatever shape it is given and never fails on one: what is missing is left out, what it does not know it
spells out element by element. What must be of a certain type is asked for in records/fhir.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

from records.fhir.codes import system_name

Resolve = Callable[[dict], str]  # a Reference in words; "" for the patient of the chart

_TYPES = (
    "DateTime|Date|Instant|Time|Period|Quantity|CodeableConcept|Coding|Code|Reference|String|Markdown|Boolean|Integer|PositiveInt|"
    "UnsignedInt|Decimal|Range|Ratio|SampledData|Timing|Age|Duration|Attachment|Uri|Url|Canonical|Identifier|Money|Address|Annotation|"
    "Base64Binary|Id|Oid|Uuid|ContactPoint|HumanName|Count|Distance|Signature|Dosage|Expression"
)
_CHOICE = re.compile(
    "(value|effective|onset|abatement|performed|medication|occurrence|serviced|timing|product|allowed|asNeeded|dose|rate|age|born|"
    "scheduled|reported|deceased|location|diagnosis|procedure|content|item|entity|start|statusReason|created|due|detail|reason|"
    f"multipleBirth|used|offset|legallyBinding|answer|collected|fastingStatus|minimumVolume|source|target|indication|onBehalfOf)({_TYPES})"
)
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d(?::\d\d)?)(?:\.\d+)?(Z|[+-]\d\d:\d\d)?")
_FIRST = {
    name: place
    for place, name in enumerate(
        (
            "code",
            "vaccineCode",
            "medicationCodeableConcept",
            "medicationReference",
            "class",
            "type",
            "category",
            "title",
            "description",
        )
    )
}
_HIDDEN = frozenset({"resourceType", "id", "meta", "implicitRules", "contained"})
_NAMING = ("code", "category", "type", "relationship", "role", "measure")
_PERIOD_UNITS = {"s": "seconds", "min": "minutes", "h": "hours", "d": "days", "wk": "weeks", "mo": "months", "a": "years"}
_LINE = 110  # characters: what is longer is set out line by line


def lines(element: dict, resolve: Resolve) -> list[str]:
    """The element's content, a line or a group of indented lines each; what names it first, then its value, then the rest."""
    found = []
    for key in sorted(element, key=_place):
        if _is_hidden(key, element[key]):
            continue
        if key in ("extension", "modifierExtension"):
            found += _extensions(element[key], resolve)
        else:
            found += _element(label(key), element[key], resolve)
    return found


def _is_hidden(key: str, value: Any) -> bool:
    """Whether this is no content of the element: its id, its language, a resource's narrative, why a value is missing."""
    is_narrative = key == "text" and isinstance(value, dict)
    return key in _HIDDEN or key.startswith("_") or is_narrative or (key == "language" and isinstance(value, str))


def _place(key: str) -> int:
    if key in _FIRST:
        return _FIRST[key]
    return 20 if key.startswith("value") else 21 if key in ("component", "result", "interpretation", "conclusion") else 22


def listed(value: Any) -> list:
    """The value if it is a list, as R4 has it; else an empty one."""
    return value if isinstance(value, list) else []


def label(key: str) -> str:
    """An element's name in words: "dosageInstruction" → "Dosage instruction", "valueQuantity" → "Value"."""
    choice = _CHOICE.fullmatch(key)
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", choice[1] if choice else key).lower()
    return words[:1].upper() + words[1:]


def _element(name: str, value: Any, resolve: Resolve) -> list[str]:
    items = [item for item in (value if isinstance(value, list) else [value]) if item not in (None, "", [], {})]
    texts = [text(item, resolve) for item in items]
    plain = [found for found in texts if found]
    if None not in texts:
        whole = f"{name}: {'; '.join(plain)}"
        if len(plain) > 1 and len(whole) > _LINE:
            return [f"{name}:", *_indented([f"- {found}" for found in plain])]
        return [whole] if plain else []
    found = []
    for item, said in zip(items, texts, strict=True):
        found += [f"{name}: {said}"] if said else _block(name, item, resolve) if said is None else []
    return found


def _block(name: str, item: dict, resolve: Resolve) -> list[str]:
    """A group of elements: on one line where it is short, else indented under its name; a form's question with its answers."""
    if "linkId" in item:
        return _question(item, resolve)
    inner = lines(item, resolve)
    if not inner:
        return []
    flat = _paired(item, resolve) or "; ".join(inner)
    if len(flat) <= _LINE and not any(line.startswith(" ") for line in inner):
        return [f"{name}: {flat}"]
    return [f"{name}:", *_indented(inner)]


def _question(item: dict, resolve: Resolve) -> list[str]:
    """ "Smoker?: no", and the questions that stand within it, indented."""
    asked = _say(item, "text") or _say(item, "linkId")
    answers, within = [], lines({"item": item["item"]}, resolve) if "item" in item else []
    for answer in listed(item.get("answer")):
        if isinstance(answer, dict):
            answers += lines({key: value for key, value in answer.items() if key != "item"}, resolve)
            within += lines({"item": answer["item"]}, resolve) if "item" in answer else []
    said = "; ".join(answer.removeprefix("Value: ") for answer in answers)
    return [f"{asked}: {said}" if said else f"{asked}:", *_indented(within)]


def _paired(item: dict, resolve: Resolve) -> str:
    """ "Systolic: 101 mm[Hg]" for a group of what is measured and its value, the plain text for a group of one; else ""."""
    parts = {key: value for key, value in item.items() if value and not _is_hidden(key, value)}
    shown = {key: found for key, value in parts.items() if (found := text(value, resolve)) != ""}
    if None in shown.values() or any(isinstance(value, list) for value in parts.values()):
        return ""
    if len(shown) == 1:
        return str(next(iter(shown.values())))
    naming = next((key for key in _NAMING if key in shown), None)
    if naming and len(shown) == 2:
        value = next(found for key, found in shown.items() if key != naming)
        return f"{shown[naming]}: {value}"
    return ""


def _indented(of: list[str]) -> list[str]:
    return ["  " + line for whole in of for line in whole.split("\n")]


def _extensions(value: Any, resolve: Resolve) -> list[str]:
    found = []
    for extension in value if isinstance(value, list) else []:
        if isinstance(extension, dict) and isinstance(extension.get("url"), str):
            name = label(system_name(extension["url"]).replace("-", " "))
            rest = {key: part for key, part in extension.items() if key != "url"}
            said = _paired(rest, resolve)
            found += [f"{name}: {said}"] if said else _block(name, rest, resolve)
    return found


def text(value: Any, resolve: Resolve) -> str | None:
    """A value on one line; None for a group of elements that has no short form."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float | Decimal):
        return str(value)
    if isinstance(value, str):
        return moment(value)
    if isinstance(value, dict):
        return _of_type(value, resolve)
    return ""  # nothing, or a list within a list, which R4 does not have


def moment(value: str) -> str:
    """A dateTime as read: "2012-09-10 15:29:24 UTC-05:00", the source's own clock. Any other text as it is."""
    found = _INSTANT.fullmatch(value)
    if not found:
        return value
    zone = {"Z": " UTC", "+00:00": " UTC", "-00:00": " UTC", None: ""}.get(found[3], f" UTC{found[3]}")
    return f"{found[1]} {found[2]}{zone}"


def _of_type(value: dict, resolve: Resolve) -> str | None:
    """The short form of the datatypes that have one, told apart by the names of their elements."""
    keys = {key for key in value if key not in ("id", "extension") and not key.startswith("_")}
    for marks, allowed, write in _DATATYPES:
        if keys & marks and keys <= allowed:
            said = write(value, resolve)
            if said or write is _resolved:
                return said
    return None if keys or "extension" in value else ""


def _say(value: dict, key: str) -> str:
    found = value.get(key)
    return "" if found is None or isinstance(found, dict | list) else str(text(found, str))


def coding(value: dict) -> str:
    """A Coding with its system: "Body Height (LOINC 8302-2)"."""
    display, code, system = _say(value, "display"), _say(value, "code"), system_name(_say(value, "system"))
    if "://" in code:
        code = system_name(code)
    said = " ".join(part for part in (system, "" if code == display else code) if part)
    if not display:
        return f"{code} ({system})" if code and system else code or system
    return f"{display} ({said})" if said else display


def concept(value: dict, _: Resolve | None = None) -> str:
    """A CodeableConcept with all its codes: "Body Height (LOINC 8302-2)"."""
    codings = [item for item in listed(value.get("coding")) if isinstance(item, dict)]
    words = _say(value, "text")
    if not words:
        return "; ".join(filter(None, map(coding, codings)))
    codes = []
    for item in codings:
        same = _say(item, "display") in ("", words)
        codes.append(" ".join(filter(None, (system_name(_say(item, "system")), _say(item, "code")))) if same else coding(item))
    said = "; ".join(dict.fromkeys(filter(None, codes)))
    return f"{words} ({said})" if said and said != words else words


def words(value: Any) -> str:
    """A CodeableConcept or Coding in plain words, without codes where there are words: its text, a display, or a bare code."""
    if not isinstance(value, dict):
        return value if isinstance(value, str) else ""
    codings = [item for item in listed(value.get("coding")) if isinstance(item, dict)]
    for item in (value, *codings):
        said = _say(item, "text") or _say(item, "display")
        if said:
            return said
    return next((_say(item, "code") for item in (value, *codings) if _say(item, "code")), "")


def quantity(value: dict, _: Resolve | None = None) -> str:
    """A Quantity with its unit, its figures as they came: "<5.10 mg/dL"."""
    number = _say(value, "comparator") + _say(value, "value")
    return " ".join(part for part in (number, _say(value, "unit") or _say(value, "code")) if part)


def person(value: dict, _: Resolve | None = None) -> str:
    """A HumanName in full: "Dr. Erlinda Franecki, PhD"."""
    if _say(value, "text"):
        return _say(value, "text")
    parts = {key: [part for part in listed(value.get(key)) if isinstance(part, str)] for key in ("prefix", "given", "suffix")}
    name = " ".join([*parts["prefix"], *parts["given"], *filter(None, [_say(value, "family")])])
    return ", ".join(filter(None, [name, " ".join(parts["suffix"])]))


def _period(value: dict, _: Resolve) -> str:
    start, end = _say(value, "start"), _say(value, "end")
    return f"{start} to {end}" if start and end else f"from {start}" if start else f"until {end}"


def _range(value: dict, _: Resolve) -> str:
    low, high = (quantity(value[key]) if isinstance(value.get(key), dict) else "" for key in ("low", "high"))
    return f"{low} to {high}" if low and high else f"at least {low}" if low else f"at most {high}"


def _ratio(value: dict, _: Resolve) -> str:
    return " / ".join(quantity(value[key]) for key in ("numerator", "denominator") if isinstance(value.get(key), dict))


def _money(value: dict, _: Resolve) -> str:
    return f"{_say(value, 'value')} {_say(value, 'currency')}".strip()


def _identifier(value: dict, _: Resolve) -> str:
    kind = words(value.get("type")) or system_name(_say(value, "system"))
    return f"{_say(value, 'value')} ({kind})" if kind else _say(value, "value")


def _contact_point(value: dict, _: Resolve) -> str:
    return " ".join(filter(None, (_say(value, "value"), f"({_say(value, 'use')})" if _say(value, "use") else "")))


def _annotation(value: dict, resolve: Resolve) -> str:
    author = value.get("authorReference")
    who = _say(value, "authorString") or (resolve(author) if isinstance(author, dict) else "")
    when = ", ".join(filter(None, (who, _say(value, "time"))))
    return f"{_say(value, 'text')} ({when})" if when else _say(value, "text")


def attachment(value: dict, _: Resolve | None = None) -> str:
    """An Attachment by its title, format, size and address; never its data."""
    about = ", ".join(filter(None, (_say(value, "contentType"), f"{_say(value, 'size')} bytes" if "size" in value else "")))
    said = " ".join(filter(None, (_say(value, "title"), f"({about})" if about else "", _say(value, "url"))))
    return said or "a file"


def _address(value: dict, _: Resolve) -> str:
    street = [part for part in listed(value.get("line")) if isinstance(part, str)]
    rest = [_say(value, key) for key in ("city", "district", "state", "postalCode", "country")]
    return ", ".join(filter(None, street + rest)) or _say(value, "text")


def _timing(value: dict, resolve: Resolve) -> str | None:
    repeat = value.get("repeat")
    said = [concept(value["code"])] if isinstance(value.get("code"), dict) else []
    said += [str(text(event, resolve)) for event in listed(value.get("event")) if isinstance(event, str)]
    if isinstance(repeat, dict):
        if set(repeat) - {"frequency", "period", "periodUnit"}:
            return None
        unit = _PERIOD_UNITS.get(_say(repeat, "periodUnit"), _say(repeat, "periodUnit"))
        said.append(f"{_say(repeat, 'frequency') or 1} times in {_say(repeat, 'period')} {unit}".strip())
    return "; ".join(said)


def _quantity_or_identifier(value: dict, resolve: Resolve) -> str:
    return _identifier(value, resolve) if isinstance(value["value"], str) else quantity(value)


def _resolved(value: dict, resolve: Resolve) -> str:
    return resolve(value)


# (elements that give it away, elements it may have, how it is written); the first that fits is taken
_DATATYPES: tuple[tuple[frozenset[str], frozenset[str], Callable[[dict, Resolve], str | None]], ...] = tuple(
    (frozenset(marks.split()), frozenset((marks + " " + others).split()), write)
    for marks, others, write in (
        ("coding", "text", concept),
        ("reference", "type identifier display", _resolved),
        ("currency", "value", _money),
        ("comparator unit", "value system code", quantity),
        ("start end", "", _period),
        ("low high", "", _range),
        ("numerator denominator", "", _ratio),
        ("family given prefix suffix", "use text period", person),
        ("line city district state postalCode country", "use type text period", _address),
        ("contentType data url hash creation", "language size title", attachment),
        ("rank", "system value use period", _contact_point),
        ("assigner", "use type system value period", _identifier),
        ("authorString authorReference time", "text", _annotation),
        ("repeat event", "code", _timing),
        ("text", "", lambda value, _: _say(value, "text")),
        ("value", "code system", _quantity_or_identifier),
        ("value", "use type system period", _identifier),
        ("code", "system version display userSelected", lambda value, _: coding(value)),
        ("display", "type identifier", _resolved),
        ("identifier", "type", _resolved),
    )
)


class _Reader(HTMLParser):
    """Gathers the text of a page, a line for each block."""

    BLOCKS = frozenset(
        "address article br dd div dl dt h1 h2 h3 h4 h5 h6 hr item li ol p paragraph pre section table text title tr ul".split()  # noqa: SIM905
    )
    SILENT = frozenset({"script", "style", "head"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.silent += tag in self.SILENT
        self.said.append("\n" if tag in self.BLOCKS else "\t" if tag in ("td", "th") else "")

    def handle_startendtag(self, tag: str, attrs: list) -> None:
        self.said.append("\n" if tag in self.BLOCKS else "")

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in self.SILENT and self.silent > 0
        self.said.append("\n" if tag in self.BLOCKS else "")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.said.append(re.sub(r"\s+", " ", data))


def from_html(source: str) -> str:
    """The text of an XHTML narrative or another page of markup, without its tags; blank lines left out."""
    reader = _Reader()
    try:
        reader.feed(source)
        reader.close()
    except AssertionError:  # how HTMLParser answers a declaration it does not know
        reader.said = [re.sub(r"<[^>]*>", "\n", source)]
    tidy = (re.sub(r"[ \t]*\t[ \t]*", "  ", line).strip() for line in "".join(reader.said).split("\n"))
    return "\n".join(line for line in tidy if line)
