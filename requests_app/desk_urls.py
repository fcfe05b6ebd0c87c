"""The desk's pages: tracker, one request, taking one in."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
