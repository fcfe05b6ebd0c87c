"""Answering a request: decision, letters, copies, bills."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
