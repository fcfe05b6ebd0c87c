"""The proof file of one request: all that shows an auditor what was asked, when, and how the office answered.

One PDF to read, with every document inside as it was sent; or a ZIP of the same with a small program that anybody can run
without a database, to see that nothing in it was changed since and that the dates add up.
"""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.utils import timezone
from pypdf import PdfWriter

from disclosures.models import AccountingGiven
from meso import clock
from meso.models import AccessEvent, Office, User
from meso.pdf import render_pdf
from meso.seals import ChainHead, patient_chain
from records.models import Attachment, Entry
from records.uploads import ENDINGS
from requests_app import asked, fees, mailing, verify_proof
from requests_app.models import CopyBill, Letter, PatientRequest, RequestPaper
from requests_app.models.timeline import Verb


@dataclass(frozen=True)
class Proof:
    """What is proven: facts that JSON can hold, and the documents by their name in the ZIP."""

    request: PatientRequest
    made_at: datetime
    made_by: User
    facts: dict[str, Any]
    files: dict[str, bytes]


def gather(request: PatientRequest, *, by: User, at: datetime) -> Proof:
    """All of it, as it stands now. The number of queries does not grow with what happened to the request."""
    documents = [*_letters(request), *_bills(request), *_accountings(request), *_papers(request)]
    facts = {
        "request": _intake(request),
        "identity": _identity(request),
        "clock": clock_facts(request),
        "timeline": _timeline(request),
        "documents": [fact for fact, _content in documents],
        "prices": _prices(request),
        "withheld": _withheld(request),
        "audit": _audit(request),
        "chain": _chain(request),
        "made": {"at": _instant(at), "by": by.signature},
    }
    return Proof(request, at, by, facts, {fact["file"]: content for fact, content in documents})


def _instant(at: datetime) -> str:
    """An instant on the office's clock."""
    return timezone.localtime(at).isoformat(timespec="seconds")


def _intake(request: PatientRequest) -> dict[str, Any]:
    return {
        "number": request.number,
        "kind": request.kind,
        "channel": request.channel,
        "received_on": request.received_on.isoformat(),
        "typed_in_at": _instant(request.entered_at),
        "typed_in_by": request.entered_by.signature if request.entered_by else "the web form",
        "chart_number": request.patient.chart_number if request.patient else "",
        "asker": request.asker_name,
        "on_behalf": request.on_behalf,
        "asked_for": [f"{label}: {words}" for label, words in asked.lines(request)],
        "in_their_words": request.description,
    }


def _identity(request: PatientRequest) -> dict[str, Any]:
    day, by = request.identity_checked_on, request.identity_checked_by
    return {"checked_on": day.isoformat() if day else "", "by": by.signature if by else "", "how": request.identity_how}


def clock_facts(request: PatientRequest) -> dict[str, Any]:
    """The ledger of the clock: each date with the figures that give it, and its citation."""
    working = request.working()
    closed = [event.data.get("timeliness", "") for event in request.events.filter(verb=Verb.CLOSED)]
    facts = {
        "rule_version": working.rule_version,
        "citation": working.citation,
        "received_on": working.received_on,
        "promised_days": working.days,
        "first_due_on": working.first_due_on,
        "extended_to": working.extended_to,
        "due_on": working.due_on,
        "statutory_days": working.statutory_days,
        "statutory_due_on": working.statutory_due_on,
        "decided_on": request.decided_on,
        "carried_out_on": request.carried_out_on,
        "letter_sent_on": request.letter_sent_on,
        "closed_on": request.closed_on,
        "outcome": request.outcome,
        "ground": request.ground,
        "timeliness": " ".join(filter(None, closed)),
    }
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in facts.items()}


def _timeline(request: PatientRequest) -> list[dict[str, str]]:
    return [
        {
            "on": event.on.isoformat(),
            "at": _instant(event.at),
            "what": event.verb,
            "words": event.sentence,
            "note": event.note,
            "by": event.signed_as,
        }
        for event in request.events.all()
    ]


# --- the documents ----------------------------------------------------------------------------------------------------

Document = tuple[dict[str, Any], bytes]


