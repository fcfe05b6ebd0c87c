"""What the record room proves to an auditor: notices, restrictions, representatives, holds, emergency accesses."""

from collections.abc import Iterator
from datetime import date, timedelta

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from meso import auditor, clock
from records.models import (
    EmergencyAccess,
    LegalHold,
    NoticeAcknowledgment,
    NoticePosting,
    NoticeVersion,
    Representative,
    RepresentativeRefusal,
    Restriction,
)

_CHUNK = 500


def _notices(start: date, end: date) -> Iterator[tuple[object, ...]]:
    for version in NoticeVersion.objects.between(start, end).select_related("made_by"):
        made = (version.made_at.isoformat(timespec="seconds"), version.made_by.signature)
        yield version.pk, version.language, version.effective_on, version.change, _yes(version.is_material), *made, version.sha256


def _notice_documents(start: date, end: date) -> Iterator[tuple[str, bytes]]:
    for version in NoticeVersion.objects.between(start, end).defer(None):
        yield f"notice-{version.pk}-{version.effective_on.isoformat()}-{version.language}.pdf", version.document


def _postings(start: date, end: date) -> Iterator[tuple[object, ...]]:
    versions = NoticeVersion.objects.between(start, end).values("pk")
    rows = NoticePosting.objects.filter(Q(posted_on__range=(start, end)) | Q(version__in=versions)).select_related("by")
    for row in rows.order_by("posted_on", "id"):
        yield row.version_id, row.get_place_display(), row.posted_on, row.by.signature


def _acknowledgments(start: date, end: date) -> Iterator[tuple[object, ...]]:
    rows = NoticeAcknowledgment.objects.filter(given_on__range=(start, end)).select_related("patient").order_by("given_on", "id")
    for row in rows.iterator(chunk_size=_CHUNK):
        yield row.patient.chart_number, row.version_id, row.given_on, row.get_signed_display(), row.why_not, row.signed_as


def _restrictions(start: date, end: date) -> Iterator[tuple[object, ...]]:
    """Those in force on any day of the period, with how each ended."""
    rows = Restriction.objects.filter(begins_on__lte=end).exclude(ending__ended_on__lt=start)
    for row in rows.with_terms().select_related("patient").order_by("begins_on", "id").iterator(chunk_size=_CHUNK):
        paid, ending, notice = (getattr(row, name, None) for name in ("paid", "ending", "notice"))
        yield (
            row.pk, row.patient.chart_number, row.what, row.from_whom, "; ".join(row.covered), row.begins_on, row.signed_as,
            row.request_number, _yes(row.is_mandatory), paid.service_on if paid else "", paid.paid_on if paid else "",
            notice.told_on if notice else "", ending.ended_on if ending else "", ending.reason if ending else "",
        )  # fmt: skip


def _representatives(start: date, end: date) -> Iterator[tuple[object, ...]]:
    """Who was on file, on what authority. Names stay out, and so does whether somebody was refused."""
    rows = Representative.objects.filter(begins_on__lte=end).exclude(expires_on__lt=start).exclude(ending__ended_on__lt=start)
    for row in rows.select_related("patient", "ending").order_by("begins_on", "id").iterator(chunk_size=_CHUNK):
        ending = getattr(row, "ending", None)
        yield (
            row.patient.chart_number, row.relation, row.get_basis_display(), row.get_paper_display(), row.get_scope_display(),
            row.begins_on, row.expires_on, ending.ended_on if ending else "", row.verified_on, row.verified_how, row.signed_as,
        )  # fmt: skip


def _refused(start: date, end: date) -> Iterator[tuple[object, ...]]:
    """How many were refused, by ground, and nothing that tells whom (164.502(g)(5))."""
    rows = RepresentativeRefusal.objects.filter(begins_on__range=(start, end))
    for ground in RepresentativeRefusal.Ground:
        yield ground.label, rows.filter(ground=ground).count()


