"""What the request desk proves to an auditor: timeliness, denials, extensions, fulfilment, complaints."""

from collections.abc import Iterator
from datetime import date

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from meso import auditor
from requests_app import deadlines, grounds
from requests_app.kinds import HELD_BACK
from requests_app.models import (
    AccessReview,
    Complaint,
    CopyBill,
    DenialReview,
    Letter,
    PatientRequest,
    Policy,
    Recipient,
    RequestEvent,
    ReviewOutcome,
    Sanction,
    Statement,
    Training,
)
from requests_app.models.timeline import Verb

_CHUNK = 500


def _of_period(start: date, end: date) -> QuerySet[PatientRequest]:
    """Requests received in the period, and those that were open or were closed in it."""
    return (
        PatientRequest.objects.filter(received_on__lte=end)
        .filter(Q(received_on__gte=start) | Q(closed_on=None) | Q(closed_on__gte=start))
        .select_related("patient", "decided_by", "identity_checked_by")
        .order_by("received_on", "id")
    )


def _chart(request: PatientRequest) -> str:
    return request.patient.chart_number if request.patient else ""


def _requests(start: date, end: date) -> Iterator[tuple[object, ...]]:
    for row in _of_period(start, end).iterator(chunk_size=_CHUNK):
        acted = row.closed_on
        yield (
            row.number, _chart(row), row.kind, row.get_channel_display(), row.received_on, row.promised_days, row.first_due_on,
            row.extended_to, row.due_on, row.statutory_due_on, row.identity_checked_on, row.decided_on,
            row.decided_by.signature if row.decided_by else "", row.carried_out_on, row.letter_sent_on, acted,
            (acted - row.received_on).days if acted else "", _on_time(row, end), row.get_outcome_display(), row.rule_version,
        )  # fmt: skip


def _on_time(row: PatientRequest, end: date) -> str:
    """Whether it was answered in time, as the record stood at the end of the period."""
    if row.closed_on and row.closed_on <= end:
        return "no" if deadlines.is_late(row.closed_on, row.due_on) else "yes"
    return "overdue" if end > row.due_on else "open"


def _denied(start: date, end: date) -> QuerySet[PatientRequest]:
    decided = PatientRequest.objects.filter(decided_on__range=(start, end), outcome__in=HELD_BACK)
    return decided.select_related("patient", "decided_by").order_by("decided_on", "id")


def _denials(start: date, end: date) -> Iterator[tuple[object, ...]]:
    for row in _denied(start, end).prefetch_related("letters").iterator(chunk_size=_CHUNK):
        ground = grounds.ground(row.kind, row.ground) if row.ground else None
        letters = [_name(row, letter) for letter in row.letters.all() if letter.kind == Letter.Kind.DECISION]
        yield (
            row.number, _chart(row), row.kind, row.outcome, row.decided_on, row.decided_by.signature if row.decided_by else "",
            row.ground, ground.words if ground else "", ground.citation if ground else "",
            _yes(bool(ground and ground.reviewable)), row.decision_text, row.letter_sent_on, row.due_on, "; ".join(letters),
        )  # fmt: skip


def _name(row: PatientRequest, letter: Letter) -> str:
    return f"{row.number}-{letter.kind}-{letter.pk}.pdf"


def _letters(of: Q) -> Iterator[tuple[str, bytes]]:
    rows = Letter.objects.defer(None).filter(of).select_related("request").order_by("made_on", "id")
    for letter in rows.iterator(chunk_size=1):
        yield _name(letter.request, letter), letter.document


def _denial_letters(start: date, end: date) -> Iterator[tuple[str, bytes]]:
    return _letters(Q(kind=Letter.Kind.DECISION, request__in=_denied(start, end).values("pk").order_by()))


def _extended(start: date, end: date) -> QuerySet[RequestEvent]:
    rows = RequestEvent.objects.filter(verb=Verb.EXTENDED, on__range=(start, end))
    return rows.select_related("request__patient").order_by("on", "id")


def _extensions(start: date, end: date) -> Iterator[tuple[object, ...]]:
    for event in _extended(start, end).iterator(chunk_size=_CHUNK):
        row, told = event.request, event.data
        days = (row.first_due_on, told.get("told_on"), told.get("until"))
        yield row.number, _chart(row), row.kind, *days, event.note, event.signed_as


def _extension_letters(start: date, end: date) -> Iterator[tuple[str, bytes]]:
    return _letters(Q(kind=Letter.Kind.EXTENSION, made_on__range=(start, end)))


