# `make run` shows the house in a browser, `make test` proves it. Both set up all they need by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SHARED ?= ../shared
PROCESSES ?= 2
# Tests wait now and then, for a process that ends or a platform that is silent: one worker more than there are cores.
WORKERS ?= $(shell expr $$(nproc) + 1)
export DJANGO_SETTINGS_MODULE := finalmarket.config.settings
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Many processes are started; each starts sooner where what was compiled is kept.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test lint template proof proof-defects mutants bench scale spark peers connector matrix client schema lock security sbom clean

help: ## show these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## make .venv from requirements.lock (nothing to do while the lock is unchanged)
	@sh scripts/setup.sh "$(PYTHON)" "$(VENV)" requirements.lock

setup-dev: ## the same with the tools that tests and lint need
	@sh scripts/setup.sh "$(PYTHON)" "$(VENV)" requirements-dev.lock

run: setup ## start everything: database, demo data at the first start, web and worker; Ctrl-C stops it
	@$(BIN)/finalmarket serve --with-demo

# Real data and published API descriptions are found beside the checkout; name other places by these variables.
ifneq ($(wildcard $(SHARED)/data),)
export FINALMARKET_TEST_DATA ?= $(abspath $(SHARED)/data)
endif
ifneq ($(wildcard $(SHARED)/vendor-apis),)
export FINALMARKET_VENDOR_APIS ?= $(abspath $(SHARED)/vendor-apis)
endif

test: setup-dev ## lint, then all tests (ARGS="-k stock" passes words to pytest)
	@$(MAKE) --no-print-directory -j2 lint template
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal $(ARGS)

lint: setup-dev ## ruff, mypy, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy finalmarket tests
	@$(BIN)/lint-imports

template: setup-dev
	@$(BIN)/python -m tests.template

# What is run, in which doses, and how long it may take stands in tests/proof/steps.py; a variable of the environment
# with the name of a dose outweighs it.
proof: setup-dev ## prove the laws at length and every figure in an hour or so; writes docs/proof.md (STEPS="stock border")
	@PROCESSES=$(PROCESSES) $(BIN)/python -m tests.proof $(STEPS)

proof-defects: setup-dev ## prove that the proofs can fail: plant defects one by one, each turns its test red (ONLY=id)
	@$(BIN)/python -m tests.defects --json build/defects.json $(foreach id,$(ONLY),--only $(id))

mutants: setup-dev ## mutate the pure parts of stock, money and signatures: nine in ten have to be noticed
	@$(BIN)/python -m tests.mutants --show --json build/mutants.json

bench: setup-dev ## measure one figure (NAME=stock by default)
	@$(BIN)/finalmarket bench $(or $(NAME),stock)

scale: setup-dev ## measure and draw what work costs as it grows; writes docs/scale.md (SCALE="lake")
	@$(BIN)/python -m tests.scale $(SCALE)

spark: ## prove that a Spark cluster on this machine answers as DuckDB does (ROWS=10000000; needs Java, makes .venv-spark)
	@sh scripts/spark.sh "$(PYTHON)" .venv-spark --rows $(or $(ROWS),10000000)

peers: setup-dev ## measure django-oscar, Vendure and Medusa beside ours, on one database server (PEER=oscar; makes .venv-peers, build/peers)
	@FINALMARKET_DATA=$(or $(FINALMARKET_DATA),$(abspath build/peers/data)) \
		$(BIN)/python -m tests.bench.peers $(if $(PEER),--peer $(PEER)) $(ARGS)

connector: setup-dev ## write the skeleton of a new connector (NAME=etsy, or NAME="Best Buy" SLUG=best_buy)
	@$(BIN)/python scripts/new_connector.py "$(NAME)" $(if $(SLUG),--slug $(SLUG))

matrix: setup ## write what the connectors can do into docs/connectors/README.md
	@$(BIN)/python -m finalmarket.connectors.matrix docs/connectors/README.md

client: setup-dev ## write the typed client of the REST API anew, from its description
	@$(BIN)/python scripts/write_client.py

schema: setup-dev ## write the plan of all tables anew, from the migrations
	@PYTHONPATH=. $(BIN)/python scripts/write_schema.py

lock: ## make the lock files anew (needs uv)
	uv pip compile --generate-hashes --no-emit-index-url --no-annotate --no-header --universal --python-version 3.11 \
		pyproject.toml --group build -o requirements.lock
	uv pip compile --generate-hashes --no-emit-index-url --no-annotate --no-header --universal --python-version 3.11 \
		pyproject.toml --group build --group dev -c requirements.lock -o requirements-dev.lock

security: setup-dev ## have Bandit read the source, and prove at length what stands in docs/security.md
	@$(BIN)/bandit -q -r finalmarket --severity-level high
	@FINALMARKET_PROOF_ROTATIONS=$(or $(ROTATIONS),20) $(BIN)/pytest -n $(PROCESSES) tests/security $(ARGS)

sbom: setup-dev ## write what the house is made of into build/sbom.cdx.json (CycloneDX)
	@mkdir -p build
	@$(BIN)/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --output-reproducible \
		--of JSON -o build/sbom.cdx.json

clean: ## remove what can be made again (never the data)
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
