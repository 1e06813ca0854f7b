# The one door for users and contributors: make help

VENV   := .venv
BIN    := $(VENV)/bin
PYTHON ?= python3

.DEFAULT_GOAL := help
.PHONY: help install demo test test-labs test-parts lint runbooks chaos soak hammer bench docs diagrams infra scan clean

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Two stamps: users of the demo do not install what only tests need.
$(VENV)/.installed: pyproject.toml visitor-board/pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit("Ground School needs Python 3.11 or newer; this is %d.%d. Try: make PYTHON=python3.12 demo" % v[:2])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "• Installing Ground School into $(VENV) (once, about a minute)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ./visitor-board -e .
	@touch $@

$(VENV)/.installed-for-tests: $(VENV)/.installed
	@echo "• Installing what the tests need"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e './visitor-board[test]' -e '.[test]'
	@touch $@

install: $(VENV)/.installed ## Install into .venv; then: source .venv/bin/activate

demo: $(VENV)/.installed ## Build the whole system, load it and see it scale (under 5 minutes)
	@$(BIN)/ground demo

test: $(VENV)/.installed-for-tests ## Run all checks and tests
	@$(BIN)/ruff check src visitor-board/src tests visitor-board/tests bench
	@$(BIN)/ruff format --check --quiet src visitor-board/src tests visitor-board/tests bench
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target test-parts test-labs

# The tests with a real lab mostly wait, so the others run beside them.
test-labs:
	@$(BIN)/pytest -m lab -p no:cacheprovider

test-parts:
	@$(BIN)/pytest -m 'not lab' -p no:cacheprovider

runbooks: $(VENV)/.installed ## Execute every block of both runbooks on a lab, and print a table
	@$(BIN)/python -m groundschool.runbook workshop/session-1-zero-to-live.md workshop/session-2-scaling-to-millions.md

lint: $(VENV)/.installed-for-tests ## Format the code and show what is left to mend
	@$(BIN)/ruff format src visitor-board/src tests visitor-board/tests bench
	@$(BIN)/ruff check --fix src visitor-board/src tests visitor-board/tests bench
	@$(BIN)/mypy
	@$(BIN)/lint-imports

chaos: $(VENV)/.installed-for-tests ## Break the system under load for ten lab minutes; no post may be lost
	@$(BIN)/python -m tests.chaos

soak: $(VENV)/.installed-for-tests ## Scale out and in for one lab hour; memory, descriptors and folders must not grow
	@$(BIN)/python -m tests.soak

hammer: $(VENV)/.installed-for-tests ## Eight clients on the API for a minute; no failure and no lost update
	@$(BIN)/python -m tests.hammer

bench: $(VENV)/.installed-for-tests ## Measure the network and the store: see bench/README.md
	@$(BIN)/python bench/network/data_plane.py
	@$(BIN)/python bench/dynamodb/compare.py

docs: $(VENV)/.installed ## Write the generated pages of docs/
	@$(BIN)/python -m groundschool.cloud.supported_operations

diagrams: $(VENV)/.installed ## Draw workshop/diagrams/ from the component model
	@$(BIN)/python -m groundschool.workshop.diagrams_files workshop/diagrams

infra: $(VENV)/.installed ## Write install.sh into the CloudFormation templates of infra/
	@$(BIN)/python -m groundschool.workshop.template_user_data infra/session-*.yaml

# The scanner wants a boto3 that is years older than ours, so it has an environment of its own.
scan: ## Look for risks in the CloudFormation templates, with checkov
	@test -x $(VENV)/scan/bin/checkov || { echo "• Installing checkov (once, some minutes)"; $(PYTHON) -m venv $(VENV)/scan && \
	    $(VENV)/scan/bin/python -m pip install --quiet --disable-pip-version-check 'checkov>=3.2,<4'; }
	@$(VENV)/scan/bin/checkov --directory infra --framework cloudformation --compact --quiet --skip-download

clean: ## Remove the virtual environment, caches and the lab's state folder
	@test ! -x $(BIN)/ground || $(BIN)/ground down
	@rm -rf $(VENV) .ground .mypy_cache .ruff_cache .pytest_cache .hypothesis
