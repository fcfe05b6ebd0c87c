"""The grounds on which a request may be denied, kind by kind, and no other (law.md §2, §3, §5)."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from requests_app.deadlines import NotAllowedNow


@dataclass(frozen=True)
class Ground:
    """One ground: its words for the letter, its citation, and whether the patient may have the denial reviewed."""

    code: str
    words: str | Promise
    citation: str
    reviewable: bool = False


def _g(code: str, words: str | Promise, citation: str, reviewable: bool = False) -> Ground:
    return Ground(code, words, f"45 CFR {citation}", reviewable)


GROUNDS: dict[str, tuple[Ground, ...]] = {
    "access": (
        _g("U1", _("It is psychotherapy notes, or was put together for a court or agency case."), "164.524(a)(2)(i)"),
        _g("U2", _("You are in custody, and a copy could endanger someone's safety there."), "164.524(a)(2)(ii)"),
        _g(
            "U3",
            _("You agreed to wait while you take part in research. You can see it when the research ends."),
            "164.524(a)(2)(iii)",
        ),
        _g("U4", _("The federal Privacy Act does not let us give it."), "164.524(a)(2)(iv)"),
        _g(
            "U5",
            _("Someone other than a health care provider gave it to us in confidence, and it would show who."),
            "164.524(a)(2)(v)",
        ),
        _g(
            "R1",
            _("A licensed professional judged that seeing it is likely to endanger your life or safety, or another person's."),
            "164.524(a)(3)(i)",
            True,
        ),
        _g(
            "R2",
            _(
                "It speaks of another person, and a licensed professional judged that seeing it "
                "is likely to cause that person serious harm."
            ),
            "164.524(a)(3)(ii)",
            True,
        ),
        _g(
            "R3",
            _("A representative asked for it. A licensed professional judged that it should not be given to a representative."),
            "164.524(a)(3)(iii)",
            True,
        ),
    ),
    "amendment": (
        _g("A1", _("This office did not create that part of the record."), "164.526(a)(2)(i)"),
        _g("A2", _("It is not part of the records that we use to make decisions about you."), "164.526(a)(2)(ii)"),
        _g("A3", _("It is not open to you to see, so it is not open to change."), "164.526(a)(2)(iii)"),
        _g("A4", _("That part of the record is accurate and complete."), "164.526(a)(2)(iv)"),
    ),
    "restriction": (_g("N1", _("The office does not agree to this restriction. The law lets it decide."), "164.522(a)(1)(ii)"),),
    "confidential_communication": (
        _g("C1", _("The request names no other address or way to reach you."), "164.522(b)(2)(ii)(B)"),
        _g("C2", _("We have not been told how payment will be handled."), "164.522(b)(2)(ii)(A)"),
        _g("C3", _("The office can't carry it out within reason."), "164.522(b)(1)(i)"),
    ),
    "accounting": (),
}


# Whoever asks is nobody who may ask for the patient: no right of the patient is denied by it, so it stands beside the law's
# lists, for every kind. One and the same for a paper that is missing, has expired or is for finances, and for a
# representative whom the physician refused: nobody reads from it which (164.502(g)).
PERSON = _g(
    "P1",
    _("The law gives this right to the patient and to a person who may act for the patient. We do not treat you as that person."),
    "164.502(g)",
)


def ground(kind: str, code: str) -> Ground:
    """The ground with this code for this kind. Raises LookupError: there are no other grounds."""
    for known in (*GROUNDS[kind], PERSON):
        if known.code == code:
            return known
    raise LookupError(f"{code!r} is no ground to deny a request of kind {kind}")


ABOUT_AN_ENTRY = frozenset({"A1", "A3", "A4"})  # a denial on these names the entry in dispute (164.526(d)(4))


def check_originator(kind: str, code: str, gone: str) -> None:
    """Raise NotAllowedNow for ground A1 when the patient has shown that whoever wrote it can't act any more.

    `gone` is what the patient said of it, such as "hospital closed 2024" (164.526(a)(2)(i)).
    """
    if kind == "amendment" and code == "A1" and gone.strip():
        words = _t("The patient shows that whoever wrote it can't correct it any more (“%(gone)s”): this ground is not open.")
        raise NotAllowedNow(words % {"gone": gone.strip()}, "ground")


def judgment(known: Ground, name: str, licence: str) -> dict[str, str]:
    """Whose judgment a reviewable ground rests on, as facts for the timeline; {} for a ground that rests on no one's.

    Raises NotAllowedNow unless a licensed professional has judged (164.524(a)(3)). Whoever judged may not review it later.
    """
    if not known.reviewable:
        return {}
    if not (name and licence):
        raise NotAllowedNow(_t("This ground rests on the judgment of a licensed professional: name who judged."), "judged_by")
    return {"judged_by": name, "licence": licence}
