# Two commands are enough: `make serve` reads the book, `make test` tests everything. `make help` lists the rest.
# Only make and Python 3.11 or later are assumed; everything else goes into .venv, at the versions of constraints.txt.

PYTHON ?= python3
PORT ?= 8000
PY := .venv/bin/python

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export OMP_NUM_THREADS := 1
export PYTHONUNBUFFERED := 1
# Without bytecode every process would compile the libraries anew: 50 % more CPU for a cold build of the book.
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONPATH

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: serve test audit book pdf links release evidence bench lint format lock mutate-equations mutants browser-python clean help

serve: .venv/installed ## build the book if it changed and serve it on http://localhost:8000 (another port: PORT=8001)
	@$(PY) tools/serve.py --port $(PORT)

test: .venv/installed ## run every test: lint, types, strict book, Python and browser tests, notebooks, coverage
	@$(PY) tools/run_tests.py

audit: .venv/installed ## measure every slow or full figure (speed, false alarms, mutations, cold build), print tables
	@$(PY) tools/audit.py

book: .venv/installed ## build the book into _build/html, warnings are errors
	@$(PY) tools/book.py

pdf: .venv/installed ## print the whole book as _build/bncourse.pdf
	@$(PY) tools/pdf.py

links: .venv/installed ## follow every link of the book, also to other sites (the only target that needs the network)
	@$(PY) tools/book.py && $(PY) tools/links.py

release: .venv/installed ## generate the student notebooks in exercises/ from solutions/
	@$(PY) -m bncourse.cli release

bench: .venv/installed ## time the layers side by side with autograd, and with torch when it is installed
	@$(PY) tools/bench.py

lint: .venv/installed ## ruff and mypy only
	@$(PY) tools/run_tests.py --only lint

format: .venv/installed ## let ruff rewrite the layout of the code
	@$(PY) -m ruff check --fix --quiet . && $(PY) -m ruff format .

mutants: .venv/installed ## measure the checker: bank, machine-made wrong answers, simpler checks, right answers, speed
	@$(PY) tools/mutants.py

evidence: .venv/installed ## run every experiment anew and keep the results that the book draws (some minutes)
	@$(PY) -m bncourse.cli evidence run && $(PY) -m bncourse.cli evidence table

mutate-equations: .venv/installed ## change a sign, exponent, factor, index or bar in each labelled equation; a test must notice
	@$(PY) tools/mutate_equations.py

browser-python: .venv/installed ## test the core on the browser's Python 3.12 and NumPy 2.0.2 (Pyodide in node)
	@$(PY) tests/browser_python/run.py

lock: .venv/installed ## renew the exact versions of constraints.txt and of the browser's test environment
	@$(PY) tools/lock.py

clean: ## remove what was built (not .venv: delete that folder to start over)
	rm -rf _build build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage .coverage.*

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "bncourse needs Python 3.11 or later, and '$(PYTHON)' is not that. Name another: make serve PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "This Python cannot make virtual environments. On Debian and Ubuntu: sudo apt install python3-venv"; exit 1; }
	@echo "Making the environment in .venv (once; a minute or two) ..."
	@$(PYTHON) -m venv .venv
	@$(PY) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt uv
	@$(PY) tools/install.py --constraint constraints.txt --editable '.[notebook,book,grading,revision,test]'
	@touch $@
