"""The tables of the disclosures app, one module for each subject."""

from disclosures.models.accounting import AccountingGiven
from disclosures.models.authorization_acts import (
    AuthorizationCopyGiven,
    AuthorizationEventHappened,
    AuthorizationFoundFalse,
    AuthorizationLetter,
    AuthorizationLetterSent,
    AuthorizationRevocation,
    OralRevocation,
)
from disclosures.models.authorizations import Authorization, AuthorizedEntry, NotAuthorized, Standing
from disclosures.models.log import (
    EARLIEST,
    Correction,
    DisclosedEntry,
    Disclosure,
    DisclosureQuerySet,
    DisclosureReview,
    HoldDecision,
)
from disclosures.models.release import Release
from disclosures.models.told import PatientTold, TellingRefused

__all__ = [
    "EARLIEST",
    "AccountingGiven",
    "Authorization",
    "AuthorizationCopyGiven",
    "AuthorizationEventHappened",
    "AuthorizationFoundFalse",
    "AuthorizationLetter",
    "AuthorizationLetterSent",
    "AuthorizationRevocation",
    "AuthorizedEntry",
    "Correction",
    "DisclosedEntry",
    "Disclosure",
    "DisclosureQuerySet",
    "DisclosureReview",
    "HoldDecision",
    "NotAuthorized",
    "OralRevocation",
    "PatientTold",
    "Release",
    "Standing",
    "TellingRefused",
]
