"""Days in English: November 24, 2026."""

LONG_DAY = "F j, Y"
SHORT_DAY = "M j, Y"
WEEKDAY = "l, F j, Y"
