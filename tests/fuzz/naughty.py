"""What people and programs type that nobody expects, and strategies that make more of it."""

from hypothesis import strategies as st

MARK = "zq7xq"  # whatever holds it and `<` must never come back unescaped

STRINGS = [
    "",
    " ",
    "\t\r\n",
    "\0",
    "Ann\0",
    "\x1b[31m",
    "\ufeff",
    "\u200b\u200d",
    "\u202eevil",
    "\ufffd\uffff",
    "\ud83d",
    "e\u0301" * 40,
    "İıßﬃ",
    "٣٤٥",
    "１５",
    "Ω≈ç√∫",
    "田中さん",
    "👩‍👩‍👧‍👦",
    "a" * 5_000,
    "🙂" * 300,
    "undefined",
    "null",
    "None",
    "true",
    "NaN",
    "Infinity",
    "-Infinity",
    "-1",
    "-0",
    "0",
    "0.1",
    "0.001",
    "1e309",
    "1e-9",
    "1_000",
    "1,000.00",
    "$1",
    "9" * 19,
    "9" * 400,
    "9223372036854775808",
    "0x1F",
    "0000-00-00",
    "0001-01-01",
    "2026-02-29",
    "2024-02-29",
    "9999-12-31",
    "10000-01-01",
    "13/13/2026",
    "2026-11-24T10:00:00+99:00",
    "25:61",
    "' OR 1=1 --",
    '"; DROP TABLE meso_user; --',
    "%' AND SLEEP(5) #",
    "{{7*7}}",
    "{% load static %}",
    "${7*7}",
    "%s%n%(name)s",
    "{0.__class__}",
    "../../../../etc/passwd",
    "..\\..\\boot.ini",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "//evil.example/",
    "https://evil.example/",
    "/\\evil.example/",
    "a\r\nSet-Cookie: zq7=1",
    "a@b",
    "@",
    "a@b.example, c@d.example",
    "a" * 300 + "@example.org",
    '{"a": [1, {"b": null}]}',
    "[" * 2_000,
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)",
    "+1-1",
    f"<script>{MARK}</script>",
    f'"><img src={MARK} onerror=alert(1)>',
    f"'><svg/onload={MARK}>",
    f"</textarea><b>{MARK}",
    f"<!--{MARK}",
    f"]]><{MARK}>",
    f"<a href='javascript:{MARK}'>x</a>",
]

_known, _marked = st.sampled_from(STRINGS), st.sampled_from([text for text in STRINGS if MARK in text])
_made = st.text(max_size=60) | st.integers(-(10**12), 10**12).map(str) | st.dates().map(str)
words = st.one_of(_known, _known, _marked, _made)
AWAY = [
    "//evil.example/",
    "https://evil.example/",
    "///evil.example",
    "/\\evil.example/",
    "\t//evil.example",
    "http:evil.example",
]
mutations = words | st.lists(words, min_size=1, max_size=3)  # a list: the field was sent more than once

FILES = [
    (b"", "empty.pdf"),
    (b"%PDF-1.7\n%%EOF", "hollow.pdf"),
    (b"%PDF-1.7\n" + b"1 0 obj<</Type/Catalog/Pages 1 0 R>>endobj\n" * 50, "loop.pdf"),
    (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "torn.png"),
    (b"\xff\xd8\xff\xe0" + b"A" * 40, "torn.jpg"),
    (b"PK\x03\x04" + b"\0" * 60, "torn.docx"),
    (f"<html><script>{MARK}</script>".encode(), "page.pdf"),
    (b"MZ" + b"\x90" * 80, "../../evil.exe"),
    (b"GIF89a" + b"\0" * 20, "a\r\nb.gif"),
    (b"chart_number\n\xff\xfe\x00", "x" * 300 + ".csv"),
    ("ünï\u202efdp.exe".encode(), "\u202efdp.exe"),
]
files = st.sampled_from(FILES) | st.tuples(st.binary(max_size=300), st.sampled_from([name for _, name in FILES]))


def part_of_address(name: str) -> st.SearchStrategy[int | str]:
    """What nobody's link holds in this part of an address: a number for a key, any words elsewhere."""
    if name == "pk":
        return st.sampled_from([0, 1, 2**31, 2**63 - 1, 2**63, 10**400]) | st.integers(0, 10**6)
    return words.filter(bool).map(sendable)


def sendable(text: str) -> str:
    """The text without what no program can put into a request: halves of letters."""
    return text.encode("utf-8", "replace").decode()


def for_field(name: str) -> st.SearchStrategy:
    """What is sent in a field of this name: where people are sent on, more often an address elsewhere."""
    return st.sampled_from(AWAY) | mutations if name in ("next", "back", "to") else mutations
