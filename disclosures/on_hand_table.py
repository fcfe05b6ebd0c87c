"""The table behind disclosures/on_hand.py: for each purpose code its branches, their needs, and how much may go."""

from django.utils.translation import gettext_lazy as _

from disclosures.branches import Asker, Branch, Minimum, Need, Pages, Words

_NEEDED = Minimum(True, _("Only what the purpose needs."), "164.502(b), 164.514(d)")
_RELIED_ON = Minimum(
    True, _("Only what is needed; an official’s statement that it is may be relied on."), "164.514(d)(3)(iii)(A)"
)
_TREATMENT = Minimum(False, _("Another provider gets what they need to treat; no limit is set."), "164.502(b)(2)(i)")
_PATIENT = Minimum(False, _("Patients get what they ask for."), "164.502(b)(2)(ii)")
_BY_FORM = Minimum(False, _("The authorization says what goes, and no more goes."), "164.502(b)(2)(iii)")
_HHS = Minimum(False, _("What the federal health department asks for to check the office."), "164.502(b)(2)(iv)")
_BY_LAW = Minimum(False, _("What the law demands, and no more."), "164.502(b)(2)(v)")
_BY_ORDER = Minimum(False, _("What the order expressly authorizes, and no more."), "164.512(e)(1)(i)")


def _n(code: str, words: Words, citation: str, *, overridable: bool = False) -> Need:
    return Need(code, words, citation, overridable)


# --- needs that several branches share ---

_RELEVANT = _n("relevant", _("Only what concerns this person’s part in the care or the payment"), "164.510(b)(1)")
_INVOLVED = _n("involved", _("Family, or named by the patient, and takes part in the care or its payment"), "164.510(b)(1)(i)")
_ON_FILE = _n(
    "on_file", _("The patient’s agreement, or a paper for it, is on file, as the office’s notice promises"), "164.502(i)"
)
_BELIEF = _n("belief", _("Why the office believes it is written down; an allegation alone is not enough"), "164.512(c)(1)")
_TELL = _n(
    "tell_patient",
    _("The patient is or will promptly be told, unless that risks serious harm or would tell whoever is suspected"),
    "164.512(c)(2)",
    overridable=True,
)
_SUBPOENA = _n("subpoena", _("The subpoena or discovery request is on hand; only what it names is chosen"), "164.512(e)(1)(ii)")
_VICTIM = _n("victim", _("The patient is, or is suspected to be, the victim of a crime"), "164.512(f)(3)")
_AUTHORITY = _n(
    "authority",
    _("What gives the agency its authority is on hand in writing; told orally only where writing is not practicable"),
    "164.514(h)(2)(iii)",
    overridable=True,
)


def _one(label: Words, citation: str, asker: Asker, minimum: Minimum, *needs: Need, pages: Pages = Pages.ANY) -> tuple[Branch]:
    return (Branch("", label, citation, asker, needs, minimum, pages),)


def _b(code: str, label: Words, citation: str, asker: Asker, minimum: Minimum, *needs: Need, pages: Pages = Pages.ANY) -> Branch:
    return Branch(code, label, citation, asker, needs, minimum, pages)


