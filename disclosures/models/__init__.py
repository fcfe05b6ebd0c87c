"""The tables of the disclosures app, one module for each subject."""

from disclosures.models.accounting import AccountingGiven, PriceAnswer, PriceTold
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
from disclosures.models.breaches import Breach, BreachAffected, BreachEvent, BreachLetter
from disclosures.models.log import (
    EARLIEST,
    Correction,
    DisclosedEntry,
    Disclosure,
    DisclosureQuerySet,
    DisclosureReview,
    HoldDecision,
    VictimTold,
    WrittenRequest,
)
from disclosures.models.registers import BusinessAssociate, ResearchProtocol
from disclosures.models.release import Release
from disclosures.models.suspensions import ReissueAnswer, Suspension, SuspensionEnding

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
    "Breach",
    "BreachAffected",
    "BreachEvent",
    "BreachLetter",
    "BusinessAssociate",
    "Correction",
    "DisclosedEntry",
    "Disclosure",
    "DisclosureQuerySet",
    "DisclosureReview",
    "HoldDecision",
    "NotAuthorized",
    "OralRevocation",
    "PriceAnswer",
    "PriceTold",
    "ReissueAnswer",
    "Release",
    "ResearchProtocol",
    "Standing",
    "Suspension",
    "SuspensionEnding",
    "VictimTold",
    "WrittenRequest",
]
