"""Days in Spanish: 24 de noviembre de 2026."""

LONG_DAY = r"j \d\e F \d\e Y"
SHORT_DAY = r"j \d\e F \d\e Y"
WEEKDAY = r"l j \d\e F \d\e Y"
