# Two commands do everything on a fresh machine: `make demo` and `make test`.

.DEFAULT_GOAL := help
.PHONY: help demo demo-http scorecard money shadow bench test coverage lowest lint format clean

VENV := .venv/bin

help:  ## Say what there is
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' Makefile

demo: .venv/.demo  ## Attack the example app without and with pumpguard, and show the money saved
	$(VENV)/python -m attack_harness

demo-http: .venv/.demo  ## The same, shorter, through real uvicorn and real sockets
	$(VENV)/python -m attack_harness --http

scorecard: .venv/.demo  ## The public scorecard: every attack, every defence, ten days; an hour, resumable (ARGS=--quick)
	$(VENV)/python -m attack_harness.benchmark $(ARGS)

money: .venv/.demo  ## What budgets and credit are worth: the optimal attacker against the bound, poisoning
	$(VENV)/python -m attack_harness.money

shadow: .venv/.dev  ## Whether a shadow can be told from a message sent, and what it is worth: some minutes
	$(VENV)/python -m attack_harness.tell_apart
	$(VENV)/python -m attack_harness.moving_on

bench: .venv/.bench  ## What a request costs, beside six peers: 40 minutes (ARGS=--quick: 3)
	$(VENV)/python -m benchmarks $(ARGS)

test: .venv/.dev lint  ## Check all that lint does, run all tests
	$(VENV)/pytest -n 2

# But for the tests of what an attacker reads off microseconds, which measuring would change.
coverage: .venv/.dev  ## Which lines and branches of src no test takes: of branches 97 % is the floor
	$(VENV)/pytest --cov --cov-report=term-missing:skip-covered --cov-report=xml --cov-report=json \
		--ignore=tests/shadow/test_tell_apart.py
	$(VENV)/python scripts/branches

lowest:  ## The tests that meet dependencies, with the oldest that pyproject.toml allows
	scripts/lowest

lint: .venv/.dev  ## Check style, types, and which part imports which
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy
	$(VENV)/lint-imports --no-cache

format: .venv/.dev  ## Put everything in shape
	$(VENV)/ruff check --fix .
	$(VENV)/ruff format .

clean:  ## Remove what the other targets made
	rm -rf .venv .venv-lowest .coverage* coverage.json coverage.xml report .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/.%: pyproject.toml scripts/setup
	scripts/setup $*
	@touch $@
