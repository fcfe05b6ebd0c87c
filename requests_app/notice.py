"""The notice of privacy practices: Meso's standard wording with the office's facts, and what is in force (164.520)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from meso.models import Office, User
from meso.pdf import Pdf, render_pdf
from records import notice_rules
from records.models import NoticeVersion
from requests_app.kinds import Kind

# the block of each right -> the form on the web that asks for it
_FORMS = {
    "access": (Kind.ACCESS, gettext_lazy("Ask to see or copy your record")),
    "amendment": (Kind.AMENDMENT, gettext_lazy("Ask for a correction")),
    "restriction": (Kind.RESTRICTION, gettext_lazy("Ask for a limit")),
    "contact_wish": (Kind.CONFIDENTIAL_COMMUNICATION, gettext_lazy("Choose how we reach you")),
    "accounting": (Kind.ACCOUNTING, gettext_lazy("Ask for the list")),
}


@dataclass(frozen=True)
class Shown:
    """A notice to show or print: its texts, the day from which it holds (None for a draft), what a draft still lacks."""

    texts: Mapping[str, str]
    effective_on: date | None
    lacks: list[str]
    language: str = "en"

    def sections(self) -> Iterator[tuple[str, str, list[dict[str, object]]]]:
        """(anchor, heading, its blocks in order), without blocks that say nothing."""
        for anchor, heading in notice_rules.SECTIONS.items():
            blocks = [block for block in notice_rules.BLOCKS if block.section == anchor and self.texts.get(block.key, "").strip()]
            yield anchor, str(heading), [self._shown(block) for block in blocks]

    def _shown(self, block: notice_rules.Block) -> dict[str, object]:
        kind, label = _FORMS.get(block.key, ("", ""))
        paragraphs = list(notice_rules.paragraphs(self.texts[block.key]))
        return {"key": block.key, "heading": block.heading, "paragraphs": paragraphs, "kind": kind, "form": label}

    @property
    def header(self) -> str:
        """The words that the rule prescribes."""
        return self.texts["header"]


def lacks(office: Office) -> list[str]:
    """The parts that the rule wants and the office's profile does not fill yet; [] when its standard notice may be issued.

    A name or title and a telephone for questions (164.520(b)(1)(vii)), and the address to which a patient writes.
    """
    parts = [
        (office.officer_name or office.officer_title, _("whom to ask")),
        (office.officer_phone or office.phone, _("the telephone number to call")),
        (office.address_lines(), _("the address of the office")),
    ]
    return [words for filled, words in parts if not filled]


def standard(office: Office, language: str = "en") -> dict[str, str]:
    """Meso's standard wording, block by block, with the office's own facts as they are now."""
    with translation.override(language):
        whole = render_to_string("requests_app/notice_standard.txt", {"office": office})
    parts = re.split(r"^\[\[(\w+)\]\]\n", whole, flags=re.MULTILINE)[1:]
    return {key: _tidy(text) for key, text in zip(parts[::2], parts[1::2], strict=True)}


def _tidy(text: str) -> str:
    """Without the blanks that the template leaves between its parts."""
    return "\n".join(re.sub(r" {2,}", " ", line).strip() for line in text.strip().splitlines())


def shown(office: Office, on: date, language: str = "en") -> Shown:
    """The notice in force on that day; where there is none, the standard wording as a draft."""
    version = NoticeVersion.objects.in_force(on, language)
    if version:
        return Shown(version.texts, version.effective_on, [], version.language)
    return Shown(
        standard(office, language), None, [*lacks(office), _("the privacy officer's word that it is in force")], language
    )


def pdf(office: Office, notice: Shown) -> Pdf:
    """The notice on paper."""
    return render_pdf("requests_app/public/notice_pdf.html", {"office": office, "notice": notice}, notice.language)


def issue(
    texts: Mapping[str, str],
    *,
    effective_on: date,
    change: str,
    is_material: bool,
    by: User,
    at: datetime,
    on: date,
    office: Office,
    language: str = "en",
) -> NoticeVersion:
    """Put a notice of these texts in force from that day, with its PDF. Raises ValidationError (NoticeVersion.issue)."""
    document = pdf(office, Shown(texts, effective_on, [], language)).content
    facts = {"language": language, "texts": dict(texts), "change": change, "is_material": is_material, "document": document}
    return NoticeVersion.issue(effective_on=effective_on, on=on, made_by=by, made_at=at, **facts)


def outdated(version: NoticeVersion, office: Office) -> list[str]:
    """What the office's profile says and the notice in force does not: the office is bound by its notice (164.502(i))."""
    said = " ".join(version.texts.values())
    facts = [
        (office.officer_phone or office.phone, _("the telephone number for questions")),
        (f"${office.page_rate}", _("the price of a paper page")),
        (str(office.promised_days), _("the days promised for a request")),
        (office.officer_name, _("the privacy officer's name")),
        *((line, _("the address of the office")) for line in office.address_lines()),
    ]
    return list(dict.fromkeys(words for fact, words in facts if fact and fact not in said))
