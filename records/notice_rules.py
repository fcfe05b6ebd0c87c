"""What a notice of privacy practices must say before it can be in force: the checklist of 164.520(b), without a database.

A notice is blocks of text by key, in this order. A block is plain text: an empty line parts paragraphs, a line that begins
with "- " is an item of a list.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from meso.waivers import waiver_in

# 164.520(b)(1)(i): these words and no others; capitals, stops and blanks aside.
HEADER = gettext_noop(
    "THIS NOTICE DESCRIBES HOW MEDICAL INFORMATION ABOUT YOU MAY BE USED AND DISCLOSED AND HOW YOU CAN GET ACCESS TO THIS "
    "INFORMATION. PLEASE REVIEW IT CAREFULLY."
)
RIGHTS, USES, DUTIES, COMPLAINTS, CONTACT = "rights", "uses", "duties", "complaints", "contact"
SECTIONS: dict[str, str | Promise] = {
    RIGHTS: _("What you may ask of us"),
    USES: _("What we do with your information"),
    DUTIES: _("What we owe you"),
    COMPLAINTS: _("If you are not content"),
    CONTACT: _("Whom to ask"),
}
_TELEPHONE = r"(?:\d[\s().\-]*){7,}"


@dataclass(frozen=True)
class Block:
    """One part of a notice: its section, heading, citation, and a pattern (or several) that its words must hold."""

    key: str
    section: str
    heading: str | Promise
    citation: str
    holds: tuple[str, ...] = ()
    required: bool = True


BLOCKS: tuple[Block, ...] = (
    Block("header", "", _("The words that the rule prescribes"), "164.520(b)(1)(i)"),
    Block("asking", RIGHTS, "", "", required=False),
    Block("access", RIGHTS, _("See your record or get a copy"), "164.520(b)(1)(iv)(C)"),
    Block("amendment", RIGHTS, _("Have your record corrected"), "164.520(b)(1)(iv)(D)"),
    Block(
        "restriction",
        RIGHTS,
        _("Limit who sees your record"),
        "164.520(b)(1)(iv)(A)",
        (r"health plan|plan de salud|seguro", r"in full|por completo|totalidad"),
    ),
    Block("contact_wish", RIGHTS, _("Choose how we reach you"), "164.520(b)(1)(iv)(B)"),
    Block("accounting", RIGHTS, _("Know whom we told"), "164.520(b)(1)(iv)(E)"),
    Block("paper", RIGHTS, _("Have this notice on paper"), "164.520(b)(1)(iv)(F)", (r"paper|papel",)),
    Block("representative", RIGHTS, _("Let somebody act for you"), "", required=False),
    Block("uses_intro", USES, "", "", required=False),
    Block("treatment", USES, _("To treat you"), "164.520(b)(1)(ii)(A)", (r"example|ejemplo",)),
    Block("payment", USES, _("To be paid"), "164.520(b)(1)(ii)(A)", (r"example|ejemplo",)),
    Block("operations", USES, _("To run the office"), "164.520(b)(1)(ii)(A)", (r"example|ejemplo",)),
    Block("without_permission", USES, _("When we may share it without your written permission"), "164.520(b)(1)(ii)(B)"),
    Block(
        "permission",
        USES,
        _("Only with your written permission"),
        "164.520(b)(1)(ii)(E)",
        (r"psychotherapy|psicoterapia", r"marketing|publicidad|mercadeo"),
    ),
    Block(
        "revocation",
        USES,
        _("Taking a permission back"),
        "164.520(b)(1)(ii)(E)",
        (r"revoke|revoc|revoq|anular|retirar|take (?:it|\w+ \w+) back",),
    ),
    Block("stricter", USES, _("Where the law protects more"), "164.520(b)(1)(ii)(C)"),
    Block("privacy_duty", DUTIES, _("Keeping it private"), "164.520(b)(1)(v)(A)"),
    Block(
        "breach", DUTIES, _("If it gets into wrong hands"), "164.520(b)(1)(v)(A)", (r"breach|brecha|violaci|vulneraci|filtraci",)
    ),
    Block("bound", DUTIES, _("Doing as it says here"), "164.520(b)(1)(v)(B)"),
    Block("changes", DUTIES, _("Changing this notice"), "164.520(b)(1)(v)(C)"),
    Block("complain_office", COMPLAINTS, _("To us"), "164.520(b)(1)(vi)"),
    Block("complain_hhs", COMPLAINTS, _("To the government"), "164.520(b)(1)(vi)", (r"Secretary|Secretari",)),
    Block("no_retaliation", COMPLAINTS, _("No harm comes of it"), "164.520(b)(1)(vi)"),
    Block("contact", CONTACT, "", "164.520(b)(1)(vii)", (_TELEPHONE,)),
)
BY_KEY = {block.key: block for block in BLOCKS}


def header(language: str) -> str:
    """The words that the rule prescribes, in that language."""
    with translation.override(language):
        return _t(HEADER)


def lacks(texts: Mapping[str, str], language: str = "en") -> dict[str, str]:
    """What keeps a notice of these texts from being in force, by the key of the block: {} when it has every part."""
    begins = header(language)
    return {block.key: words for block in BLOCKS if (words := _lack(block, texts.get(block.key, "").strip(), begins))}


def _lack(block: Block, text: str, begins: str) -> str:
    if sentence := waiver_in(text):
        return _t("It may not ask the reader to give up a right or threaten them: “%(said)s”") % {"said": sentence}
    if not text:
        return _t("The notice must say this (45 CFR %(rule)s).") % {"rule": block.citation} if block.required else ""
    if block.key == "header" and _bare(text) != _bare(begins):
        return _t("The rule prescribes these words exactly: %(words)s") % {"words": begins}
    if missing := [pattern for pattern in block.holds if not re.search(pattern, text, re.IGNORECASE)]:
        return _t("It must speak of %(what)s (45 CFR %(rule)s).") % {"what": _spoken(missing), "rule": block.citation}
    return ""


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text).casefold().strip()


def _spoken(patterns: list[str]) -> str:
    """What these patterns look for, as a person says it."""
    words = {_TELEPHONE: _t("a telephone number"), "example": _t("an example"), "in full": _t("what is paid for in full")}
    first = (pattern if pattern == _TELEPHONE else pattern.split("|")[0] for pattern in patterns)
    return ", ".join(words.get(pattern, f"“{pattern}”") for pattern in first)


def paragraphs(text: str) -> Iterator[tuple[str, list[str]]]:
    """The paragraphs of a block: ("p", its lines) or ("ul", the items of a list)."""
    for part in re.split(r"\n[ \t]*\n", text.strip()):
        lines = [line.strip() for line in part.splitlines() if line.strip()]
        items = [line[2:] for line in lines if line.startswith("- ")]
        plain = [line for line in lines if not line.startswith("- ")]
        if plain:
            yield "p", plain
        if items:
            yield "ul", items