def _copies(start: date, end: date) -> Iterator[tuple[object, ...]]:
    """Proof of fulfilment: what was asked, in which form it went out, and at what price."""
    rows = CopyBill.objects.filter(made_on__range=(start, end)).select_related("request", "patient", "settlement")
    given = {}
    for event in RequestEvent.objects.filter(verb=Verb.COPIES_GIVEN, request__bills__made_on__range=(start, end)).order_by("id"):
        given[event.request_id] = event.data
    for bill in rows.order_by("made_on", "id").iterator(chunk_size=_CHUNK):
        told = given.get(bill.request_id, {})
        settled = getattr(bill, "settlement", None)
        yield (
            bill.request.number, bill.patient.chart_number, bill.request.details.get("form", ""), bill.get_delivery_display(),
            bill.pages, bill.charged_pages, bill.rate, bill.copies, bill.postage, bill.total,
            settled.get_how_display() if settled else "open", bill.made_on, told.get("given_on", ""), told.get("how", ""),
            bill.copy_sha256,
        )  # fmt: skip


def _complaints(start: date, end: date) -> Iterator[tuple[object, ...]]:
    rows = (
        Complaint.objects.between(start, end).select_related("patient").prefetch_related("events").order_by("received_on", "id")
    )
    for row in rows.iterator(chunk_size=_CHUNK):
        steps = {event.verb: event for event in row.events.all()}
        outcome, answer = steps.get("outcome"), steps.get("answered")
        yield (
            row.number, row.received_on, row.get_channel_display(), row.patient.chart_number if row.patient else "", row.about,
            row.known_on, row.hhs_by, "; ".join(event.text for event in row.events.all() if event.verb == "investigated"),
            outcome.on if outcome else "", outcome.text if outcome else "", answer.on if answer else "",
            answer.text if answer else "",
        )  # fmt: skip


def _policies(start: date, end: date) -> Iterator[tuple[object, ...]]:
    for row in Policy.objects.in_force_between(start, end).select_related("ending", "by"):
        ending = getattr(row, "ending", None)
        ended = (ending.last_on, ending.reason) if ending else ("", "")
        yield row.pk, row.title, row.created_on, row.begins_on, *ended, row.keep_through, row.by.signature, row.sha256


def _policy_documents(start: date, end: date) -> Iterator[tuple[str, bytes]]:
    for row in Policy.objects.in_force_between(start, end).defer(None).iterator(chunk_size=1):
        yield f"policy-{row.pk}.pdf", row.document


def _trainings(start: date, end: date) -> Iterator[tuple[object, ...]]:
    for row in Training.objects.filter(trained_on__range=(start, end)).select_related("person").order_by("trained_on", "id"):
        yield row.person.signature, row.person.get_role_display(), row.trained_on, row.topic


def _sanctions(start: date, end: date) -> Iterator[tuple[object, ...]]:
    for row in Sanction.objects.filter(imposed_on__range=(start, end)).select_related("person").order_by("imposed_on", "id"):
        yield row.person.signature, row.imposed_on, row.what_happened, row.sanction


def _statements(start: date, end: date) -> Iterator[tuple[object, ...]]:
    """Those made in the period, and those that held when it began."""
    for kind in Statement.Kind:
        rows = Statement.objects.filter(kind=kind, begins_on__lte=end).select_related("by").order_by("begins_on", "id")
        before = rows.filter(begins_on__lte=start).last()
        for row in rows:
            if row.begins_on > start or row == before:
                yield kind.label, row.text, row.begins_on, row.by.signature


def _reviews(start: date, end: date) -> Iterator[tuple[object, ...]]:
    """Reviews of denials asked for in the period: who denied, who reviewed, and what came of it (164.524(a)(4))."""
    rows = DenialReview.objects.filter(asked_on__range=(start, end)).select_related("request__patient", "outcome")
    for row in rows.prefetch_related("referrals").order_by("asked_on", "id").iterator(chunk_size=_CHUNK):
        referral = next(iter(sorted(row.referrals.all(), key=lambda one: -one.pk)), None)
        outcome = getattr(row, "outcome", None)
        sent_to = (referral.referred_on, referral.name, referral.licence) if referral else ("", "", "")
        came = (outcome.decided_on, outcome.get_result_display(), outcome.reasons) if outcome else ("", "", "")
        yield row.request.number, _chart(row.request), row.asked_on, *sent_to, *came


def _review_letters(start: date, end: date) -> Iterator[tuple[str, bytes]]:
    return _letters(Q(pk__in=ReviewOutcome.objects.filter(review__asked_on__range=(start, end)).values("letter")))


