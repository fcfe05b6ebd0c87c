"""Which FHIR R4 resources become entries of a chart, of which kind and under which title; and why the others do not."""

from dataclasses import dataclass

from records.models import Entry

Kind = Entry.Kind


@dataclass(frozen=True)
class Shape:
    """How a type of resource is filed: its kind, the elements that may give its title, the best first, and a word before it."""

    kind: str
    title: tuple[str, ...] = ("code", "type", "title", "description", "category")
    before: str = ""


SHAPES: dict[str, Shape] = {
    # what was seen and thought
    "Encounter": Shape(Kind.VISIT_NOTE, ("type", "serviceType", "class")),
    "EpisodeOfCare": Shape(Kind.VISIT_NOTE, ("type",), "Episode of care"),
    "Condition": Shape(Kind.VISIT_NOTE, ("code", "category"), "Condition"),
    "AllergyIntolerance": Shape(Kind.VISIT_NOTE, ("code",), "Allergy"),
    "AdverseEvent": Shape(Kind.VISIT_NOTE, ("event", "category"), "Adverse event"),
    "Immunization": Shape(Kind.VISIT_NOTE, ("vaccineCode",), "Immunization"),
    "ImmunizationEvaluation": Shape(Kind.VISIT_NOTE, ("targetDisease",), "Immunization evaluation"),
    "ImmunizationRecommendation": Shape(Kind.VISIT_NOTE, (), "Immunization recommendation"),
    "CarePlan": Shape(Kind.VISIT_NOTE, ("title", "category", "description"), "Care plan"),
    "CareTeam": Shape(Kind.VISIT_NOTE, ("name", "category"), "Care team"),
    "Goal": Shape(Kind.VISIT_NOTE, ("description",), "Goal"),
    "ClinicalImpression": Shape(Kind.VISIT_NOTE, ("description", "code", "summary"), "Clinical impression"),
    "Composition": Shape(Kind.VISIT_NOTE, ("title", "type")),
    "DetectedIssue": Shape(Kind.VISIT_NOTE, ("code",), "Detected issue"),
    "FamilyMemberHistory": Shape(Kind.VISIT_NOTE, ("relationship",), "Family history"),
    "Flag": Shape(Kind.VISIT_NOTE, ("code",), "Flag"),
    "QuestionnaireResponse": Shape(Kind.VISIT_NOTE, (), "Questionnaire"),
    "RiskAssessment": Shape(Kind.VISIT_NOTE, ("code", "method"), "Risk assessment"),
    "ServiceRequest": Shape(Kind.VISIT_NOTE, ("code",), "Order"),
    "DeviceRequest": Shape(Kind.VISIT_NOTE, ("codeCodeableConcept", "codeReference"), "Order"),
    "NutritionOrder": Shape(Kind.VISIT_NOTE, (), "Nutrition order"),
    "Device": Shape(Kind.VISIT_NOTE, ("deviceName", "type"), "Device"),
    "DeviceUseStatement": Shape(Kind.VISIT_NOTE, ("device",), "Device in use"),
    "SupplyDelivery": Shape(Kind.VISIT_NOTE, ("suppliedItem", "type"), "Supply"),
    "BodyStructure": Shape(Kind.VISIT_NOTE, ("location", "description"), "Body structure"),
    # what was done and prescribed
    "Procedure": Shape(Kind.TREATMENT, ("code", "category")),
    "MedicationRequest": Shape(Kind.PRESCRIPTION, ("medicationCodeableConcept", "medicationReference")),
    "MedicationStatement": Shape(Kind.PRESCRIPTION, ("medicationCodeableConcept", "medicationReference"), "Medication taken"),
    "MedicationDispense": Shape(Kind.PRESCRIPTION, ("medicationCodeableConcept", "medicationReference"), "Dispensed"),
    "MedicationAdministration": Shape(Kind.PRESCRIPTION, ("medicationCodeableConcept", "medicationReference"), "Given"),
    "VisionPrescription": Shape(Kind.PRESCRIPTION, (), "Vision prescription"),
    # what was measured
    "Observation": Shape(Kind.LAB_RESULT, ("code", "category")),
    "DiagnosticReport": Shape(Kind.LAB_RESULT, ("code", "category")),
    "Specimen": Shape(Kind.LAB_RESULT, ("type",), "Specimen"),
    "MolecularSequence": Shape(Kind.LAB_RESULT, (), "Molecular sequence"),
    # papers, pictures, letters
    "DocumentReference": Shape(Kind.OUTSIDE_RECORD, ("type", "description", "content")),
    "ImagingStudy": Shape(Kind.OUTSIDE_RECORD, ("description", "procedureCode", "modality"), "Imaging study"),
    "Media": Shape(Kind.PHOTOGRAPH, ("type", "content")),
    "Consent": Shape(Kind.CONSENT, ("category", "scope"), "Consent"),
    "Communication": Shape(Kind.CORRESPONDENCE, ("topic", "category"), "Communication"),
    "CommunicationRequest": Shape(Kind.CORRESPONDENCE, ("category",), "Communication asked for"),
    # money
    "Claim": Shape(Kind.BILLING_RECORD, ("item", "type"), "Claim"),
    "ClaimResponse": Shape(Kind.BILLING_RECORD, ("disposition", "type"), "Claim response"),
    "ExplanationOfBenefit": Shape(Kind.BILLING_RECORD, ("item", "type"), "Explanation of benefit"),
    "Coverage": Shape(Kind.BILLING_RECORD, ("type", "payor"), "Coverage"),
    "CoverageEligibilityRequest": Shape(Kind.BILLING_RECORD, (), "Coverage eligibility request"),
    "CoverageEligibilityResponse": Shape(Kind.BILLING_RECORD, ("disposition",), "Coverage eligibility response"),
    "Account": Shape(Kind.BILLING_RECORD, ("name", "type"), "Account"),
    "ChargeItem": Shape(Kind.BILLING_RECORD, ("code",), "Charge"),
    "Invoice": Shape(Kind.BILLING_RECORD, ("type",), "Invoice"),
}

