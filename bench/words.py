"""What the invented office writes down: entries, releases, recipients."""

NOTES = (  # kind, title, body
    (
        "visit_note",
        "Follow-up visit",
        (
            "Seen for a follow-up. No bruising, no nodules. Skin over the treated areas smooth. Blood pressure 122/78, pulse 68. "
            "Advice on sun and sport repeated. Next session in two weeks if the patient wishes."
        ),
    ),
    (
        "treatment",
        "Session: thighs",
        (
            "Skin cleaned with chlorhexidine. 40 points, 0.1 ml each, 4 mm deep. Tolerated well. Cold pack for ten minutes. "
            "Advice given in writing and by mouth."
        ),
    ),
    (
        "consent",
        "Consent to treatment",
        (
            "The nature of the treatment, its risks and its alternatives were explained. Questions were answered. "
            "The patient signed the form of the office."
        ),
    ),
    ("prescription", "Prescription", "Arnica ointment, thin layer twice a day on bruises, for one week. No refill."),
    ("lab_result", "Blood count", "Hemoglobin 13.8 g/dl, white cells 6.2, platelets 244. Within the laboratory's reference."),
    ("billing_record", "Statement", "Session of the day: $280.00. Paid in full by card."),
    (
        "correspondence",
        "Letter to the family doctor",
        (
            "Dear colleague, our patient was seen for a first visit. No objection stands against a course of six sessions. "
            "With kind regards."
        ),
    ),
)
RELEASES = (  # purpose code, how often, purpose in words
    ("authorization", 30, "Application for insurance, at the patient's request"),
    ("required_by_law", 20, "Inspection of lot records under state law"),
    ("public_health", 15, "Report of an adverse event with an injected product"),
    ("subpoena", 8, "Subpoena in a civil case; the patient was notified"),
    ("health_oversight", 8, "Oversight of the profession"),
    ("workers_compensation", 8, "Claim under the workers' compensation law"),
    ("involved_in_care", 6, "Drove the patient home; the patient agreed"),
    ("law_enforcement", 3, "Warrant shown at the desk"),
    ("impermissible", 2, "Went to the wrong fax number"),
)
AGENCIES = (
    "State Department of Health",
    "FDA MedWatch",
    "Office of Professional Medical Conduct",
    "Workers' Compensation Board",
    "Beacon Life Insurance",
    "Harlan & Moss, attorneys",
    "County Court",
    "Police Department",
    "Mutual Health Plan",
    "Lakeside Hospital",
)
PRACTICES = ("Family Practice", "Dermatology", "Clinic", "Law Offices")
KINDS = ("access", "access", "access", "amendment", "restriction", "confidential_communication", "accounting")
