"""The tables of the patient's record."""

from records.models.chart import PAYABLE, Addendum, Attachment, Entry, Misfiling, StrikeThrough
from records.models.deaths import DeathReport
from records.models.emergencies import EmergencyLetterSent, EmergencyRelease
from records.models.flags import EntryFlag, EntryFlagEnding
from records.models.holds import LegalHold, LegalHoldEnding
from records.models.minors import MinorConsent, MinorDecision, SignedAnew
from records.models.notice import NoticeAcknowledgment, NoticePosting, NoticeVersion
from records.models.paid_in_full import PaidInFull, PaymentBounce, PaymentMadeGood
from records.models.patient import ChangedMeanwhileError, NameKey, Patient, ResemblesError
from records.models.representatives import RefusalEnding, Representative, RepresentativeEnding, RepresentativeRefusal
from records.models.restrictions import Restriction, RestrictionEnding, RestrictionEntry, RestrictionNotice
from records.models.wishes import ContactPreference

__all__ = [
    "PAYABLE",
    "Addendum",
    "Attachment",
    "ChangedMeanwhileError",
    "ContactPreference",
    "DeathReport",
    "EmergencyLetterSent",
    "EmergencyRelease",
    "Entry",
    "EntryFlag",
    "EntryFlagEnding",
    "LegalHold",
    "LegalHoldEnding",
    "MinorConsent",
    "MinorDecision",
    "Misfiling",
    "NameKey",
    "NoticeAcknowledgment",
    "NoticePosting",
    "NoticeVersion",
    "PaidInFull",
    "Patient",
    "PaymentBounce",
    "PaymentMadeGood",
    "RefusalEnding",
    "Representative",
    "RepresentativeEnding",
    "RepresentativeRefusal",
    "ResemblesError",
    "Restriction",
    "RestrictionEnding",
    "RestrictionEntry",
    "RestrictionNotice",
    "SignedAnew",
    "StrikeThrough",
]
