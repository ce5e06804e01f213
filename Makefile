# make demo   the program on a bundled photograph: its window, or without a display its files
# make run    the viewer
# make quick  the tests that take no time
# make test   the tests, on all processor cores
# make verify what takes long besides: soaks, several processes, the shipped models' demo
# make check  ruff, mypy --strict, import-linter
# make bench  timings (studies/speed/README.md)
# Needs Python 3.11 or newer with venv and pip. Everything else is installed into .venv.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO_OUTPUT ?= demo-output
PYTEST := QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest
PARALLEL := -n auto --dist worksteal
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)

.PHONY: run demo quick test verify check bench install system clean
.DELETE_ON_ERROR:

run: $(STAMP) system
	$(BIN)/python -m retina_viewer view

demo: $(STAMP) system
	$(BIN)/python -m retina_viewer demo --out $(DEMO_OUTPUT)

quick: $(STAMP) system
	$(PYTEST) $(PARALLEL) -m "not slow and not verify"

test: $(STAMP) system
	$(PYTEST) $(PARALLEL) -m "not verify"

verify: $(STAMP) system
	$(PYTEST) -m verify

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP) system
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest studies/speed --benchmark-only

install: $(STAMP)

$(STAMP): pyproject.toml setup.py packaging/constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; install it and try again." >&2; exit 1; }
	@# Where venv cannot bring pip (Debian keeps that in python3-venv), the machine's own pip does.
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { \
		$(PYTHON) -m venv --clear --without-pip $(VENV) && \
		$(PYTHON) -m pip --python $(BIN)/python install --quiet pip; } || { \
		rm -rf $(VENV); \
		echo "Python's venv module is missing. On Debian or Ubuntu: sudo apt-get install python3-venv" >&2; \
		exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		-c packaging/constraints.txt -e '.[dev]'
	@touch $@

system: $(STAMP)
	@$(BIN)/python packaging/check_system.py

clean:
	rm -rf build dist *.egg-info $(DEMO_OUTPUT) .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