def _holds(start: date, end: date) -> Iterator[tuple[object, ...]]:
    rows = LegalHold.objects.filter(begins_on__lte=end).exclude(ending__ended_on__lt=start).select_related("patient", "ending")
    for row in rows:
        ending = getattr(row, "ending", None)
        chart = row.patient.chart_number if row.patient else ""
        yield (
            row.pk,
            chart,
            row.reason,
            row.begins_on,
            row.signed_as,
            ending.ended_on if ending else "",
            ending.reason if ending else "",
        )


def _emergencies(start: date, end: date) -> Iterator[tuple[object, ...]]:
    """Each time the glass was broken in the period, and what its review found; neither the reason's words nor what was seen."""
    begun = {"at__gte": clock.midnight(start), "at__lt": clock.midnight(end + timedelta(days=1))}
    rows = EmergencyAccess.objects.filter(**begun).select_related("patient", "review").order_by("id")
    for row in rows.iterator(chunk_size=_CHUNK):
        review = getattr(row, "review", None)
        found = (
            (review.get_finding_display(), review.signed_as, review.at.isoformat(timespec="seconds")) if review else ("", "", "")
        )
        what = "psychotherapy note" if row.entry_id else "guarded chart"
        times = (row.at.isoformat(timespec="seconds"), row.until.isoformat(timespec="seconds"))
        yield row.pk, row.patient.chart_number, what, row.signed_as, row.get_kind_display(), *times, *found


def _yes(true: bool) -> str:
    return "yes" if true else "no"


def register_all() -> None:
    """Put these sections into the export."""
    columns: tuple[str, ...] = ("number", "language", "effective_on", "what_is_new", "material", "made_at", "made_by", "sha256")
    auditor.register(
        "notices", _("Versions of the notice in force in the period"), columns, _notices,
        citation="164.520(b), 164.520(e)", documents=_notice_documents, order=60,
    )  # fmt: skip
    auditor.register(
        "notice_postings", _("Where and when each version was posted"), ("version", "place", "posted_on", "by"), _postings,
        citation="164.520(c)", order=61,
    )  # fmt: skip
    auditor.register(
        "notices_given", _("Acknowledgments of the notice, and reasons for none"),
        ("chart_number", "version", "given_on", "acknowledgment", "why_not", "recorded_by"), _acknowledgments,
        citation="164.520(c)(2)", order=62,
    )  # fmt: skip
    columns = (
        "number", "chart_number", "what", "from_whom", "purposes", "in_force_since", "agreed_by", "request", "mandatory",
        "service_on", "paid_on", "patient_told_on", "ended_on", "why_ended",
    )  # fmt: skip
    auditor.register(
        "restrictions", _("Restrictions in force in the period, mandatory ones, and how each ended"), columns, _restrictions,
        citation="164.522(a)", order=40,
    )  # fmt: skip
    columns = (
        "chart_number", "relation", "authority", "document", "scope", "in_force_since", "expires_on", "ended_on", "verified_on",
        "verified_how", "verified_by",
    )  # fmt: skip
    auditor.register("representatives", _("Representatives on file"), columns, _representatives, citation="164.502(g)", order=45)
    auditor.register(
        "representatives_refused", _("Representatives refused: how many"), ("ground", "count"), _refused,
        citation="164.502(g)(5)", order=46,
    )  # fmt: skip
    columns = ("number", "chart_number", "what", "who", "for", "opened_at", "until", "finding", "reviewed_by", "reviewed_at")
    auditor.register(
        "emergency_access", _("Guarded records opened in an emergency, and their reviews"), columns, _emergencies,
        citation="164.308(a)(1)(ii)(D)", order=92,
    )  # fmt: skip
    columns = ("number", "chart_number", "reason", "in_force_since", "placed_by", "ended_on", "why_ended")
    auditor.register("legal_holds", _("Legal holds"), columns, _holds, citation="164.530(j)", order=90)
