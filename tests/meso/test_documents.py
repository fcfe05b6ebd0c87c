"""Rows that keep a document: lists leave its bytes in the database, and its digest is worked out when it is stored."""

import hashlib

from django.apps import apps
from django.db import models

from meso.documents import Keeping
from records.models import Attachment
from tests.factories import AttachmentFactory


def bytes_of(model):
    return {field.name for field in model._meta.concrete_fields if isinstance(field, models.BinaryField)}


def test_no_list_brings_the_bytes():
    tables = [model for model in apps.get_models() if bytes_of(model)]
    assert len(tables) > 10
    for model in tables:
        assert model._default_manager.all().query.deferred_loading == (bytes_of(model), True), model


def test_a_digest_is_worked_out_nowhere_else():
    for model in apps.get_models():
        digests = {field.name for field in model._meta.concrete_fields if field.name.endswith("sha256")}
        if digests and bytes_of(model):
            assert issubclass(model, Keeping), model
            assert set(model.DIGESTS.values()) == digests, model
            assert set(model.DIGESTS) <= bytes_of(model)


def test_a_digest_that_is_brought_along_is_not_believed(db):
    kept = AttachmentFactory(content=b"%PDF-1.4 true", sha256="0" * 64)
    assert Attachment.objects.get(pk=kept.pk).sha256 == hashlib.sha256(b"%PDF-1.4 true").hexdigest()