def _told(start: date, end: date) -> Iterator[tuple[object, ...]]:
    """Whom the office told of an amendment, and what came of it (164.526(c)(3))."""
    rows = Recipient.objects.filter(added_on__range=(start, end)).select_related("request__patient")
    for row in rows.prefetch_related("tellings").order_by("added_on", "id").iterator(chunk_size=_CHUNK):
        tellings = "; ".join(f"{one.get_outcome_display()} {one.on.isoformat()} ({one.way})" for one in row.tellings.all())
        yield row.request.number, _chart(row.request), row.get_why_display(), row.name, row.agreed_on, row.added_on, tellings


def _yes(true: bool) -> str:
    return "yes" if true else "no"


_REQUESTS = (
    "number", "chart_number", "kind", "channel", "received_on", "promised_days", "first_due_on", "extended_to", "due_on",
    "federal_limit", "identity_checked_on", "decided_on", "decided_by", "carried_out_on", "letter_sent_on", "closed_on",
    "days_taken", "on_time", "outcome", "rule_version",
)  # fmt: skip
_DENIALS = (
    "number", "chart_number", "kind", "outcome", "decided_on", "decided_by", "ground", "ground_in_words", "citation",
    "reviewable", "reason_as_written", "letter_sent_on", "due_on", "letters",
)  # fmt: skip
_EXTENSIONS = ("number", "chart_number", "kind", "first_due_on", "told_on", "named_day", "reason", "by")
_REVIEWS = (
    "request", "chart_number", "asked_on", "given_to_reviewer_on", "reviewer", "licence", "decided_on", "result", "reasons",
)  # fmt: skip
_COPIES = (
    "number", "chart_number", "form_asked", "form_given", "pages", "pages_charged", "rate", "copies", "postage", "total",
    "bill", "made_on", "given_on", "how_given", "sha256_of_copy",
)  # fmt: skip
_COMPLAINTS = (
    "number", "received_on", "channel", "chart_number", "about", "known_on", "to_hhs_by", "looked_into", "outcome_on",
    "outcome", "answered_on", "answer",
)  # fmt: skip


def _looks(start: date, end: date) -> Iterator[tuple[object, ...]]:
    found = AccessReview.objects.filter(day__range=(start, end)).select_related("about").order_by("id")
    for row in found.iterator(chunk_size=_CHUNK):
        outcome = row.get_outcome_display()
        yield row.rule, row.about.signature, row.chart_number, row.day, row.looks, outcome, row.note, row.signed_as, row.at


def register_all() -> None:
    """Put these sections into the export."""
    add = auditor.register
    cited = "164.524(b)(2), 164.526(b)(2), 164.528(c)(1)"
    add("requests", _("All requests, with the proof of timeliness"), _REQUESTS, _requests, citation=cited, order=10)
    add(
        "denials", _("Denials, whole or in part, with their grounds and letters"), _DENIALS, _denials,
        citation="164.524(d), 164.526(d)", documents=_denial_letters, order=11,
    )  # fmt: skip
    add(
        "extensions", _("Extensions with their letters"), _EXTENSIONS, _extensions,
        citation="164.524(b)(2)(iii)", documents=_extension_letters, order=12,
    )  # fmt: skip
    add("copies", _("Copies given: form, pages, fee"), _COPIES, _copies, citation="164.524(c)", order=13)
    add("complaints", _("Complaints and their outcomes"), _COMPLAINTS, _complaints, citation="164.530(d)(2)", order=30)
    columns = ("number", "title", "made_on", "in_force_since", "last_in_force", "why_ended", "keep_through", "by", "sha256")
    add(
        "policies", _("Policies in force in the period"), columns, _policies,
        citation="164.530(i), 164.530(j)", documents=_policy_documents, order=70,
    )  # fmt: skip
    add("training", _("Training"), ("who", "role", "on", "what_in"), _trainings, citation="164.530(b)", order=71)
    add("sanctions", _("Sanctions"), ("who", "on", "what_happened", "sanction"), _sanctions, citation="164.530(e)", order=72)
    stated = ("about", "statement", "holds_since", "by")
    add("statements", _("What the office states about itself"), stated, _statements, citation="164.530(a), 164.524(e)", order=73)
    add(
        "reviews", _("Reviews of denials by another professional, with their letters"), _REVIEWS, _reviews,
        citation="164.524(a)(4)", documents=_review_letters, order=14,
    )  # fmt: skip
    looks = ("why_listed", "who", "chart_number", "day", "looks", "outcome", "note", "by", "at")
    title = _("Unusual looks at charts that were looked through")
    add("access_reviews", title, looks, _looks, citation="164.308(a)(1)(ii)(D)", order=74)
    told = ("request", "chart_number", "why", "who", "patient_agreed_on", "added_on", "told")
    add("amendments_told", _("Who was told of an amendment"), told, _told, citation="164.526(c)(3)", order=15)
