# Everything a person runs. Each target works on a fresh machine with Python 3.11 or later and make.

PYTHON ?= python3
SERVE ?= 1
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
# A file of tests stays together: what its tests share is made once.
IN_PARALLEL := -n auto --maxprocesses 4 --dist loadfile
# What tests and pictures need beyond Python: Debian's names.
SYSTEM_PACKAGES := chromium fonts-noto-cjk fontconfig postgresql postfix dovecot-imapd dovecot-lmtpd openssl opendkim \
	libmail-dkim-perl libemail-mime-perl libnss-wrapper spamassassin spamd rspamd default-jre-headless wrk

.DEFAULT_GOAL := help
.PHONY: help demo test check bench bench-long kill-table rhythm rhythm-processes system install judges inbox pages pictures format lock words

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: install  ## send sample issues to a local mailbox and show everything in the browser (SERVE=0: no browser, PORT=8080)
	@SERVE=$(SERVE) PORT=$(PORT) $(BIN)/python examples/demo.py

test: install  ## run every test this machine can run, after naming what is missing
	@$(BIN)/python tests/machine.py
	$(BIN)/pytest $(IN_PARALLEL) --ignore=tests/browser
	$(BIN)/pytest $(IN_PARALLEL) tests/browser

check: install  ## formatting, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: install  ## measure, print a table, write benchmarks/results.json (NAMES="signing growth": only these)
	$(BIN)/python -m benchmarks $(NAMES)

bench-long: install  ## measure with up to a million readers, for about an hour
	$(BIN)/python -m benchmarks long

kill-table: install  ## kill senders at random moments, check what was received, put the table into the docs (25 minutes)
	$(BIN)/python tests/kill_table.py --kills 200 --readers 5000 --write docs/explanation/kill-table.md

rhythm: install  ## act out a month with 20,000 readers in 24 zones, put the account into the docs (a quarter of an hour)
	cd tests && ../$(BIN)/python -m rhythm month --write ../docs/explanation/rhythm.md

rhythm-processes: install  ## the same with real processes on PostgreSQL that are killed about each wave (20 minutes)
	cd tests && ../$(BIN)/python -m rhythm processes --write ../docs/explanation/rhythm.md

judges: install $(VENV)/.judges  ## install the judges of `make inbox` and `make pages` that npm and PyPI carry

# Where one of the two cannot be reached, the other is still installed.
$(VENV)/.judges: tests/inbox/requirements.lock tests/inbox/package-lock.json
	@end=touch; \
	$(BIN)/python -m pip install -q --require-hashes -r tests/inbox/requirements.lock || end=false; \
	(cd tests/inbox && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --no-audit --no-fund --loglevel=error) || end=false; \
	$$end $@

inbox: install  ## show every sample edition to the outside judges, print what they say (NAMES="axe rspamd": only these)
	@$(MAKE) --no-print-directory judges || echo "Not every judge could be installed; the table says which did not run." >&2
	@cd tests && PATH="$(CURDIR)/$(BIN):$$PATH" ../$(BIN)/python -m inbox $(NAMES) $(if $(PAGE),--write $(abspath $(PAGE)))

pages: install  ## show every page that readers see to the outside judges (NAMES="axe nu": only these)
	@$(MAKE) --no-print-directory judges || echo "Not every judge could be installed; the table says which did not run." >&2
	@cd tests && PATH="$(CURDIR)/$(BIN):$$PATH" ../$(BIN)/python -m pages $(NAMES)

pictures: judges  ## take the pictures in docs/pictures anew, of pages and mails (of Thunderbird too: Debian's thunderbird, xvfb)
	@cd tests && PATH="$(CURDIR)/$(BIN):$$PATH" ../$(BIN)/python -m pages.pictures
	@cd tests && PATH="$(CURDIR)/$(BIN):$$PATH" ../$(BIN)/python -m inbox.pictures

format: install  ## put the code into its canonical form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

system:  ## install what the tests need from Debian (as root, or with sudo)
	$(if $(filter 0,$(shell id -u)),,sudo) env DEBIAN_FRONTEND=noninteractive sh -c \
		'apt-get update -q && apt-get install -y -q --no-install-recommends $(SYSTEM_PACKAGES)'
	$(if $(filter 0,$(shell id -u)),,sudo) sh tests/inbox/fetch_exim.sh

lock: install  ## resolve the dependencies anew into requirements.lock, with hashes and without addresses
	$(BIN)/pip install -q uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --generate-hashes --no-header --upgrade -o requirements.lock

words: install  ## bring the catalogues of templates/locale up to date with the words that templates and code use
	$(BIN)/pybabel -q extract -F pyproject.toml -c NOTE: --no-location --no-wrap -o $(VENV)/words.pot newsletter/render templates/email
	for po in templates/locale/*.po; do \
		$(BIN)/pybabel -q update -i $(VENV)/words.pot -o $$po -l $$(sed -n 's/^"Language: \(.*\)\\n"$$/\1/p' $$po) \
			--no-wrap --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date || exit 1; \
	done

install: $(VENV)/.installed

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; this is $$($(PYTHON) --version). Name another: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "The venv module of Python is missing; Debian's package python3-venv brings it."; \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -q && apt-get install -y -q python3-venv; else exit 1; fi; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
	@touch $@
