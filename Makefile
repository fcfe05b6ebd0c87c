# The verbs of the project. `make` alone lists them.
PY := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help setup run test lint bench shots scan messages lock

help:            ## list the verbs
	@grep -E '^[a-z]+: .*##|^[a-z]+:  .*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | column -t -s "$$(printf '\t')"

setup:           ## own .venv, locked dependencies, the few system libraries where missing
	@sh scripts/setup.sh run

run:             ## set up, then serve an invented office on http://127.0.0.1:8000/
	@sh scripts/setup.sh run
	@$(PY) manage.py demo --port 8000

test:            ## set up, then every test: SQLite, PostgreSQL where it can, the browser
	@sh scripts/setup.sh test
	@$(PY) -m scripts.run_tests

lint:            ## ruff, types, templates, imports, migrations, deployment settings, container files
	@sh scripts/setup.sh test
	@sh scripts/lint.sh

bench:           ## timings at 1 thousand and 100 thousand patients, on both databases
	@sh scripts/setup.sh test
	@$(PY) -m bench

shots:           ## screenshots of every page at 1280 and 390 px, into var/shots/
	@sh scripts/setup.sh test
	@$(PY) -m scripts.shots

scan:            ## known vulnerabilities in the locked dependencies, deployment settings
	@sh scripts/setup.sh test
	@sh scripts/scan.sh

messages:        ## gather what patients read for its Spanish, and compile the catalogue
	@sh scripts/setup.sh test
	@$(PY) -m scripts.messages

lock:            ## compile the two lock files anew from pyproject.toml
	@sh scripts/lock.sh