def _document(kind: str, file: str, content: bytes, sha256: str, words: str, **facts: Any) -> Document:
    """A document with its digest as it was kept when the document was made; "" where none was."""
    return {"kind": kind, "file": file, "words": words, "kept_sha256": sha256, **facts}, bytes(content)


def _letters(request: PatientRequest) -> Iterator[Document]:
    for letter in Letter.objects.defer(None).filter(request=request).prefetch_related("deliveries"):
        became = [
            {"what": row.what, "on": row.on.isoformat(), "how": row.how, "where": row.where, "note": row.note}
            for row in letter.deliveries.all()
        ]
        name, words = f"letters/letter-{letter.pk}.pdf", letter.get_kind_display()
        more = {"made_on": letter.made_on.isoformat(), "addressed_to": letter.addressed_to.splitlines(), "became": became}
        if not became and (last := mailing.last_of(letter))[1]:
            more["became"] = [{"what": last[0], "on": last[1].isoformat(), "how": last[2], "where": "", "note": ""}]
        yield _document("letter", name, letter.document, letter.sha256, words, **more)


def _bills(request: PatientRequest) -> Iterator[Document]:
    for bill in CopyBill.objects.defer(None).filter(request=request).select_related("settlement"):
        yield _document("bill", f"bills/bill-{bill.pk}.pdf", bill.document, "", f"{bill.total}", **_worksheet(bill))
        if bill.pages:
            manifest = _manifest(bill)
            words = f"{bill.pages} + {bill.paper_pages}"
            yield _document("copy", f"copies/copy-{bill.pk}.pdf", bill.copy, bill.copy_sha256, words, **manifest)


def _worksheet(bill: CopyBill) -> dict[str, Any]:
    """How a bill was worked out: nothing but pages at the rate, and postage (law.md §12)."""
    settled = getattr(bill, "settlement", None)
    return {
        "made_on": bill.made_on.isoformat(),
        "charged_pages": bill.charged_pages,
        "rate": f"{bill.rate:.2f}",
        "copies": f"{bill.copies:.2f}",
        "postage": f"{bill.postage:.2f}",
        "total": f"{bill.total:.2f}",
        "settled": f"{settled.how} {settled.on}" if settled else "",
        "highest_flat_fee": f"{fees.HIGHEST_FLAT_FEE:.2f}",
    }


def _prices(request: PatientRequest) -> list[dict[str, str]]:
    """The prices told before copies were made, and what the patient said to each."""
    return [
        {
            "told_on": quote.told_on.isoformat(),
            "how": quote.how,
            "total": f"{quote.total:.2f}",
            "answer": f"{quote.answer.what} {quote.answer.on}" if hasattr(quote, "answer") else "",
        }
        for quote in request.fee_quotes.select_related("answer")
    ]


def _manifest(bill: CopyBill) -> dict[str, Any]:
    """What a copy holds and what was left out of it: entries by key, files by the digest of their bytes."""
    entries = Entry.objects.filter(pk__in=bill.entry_ids).order_by("service_on", "pk")
    listed = [{"entry": entry.pk, "on": entry.service_on.isoformat(), "kind": entry.kind} for entry in entries]
    internal = set(bill.package.get("internal", []))
    files = Attachment.objects.filter(entry__in=bill.entry_ids) | Attachment.objects.filter(pk__in=bill.package.get("files", []))
    return {
        "made_on": bill.made_on.isoformat(),
        "delivery": bill.delivery,
        "pages": bill.pages,
        "entries": listed,
        "files": [
            {"file": file.pk, "sha256": file.sha256, "where": "internal" if file.pk in internal else "in the package"}
            for file in files.order_by("pk")
        ],
        "withheld": bill.package.get("withheld", []),
        "papers": bill.package.get("papers", []),
    }


def _accountings(request: PatientRequest) -> Iterator[Document]:
    given = AccountingGiven.objects.defer(None).filter(patient=request.patient_id, request_number=request.number)
    for accounting in given.order_by("id") if request.patient_id else ():
        facts = {"start": accounting.start.isoformat(), "end": accounting.end.isoformat(), "lines": accounting.lines}
        name, words = f"accountings/accounting-{accounting.pk}.pdf", f"{accounting.start} – {accounting.end}"
        yield _document("accounting", name, accounting.document, accounting.sha256, words, **facts)


