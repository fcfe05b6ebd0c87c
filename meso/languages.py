"""The languages in which the office writes to its patients. The staff's pages are in English."""

from django.conf import settings
from django.utils.translation import get_supported_language_variant


def written(tag: str) -> str:
    """The language in which to write to somebody who speaks `tag` (such as es, es-MX or pt): that language, else English."""
    try:
        return get_supported_language_variant(tag.lower() or settings.LANGUAGE_CODE)
    except LookupError:
        return settings.LANGUAGE_CODE
