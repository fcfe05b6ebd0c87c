"""Meso's settings with the weak views as the whole site, served once to show that the scanners see them."""

from meso.settings import *  # noqa: F403

ROOT_URLCONF = "tests.fuzz.weak"
