# make demo   a simulated wearer, live, from sensor to page
# make test   set up and pass the tests
# make bridge the bridge alone, for a small machine beside the wearer
.PHONY: demo test bridge lint format validate validate-simulator bench soak test-bluez clean

VENV = .venv
BIN = $(VENV)/bin
SECONDS =
SUMMARY =
ARGS =

$(VENV)/.ready-run: pyproject.toml constraints.txt scripts/setup.sh
	@SAGITTAL_VENV=$(VENV) sh scripts/setup.sh run

$(VENV)/.ready-dev: pyproject.toml constraints.txt scripts/setup.sh
	@SAGITTAL_VENV=$(VENV) sh scripts/setup.sh dev

$(VENV)/.ready-bridge: pyproject.toml constraints.txt scripts/setup.sh
	@SAGITTAL_VENV=$(VENV) sh scripts/setup.sh bridge

demo: $(VENV)/.ready-run
	@exec $(BIN)/sagittal run --demo $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SUMMARY),--summary $(SUMMARY)) $(ARGS)

test: $(VENV)/.ready-dev
	$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/.ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.ready-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

validate: $(VENV)/.ready-dev
	$(BIN)/python -m benchmarks.validate $(ARGS)

validate-simulator: $(VENV)/.ready-dev
	$(BIN)/python -m simulators.validate $(ARGS)

bench: $(VENV)/.ready-dev
	$(BIN)/python -m benchmarks.pipeline $(ARGS)

bridge: $(VENV)/.ready-bridge
	@exec $(BIN)/sagittal bridge $(ARGS)

soak: $(VENV)/.ready-dev
	$(BIN)/python -m benchmarks.soak $(ARGS)

test-bluez: $(VENV)/.ready-dev
	PYTHON=$(BIN)/python scripts/bluez.sh

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
