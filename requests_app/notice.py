"""The office's notice of privacy practices: which of its parts wait for the office's profile (45 CFR 164.520(b))."""

from django.utils.translation import gettext as _

from meso.models import Office


def lacks(office: Office) -> list[str]:
    """The parts that the rule wants and the office's profile does not fill yet; [] when the notice may be in force.

    A name or title and a telephone for questions (164.520(b)(1)(vii)), the day from which it holds ((b)(1)(viii)), and the
    address to which a patient writes.
    """
    parts = [
        (office.officer_name or office.officer_title, _("whom to ask")),
        (office.officer_phone or office.phone, _("the telephone number to call")),
        (office.address_lines(), _("the address of the office")),
        (office.notice_effective_on, _("the day from which it holds")),
    ]
    return [words for filled, words in parts if not filled]