_CARE: dict[str, tuple[Branch, ...]] = {
    "treatment": _one(
        _("To a provider who treats the patient"), "164.506(c)(2)", Asker.PROVIDER, _TREATMENT,
        _n("provider", _("The recipient is a health care provider who treats this patient"), "164.506(c)(2)"),
    ),
    "payment": _one(
        _("To a health plan, or whoever pays or collects"), "164.506(c)(3)", Asker.PLAN, _NEEDED,
        _n("payer", _("The recipient pays for this care, or collects for it"), "164.506(c)(3)"),
    ),
    "operations": (
        _b(
            "associate", _("To a service that works for the office"), "164.502(e)", Asker.ASSOCIATE, _NEEDED,
            _n("operation", _("Which of the office’s operations it serves is written down"), "164.506(c)(1)"),
            _n("contract", _("A business associate contract is on file"), "164.504(e)"),
        ),
        _b(
            "other_entity", _("To another covered entity, for its own quality work or against fraud"), "164.506(c)(4)",
            Asker.ASSOCIATE, _NEEDED,
            _n("operation", _("It is for quality work, training, or to find fraud"), "164.506(c)(4)"),
            _n("relationship", _("They have or had this patient too, and it is about that"), "164.506(c)(4)"),
        ),
    ),
    "individual": (
        _b("patient", _("To the patient"), "164.502(a)(1)(i)", Asker.PATIENT, _PATIENT),
        _b("representative", _("To whoever may act for the patient"), "164.502(g)", Asker.REPRESENTATIVE, _PATIENT),
    ),
    "authorization": _one(_("To whom the authorization names"), "164.508", Asker.OTHER, _BY_FORM),
    "family_emergency": _one(
        _("To family, in an emergency"), "164.510(b)(1)(ii), 164.510(b)(3)", Asker.FAMILY, _NEEDED,
        _n("incapacity", _("The patient is not there, or can’t agree because of the emergency or their state"), "164.510(b)(3)"),
        _n("judgment", _("A professional has judged that it is in the patient’s best interest; who, is written down"),
           "164.510(b)(3)"),
        _RELEVANT,
    ),
    "involved_in_care": (
        _b(
            "agreed", _("The patient agreed"), "164.510(b)(2)(i)", Asker.FAMILY, _NEEDED,
            _INVOLVED, _n("agreed", _("The patient agreed; when and how is written down"), "164.510(b)(2)(i)"),
            _ON_FILE, _RELEVANT,
        ),
        _b(
            "not_objected", _("The patient could have objected and did not"), "164.510(b)(2)(ii)", Asker.FAMILY, _NEEDED,
            _INVOLVED, _n("could_object", _("The patient was asked, or was there, and did not object"), "164.510(b)(2)(ii)"),
            _ON_FILE, _RELEVANT,
        ),
        _b(
            "inferred", _("From the circumstances: the patient does not object"), "164.510(b)(2)(iii)", Asker.FAMILY, _NEEDED,
            _INVOLVED, _n("inferred", _("A professional judges from the circumstances that the patient does not object"),
                          "164.510(b)(2)(iii)"),
            _ON_FILE, _RELEVANT,
        ),
        _b(
            "deceased", _("The patient has died"), "164.510(b)(5)", Asker.FAMILY, _NEEDED,
            _n("involved_before", _("They took part in the care or its payment before the death"), "164.510(b)(5)"),
            _n("no_contrary_wish", _("No wish of the patient against it is known"), "164.510(b)(5)"), _ON_FILE, _RELEVANT,
        ),
    ),
}  # fmt: skip

