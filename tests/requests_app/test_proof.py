"""The proof file of one request: all that belongs to it, every document as it was, and a program that needs no database."""

import io
import json
import subprocess
import sys
import zipfile
from decimal import Decimal
from pathlib import Path

import pytest
from pypdf import PdfReader

from meso.models import AccessEvent, Office
from requests_app import answers, carrying_out, copies, mailing, package, proof, verify_proof
from requests_app.copies import Order
from requests_app.kinds import Delivery, Outcome
from requests_app.models import CopyBill, PatientRequest, RequestPaper
from tests.factories import AttachmentFactory, EntryFactory, RequestFactory, UserFactory
from tests.requests_app.answering import AT, DUE, ON, a_pdf, an_office, now, priced, verified, words_of
from tests.requests_app.test_package import SECRET, checked, hold

pytestmark = [pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _office(nov_24):
    an_office()


@pytest.fixture
def officer(db):
    return UserFactory(role="privacy_officer", first_name="Nora", last_name="Lindqvist")


@pytest.fixture
def asked(officer) -> PatientRequest:
    """A request that had everything: a paper, words withheld, an internal file, a letter that came back, copies on paper."""
    request = verified("access", officer)
    entry = EntryFactory(patient=request.patient, body=f"Seen for a first visit. {SECRET} Plan: three sessions.")
    own = AttachmentFactory(patient=request.patient, entry=entry, name="worksheet.png")
    package.file_papers(request, [checked("request.pdf", a_pdf(1))], kind="written", in_package=False, **now(officer))
    hold(request, officer)
    office = Office.current()
    letter = answers.decide_with_letter(
        request, Outcome.GRANTED_IN_PART, ground="U5", text="One line.", office=office, **now(officer)
    )
    entries = tuple(request.patient.entries.with_marks())
    order = copies.with_package(request, Order(entries, (), Delivery.PICK_UP, 2, Decimal(0), internal=(own,)))
    shown = copies.quote(request.patient, order, by=officer, on=ON, office=office)
    priced(request, officer)
    bill = copies.make(request, order, seen=shown.seen, office=office, **now(officer))
    carrying_out.give_copies(bill, given_on=ON, how="handed over", **now(officer))
    answers.send_letter(letter, sent_on=ON, how="by mail", **now(officer))
    mailing.record(letter, "returned", done_on=ON, note="No such number", **now(officer))
    request.refresh_from_db()
    return request


def zipped(request: PatientRequest, by) -> bytes:
    return proof.as_zip(proof.gather(request, by=by, at=AT), Office.current())


def unpacked(content: bytes, to: Path) -> Path:
    zipfile.ZipFile(io.BytesIO(content)).extractall(to)
    return to


def run(*args: str, cwd: Path) -> subprocess.CompletedProcess:
    """verify.py as a stranger runs it: isolated, so that nothing of this project or of its packages can be imported."""
    command = [sys.executable, "-I", "-S", *args]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, env={}, timeout=60)


# --- the program -------------------------------------------------------------------------------------------------------


