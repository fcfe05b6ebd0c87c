"""The tables of the patient's record."""

from records.models.chart import Addendum, Attachment, Entry, Misfiling, StrikeThrough
from records.models.flags import EntryFlag, EntryFlagEnding
from records.models.patient import ChangedMeanwhileError, NameKey, Patient, ResemblesError
from records.models.wishes import ContactPreference, Restriction, RestrictionEnding

__all__ = [
    "Addendum",
    "Attachment",
    "ChangedMeanwhileError",
    "ContactPreference",
    "Entry",
    "EntryFlag",
    "EntryFlagEnding",
    "Misfiling",
    "NameKey",
    "Patient",
    "ResemblesError",
    "Restriction",
    "RestrictionEnding",
    "StrikeThrough",
]