_LAW: dict[str, tuple[Branch, ...]] = {
    "required_by_law": (
        _b(
            "statute", _("A law demands it"), "164.512(a)", Asker.OFFICIAL, _BY_LAW,
            _n("law", _("The law is named, and only what it demands is chosen"), "164.512(a)(1)"),
            _n("other_rules", _("If it is about abuse, a court or the police, their rules are met too"), "164.512(a)(2)"),
        ),
        _b(
            "hhs", _("The federal health department checks the office"), "164.502(a)(2)(ii)", Asker.OFFICIAL, _HHS,
            _n("hhs", _("The department asks in writing, to check that the office keeps the rules"), "164.502(a)(2)(ii)"),
        ),
    ),
    "public_health": (
        _b(
            "authority", _("To a public health authority"), "164.512(b)(1)(i)", Asker.OFFICIAL, _RELIED_ON,
            _n("mandate", _("A law lets this authority collect it, to prevent disease or injury"), "164.512(b)(1)(i)"),
            _AUTHORITY,
        ),
        _b(
            "fda", _("Adverse event, defect or recall of a product"), "164.512(b)(1)(iii)", Asker.OTHER, _NEEDED,
            _n("product", _("The product is under the FDA, and the recipient answers for it"), "164.512(b)(1)(iii)"),
            _n("safety", _("It is about the product’s quality, safety or effect; the lot is in what is chosen"),
               "164.512(b)(1)(iii)"),
        ),
        _b(
            "exposed", _("To somebody who may have been exposed to a disease"), "164.512(b)(1)(iv)", Asker.OTHER, _NEEDED,
            _n("notify_law", _("A law lets the office tell them"), "164.512(b)(1)(iv)"),
        ),
        _b(
            "workplace", _("To an employer, about the workplace"), "164.512(b)(1)(v)", Asker.OTHER, _NEEDED,
            _n("at_request", _("The care was given at the employer’s request, for the workplace or a work injury"),
               "164.512(b)(1)(v)(A)"),
            _n("findings", _("Only those findings go, and the employer needs them by law"), "164.512(b)(1)(v)(B)"),
            _n("notice", _("The patient had written notice of it at the time of care"), "164.512(b)(1)(v)(D)"),
        ),
        _b(
            "school", _("Proof of immunization, to a school"), "164.512(b)(1)(vi)", Asker.OTHER, _NEEDED,
            _n("immunization", _("Only proof of immunization, which a law makes the school have"), "164.512(b)(1)(vi)(B)"),
            _n("agreement", _("The agreement of the parent or patient is written down"), "164.512(b)(1)(vi)(C)"),
        ),
    ),
    "abuse_neglect": (
        _b(
            "child", _("Report of child abuse or neglect"), "164.512(b)(1)(ii)", Asker.OFFICIAL, _NEEDED,
            _n("child_authority", _("The recipient is the authority that takes such reports"), "164.512(b)(1)(ii)"),
        ),
        _b(
            "adult_required", _("Adult: a law demands the report"), "164.512(c)(1)(i)", Asker.OFFICIAL, _BY_LAW,
            _BELIEF, _n("law", _("The law is named, and only what it demands is chosen"), "164.512(c)(1)(i)"), _TELL,
        ),
        _b(
            "adult_agreed", _("Adult: the patient agrees"), "164.512(c)(1)(ii)", Asker.OFFICIAL, _NEEDED,
            _BELIEF, _n("agreed", _("The patient agreed to the report; when and how is written down"), "164.512(c)(1)(ii)"),
            _TELL,
        ),
        _b(
            "adult_authorized", _("Adult: a law allows it and it is necessary"), "164.512(c)(1)(iii)", Asker.OFFICIAL, _NEEDED,
            _BELIEF, _n("allowed", _("A law expressly allows it"), "164.512(c)(1)(iii)"),
            _n("necessary", _("A professional judges it necessary against serious harm, or the patient can’t agree and "
                              "waiting would harm what the officials must do at once"), "164.512(c)(1)(iii)"),
            _TELL,
        ),
    ),
    "health_oversight": _one(
        _("To an agency that oversees health care"), "164.512(d)", Asker.OFFICIAL, _RELIED_ON,
        _n("oversight", _("A law lets this agency oversee the office or the health system"), "164.512(d)(1)"),
        _n("not_the_patient", _("It is no inquiry into the patient apart from their care or benefits"), "164.512(d)(2)"),
        _AUTHORITY,
    ),
    "court_order": _one(
        _("An order of a court or tribunal"), "164.512(e)(1)(i)", Asker.COURT, _BY_ORDER,
        _n("order", _("The order is on hand, signed by the judge or tribunal"), "164.512(e)(1)(i)"),
        _n("scope", _("Its words were read: only what it expressly authorizes is chosen"), "164.512(e)(1)(i)"),
    ),
    "subpoena": (
        _b(
            "notice", _("With written assurance: the patient was notified"), "164.512(e)(1)(ii)(A)", Asker.COURT, _NEEDED,
            _SUBPOENA,
            _n("assurance", _("Written statement and papers: the patient was given notice and could have objected"),
               "164.512(e)(1)(iii)"),
            _n("time_over", _("The time to object is over"), "164.512(e)(1)(iii)(C)"),
            _n("none_pending", _("No objection was made, or all are settled and this release fits"), "164.512(e)(1)(iii)(C)"),
        ),
        _b(
            "protective_order", _("With written assurance: a protective order"), "164.512(e)(1)(ii)(B)", Asker.COURT, _NEEDED,
            _SUBPOENA,
            _n("order_sought", _("Written statement and papers: a qualified protective order was agreed or asked for"),
               "164.512(e)(1)(iv)"),
            _n("order_terms", _("It forbids other use and demands return or destruction at the end"), "164.512(e)(1)(v)"),
        ),
        _b(
            "office_notice", _("The office has notified the patient itself"), "164.512(e)(1)(vi)", Asker.COURT, _NEEDED,
            _SUBPOENA,
            _n("own_notice", _("The office wrote to the patient itself, with all that an objection needs"), "164.512(e)(1)(vi)"),
            _n("time_over", _("The time to object is over"), "164.512(e)(1)(vi)"),
            _n("none_pending", _("No objection was made, or all are settled and this release fits"), "164.512(e)(1)(vi)"),
        ),
        _b(
            "office_order", _("The office has asked for a protective order itself"), "164.512(e)(1)(vi)", Asker.COURT, _NEEDED,
            _SUBPOENA, _n("own_order", _("The office’s own request for a qualified protective order is on hand"),
               "164.512(e)(1)(vi)"),
        ),
    ),
}  # fmt: skip