# The dates that can be an entry's date of service, the best first; a dot goes into a group.
DATES = (
    "authoredOn", "effectiveDateTime", "effectiveInstant", "effectivePeriod", "performedDateTime", "performedPeriod",
    "occurrenceDateTime", "occurrencePeriod", "onsetDateTime", "onsetPeriod", "period", "context.period", "started",
    "billablePeriod", "servicedDate", "servicedPeriod", "servicePeriod", "createdDateTime", "createdPeriod", "startDate",
    "identifiedDateTime", "identifiedPeriod", "timingDateTime", "timingPeriod", "whenHandedOver", "whenPrepared",
    "collection.collectedDateTime", "collection.collectedPeriod", "receivedTime", "recordedDate", "sent", "received",
    "authored", "dateTime", "dateWritten", "date", "recordedOn", "issued", "created", "dateAsserted", "enteredDate",
    "statusDate",
)  # fmt: skip
# When it was written down, the best first.
WRITTEN = (
    "issued", "recordedDate", "authoredOn", "authored", "dateAsserted", "recordedOn", "enteredDate", "created", "dateTime",
    "dateWritten", "date", "sent",
)  # fmt: skip
PATIENTS = ("subject", "patient", "beneficiary", "for")
# Who answers for it, the best first; an actor may stand inside a group.
SIGNERS = (
    "author", "asserter", "recorder", "requester", "resultsInterpreter", "interpreter", "performer", "participant",
    "prescriber", "provider", "sender", "operator", "enterer", "informationSource", "source", "authenticator",
)  # fmt: skip
ACTORS = ("actor", "individual", "member", "party", "who")
HOUSES = ("serviceProvider", "custodian", "managingOrganization", "organization", "insurer")
ATTACHMENTS = ("content", "presentedForm", "sourceAttachment", "payload")

_LOOKED_UP = "looked up for names, not an entry itself"
_NOT_OURS = "not part of a patient's record"
LEFT_OUT: dict[str, str] = {
    **dict.fromkeys(("Organization", "Practitioner", "PractitionerRole", "Location", "RelatedPerson", "Person"), _LOOKED_UP),
    **dict.fromkeys(
        ("Medication", "Substance", "HealthcareService", "Endpoint", "InsurancePlan", "DeviceDefinition"), _LOOKED_UP
    ),
    "Binary": "kept with the document that names it",
    "Provenance": "says where other resources come from",
    "AuditEvent": "a log of another system",
    "OperationOutcome": "a message of another system",
    "List": "a list of other resources",
    "Group": "about a group, not one patient",
    "Questionnaire": "an empty form",
    **dict.fromkeys(("MessageHeader", "Subscription", "Parameters", "CapabilityStatement"), "a message between systems"),
    **dict.fromkeys(
        ("Appointment", "AppointmentResponse", "Schedule", "Slot", "Task", "RequestGroup"), "a plan of work, not a record of it"
    ),
    **dict.fromkeys(
        ("ValueSet", "CodeSystem", "ConceptMap", "StructureDefinition", "SearchParameter", "Library", "Measure"), _NOT_OURS
    ),
}


def why_left_out(type_: str) -> str:
    """The reason why this type of resource is no entry."""
    return LEFT_OUT.get(type_, "not a kind of record that Meso files")
