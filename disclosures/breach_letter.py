"""The letter that tells a patient of a breach: five parts, none of which it can lack (164.404(c); law.md §10)."""

from datetime import date, datetime

from django.utils import translation
from django.utils.translation import gettext as _

from disclosures import breach_rules
from disclosures.models import BreachLetter
from disclosures.models.breaches import NotNow, Standing
from meso import languages
from meso.models import Office, User
from meso.pdf import render_pdf
from records import wishes
from records.models import Patient


def lacks(standing: Standing) -> list[str]:
    """Which of the five parts have no text yet; [] when the letter can be made."""
    return [
        str(label) for name, (label, _citation) in breach_rules.CONTENTS.items() if not standing.contents.get(name, "").strip()
    ]


def make(standing: Standing, patient: Patient, *, by: User, at: datetime, on: date, office: Office) -> BreachLetter:
    """The letter on letterhead, addressed as the patient wishes, kept as it is made.

    Raises NotNow for one that would lack a part, that a law-enforcement delay forbids, or of a closed breach.
    """
    if standing.closed:
        raise NotNow(_("This breach is closed."))
    if lacking := lacks(standing):
        raise NotNow(_("The letter would lack: %(what)s (45 CFR 164.404(c)).") % {"what": "; ".join(lacking)})
    if standing.delayed_through and on <= standing.delayed_through:
        raise NotNow(_("Law enforcement has delayed it: 45 CFR 164.412."))
    language = languages.written(patient.language)
    with translation.override(language):
        to = wishes.mailing_lines(patient, on)
    about = {"office": office, "patient": patient, "breach": standing.breach, "by": by}
    context = {**about, "to": to, "says": standing.contents, "dated": on}
    document = render_pdf("disclosures/pdf/breach_letter.html", context, language).content
    return BreachLetter.objects.create(
        patient=patient,
        breach=standing.breach,
        addressed_to="\n".join(to),
        document=document,
        made_on=on,
        made_at=at,
        made_by=by,
    )
