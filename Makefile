# One command to try Backstride (make demo), one to test it (make test).
# Works with uv, or with nothing but Python 3.12 or newer.

VENV := .venv
BIN  := $(VENV)/bin

# Each candidate is run, not only looked up: a version manager's shim can exist and still fail, and
# a Debian without python3-venv has the venv module but not ensurepip.
UV := $(shell uv --version >/dev/null 2>&1 && echo uv)
PY := $(shell for p in python3.13 python3 python3.12 python3.14; do $$p -c 'import sys,ensurepip; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1 && { echo $$p; break; }; done)

# The environment for `check --deploy`: complete, strict, with secrets made for this one run.
PRODUCTION = env -i PATH="$$PATH" DEBUG=0 LOG_FORMAT=json \
	SECRET_KEY="$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))')" \
	ALLOWED_HOSTS=clinic.example BASE_URL=https://clinic.example TRUSTED_PROXY=1 \
	DATABASE_URL=postgres://backstride:unused@db.clinic.example/backstride \
	REDIS_URL=redis://:unused@redis.clinic.example:6379/0 \
	EMAIL_URL=smtp+tls://backstride:unused@smtp.clinic.example:587 \
	DEFAULT_FROM_EMAIL=clinic@clinic.example

ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test check bench mutate soak audit screenshots lock clean

help:
	@echo "make demo   a running clinic with sample data on http://127.0.0.1:8000/ (Ctrl-C stops it)"
	@echo "make test   the whole suite, on SQLite and on PostgreSQL when it is installed"
	@echo "make check  lint, format, types, imports, migrations, production settings, then the tests"
	@echo "make bench  the benchmark: our time as a ratio to limits measured in the same run"
	@echo "make mutate  breaks the logic in one place at a time: do the nearest tests notice?"
	@echo "make soak   the long storms and kill runs at full size"
	@echo "make audit  outside validators on the running demo (needs Node.js)"
	@echo "make screenshots  the pictures in docs/screenshots, made again from a demo"
	@echo "make lock   renew requirements*.lock (needs uv; LOCKFLAGS=-U raises every version)"
	@echo "make clean  remove the environment, caches and the demo's state"
	@echo "docs/architecture.md shows the code; CONTRIBUTING.md how to change it"

$(BIN)/python:
ifneq ($(UV),)
	uv venv -q $(VENV) || $(if $(PY),$(PY) -m venv $(VENV),exit 1)
else
	@test -n "$(PY)" || { echo "Need Python 3.12 or newer (with venv), or uv." >&2; exit 1; }
	$(PY) -m venv $(VENV)
endif

$(VENV)/.runtime: requirements.lock $(BIN)/python
	$(if $(UV),uv pip install -q --python $(BIN)/python,$(BIN)/python -m pip install -q) --require-hashes -r $<
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(BIN)/python
	$(if $(UV),uv pip sync -q --python $(BIN)/python --require-hashes,$(BIN)/python -m pip install -q --require-hashes -r) $<
	@touch $@ $(VENV)/.runtime

demo: $(VENV)/.runtime
	@exec $(BIN)/python manage.py demo $(ARGS)

test: $(VENV)/.dev
	$(BIN)/python -m pytest --both-databases -o console_output_style=classic $(ARGS)

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djlint --quiet --lint .
	DEBUG=1 $(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python manage.py makemigrations --check --dry-run
	@echo "manage.py check --deploy (with the environment of a production)"
	@$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING
	@$(MAKE) --no-print-directory test

bench: $(VENV)/.dev
	$(BIN)/python -m bench $(ARGS)

mutate: $(VENV)/.dev
	$(BIN)/python -m tests.mutate $(ARGS)

soak: $(VENV)/.dev
	SOAK=1 REQUIRE_SERVICES=1 $(BIN)/python -m pytest --both-databases -o console_output_style=classic -m slow $(ARGS)

audit: $(VENV)/.dev
	DJANGO_SETTINGS_MODULE=clinic.settings $(BIN)/python -m bench.audit

screenshots: $(VENV)/.dev
	$(BIN)/python -m tests.browser.screenshots

lock:
	uv pip compile -q pyproject.toml --universal --python-version 3.12 --generate-hashes \
		--no-emit-index-url --custom-compile-command "make lock" $(LOCKFLAGS) -o requirements.lock
	uv pip compile -q pyproject.toml --group dev --constraints requirements.lock --universal \
		--python-version 3.12 --generate-hashes --no-emit-index-url \
		--custom-compile-command "make lock" $(LOCKFLAGS) -o requirements-dev.lock
	@! grep -nE '://|index-url|find-links' requirements.lock requirements-dev.lock

clean:
	rm -rf $(VENV) var staticfiles .pytest_cache .mypy_cache .ruff_cache .hypothesis
