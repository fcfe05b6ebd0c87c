"""PDFs: tagged for a screen reader, head and foot on every page, nothing fetched, every name as people write it."""

import copy
import io
import re
import socket

import pypdf
import pytest
from django.conf import settings as django_settings
from pypdf.generic import DictionaryObject

from meso.models import Office
from meso.pdf import Pdf, render_pdf

NAMES = "王小明 · Ñandú O’Brien-Sørensen · Łukasz Żółć · Владимир · Αθηνά · 김민준 · さくら · สมชาย · हिन्दी"


@pytest.fixture
def draw(tmp_path, settings):
    """`draw(content, name="...")` is the PDF of a letter with this content for this patient."""
    (tmp_path / "letter.html").write_text(
        '{% extends "pdf/base.html" %}{% block title %}Letter to chart {{ chart }}{% endblock %}'
        "{% block subject %}{{ name }} · {{ chart }}{% endblock %}{% block footline %}R-1042{% endblock %}"
        "{% block content %}<h1>Your request</h1>" + "{{ body|safe }}{% endblock %}"
    )
    templates = copy.deepcopy(django_settings.TEMPLATES)
    templates[0]["DIRS"].append(tmp_path)
    settings.TEMPLATES = templates
    office = Office(
        name="Cedar Lane Mesotherapy", address_1="1 Elm Street", city="Albany", state="NY", zip="12207", phone="555-010-2000"
    )

    def render(content: str = "<p>Dear patient</p>", name: str = "Maria Alvarez") -> Pdf:
        return render_pdf("letter.html", {"office": office, "name": name, "chart": "10023", "body": content})

    return render


def read(pdf: Pdf) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(pdf.content))


def text_of(pdf: Pdf) -> list[str]:
    """The text of each page, its spaces made one."""
    return [" ".join(page.extract_text().split()) for page in read(pdf).pages]


def structure(node, found: list[str] | None = None) -> list[str]:
    """The names of the tags of a document, in reading order."""
    found = [] if found is None else found
    node = node.get_object()
    if isinstance(node, DictionaryObject):
        if "/S" in node:
            found.append(node["/S"])
        children = node.get("/K", [])
        for child in children if isinstance(children, list) else [children]:
            structure(child, found)
    return found


def test_a_letter_is_tagged_and_says_that_it_is_pdf_ua(draw):
    reader = read(
        draw("<h2>What we did</h2><p>One</p><table><tr><th>Day</th></tr><tr><td>1</td></tr></table><ul><li>A</li></ul>")
    )
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert reader.metadata.title == "Letter to chart 10023"
    assert reader.metadata.author == "Cedar Lane Mesotherapy"
    assert re.search(rb"pdfuaid:part(?:>|=\")1", root["/Metadata"].get_data())
    tags = structure(root["/StructTreeRoot"])
    assert {"/Document", "/H1", "/H2", "/P", "/Table", "/TR", "/TH", "/TD", "/L", "/LI"} <= set(tags)


def test_every_font_is_inside_the_file(draw):
    reader = read(draw(f"<p>{NAMES} <b>bold</b> <i>slanted</i></p>"))
    fonts = [font.get_object() for page in reader.pages for font in page["/Resources"]["/Font"].values()]
    assert fonts
    for font in fonts:
        descriptor = font["/DescendantFonts"][0].get_object()["/FontDescriptor"]
        assert {"/FontFile2", "/FontFile3", "/FontFile"} & set(descriptor)


def test_every_page_names_the_patient_the_office_and_its_number(draw):
    pdf = draw("".join(f"<p>Line {n}</p>" for n in range(135)))
    pages = text_of(pdf)
    assert pdf.pages == len(pages) == 5
    for number, text in enumerate(pages, start=1):
        assert f"page {number} of 5" in text
        assert "Maria Alvarez · 10023" in text
        assert "R-1042" in text
        assert "Cedar Lane Mesotherapy" in text


def test_the_letterhead_stands_on_the_first_page_only(draw):
    pages = text_of(draw("".join(f"<p>Line {n}</p>" for n in range(100))))
    assert "1 Elm Street · Albany, NY 12207 · 555-010-2000" in pages[0]
    assert all("1 Elm Street" not in page for page in pages[1:])


def test_a_long_name_shortens_nothing_and_covers_nothing(draw):
    long = "Maximiliana-Alexandrina " * 8
    pdf = draw(name=long)
    assert " ".join(long.split()) in text_of(pdf)[0]
    assert "Your request" in text_of(pdf)[0]


def test_names_in_every_script_are_drawn_and_can_be_read_back(draw):
    """A letter that no font has is drawn as a box, and what is read back of a box is something else."""
    [page] = text_of(draw(f"<p>{NAMES}</p>", name=NAMES))
    for name in NAMES.split(" · "):
        assert page.count(name) == 2
    assert "\U000f1234" not in text_of(draw("<p>\U000f1234</p>"))[0]


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        "<img src=http://127.0.0.1:9/x.png>",
        "</p><h1>Another letter</h1>",
        "<style>* { display: none }</style>",
        "{% now %} {{ office.phone }}",
        "a & b < c \" d ' e",
    ],
)
def test_a_name_that_looks_like_html_is_a_name(draw, name):
    pdf = draw(name=name)
    assert name in text_of(pdf)[0]
    assert structure(read(pdf).trailer["/Root"]["/StructTreeRoot"]).count("/H1") == 1


@pytest.mark.parametrize(
    "content",
    [
        '<img src="http://127.0.0.1:9/x.png" alt="x">',
        '<img src="https://example.com/x.png" alt="x">',
        '<link rel="stylesheet" href="http://127.0.0.1:9/x.css">',
        '<img src="file:///etc/passwd" alt="x">',
        '<p style="background: url(http://127.0.0.1:9/x.png)">x</p>',
        '<style>@import url("http://127.0.0.1:9/x.css");</style>',
        "<style>@font-face { font-family: x; src: url(http://127.0.0.1:9/x.ttf) } p { font-family: x }</style>",
        '<svg><image href="http://127.0.0.1:9/x.png" /></svg>',
        '<object data="http://127.0.0.1:9/x.pdf"></object>',
    ],
)
def test_nothing_is_fetched_while_it_is_drawn(draw, monkeypatch, content):
    """Neither from the network nor from the disk: a source that is not in the document itself is left out."""

    def refuse(*args, **kwargs):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    pdf = draw(f"<p>Before</p>{content}<p>After</p>")
    assert "Before" in text_of(pdf)[0]
    assert "After" in text_of(pdf)[0]
    assert b"root:" not in pdf.content
    assert not list(read(pdf).pages[0].images)


def test_a_picture_inside_the_document_is_drawn(draw):
    dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg=="
    assert len(read(draw(f'<img src="data:image/png;base64,{dot}" alt="A dot" width="9" height="9">')).pages[0].images) == 1


def test_a_line_through_a_passage_stays_legible(draw):
    assert "She has no known allergies" in text_of(draw("<p>She has no <del>known</del> allergies</p>"))[0]


def test_two_drawings_of_one_letter_say_the_same(draw):
    assert text_of(draw()) == text_of(draw())
