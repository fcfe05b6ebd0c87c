"""The documents of the record and of the disclosure log that the retention report counts, and from which days."""

from collections.abc import Iterator
from datetime import date, timedelta

from django.db.models import Max, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _

from disclosures import purposes, retention
from disclosures.models import AccountingGiven, Authorization, Breach, BreachEvent, Disclosure, Release
from disclosures.retention import Item
from records.models import ContactPreference, LegalHoldEnding, NoticeAcknowledgment, NoticeVersion, RestrictionEnding

_DAY = timedelta(days=1)


def _items(rows: QuerySet, created: str, last: str = "", *, is_disclosure: bool = False) -> Iterator[Item]:
    """The rows as items: `created` and `last` name their day columns."""
    columns = ["pk", "patient_id", "patient__chart_number", created, *([last] if last else [])]
    for pk, patient, chart, made, *ended in rows.values_list(*columns).iterator(chunk_size=500):
        yield Item(str(rows.model._meta.verbose_name), pk, patient, chart or "", made, ended[0] if ended else None, is_disclosure)


def _disclosures(before: date) -> Iterator[Item]:
    """A disclosure counts from the last of its series: same patient, recipient and purpose (164.528(b)(3))."""
    grouped = [code for code in purposes.PURPOSES if purposes.purpose(code).groups]
    same = Disclosure.objects.filter(
        patient=OuterRef("patient"), purpose_code=OuterRef("purpose_code"), recipient__iexact=OuterRef("recipient")
    )
    last = same.filter(purpose_code__in=grouped).order_by().values("patient").annotate(last=Max("disclosed_on")).values("last")
    rows = Disclosure.objects.filter(disclosed_on__lte=before).annotate(last=Subquery(last))
    return _items(rows.order_by("disclosed_on", "id"), "disclosed_on", "last", is_disclosure=True)


def _accountings(before: date) -> Iterator[Item]:
    return _items(AccountingGiven.objects.filter(issued_on__lte=before).order_by("issued_on", "id"), "issued_on")


def _restrictions(before: date) -> Iterator[Item]:
    rows = RestrictionEnding.objects.filter(ended_on__lte=before).order_by("ended_on", "id")
    return _items(rows, "restriction__begins_on", "ended_on")


def _contact_preferences(before: date) -> Iterator[Item]:
    """Those that a later wish has taken the place of."""
    later = ContactPreference.objects.filter(patient=OuterRef("patient"), begins_on__gt=OuterRef("begins_on"))
    rows = ContactPreference.objects.annotate(last=Subquery(later.order_by("begins_on").values("begins_on")[:1]))
    return _items(rows.filter(last__lte=before).order_by("last", "id"), "begins_on", "last")


def _notices(before: date) -> Iterator[Item]:
    """Versions of the notice that a later one has taken the place of; the one in force is kept."""
    later = NoticeVersion.objects.filter(language=OuterRef("language"), effective_on__gt=OuterRef("effective_on")).order_by(
        "effective_on"
    )
    rows = NoticeVersion.objects.annotate(next=Subquery(later.values("effective_on")[:1])).filter(next__lte=before + _DAY)
    for pk, made, following in rows.order_by("effective_on", "id").values_list("pk", "effective_on", "next"):
        yield Item(str(NoticeVersion._meta.verbose_name), pk, None, "", made, following - _DAY)


def _notices_given(before: date) -> Iterator[Item]:
    return _items(NoticeAcknowledgment.objects.filter(given_on__lte=before).order_by("given_on", "id"), "given_on")


def _holds(before: date) -> Iterator[Item]:
    return _items(LegalHoldEnding.objects.filter(ended_on__lte=before).order_by("ended_on", "id"), "hold__begins_on", "ended_on")


def _releases(before: date) -> Iterator[Item]:
    return _items(Release.objects.filter(released_on__lte=before).order_by("released_on", "id"), "released_on")


def _authorizations(before: date) -> Iterator[Item]:
    """Signed forms with what became of them; one that may still be used is kept."""
    name = str(Authorization._meta.verbose_name)
    rows = Authorization.objects.with_acts().filter(received_on__lte=before).order_by("received_on", "id")
    for form in rows.iterator(chunk_size=500):
        if ended := form.last_in_effect_on(before):
            yield Item(name, form.pk, form.patient_id, form.patient.chart_number, form.received_on, ended)


def _breaches(before: date) -> Iterator[Item]:
    """Breaches that are closed, with their letters."""
    closed = BreachEvent.objects.filter(verb="closed", on__lte=before).select_related("breach").order_by("on", "id")
    for event in closed.prefetch_related("breach__affected"):
        concerned = frozenset(row.patient_id for row in event.breach.affected.all())
        name = str(Breach._meta.verbose_name)
        yield Item(name, event.breach_id, None, "", event.breach.discovered_on, event.on, also=concerned)


def register_all() -> None:
    """Put these kinds into the report."""
    retention.register(_("Disclosures"), "164.528(d)", _disclosures)
    retention.register(_("Releases with their papers"), "164.530(j)", _releases)
    retention.register(_("Accountings given"), "164.528(d)", _accountings)
    retention.register(_("Signed authorizations"), "164.508(b)(6)", _authorizations)
    retention.register(_("Restrictions that have ended"), "164.522(a)(3)", _restrictions)
    retention.register(_("Contact wishes since replaced"), "164.530(j)", _contact_preferences)
    retention.register(_("Versions of the notice no longer in force"), "164.520(e)", _notices)
    retention.register(_("Acknowledgments of the notice"), "164.520(e)", _notices_given)
    retention.register(_("Legal holds that were lifted"), "164.530(j)", _holds)
    retention.register(_("Breaches that are closed"), "164.530(j)", _breaches)
