# One command per wish. Each does all its own set-up on a fresh Debian 12, says what it is doing, and is
# fast the second time: what is done leaves a stamp below var/setup.
#
#   make demo           set everything up and run the product on real calls until Ctrl-C
#   make demo ONCE=1    the same, check every call, stop; exit status 0 or 1
#   make test           every test, on real Asterisk, SIPp, SQLite, PostgreSQL and Chromium
#   make lint           ruff, mypy strict, import-linter
#   make bench          every benchmark; make bench ONLY=name runs one
#   make pictures       take the pictures of every page in docs/ anew
#   make words          gather the page's texts for translation into web/translations
#   make run            set up and start Leaseline for real: what `leaseline up` does

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SETUP := var/setup
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

# What the product needs from the distribution, what its calls in demo and tests need, what only tests need.
RUN_PACKAGES := ca-certificates espeak-ng ffmpeg flite nodejs:node npm python3-venv:python3-venv
# Chromium plays the website's visitors; libatomic1: the Node that Playwright brings along needs it.
CALL_PACKAGES := sip-tester:sipp sox chromium libatomic1
TEST_PACKAGES := postgresql:postgresql iproute2:ip

.PHONY: help demo run test lint bench pictures setup ready asterisk words lock clean
help:
	@sed -n 's/^#   //p' $(MAKEFILE_LIST)

demo: $(SETUP)/python $(SETUP)/web $(SETUP)/words $(SETUP)/calls asterisk
	@$(BIN)/python -m demo $(if $(ONCE),--once)

run: setup
	@$(BIN)/leaseline up

test: ready
	@$(BIN)/python -m pytest --numprocesses=2 --dist=loadscope --no-loadscope-reorder $(ARGS)

lint: $(SETUP)/python
	@echo "lint: ruff"; $(BIN)/ruff check . && $(BIN)/ruff format --check -q .
	@echo "lint: mypy"; $(BIN)/mypy
	@echo "lint: import-linter"; $(BIN)/lint-imports

bench: ready
	@$(BIN)/python -m bench $(ONLY)

pictures: $(SETUP)/python $(SETUP)/web $(SETUP)/words $(SETUP)/calls
	@$(BIN)/python docs/images/take.py

setup: $(SETUP)/python $(SETUP)/web $(SETUP)/words asterisk

# What tests need. Asterisk last, which may come by apt, too.
ready: $(SETUP)/python $(SETUP)/web $(SETUP)/words $(SETUP)/calls $(SETUP)/tests $(SETUP)/spa
	@asterisk/get-asterisk.sh var/opt/asterisk > /dev/null

asterisk: $(SETUP)/run
	@asterisk/get-asterisk.sh var/opt/asterisk > /dev/null

$(SETUP)/run: Makefile asterisk/get-packages.sh
	@asterisk/get-packages.sh $(RUN_PACKAGES)
	@mkdir -p $(SETUP) && touch $@

# One after the other, with `make --jobs` too: apt has a lock.
$(SETUP)/calls: Makefile asterisk/get-packages.sh | $(SETUP)/run
	@asterisk/get-packages.sh $(CALL_PACKAGES)
	@mkdir -p $(SETUP) && touch $@

$(SETUP)/tests: Makefile asterisk/get-packages.sh | $(SETUP)/calls
	@asterisk/get-packages.sh $(TEST_PACKAGES)
	@mkdir -p $(SETUP) && touch $@

$(SETUP)/python: $(SETUP)/run requirements.txt setup.cfg pyproject.toml
	@echo "setup: Python environment in $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "setup: Python 3.11 or newer is needed: make PYTHON=python3.11" >&2; exit 1; }
	@# The lock file was resolved for Python 3.11, Debian 12's; newer ones resolve from setup.cfg.
	@if $(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'; then \
		$(BIN)/pip install -q --require-hashes -r requirements.txt && \
		$(BIN)/pip install -q --no-deps -e .; \
	else $(BIN)/pip install -q -e '.[dev]'; fi
	@touch $@

$(SETUP)/web: $(SETUP)/run web/package.json web/package-lock.json $(wildcard web/*.mjs) $(wildcard web/frontend/* web/frontend/*/*)
	@echo "setup: the page's scripts and styles"
	@cd web && npm ci --silent --no-audit --no-fund && npm run --silent build
	@touch $@

# The page's translations. Without them it is English.
$(SETUP)/words: $(SETUP)/python $(wildcard web/translations/*/LC_MESSAGES/*.po)
	@echo "setup: the page's translations"
	@$(BIN)/pybabel -q compile -d web/translations
	@touch $@

# Without places, dates and guesses, so that a catalogue changes where a text does, and nowhere else.
words: $(SETUP)/python
	@$(BIN)/pybabel -q extract -F web/babel.cfg -k lazy_gettext --no-location --sort-output --no-wrap \
		--project=Leaseline -o $(SETUP)/messages.pot web tracker recordings dialplan
	@$(BIN)/pybabel -q update -i $(SETUP)/messages.pot -d web/translations --no-fuzzy-matching \
		--ignore-obsolete --ignore-pot-creation-date --no-wrap

# A single-page shop in React, which the website script is tested on.
$(SETUP)/spa: $(SETUP)/run $(wildcard tests/spa/*.js*)
	@echo "setup: the single-page shop of the tests"
	@cd tests/spa && npm ci --silent --no-audit --no-fund && npm run --silent build
	@touch $@

# Pin every dependency anew, with hashes.
lock:
	@$(BIN)/pip install -q pip-tools
	@$(BIN)/pip-compile -q --generate-hashes --extra dev --strip-extras --allow-unsafe --no-header \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host -o requirements.txt setup.cfg

clean:
	rm -rf $(VENV) $(SETUP) build *.egg-info web/node_modules web/static/dist tests/spa/node_modules tests/spa/dist
