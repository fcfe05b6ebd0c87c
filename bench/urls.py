"""Meso's pages, and the floor beside them. Only the benchmark serves these."""

from django.urls import include, path

from bench import floor

urlpatterns = [
    path("floor/read/", floor.read),
    path("floor/write/", floor.write),
    path("floor/inside/", floor.read),  # the same view, behind Meso's own middleware
    path("", include("meso.urls")),
]
