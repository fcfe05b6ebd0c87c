"""How days are written in each language: names for templates, as in `{{ day|date:"LONG_DAY" }}`."""
