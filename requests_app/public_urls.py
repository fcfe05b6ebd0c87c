"""The patients' own pages under /privacy/."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