def test_a_stranger_checks_the_proof_without_a_database(asked, officer, tmp_path):
    folder = unpacked(zipped(asked, officer), tmp_path / "proof")
    done = run("verify.py", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{asked.number}: 7 files unchanged." in done.stdout
    assert "due 2026-12-02, closed 2026-11-24.\nOn time.\n" in done.stdout
    assert done.stdout.endswith(verify_proof.digest((folder / "manifest.json").read_bytes()) + "\n")


def test_the_program_reads_the_zip_itself_and_says_when_there_is_none(asked, officer, tmp_path):
    (tmp_path / "proof.zip").write_bytes(zipped(asked, officer))
    (tmp_path / "verify.py").write_bytes(Path(verify_proof.__file__).read_bytes())
    assert run("verify.py", "proof.zip", cwd=tmp_path).returncode == 0
    for nothing in ("no such place", "verify.py", "."):
        done = run("verify.py", nothing, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (2, ""), done
        assert "There is no proof to read here" in done.stdout


def _facts(folder: Path, change) -> None:
    """Change the facts and set the manifest right for it, as a forger would."""
    facts = json.loads((folder / "facts.json").read_text())
    change(facts)
    (folder / "facts.json").write_text(json.dumps(facts))
    _relist(folder, "facts.json")


def _relist(folder: Path, name: str) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    content = (folder / name).read_bytes()
    for row in manifest["files"]:
        if row["name"] == name:
            row |= {"size": len(content), "sha256": verify_proof.digest(content)}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def _a_letter(folder: Path) -> Path:
    return next((folder / "letters").iterdir())


def _other_letter_well_listed(folder: Path) -> None:
    letter = _a_letter(folder)
    letter.write_bytes(b"%PDF-1.7 another letter")
    _relist(folder, f"letters/{letter.name}")


TAMPERED = {
    "a letter changed": (lambda f: _a_letter(f).write_bytes(b"%PDF"), "changed, its SHA-256 is another"),
    "a letter removed": (lambda f: _a_letter(f).unlink(), "missing"),
    "a file added": (lambda f: (f / "letters/other.pdf").write_bytes(b"%PDF"), "not in the manifest"),
    "a letter changed and listed": (_other_letter_well_listed, "not the document that the office kept"),
    "due date moved": (lambda f: _facts(f, lambda facts: facts["clock"].update(due_on="2026-12-09")), "without an extension"),
    "receipt moved": (
        lambda f: _facts(f, lambda facts: facts["clock"].update(received_on="2026-11-09")),
        "first due date is not",
    ),
    "extension too long": (
        lambda f: _facts(f, lambda facts: facts["clock"].update(extended_to="2027-01-02", due_on="2027-01-02")),
        "the extension is not after",
    ),
    "promise too long": (
        lambda f: _facts(
            f, lambda facts: facts["clock"].update(promised_days=31, first_due_on="2026-12-03", due_on="2026-12-03")
        ),
        "not 1 to 30 days",
    ),
    "late called on time": (lambda f: _facts(f, lambda facts: facts["clock"].update(closed_on="2026-12-03")), "late or on time"),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_whatever_was_changed_is_found(asked, officer, tmp_path, how):
    change, words = TAMPERED[how]
    folder = unpacked(zipped(asked, officer), tmp_path / "proof")
    change(folder)
    said: list[str] = []
    assert verify_proof.verify(folder, said.append) == 1
    assert any(line.startswith("FAULT") and words in line for line in said), said


# --- what is in it -----------------------------------------------------------------------------------------------------


def test_every_document_is_in_it_byte_for_byte(asked, officer):
    made = proof.gather(asked, by=officer, at=AT)
    bill = CopyBill.objects.defer(None).get(request=asked)
    (letter,) = asked.letters.defer(None)
    (paper,) = RequestPaper.objects.defer(None).filter(request=asked)
    assert made.files == {
        f"letters/letter-{letter.pk}.pdf": bytes(letter.document),
        f"bills/bill-{bill.pk}.pdf": bytes(bill.document),
        f"copies/copy-{bill.pk}.pdf": bytes(bill.copy),
        f"papers/paper-{paper.pk}.pdf": bytes(paper.content),
    }
    kept = {fact["file"]: fact["kept_sha256"] for fact in made.facts["documents"]}
    assert all(digest in ("", proof.digest(made.files[file])) for file, digest in kept.items())


def test_the_facts_tell_clock_fee_manifest_withheld_and_returned_letter(asked, officer):
    facts = proof.gather(asked, by=officer, at=AT).facts
    documents = {fact["kind"]: fact for fact in facts["documents"]}
    assert facts["clock"]["due_on"] == DUE.isoformat()
    assert (facts["clock"]["citation"], facts["clock"]["timeliness"]) == ("45 CFR 164.524(b)(2)", "On time.")
    assert [became["what"] for became in documents["letter"]["became"]] == ["sent", "returned"]
    assert documents["bill"]["total"] == f"{asked.bills.get().total:.2f}"
    assert [file["where"] for file in documents["copy"]["files"]] == ["internal"]
    assert documents["copy"]["withheld"] == [facts["withheld"][0]["withheld"]]
    assert facts["withheld"][0]["citation"] == "45 CFR 164.524(a)(2)(v)"
    assert facts["identity"]["how"]
    assert facts["prices"][0]["answer"] == "accepted 2026-11-24"
    assert facts["chain"]["links"] > 0
    assert [row["what"] for row in facts["timeline"]][:2] == ["received", "matched"]


def test_the_withheld_words_are_not_in_the_proof(asked, officer):
    archive = zipfile.ZipFile(io.BytesIO(zipped(asked, officer)))
    assert "Zenobia" not in archive.read("facts.json").decode()
    assert "Zenobia" not in words_of(archive.read("proof.pdf"))


def test_only_audit_lines_that_name_this_request_are_in_it(client, signed_in, officer, asked):
    signed_in("front_desk")
    other = RequestFactory()
    client.get(asked.get_absolute_url())
    client.get(other.get_absolute_url())
    AccessEvent.objects.create(at=AT, action="view", subject=f"request {asked.number}7")
    audit = proof.gather(asked, by=officer, at=AT).facts["audit"]
    assert [line["subject"] for line in audit] == [f"request {asked.number}"]


def test_the_pdf_says_all_of_it_and_carries_the_documents(client, signed_in, asked):
    signed_in("privacy_officer")
    answer = client.get(f"/requests/{asked.number}/proof.pdf")
    assert answer["Content-Type"] == "application/pdf"
    reader = PdfReader(io.BytesIO(answer.content))
    said = words_of(answer.content)
    (letter,) = asked.letters.defer(None)
    assert reader.attachments[f"letters-letter-{letter.pk}.pdf"] == [bytes(letter.document)]
    assert len(reader.attachments) == 4
    for words in (
        f"Proof of request {asked.number}",
        "30 calendar days later: Wednesday, December 2, 2026 (rule version",
        "Letter came back on Nov 24, 2026",
        "returned 2026-11-24 (No such number)",
        "U5 · 45 CFR 164.524(a)(2)(v)",
        letter.sha256,
        "Closed November 24, 2026. On time.",
    ):
        assert words in said, words
    exported = AccessEvent.objects.get(action="export")
    assert exported.subject == f"proof of {asked.number}"
    assert exported.detail == f"pdf SHA-256 {proof.digest(answer.content)}"


def test_a_request_that_has_nothing_yet_has_its_proof_too(client, signed_in):
    signed_in("privacy_officer")
    request = RequestFactory(patient=None)
    answer = client.get(f"/requests/{request.number}/proof.zip")
    assert answer["Content-Disposition"] == f'attachment; filename="{request.number}-proof.zip"'
    assert set(zipfile.ZipFile(io.BytesIO(answer.content)).namelist()) == {
        "proof.pdf",
        "facts.json",
        "verify.py",
        "manifest.json",
    }
    assert client.get("/requests/R-9999/proof.zip").status_code == 404


def test_an_accounting_is_in_the_proof_as_it_was_given(officer):
    request = verified("accounting", officer)
    request.decide(Outcome.GRANTED, **now(officer))
    office = Office.current()
    given = carrying_out.issue_accounting(request, start=ON, end=ON, scope="notice", office=office, **now(officer))
    files = proof.gather(request, by=officer, at=AT).files
    assert proof.digest(files[f"accountings/accounting-{given.pk}.pdf"]) == given.sha256
