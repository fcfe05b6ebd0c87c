"""The names of FHIR R4 that Meso reads and writes: Meso's own code systems, and how well-known systems are called."""

# Meso's own systems. They are names and no addresses: nothing is ever fetched from them.
CHART_SYSTEM = "urn:meso:chart"  # Patient.identifier: the chart number
SEAL_SYSTEM = "urn:meso:seal"  # DocumentReference.identifier: the row's seal, the same wherever the export goes
SOURCE_SYSTEM = "urn:meso:source"  # DocumentReference.identifier: where an import had found the entry
KIND_SYSTEM = "urn:meso:kind"  # DocumentReference.type: the kind of entry, or one of the four below
TREATMENT_URL = "urn:meso:treatment"  # extension: a mesotherapy treatment's own fields
ADDENDUM, STRIKE, ATTACHMENT, LINKED = "addendum", "line_through", "attachment", "linked"

SYSTEMS = {
    "http://loinc.org": "LOINC",
    "http://snomed.info/sct": "SNOMED CT",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "RxNorm",
    "http://hl7.org/fhir/sid/cvx": "CVX",
    "http://hl7.org/fhir/sid/ndc": "NDC",
    "http://hl7.org/fhir/sid/icd-10": "ICD-10",
    "http://hl7.org/fhir/sid/icd-10-cm": "ICD-10-CM",
    "http://hl7.org/fhir/sid/icd-9-cm": "ICD-9-CM",
    "http://hl7.org/fhir/sid/us-npi": "NPI",
    "http://hl7.org/fhir/sid/us-ssn": "SSN",
    "http://www.ama-assn.org/go/cpt": "CPT",
    "http://unitsofmeasure.org": "UCUM",
    "urn:ietf:bcp:47": "language",
}


def system_name(system: str) -> str:
    """What a reader calls a code system: "LOINC", or the last part of its address, or the whole of a name without parts."""
    if system in SYSTEMS or "/" not in system:
        return SYSTEMS.get(system, system)
    return system.rstrip("/").rsplit("/", 1)[-1]
