"""The tables of the patient's record."""

from records.models.chart import Addendum, Attachment, Entry, Misfiling, StrikeThrough
from records.models.patient import NameKey, Patient
from records.models.wishes import ContactPreference, Restriction, RestrictionEnding

__all__ = [
    "Addendum",
    "Attachment",
    "ContactPreference",
    "Entry",
    "Misfiling",
    "NameKey",
    "Patient",
    "Restriction",
    "RestrictionEnding",
    "StrikeThrough",
]
