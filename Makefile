# Every target makes the virtual environment it needs; nothing but Python 3.11 and make is required.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
DEMO_DIR ?= demo

.PHONY: demo test lint interop bench faults cluster-test clean

$(VENV)/.science: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[science]"
	touch $@

$(VENV)/.test: $(VENV)/.science
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[science,test]"
	touch $@

$(VENV)/.cluster: $(VENV)/.test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[science,test,dask]"
	touch $@

$(VENV)/.lint: $(VENV)/.test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[science,test,lint]"
	touch $@

# A simulated night, from raw frames to measured sources.
demo: $(VENV)/.science
	PATH="$(abspath $(BIN)):$$PATH" bash docs/demo.sh "$(DEMO_DIR)"

# The whole test suite; tests on real files need BUTLER_TEST_DATA.
test: $(VENV)/.test
	$(BIN)/python -m pytest -n 2 $(PYTEST_ARGS)

# Runs on a real Slurm of one node, started by whoever asks for it; needs Debian's packages
# slurm-wlm and munge (`apt-get install slurm-wlm munge`), which nothing here installs.
cluster-test: $(VENV)/.cluster
	$(BIN)/python -m pytest tests/cluster --no-skips

# Style, types and the house's import rules.
lint: $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Comparisons with the peer middleware, which gets an environment of its own; BUTLER_TEST_DATA
# must name the folder of real files.
.venv-peer/.made:
	test -x .venv-peer/bin/python || $(PYTHON) -m venv .venv-peer
	.venv-peer/bin/python -m pip install --quiet --disable-pip-version-check lsst-ctrl-mpexec==30.2026.500
	touch $@

interop: $(VENV)/.test .venv-peer/.made
	BUTLER_PEER_PYTHON="$(abspath .venv-peer/bin/python)" $(BIN)/python -m pytest tests/interop -n 2 --no-skips

# The driver with which the peer reaches PostgreSQL, which its packages leave to be chosen.
.venv-peer/.bench: .venv-peer/.made
	.venv-peer/bin/python -m pip install --quiet --disable-pip-version-check psycopg2-binary
	touch $@

# Measures this beside the peer and the bare calls, and writes docs/performance.md; ROWS="graph put"
# measures some rows and keeps the others' last figures, BENCH_ARGS="--scale quick" tries it out.
bench: $(VENV)/.test .venv-peer/.bench
	BUTLER_PEER_PYTHON="$(abspath .venv-peer/bin/python)" $(BIN)/python tests/benchmarks $(ROWS) $(BENCH_ARGS)

# The whole fault suite, which takes the better part of an hour; `make test` runs a sample of it.
faults: $(VENV)/.test
	FAULTS=all $(BIN)/python -m pytest tests/faults -n 2 --no-skips $(PYTEST_ARGS)

clean:
	rm -rf $(VENV) .venv-peer "$(DEMO_DIR)" build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
