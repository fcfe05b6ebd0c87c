"""The tables of the disclosures app, one module for each subject."""

from disclosures.models.accounting import AccountingGiven
from disclosures.models.log import (
    EARLIEST,
    Correction,
    DisclosedEntry,
    Disclosure,
    DisclosureQuerySet,
    DisclosureReview,
    HoldDecision,
)

__all__ = [
    "EARLIEST",
    "AccountingGiven",
    "Correction",
    "DisclosedEntry",
    "Disclosure",
    "DisclosureQuerySet",
    "DisclosureReview",
    "HoldDecision",
]
