"""FHIR R4 in and out. Resources are read as plain JSON, each element checked where it is used.

No FHIR library: what a chart needs is checked more strictly than a schema would, and what it does not need may be missing
or of another version without stopping an import.
"""
