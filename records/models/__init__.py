"""The tables of the patient's record."""

from records.models.chart import PAYABLE, Addendum, Attachment, Entry, Misfiling, StrikeThrough
from records.models.deaths import DeathReport
from records.models.emergencies import EmergencyLetterSent, EmergencyRelease
from records.models.flags import EntryFlag, EntryFlagEnding
from records.models.guards import ChartGuard, ChartGuardEnding, ChartGuardMember, EmergencyAccess, EmergencyReview
from records.models.holds import LegalHold, LegalHoldEnding
from records.models.lookers import LookersGiven
from records.models.minors import MinorConsent, MinorDecision, SignedAnew
from records.models.notice import NoticeAcknowledgment, NoticePosting, NoticeVersion
from records.models.paid_in_full import PaidInFull, PaymentBounce, PaymentMadeGood
from records.models.patient import ChangedMeanwhileError, NameKey, Patient, ResemblesError
from records.models.representatives import RefusalEnding, Representative, RepresentativeEnding, RepresentativeRefusal
from records.models.restrictions import Restriction, RestrictionEnding, RestrictionEntry, RestrictionNotice
from records.models.wishes import ContactPreference, WayOut

__all__ = [
    "PAYABLE",
    "Addendum",
    "Attachment",
    "ChangedMeanwhileError",
    "ChartGuard",
    "ChartGuardEnding",
    "ChartGuardMember",
    "ContactPreference",
    "DeathReport",
    "EmergencyAccess",
    "EmergencyLetterSent",
    "EmergencyRelease",
    "EmergencyReview",
    "Entry",
    "EntryFlag",
    "EntryFlagEnding",
    "LegalHold",
    "LegalHoldEnding",
    "LookersGiven",
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
    "WayOut",
]
