"""The five kinds of request, and the other words a request is told in."""

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Kind(models.TextChoices):
    """A patient's five rights to ask (design.md, "Kinds and codes")."""

    ACCESS = "access", _("See or copy the record")
    AMENDMENT = "amendment", _("Correct the record")
    RESTRICTION = "restriction", _("Limit who sees the record")
    CONFIDENTIAL_COMMUNICATION = "confidential_communication", _("Be contacted another way")
    ACCOUNTING = "accounting", _("List of disclosures")


class Channel(models.TextChoices):
    """How a request came. An oral one is a request like any other (law.md §13a)."""

    IN_PERSON = "in_person", _("In person")
    TELEPHONE = "telephone", _("By telephone")
    LETTER = "letter", _("By letter")
    FAX = "fax", _("By fax")
    EMAIL = "email", _("By e-mail")
    WEB = "web", _("Through the web form")


class Outcome(models.TextChoices):
    """How a request was answered."""

    GRANTED = "granted", _("Granted")
    GRANTED_IN_PART = "granted_in_part", _("Granted in part")
    DENIED = "denied", _("Denied")
    NO_RECORDS = "no_records", _("No records found")
    WITHDRAWN = "withdrawn", _("Withdrawn by the patient")


AGREED_TO = frozenset({Outcome.GRANTED, Outcome.GRANTED_IN_PART})
HELD_BACK = frozenset({Outcome.DENIED, Outcome.GRANTED_IN_PART})  # all of it or a part

# Answers behind which nothing is released: the letter is all.
NOTHING_GIVEN = frozenset({Outcome.DENIED, Outcome.NO_RECORDS})


class Step(models.TextChoices):
    """What still stands between a request and its end, in the order in which it is done."""

    MATCH = "to_match", _("Find the chart")
    VERIFY = "to_verify", _("Check who is asking")
    DECIDE = "to_decide", _("Decide")
    CARRY_OUT = "to_carry_out", _("Carry it out")
    SEND = "to_send", _("Send the letter")


class Delivery(models.TextChoices):
    """How copies go out."""

    MAIL = "mail", _("On paper, by mail")
    PICK_UP = "pick_up", _("On paper, picked up")
    ELECTRONIC = "electronic", _("Electronic copy")


# Where the answer itself is what the patient asked for, a full grant needs no letter besides.
ANSWERED_BY_THE_THING_ITSELF = frozenset({Kind.ACCESS, Kind.ACCOUNTING})

# kind -> the facts a request of this kind may hold in `details`: {name: label}
DETAILS: dict[str, dict[str, str | Promise]] = {
    Kind.ACCESS: {
        "which": _("Which records"),
        "since": _("From"),
        "until": _("To"),
        "form": _("How"),
        "delivery_address": _("Where to send it"),
    },
    Kind.AMENDMENT: {
        "entry": _("Which entry"),
        "change": _("What should change"),
        "reason": _("Why"),
        "originator": _("Why whoever wrote it can't correct it any more"),
    },
    Kind.RESTRICTION: {
        "what": _("What to keep private"),
        "from_whom": _("From whom"),
        "paid_in_full": _("Paid for in full, to be kept from a health plan"),
    },
    Kind.CONFIDENTIAL_COMMUNICATION: {"means": _("How to reach the patient"), "where": _("Where"), "avoid": _("What not to use")},
    Kind.ACCOUNTING: {"since": _("From"), "until": _("To")},
}
