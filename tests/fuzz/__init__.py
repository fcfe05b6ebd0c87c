"""Bad input, thrown at every form, every address and every importer: `python -m tests.fuzz`."""
