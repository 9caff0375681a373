"""fhirpy against a running handrail. Environment: BASE, TOKEN, PATIENT, CA.

Each check prints a line; the first that fails ends the program with its reason.
"""

import os

from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import AuthorizationError, OperationOutcome, ResourceNotFound

BASE, TOKEN, PATIENT, CA = (os.environ[name] for name in ("BASE", "TOKEN", "PATIENT", "CA"))
TRUST = {"verify": CA}

client = SyncFHIRClient(BASE, authorization=f"Bearer {TOKEN}", requests_config=TRUST)
# fhirpy's count() sends a parameter of another server's own (_totalMethod), which only a lenient search passes over.
lenient = SyncFHIRClient(
    BASE, authorization=f"Bearer {TOKEN}", requests_config=TRUST, extra_headers={"Prefer": "handling=lenient"}
)
stranger = SyncFHIRClient(BASE, requests_config=TRUST)


def capability_statement():
    statement = stranger.execute("metadata", method="get")
    assert statement["fhirVersion"] == "4.0.1"


def no_data_without_a_token():
    try:
        stranger.reference("Patient", PATIENT).to_resource()
    except AuthorizationError:
        return
    raise AssertionError("a stranger read a patient")


def read():
    patient = client.reference("Patient", PATIENT).to_resource()
    assert patient.id == PATIENT


def search_with_paging_and_count():
    search = client.resources("Observation").search(patient=PATIENT).sort("-date").limit(5)
    seen = [observation.id for observation in search.fetch_all()]
    assert len(seen) == len(set(seen)) > 5
    assert lenient.resources("Observation").search(patient=PATIENT).count() == len(seen)


def search_by_category_and_date():
    search = client.resources("Observation").search(
        patient=PATIENT, category="survey", date__ge="1900-01-01", date__lt="2200-01-01"
    )
    found = search.limit(10).fetch()
    assert found
    for observation in found:
        assert observation.subject.reference == f"Patient/{PATIENT}"


def include():
    page = client.resources("Observation").search(patient=PATIENT).include("Observation", "subject").limit(1)
    types = {entry.resource.resource_type for entry in page.fetch_raw().entry}
    assert types == {"Observation", "Patient"}, types


def create_save_delete():
    patient = client.resource("Patient", active=True)
    patient.save()
    patient["active"] = False
    patient.save()
    assert client.reference("Patient", patient.id).to_resource()["active"] is False
    patient.delete()
    try:
        client.reference("Patient", patient.id).to_resource()
    except (ResourceNotFound, OperationOutcome):
        return
    raise AssertionError("a deleted patient was read")


def refused_with_an_outcome():
    try:
        client.resource("Patient", gender="no such code").save()
    except OperationOutcome as refused:
        assert "gender" in str(refused), refused
        return
    raise AssertionError("an invalid patient was stored")


CHECKS = [
    capability_statement,
    no_data_without_a_token,
    read,
    search_with_paging_and_count,
    search_by_category_and_date,
    include,
    create_save_delete,
    refused_with_an_outcome,
]

for check in CHECKS:
    check()
    print(f"ok - fhirpy: {check.__name__.replace('_', ' ')}")
print(f"fhirpy: {len(CHECKS)} passed, 0 failed")