def _papers(request: PatientRequest) -> Iterator[Document]:
    for paper in RequestPaper.objects.defer(None).filter(request=request).prefetch_related("moves"):
        name = f"papers/paper-{paper.pk}{ENDINGS[Attachment.Format(paper.format)][0]}"
        facts = {"paper": paper.kind, "where": "in the package" if paper.goes_out else "internal"}
        yield _document("paper", name, paper.content, paper.sha256, paper.get_kind_display(), **facts)


def _withheld(request: PatientRequest) -> list[dict[str, Any]]:
    """Where words are or were withheld and on what ground; the words themselves stay in the chart."""
    return [
        {
            "withheld": held.pk,
            "entry": held.entry_id,
            "characters": len(held.passage),
            "ground": held.ground,
            "citation": held.why.citation,
            "judged_by": held.judged_by,
            "on": held.on.isoformat(),
            "by": held.signed_as,
            "released_on": held.ending.on.isoformat() if hasattr(held, "ending") else "",
        }
        for held in request.withheld.select_related("ending")
    ]


# --- audit and chain --------------------------------------------------------------------------------------------------


def _audit(request: PatientRequest) -> list[dict[str, str]]:
    """The lines of the audit that name this request, from its entry on."""
    named = re.compile(rf"\b{re.escape(request.number)}\b")
    about = AccessEvent.objects.filter(at__gte=request.entered_at, subject__contains=request.number).select_related("user")
    return [
        {
            "at": _instant(event.at),
            "who": event.user.signature if event.user else "",
            "what": event.action,
            "subject": event.subject,
            "detail": event.detail,
        }
        for event in about.order_by("id")
        if named.search(event.subject)
    ]


def _chain(request: PatientRequest) -> dict[str, Any]:
    """Where the chain of the patient's record ends now: to compare with a backup, an export, an anchor of another day."""
    head = ChainHead.objects.filter(chain=patient_chain(request.patient_id)).first() if request.patient_id else None
    return {"chain": head.chain, "links": head.length, "head": head.seal} if head else {}


# --- as files ---------------------------------------------------------------------------------------------------------


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def as_pdf(proof: Proof, office: Office) -> bytes:
    """The proof to read, on letterhead, with every document inside it as an attached file."""
    facts = proof.facts
    named = [fact | {"sha256": digest(proof.files[fact["file"]])} for fact in facts["documents"]]
    context = {
        "asked": proof.request,
        "facts": facts,
        "documents": named,
        "working": proof.request.working(),
        "office": office,
        "by": proof.made_by,
        "on": clock.office_day(proof.made_at),
    }
    drawn = render_pdf("requests_app/pdf/proof.html", context).content
    writer, out = PdfWriter(clone_from=io.BytesIO(drawn)), io.BytesIO()
    for name, content in proof.files.items():
        writer.add_attachment(name.replace("/", "-"), content)
    writer.write(out)
    return out.getvalue()


def as_zip(proof: Proof, office: Office) -> bytes:
    """proof.pdf, facts.json, the documents, verify.py, and manifest.json with the SHA-256 and size of each."""
    files = {
        "proof.pdf": as_pdf(proof, office),
        "facts.json": _json(proof.facts),
        **proof.files,
        "verify.py": Path(verify_proof.__file__).read_bytes(),
    }
    files["manifest.json"] = _json({"request": proof.request.number, "files": list(_listed(files.items()))})
    made = io.BytesIO()
    stamp = timezone.localtime(proof.made_at).timetuple()[:6]
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, stamp), content, zipfile.ZIP_DEFLATED)
    return made.getvalue()


def _listed(files: Iterable[tuple[str, bytes]]) -> Iterator[dict[str, Any]]:
    for name, content in files:
        yield {"name": name, "size": len(content), "sha256": digest(content)}


def _json(said: Any) -> bytes:
    return (json.dumps(said, ensure_ascii=False, indent=1) + "\n").encode()