_POLICE: tuple[Branch, ...] = (
    _b(
        "injury_report", _("A law makes the office report wounds or injuries"), "164.512(f)(1)(i)", Asker.OFFICIAL, _BY_LAW,
        _n("law", _("The law is named, and only what it demands is chosen"), "164.512(f)(1)(i)"),
    ),
    _b(
        "warrant", _("Court order, warrant, or subpoena of a judge"), "164.512(f)(1)(ii)(A)", Asker.OFFICIAL, _BY_LAW,
        _n("warrant", _("It is on hand, signed by a judge or court officer; only what it names is chosen"),
           "164.512(f)(1)(ii)(A)"),
    ),
    _b(
        "grand_jury", _("Subpoena of a grand jury"), "164.512(f)(1)(ii)(B)", Asker.OFFICIAL, _BY_LAW,
        _n("grand_jury", _("It is on hand; only what it names is chosen"), "164.512(f)(1)(ii)(B)"),
    ),
    _b(
        "administrative", _("Request of an agency: summons, civil demand"), "164.512(f)(1)(ii)(C)", Asker.OFFICIAL, _RELIED_ON,
        _n("request", _("The written request is on hand, and the law lets the agency make it"), "164.512(f)(1)(ii)(C)"),
        _n("material", _("It says: relevant and material to a lawful inquiry"), "164.512(f)(1)(ii)(C)(1)"),
        _n("specific", _("It says: specific, and limited to what the inquiry needs"), "164.512(f)(1)(ii)(C)(2)"),
        _n("identified", _("It says: data that name nobody would not do"), "164.512(f)(1)(ii)(C)(3)"),
    ),
    _b(
        "locate", _("To identify or find a suspect, witness or missing person"), "164.512(f)(2)", Asker.OFFICIAL, _NEEDED,
        _n("police_asks", _("The police ask for it, to identify or find this person"), "164.512(f)(2)"),
        pages=Pages.EIGHT_ITEMS,
    ),
    _b(
        "victim_agreed", _("About a victim of a crime, who agrees"), "164.512(f)(3)(i)", Asker.OFFICIAL, _NEEDED,
        _VICTIM, _n("agreed", _("The patient agreed; when and how is written down"), "164.512(f)(3)(i)"),
    ),
    _b(
        "victim_incapacity", _("About a victim of a crime, who can’t agree"), "164.512(f)(3)(ii)", Asker.OFFICIAL, _RELIED_ON,
        _VICTIM,
        _n("not_against", _("The official says: needed to see whether another broke the law, and not used against the victim"),
           "164.512(f)(3)(ii)(A)"),
        _n("at_once", _("The official says: waiting until the patient can agree would harm what must be done at once"),
           "164.512(f)(3)(ii)(B)"),
        _n("judgment", _("A professional has judged that it is in the patient’s best interest; who, is written down"),
           "164.512(f)(3)(ii)(C)"),
    ),
    _b(
        "death", _("A death that may come from a crime"), "164.512(f)(4)", Asker.OFFICIAL, _NEEDED,
        _n("suspicion", _("The patient has died, and why a crime is suspected is written down"), "164.512(f)(4)"),
    ),
    _b(
        "premises", _("A crime in the office"), "164.512(f)(5)", Asker.OFFICIAL, _NEEDED,
        _n("good_faith", _("The office believes in good faith that it is evidence of a crime on its premises"), "164.512(f)(5)"),
    ),
    _b(
        "emergency", _("A crime seen in emergency care elsewhere"), "164.512(f)(6)", Asker.OFFICIAL, _NEEDED,
        _n("alert", _("Needed to tell of the crime, its place and victims, or who did it"), "164.512(f)(6)(i)"),
        _n("no_abuse", _("It is no abuse, neglect or domestic violence: that is a report of its own"), "164.512(f)(6)(ii)"),
    ),
)  # fmt: skip

