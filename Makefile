# Attention, Step by Step. `make help` says what each command does.

PYTHON ?= python3
ARGS ?=
PORT ?= 8000

BIN := .venv/bin
WITH_NODE := PATH="$(CURDIR)/$(BIN):$$PATH"
ALL := .venv/.installed-tests
PEERS := .venv/.installed-bench
NPM := node_modules/.package-lock.json
RACES := $(filter-out measure peers,$(basename $(notdir $(wildcard benchmarks/*.py))))

.PHONY: help lab test book notebooks widgets serve lint bench claims checkpoint pdf
.PHONY: class grades clean
.DEFAULT_GOAL := help

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*##  */make \1\t/p' Makefile | expand -t 16

lab:  ## open the book in JupyterLab (ARGS=--no-browser on a server)
	@$(PYTHON) tools/start.py $(ARGS)

test: lint $(NPM)  ## everything CI runs
	$(BIN)/python tools/browser.py
	$(WITH_NODE) $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder \
	  tests chapters --nbval --nbval-sanitize-with tests/chapters/sanitize.cfg $(ARGS)

book: $(ALL) $(NPM)  ## build the site into build/site
	$(WITH_NODE) $(BIN)/python -m sphinx -W -n --keep-going -b html \
	  -d build/doctrees book build/site

notebooks: $(ALL)  ## run the chapters that changed, and write their twins
	$(BIN)/python tools/execute.py $(ARGS)

widgets: $(ALL) $(NPM)  ## bundle the widgets' JavaScript into the package
	$(WITH_NODE) npm run build

serve: book  ## build the site and serve it (PORT=8000)
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory build/site $(PORT)

lint: $(ALL) $(NPM)  ## mistakes, layout and types, in Python and in JavaScript
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m pyrefly check
	$(WITH_NODE) npm run --silent lint

bench: $(PEERS)  ## races against peers, hand-written and published
	$(BIN)/python tools/browser.py
	@missed=; for race in $(RACES); do \
	  $(BIN)/python -m benchmarks.$$race $(ARGS) || missed="$$missed $$race"; done; \
	test -z "$$missed" || { echo "a limit is missed in:$$missed"; exit 1; }

claims: $(ALL)  ## measure every claim again, for three seeds
	$(BIN)/python tools/claims.py $(ARGS)

checkpoint: $(ALL)  ## train the package's models again, into the package
	$(BIN)/python tools/checkpoint.py $(ARGS)

pdf: $(ALL) $(NPM)  ## print the book into build/book.pdf
	$(BIN)/python tools/browser.py
	$(WITH_NODE) $(BIN)/python tools/pdf.py $(ARGS)

class:  ## open the book to a class on a JupyterHub (ARGS=--without-solutions)
	@$(PYTHON) tools/classroom/hub.py $(ARGS)

grades:  ## judge each learner's exercises: make grades ARGS="homes/*"
	@$(PYTHON) tools/install.py lab class
	@$(BIN)/python tools/classroom/grades.py $(ARGS)

clean:  ## remove what can be made again (never work/ and homes/, which are readers')
	rm -rf build .venv node_modules .pytest_cache .ruff_cache .hypothesis

# What a command needs, installed once: install.py looks what is there, and where.
$(ALL): FORCE
	@$(PYTHON) tools/install.py lab site tests class

FORCE:

$(PEERS): $(ALL)
	$(BIN)/python tools/install.py bench

$(NPM): $(ALL) package.json package-lock.json
	$(BIN)/python tools/install.py npm
