"""Factories: one thing each, valid by itself, its dates fixed so that a test fails the same way every day."""

from datetime import UTC, date, datetime

import factory
from django.db.models.signals import post_save
from factory.django import DjangoModelFactory

from disclosures.models import Authorization, Disclosure, Suspension
from meso.models import Office, User
from records.models import Attachment, ContactPreference, Entry, Patient, Representative, Restriction
from requests_app.models import PatientRequest

PASSWORD = "a long pass phrase 7"
AT = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


@factory.django.mute_signals(post_save)  # the event of somebody new would stand first in every test's audit
class UserFactory(DjangoModelFactory):
    """A member of the staff, by default of the front desk."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user{n}")
    first_name = "Robin"
    last_name = factory.Sequence(lambda n: f"Keeler{n}")
    role = "front_desk"
    password = factory.django.Password(PASSWORD)


class PatientFactory(DjangoModelFactory):
    """A patient with an address."""

    class Meta:
        model = Patient

    chart_number = factory.Sequence(lambda n: f"T{n:05d}")
    first_name = "Maria"
    last_name = factory.Sequence(lambda n: f"Alvarez{n}")
    date_of_birth = date(1984, 7, 2)
    sex = "female"
    phone = "555-010-2233"
    address_1 = "12 Elm Street"
    city = "Albany"
    state = "NY"
    zip = "12207"


class EntryFactory(DjangoModelFactory):
    """A visit note."""

    class Meta:
        model = Entry

    patient = factory.SubFactory(PatientFactory)
    kind = "visit_note"
    service_on = date(2026, 5, 1)
    title = "First visit"
    body = "Seen for a first visit. No known allergies. Plan: three sessions."
    author = factory.SubFactory(UserFactory, role="physician", credentials="MD")
    signed_as = factory.LazyAttribute(lambda entry: entry.author.signature if entry.author else "Imported")
    written_at = AT


class AttachmentFactory(DjangoModelFactory):
    """A tiny PNG in the chart."""

    class Meta:
        model = Attachment

    patient = factory.SubFactory(PatientFactory)
    entry = None
    name = "photo.png"
    format = "image/png"
    content = bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c63787364cd7f000858035cc3a7122e0000"
        "000049454e44ae426082"
    )
    added_by = factory.SubFactory(UserFactory)
    added_at = AT


class RestrictionFactory(DjangoModelFactory):
    """A restriction in force."""

    class Meta:
        model = Restriction

    patient = factory.SubFactory(PatientFactory)
    what = "Nothing about the May visit to the health plan"
    begins_on = date(2026, 5, 1)
    agreed_by = factory.SubFactory(UserFactory, role="privacy_officer")
    signed_as = "Robin Keeler"
    recorded_at = AT


class RepresentativeFactory(DjangoModelFactory):
    """A health care agent of an adult."""

    class Meta:
        model = Representative

    patient = factory.SubFactory(PatientFactory)
    name = "Rosa Alvarez"
    relation = "sister"
    address = "4 Hill Road\nTroy, NY 12180"
    basis = "power"
    paper = "health_care_power"
    scope = "health_care"
    begins_on = date(2026, 1, 1)
    verified_how = "Photo ID seen"
    verified_on = date(2026, 1, 1)
    verified_by = factory.SubFactory(UserFactory)
    signed_as = "Robin Keeler"
    recorded_at = AT


class ContactPreferenceFactory(DjangoModelFactory):
    """A wish to be written to at a post office box."""

    class Meta:
        model = ContactPreference

    patient = factory.SubFactory(PatientFactory)
    means = "mail"
    where = "PO Box 12\nAlbany, NY 12201"
    begins_on = date(2026, 6, 1)
    recorded_by = factory.SubFactory(UserFactory)
    recorded_at = AT


class DisclosureFactory(DjangoModelFactory):
    """A report required by law."""

    class Meta:
        model = Disclosure

    patient = factory.SubFactory(PatientFactory)
    disclosed_on = date(2026, 6, 15)
    recipient = "State Department of Health"
    recipient_address = "1 Capitol Square, Albany, NY 12207"
    information = "Visit note of May 1, 2026"
    purpose_code = "required_by_law"
    purpose = "Report required by state law"
    logged_by = factory.SubFactory(UserFactory)
    logged_at = AT


class AuthorizationFactory(DjangoModelFactory):
    """A whole form of June 1, 2026 for a life insurer, good through the end of the year."""

    class Meta:
        model = Authorization

    patient = factory.SubFactory(PatientFactory)
    received_on = date(2026, 6, 1)
    information = "My whole record"
    discloser = "Lark Street Mesotherapy"
    recipient = "Beacon Life"
    recipient_address = "400 Harbor Road, Boston, MA 02110"
    purposes = factory.LazyFunction(lambda: ["Life insurance"])
    expires_on = date(2026, 12, 31)
    signed_on = date(2026, 6, 1)
    says_revocable = True
    says_conditions = True
    says_redisclosure = True
    scan = AttachmentFactory.content
    scan_format = "image/png"
    recorded_by = factory.SubFactory(UserFactory)
    recorded_at = AT

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        return model_class.record(**kwargs)


class SuspensionFactory(DjangoModelFactory):
    """An oral statement of the state police, made and recorded on November 10, 2026."""

    class Meta:
        model = Suspension

    patient = factory.SubFactory(PatientFactory)
    agency = "State Police"
    official = "Det. Ruth Okafor"
    identity = "Badge seen, number noted"
    codes = ("law_enforcement",)
    written = False
    statement = "An accounting would be reasonably likely to impede the investigation."
    stated_on = date(2026, 11, 10)
    until = None
    by = factory.SubFactory(UserFactory, role="privacy_officer")
    at = datetime(2026, 11, 10, 15, 0, tzinfo=UTC)

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        on = kwargs.pop("on", kwargs["stated_on"])
        return model_class.record(on=on, **kwargs | {"codes": list(kwargs["codes"])})


class RequestFactory(DjangoModelFactory):
    """A request for copies by letter, taken in on the day it came (`on` says another day), linked to a chart."""

    class Meta:
        model = PatientRequest

    patient = factory.SubFactory(PatientFactory)
    kind = "access"
    channel = "letter"
    received_on = date(2026, 11, 24)
    asker_name = factory.LazyAttribute(lambda request: request.patient.name if request.patient else "Maria Alvarez")
    by = None
    at = AT

    @classmethod
    def _create(cls, model_class, *args, **kwargs):
        on = kwargs.pop("on", kwargs["received_on"])
        return model_class.take(on=on, office=Office.current(), **kwargs)