_PUBLIC: dict[str, tuple[Branch, ...]] = {
    "law_enforcement": _POLICE,
    "decedent": (
        _b(
            "coroner", _("To a coroner or medical examiner"), "164.512(g)(1)", Asker.OFFICIAL, _RELIED_ON,
            _n("died", _("The patient has died; it is to identify them or find the cause"), "164.512(g)(1)"),
        ),
        _b(
            "funeral", _("To a funeral director"), "164.512(g)(2)", Asker.OTHER, _NEEDED,
            _n("funeral", _("What the funeral director needs for their duties, as the law says"), "164.512(g)(2)"),
        ),
    ),
    "organ_donation": _one(
        _("To an organization for organs, eyes or tissue"), "164.512(h)", Asker.OTHER, _NEEDED,
        _n("procurement", _("The recipient procures, banks or transplants organs, eyes or tissue"), "164.512(h)"),
    ),
    "research": (
        _b(
            "waiver", _("A board has waived the authorization"), "164.512(i)(1)(i)", Asker.OTHER, _NEEDED,
            _n("board", _("The board’s paper names the board and the day, and is signed by its chair"),
               "164.512(i)(2)(i), 164.512(i)(2)(v)"),
            _n("criteria", _("It says that the three criteria of a waiver are met"), "164.512(i)(2)(ii)"),
            _n("described", _("It says which information is needed, and only that is chosen"), "164.512(i)(2)(iii)"),
        ),
        _b(
            "preparatory", _("To prepare a study"), "164.512(i)(1)(ii)", Asker.OTHER, _NEEDED,
            _n("prepare", _("The researcher says: only to prepare a study"), "164.512(i)(1)(ii)(A)"),
            _n("stays", _("The researcher says: nothing leaves the office"), "164.512(i)(1)(ii)(B)"),
            _n("necessary", _("The researcher says: it is necessary"), "164.512(i)(1)(ii)(C)"),
            pages=Pages.NONE,
        ),
        _b(
            "decedents", _("About people who have died"), "164.512(i)(1)(iii)", Asker.OTHER, _NEEDED,
            _n("only_dead", _("The researcher says: only on the dead"), "164.512(i)(1)(iii)(A)"),
            _n("death_shown", _("The death is shown, where the office asks for it"), "164.512(i)(1)(iii)(B)"),
            _n("necessary", _("The researcher says: it is necessary"), "164.512(i)(1)(iii)(C)"),
        ),
    ),
    "serious_threat": (
        _b(
            "prevent", _("To prevent it or make it less"), "164.512(j)(1)(i)", Asker.OTHER, _NEEDED,
            _n("threat", _("In good faith: a serious and imminent threat to somebody’s health or safety"), "164.512(j)(1)(i)(A)"),
            _n("able", _("The recipient can prevent it or make it less"), "164.512(j)(1)(i)(B)"),
        ),
        _b(
            "confession", _("Somebody owned to a violent crime"), "164.512(j)(1)(ii)(A)", Asker.OFFICIAL, _NEEDED,
            _n("statement", _("In good faith: the statement owns to a violent crime with serious harm"), "164.512(j)(1)(ii)(A)"),
            _n("not_in_care", _("It was not said in a treatment for, or to get treatment for, that very leaning"),
               "164.512(j)(2)"),
            pages=Pages.EIGHT_ITEMS,
        ),
        _b(
            "escape", _("Somebody has escaped from prison or custody"), "164.512(j)(1)(ii)(B)", Asker.OFFICIAL, _NEEDED,
            _n("escape", _("In good faith, from all circumstances: the patient has escaped"), "164.512(j)(1)(ii)(B)"),
        ),
    ),
    "specialized_government": (
        _b(
            "military", _("Armed forces or foreign military"), "164.512(k)(1)", Asker.OFFICIAL, _RELIED_ON,
            _n("command", _("The authority has published its notice in the Federal Register, and it is needed for the mission"),
               "164.512(k)(1)(i)"),
        ),
        _b(
            "protective", _("Protection of the President and others"), "164.512(k)(3)", Asker.OFFICIAL, _RELIED_ON,
            _n("protective", _("An authorized federal official asks, for protective services"), "164.512(k)(3)"),
        ),
        _b(
            "suitability", _("Medical suitability: the Department of State"), "164.512(k)(4)", Asker.OFFICIAL, _RELIED_ON,
            _n("suitability", _("It serves a security clearance or service abroad"), "164.512(k)(4)"),
        ),
        _b(
            "benefits", _("An agency for government benefits"), "164.512(k)(6)", Asker.OFFICIAL, _RELIED_ON,
            _n("program", _("A law makes the agencies share it for the program"), "164.512(k)(6)"),
        ),
        _b(
            "background", _("Firearm background checks"), "164.512(k)(7)", Asker.OFFICIAL, _NEEDED,
            _n("designated", _("The state has named this office to report, and only the named facts go"), "164.512(k)(7)"),
            pages=Pages.NONE,
        ),
    ),
    "national_security": _one(
        _("To authorized federal officials"), "164.512(k)(2)", Asker.OFFICIAL, _RELIED_ON,
        _n("federal_official", _("An authorized federal official asks, for lawful intelligence or national security"),
           "164.512(k)(2)"),
        _n("credential", _("Their identification was seen"), "164.514(h)(2)(ii)"),
    ),
    "correctional": _one(
        _("To a jail, prison or officer who holds the patient"), "164.512(k)(5)", Asker.OFFICIAL, _RELIED_ON,
        _n("need", _("They say what it is needed for: care, safety, or order in the institution"), "164.512(k)(5)(i)"),
        _n("custody", _("The patient is in custody today: not released, paroled or on probation"), "164.512(k)(5)(iii)"),
    ),
    "workers_compensation": _one(
        _("As a workers’ compensation law provides"), "164.512(l)", Asker.OTHER, _NEEDED,
        _n("comp_law", _("The law or program is named, and only what it provides for is chosen"), "164.512(l)"),
    ),
    "limited_data_set": _one(
        _("A limited data set"), "164.514(e)", Asker.OTHER, _NEEDED,
        _n("agreement", _("The data use agreement is on file"), "164.514(e)(4)"),
        _n("set_purpose", _("It is for research, public health or health care operations"), "164.514(e)(3)"),
        _n("identifiers", _("All sixteen direct identifiers are out"), "164.514(e)(2)"),
        pages=Pages.NONE,
    ),
}  # fmt: skip

BRANCHES: dict[str, tuple[Branch, ...]] = _CARE | _LAW | _PUBLIC
