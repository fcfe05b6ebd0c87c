"""The papers around an authorization: the blank form to sign, and the letter that says what a signed one lacks (164.508(c))."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from disclosures.models import Authorization, AuthorizationLetter
from meso import languages
from meso.models import Office, User
from meso.pdf import Pdf, render_pdf
from records import wishes
from records.models import Patient


@dataclass(frozen=True)
class Blank:
    """A kind of blank form: what it is called on its button and in its heading, and whether it says of payment."""

    label: str | Promise
    heading: str | Promise
    pays: bool = False


# Photographs in advertising and psychotherapy notes each have a form of their own (164.508(a)(3), (b)(3)).
BLANKS: dict[str, Blank] = {
    "general": Blank(_("Blank form"), _("Permission to give out health information")),
    "photos": Blank(_("For photographs in advertising"), _("Permission to use photographs in advertising"), pays=True),
    "marketing": Blank(_("For marketing or a sale"), _("Permission to use health information for marketing or sale"), pays=True),
    "notes": Blank(_("For psychotherapy notes"), _("Permission to give out psychotherapy notes")),
}


def blank_form(patient: Patient, which: str, *, office: Office, on: date) -> Pdf:
    """A form to print and sign, with the office's and the patient's data filled in. Raises KeyError for an unknown one.

    It holds the six elements, the three statements, and where money is paid the one about that.
    """
    context = {
        "patient": patient,
        "which": which,
        "blank": BLANKS[which],
        "office": office,
        "on": on,
        "reached": wishes.mailing_lines(patient, on)[1:],
    }
    return render_pdf("disclosures/pdf/authorization.html", context, languages.written(patient.language))


def revocation_form(form: Authorization, *, office: Office, on: date) -> Pdf:
    """A paper with which the patient takes this form back in writing, to print and sign (164.508(b)(5))."""
    context = {"patient": form.patient, "form": form, "office": office, "on": on}
    return render_pdf("disclosures/pdf/authorization_revocation.html", context, languages.written(form.patient.language))


def missing_letter(form: Authorization, *, office: Office, by: User, on: date) -> Pdf:
    """The letter to the patient that names each defect of a form in plain words, sent where they wish their mail."""
    context = {
        "patient": form.patient,
        "form": form,
        "defects": form.lacking(),
        "office": office,
        "by": by,
        "on": on,
        "to": wishes.mailing_lines(form.patient, on),
    }
    return render_pdf("disclosures/pdf/authorization_letter.html", context, languages.written(form.patient.language))


@transaction.atomic
def issue_missing_letter(form: Authorization, *, office: Office, by: User, at: datetime, on: date) -> AuthorizationLetter:
    """Make the letter and keep it as issued. One for the same form on the same day. Raises ValidationError when nothing lacks."""
    AuthorizationLetter.allow(form)
    Patient.objects.select_for_update().get(pk=form.patient_id)  # a second click waits here for the first
    if made := form.letters.filter(made_on=on).first():
        return made
    document = missing_letter(form, office=office, by=by, on=on).content
    return AuthorizationLetter.of(form, by=by, at=at, made_on=on, document=document)
