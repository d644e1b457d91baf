# `make help` lists what can be done. Everything is installed into .venv here; nothing outside this folder changes.
#
# PYTHON=...   the interpreter to build .venv with (3.10 or newer); found by itself when not given
# WORKERS=...  processes for pytest (default: one per core)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint format unit web web-test web-types browser studio-tour wheel-test web-effects bench clean

FOUND_PYTHON := $(shell sh tools/find_python.sh)
PYTHON ?= $(FOUND_PYTHON)
WORKERS ?= auto

VENV := .venv
RUN := $(VENV)/bin/
PIP_INSTALL := $(RUN)python -m pip install --quiet --quiet --disable-pip-version-check --no-input --constraint constraints.txt
# torch goes first, by its exact pin: any wider request may fetch gigabytes of GPU libraries a laptop has no use for.
TORCH_PIN := $(shell sed -n 's/^\(torch==[^ ;]*\).*/\1/p' constraints.txt)

# Taken over unexpanded, and never handed on expanded: a dollar sign in a file name stays one. tools/demo.sh reads them.
unexport VIDEO PROMPT OUT
export DEMO_VIDEO := $(value VIDEO)
export DEMO_PROMPT := $(value PROMPT)
export DEMO_OUT := $(value OUT)

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{ printf "  make %-11s %s\n", $$1, $$2 }'
	@echo
	@echo '  Your own clip:  make demo VIDEO=clip.mp4 PROMPT="1@0: +320,240"'
	@echo '  Two objects:    make demo VIDEO=clip.mp4 PROMPT="1@0: +320,240; 2@0: +100,80 -90,200"'

demo: $(VENV)/.base ## Track the sample clip, or yours with VIDEO=... PROMPT=...
	@sh tools/demo.sh $(RUN)masklet

test: lint web-test wheel-test browser ## Every check and every test
	$(RUN)python -m pytest --numprocesses $(WORKERS)

lint: $(VENV)/.dev ## Style, import direction, types, sizes
	$(RUN)ruff check .
	$(RUN)ruff format --check .
	$(RUN)lint-imports --no-logo
	$(RUN)pyright
	$(RUN)python tools/check_sizes.py src

format: $(VENV)/.dev ## Lay out every Python file
	$(RUN)ruff check --fix --select I .
	$(RUN)ruff format .

unit: $(VENV)/.dev ## The fast tests only
	$(RUN)python -m pytest --numprocesses $(WORKERS) -m "not slow and not e2e"

web: ## Build the studio's page (needs Node)
	@sh tools/web.sh build

web-test: ## Types, style, layers and unit tests of the page
	@sh tools/web.sh test

web-types: $(VENV)/.dev ## Write the page's types anew from what the server says of itself
	$(RUN)python tools/studio_openapi.py web/openapi.json
	@sh tools/web.sh types

browser: # What the journeys through the page are driven with
	@sh tools/find_browser.sh >/dev/null

studio-tour: $(VENV)/.dev web browser ## Record a tour of the studio as a video, demo/studio-tour.mp4
	$(RUN)python tools/studio_tour.py demo/studio-tour.mp4

wheel-test: $(VENV)/.dev web ## Build the wheel, install it alone in an empty environment and track the sample clip
	@sh tools/wheel_test.sh $(RUN)python "$(TORCH_PIN)"

web-effects: $(VENV)/.dev ## Write again what the studio's page takes from the table of effects
	$(RUN)python tools/effects_catalogue.py web/src/effects/catalogue.json
	$(RUN)python tests/effects/effect_fixtures.py web/src/effects/compose.fixtures.json

bench: $(VENV)/.dev ## Measure again every number that is published; DATA=folder for what needs data
	$(RUN)python tools/bench.py $(DATA)

clean: ## Remove the environment and everything built
	rm -rf $(VENV) build dist demo web/node_modules src/masklet/studio/static .pytest_cache .hypothesis .ruff_cache .import_linter_cache

# Stamps: an environment is renewed when the list of what it holds has changed.
$(VENV)/.created:
	@sh tools/make_venv.sh "$(PYTHON)" $(VENV)
	@touch $@

$(VENV)/.base: $(VENV)/.created pyproject.toml constraints.txt
	@echo "Installing masklet into $(VENV) (a few minutes the first time)"
	@$(PIP_INSTALL) "$(TORCH_PIN)"
	@$(PIP_INSTALL) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	@echo "Installing the development tools into $(VENV)"
	@$(PIP_INSTALL) --editable ".[dev]"
	@touch $@
