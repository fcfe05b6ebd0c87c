"""PDF from a Django template: PDF/UA-1, tagged, with the fonts inside, and no network while it is drawn."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from weasyprint import HTML
from weasyprint.urls import URLFetcher


@dataclass(frozen=True)
class Pdf:
    """A finished document: its bytes and how many pages it really has."""

    content: bytes
    pages: int


def render_pdf(template: str, context: dict[str, Any], language: str = settings.LANGUAGE_CODE) -> Pdf:
    """Draw `template`, which extends pdf/base.html, in a language of settings.LANGUAGES, whoever asks for it.

    What lies outside of it, on the network or the disk, is left out.
    """
    with translation.override(language):
        html = render_to_string(template, context)
    fetcher = URLFetcher(allowed_protocols=("data",))
    document = HTML(string=html, url_fetcher=fetcher).render(pdf_variant="pdf/ua-1")
    return Pdf(document.write_pdf(pdf_variant="pdf/ua-1"), len(document.pages))
