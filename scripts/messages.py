"""make messages: what patients read, gathered into locale/es/LC_MESSAGES/django.po, and that file compiled to django.mo.

Only texts for patients are gathered: letters, bills, accountings and the pages under /privacy/. The staff's pages are in
English. What lacks its Spanish is added empty and named; what nobody says any more is dropped.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meso.settings")

import django
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.template.base import Template
from django.template.loader import get_template
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.utils import translation

ROOT = Path(__file__).resolve().parent.parent
PO = ROOT / "locale/es/LC_MESSAGES/django.po"
TEMPLATES = (
    "pdf/*.html",
    "meso/pdf/_anchor.html",
    "disclosures/pdf/*.html",
    "disclosures/letters/*.html",
    "records/letters/*.html",
    "requests_app/letters/*.html",
    "requests_app/public/*.html",
    "requests_app/_bill_rows.html",
    "requests_app/notice_standard.txt",
    "error.html",
)
# Modules whose texts patients read. Other modules hold a few as well, which the tests find when a letter says them.
MODULES = (
    "disclosures/accounting.py",
    "disclosures/accounting_rules.py",
    "disclosures/authorization_papers.py",
    "disclosures/purposes.py",
    "meso/brakes.py",
    "meso/errors.py",
    "records/lookers.py",
    "requests_app/after_letters.py",
    "requests_app/asked.py",
    "requests_app/forms/ask.py",
    "requests_app/forms/public.py",
    "requests_app/forms/robots.py",
    "requests_app/grounds.py",
    "requests_app/kinds.py",
    "requests_app/letters.py",
    "requests_app/notice.py",
    "requests_app/standing.py",
    "requests_app/views/public.py",
)
KEYWORDS = {"_": None, "_t": None, "gettext": None, "gettext_lazy": None, "gettext_noop": None, "ngettext": (1, 2)}
Message = str | tuple[str, str]
# What patients read out of modules that otherwise speak to the staff.
WITHIN: set[Message] = {
    "A message about your request",
    "Another way",
    "By mail",
    "Changing this notice",
    "Choose how we reach you",
    "Doing as it says here",
    "Have this notice on paper",
    "Have your record corrected",
    "How we can reach you",
    "If it gets into wrong hands",
    "If you are not content",
    "Keeping it private",
    "Know whom we told",
    "Let somebody act for you",
    "Limit who sees your record",
    "Month, day, year, such as 7/2/2026, if you know it.",
    "No harm comes of it",
    "Only with your written permission",
    "Our answer to your statement",
    "The review of our decision",
    "Our decision",
    "Picked up at the office",
    "Please call our privacy officer if you have questions.",
    "Please check the year.",
    "Please look this over and send it once more. Nothing you typed is lost.",
    "See your record or get a copy",
    "Skip to the content",
    "Taking a permission back",
    "Telephone, e-mail or address. Without it we look into the matter, but can't answer you.",
    "This day is in the future.",
    "To be paid",
    "To run the office",
    "To the government",
    "To treat you",
    "To us",
    "We need more time",
    "What happened",
    "What we do with your information",
    "What we owe you",
    "What you may ask of us",
    "When we may share it without your written permission",
    "When you learned of it",
    "Where the law protects more",
    "Whom to ask",
    "You may leave this out.",
    "We opened your request again",
    "You withdrew your request",
    "Your name",
    "When you can look at your record",
    "optional",
    "psychotherapy notes",
    "put together for a court or agency case",
    "the address of the office",
    "the privacy officer's word that it is in force",
    "the telephone number to call",
    "whom to ask",
}


def in_template(name: str) -> Iterator[Message]:
    """The texts that a template says, as Django asks the catalogue for them."""
    template: Template = get_template(name).template
    for node in template.nodelist.get_nodes_by_type(TranslateNode):
        yield str(node.filter_expression.var.literal or node.filter_expression.var)
    for node in template.nodelist.get_nodes_by_type(BlockTranslateNode):
        one, _ = node.render_token_list(node.singular)
        more = node.render_token_list(node.plural)[0] if node.plural else ""
        yield (one, more) if more else one


def gathered() -> set[Message]:
    """Every text for patients."""
    folder = ROOT / "templates"
    names = [str(path.relative_to(folder)) for pattern in TEMPLATES for path in sorted(folder.glob(pattern))]
    found = {message for name in names for message in in_template(name)}
    for module in MODULES:
        found |= {message for _, message, _, _ in extract_from_file("python", str(ROOT / module), keywords=KEYWORDS)}
    return found | of_authorizations()


def of_authorizations() -> set[Message]:
    """What the letter about a signed form may say that it lacks."""
    from disclosures.authorization_rules import COMPOUNDS, DIRECTIVE, ELEMENTS, STATEMENTS

    with translation.override("en"):
        return {str(demand.defect.words) for demand in (*ELEMENTS, *STATEMENTS, *COMPOUNDS, *DIRECTIVE)}


def catalogue() -> Catalog:
    """The catalogue as it stands, with what is new added empty and what is gone dropped."""
    with PO.open("rb") as file:
        old = read_po(file, locale="es")
    dates = {"creation_date": old.creation_date, "revision_date": old.revision_date}
    new = Catalog(
        locale="es", project="Meso", version="1", fuzzy=False, header_comment="# What patients read, in Spanish.", **dates
    )
    for message in sorted(gathered() | WITHIN, key=str):
        before = old.get(message if isinstance(message, str) else message[0])
        new.add(message, before.string if before else None)
    return new


def main() -> int:
    """Write both files. Says which texts have no Spanish yet; 1 when there are any."""
    django.setup()
    new = catalogue()
    with PO.open("wb") as file:
        write_po(file, new, omit_header=False, width=0)
    with PO.with_suffix(".mo").open("wb") as file:
        write_mo(file, new)
    lacking = [message.id for message in new if message.id and not all(as_tuple(message.string))]
    for text in lacking:
        print(f"no Spanish yet: {text!r}")
    return 1 if lacking else 0


def as_tuple(said: str | tuple[str, ...]) -> tuple[str, ...]:
    """The forms of a text: one, or one for each number."""
    return said if isinstance(said, tuple) else (said,)


if __name__ == "__main__":
    sys.exit(main())
