# Two commands matter: `make demo` and `make test`. Everything else is beside them.
# DATABASE_URL chooses a PostgreSQL server (15 or later); without it an embedded one is used.

UV_VERSION := 0.13.8
RUN := .venv/bin
PYTEST_ARGS ?=
# Where Python is told to keep no bytecode, every command would compile a thousand files before it begins.
unexport PYTHONDONTWRITEBYTECODE
# Two workers, each with a database server of its own.
PYTEST := $(RUN)/pytest -n 2 --dist loadgroup

.PHONY: demo codes test check fuzz matrix faults bench growth soak serve setup clean format

demo: setup ## carry one handover from offer to completion, then serve (ONCE=1: exit instead)
	@$(RUN)/tsunagi demo $(if $(ONCE),--once)

codes: setup ## what the authenticator apps of the demo's accounts would show now
	@$(RUN)/tsunagi staff codes

test: setup ## the whole suite
	@$(PYTEST) $(PYTEST_ARGS)

check: setup ## lint, format, types, import order, contract drift, migrations
	@$(RUN)/ruff check .
	@$(RUN)/ruff format --check .
	@$(RUN)/mypy
	@$(RUN)/lint-imports
	@$(PYTEST) -q tests/contract tests/schemas tests/test_code.py tests/test_migrations.py tests/test_glossary.py

fuzz: setup ## look for surprises for an hour: 2,000 requests per operation, long lives, broken texts
	@TSUNAGI_FUZZ=long $(RUN)/pytest --timeout=0 tests/fuzz tests/contract/test_schemathesis.py $(PYTEST_ARGS)

matrix: setup ## what each organization can learn of every other, in full; each check taken out, everywhere
	@TSUNAGI_FULL_MATRIX=1 $(RUN)/pytest -s --timeout=0 tests/isolation/test_matrix.py tests/isolation/test_sabotage.py $(PYTEST_ARGS)

faults: setup ## kill everything under load, again and again (FAULT_CYCLES=10: so often; FAULT_SEED=); needs no root, but for the full disk
	@TSUNAGI_FAULTS=long $(RUN)/pytest -s -n 0 -p no:randomly --timeout=0 tests/faults $(PYTEST_ARGS)

bench: setup ## writes bench/out/latest.json (BENCH_QUICK=1: three minutes instead of ten)
	@$(RUN)/python -m bench

growth: setup ## the same figures up to a million handovers (GROWTH=100000: up to so many); bench/out/growth.json
	@$(RUN)/python -m bench.growth

soak: setup ## an hour of steady load (SOAK_MINUTES=5: so long); bench/out/soak.json
	@$(RUN)/python -m bench.soak

serve: setup ## serve with the settings of the environment
	@$(RUN)/tsunagi serve

format: setup
	@$(RUN)/ruff check --fix .
	@$(RUN)/ruff format .

setup: .setup/ready

# Needs Python 3.11 or later and no root. Installs a pinned uv into .setup/, and everything else into .venv/.
.setup/ready: pyproject.toml uv.lock clients/python/pyproject.toml clients/verifier/pyproject.toml
	@set -e; \
	for python in python3.14 python3.13 python3.12 python3.11 python3; do \
		if command -v $$python >/dev/null && $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
		then found=$$(command -v $$python); break; fi; \
	done; \
	test -n "$$found" || { echo "Tsunagi needs Python 3.11 or later." >&2; exit 1; }; \
	echo "Setting up with $$found: uv into .setup/, the rest into .venv/ (a minute the first time)"; \
	if $$found -m venv .setup 2>/dev/null; then .setup/bin/python -m pip install --quiet uv==$(UV_VERSION); uv=.setup/bin/uv; \
	else $$found -m pip install --quiet --upgrade --target .setup/lib uv==$(UV_VERSION); uv=.setup/lib/bin/uv; fi; \
	$$uv sync --locked --python $$found; \
	touch $@

clean:
	rm -rf .setup .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .tsunagi bench/out
