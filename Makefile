# A fresh machine needs Python 3.11 or later, git and make; the rest is installed in .venv.
#
#   make check   install, then check the small overlay in fixtures/ (or OVERLAY=path)
#   make test    install with the test tools, then lint, types and tests
#   make docs    build the documentation into site/
#   make picture draw what a run prints, for README.md
#   make bench   measure (on OVERLAY)
#   make man     write the manual pages into build/man
#   make lint    format and lint in place, and renew the schema of the configuration
#   make properties EXAMPLES=20000 [PROPERTIES=tests/test_shell_bash.py]
#                try so many new examples of each property, most of them against bash itself
#   make mutants EXAMPLES=50000 TREE=repository [MASTERS="name=path ..."]
#                break so many scripts of a real repository; nothing is raised, all of them end
#   make fidelity TREE=repository ORACLE=md5-cache [MASTERS="name=path ..."]
#                compare our metadata of a real repository with what Portage made of it

OVERLAY ?= fixtures/overlay
PYTEST_OPTIONS ?=
EXAMPLES ?= 2000
PROPERTIES ?= $(wildcard tests/test_shell_*.py)

VENV := .venv
BIN := $(VENV)/bin
# The first of these that is new enough; a machine's python3 may be older than its python3.12.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo "$$python"; break; }; done)

.PHONY: check test docs picture man bench properties mutants lint fidelity clean
.DELETE_ON_ERROR:

# Exit status 1 says that there are findings, which is what this target is to show.
check: $(VENV)/installed
	@$(BIN)/overlaylint check "$(OVERLAY)" || test $$? -eq 1

test: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy overlaylint rules
	$(BIN)/pytest -n auto $(PYTEST_OPTIONS)

docs: $(VENV)/installed-test
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --site-dir "$(CURDIR)/site"

bench: $(VENV)/installed-test
	OVERLAY="$(OVERLAY)" $(BIN)/pytest -m bench --benchmark-enable --benchmark-only $(PYTEST_OPTIONS)

properties: $(VENV)/installed-test
	OVERLAYLINT_EXAMPLES="$(EXAMPLES)" $(BIN)/pytest -n auto $(PROPERTIES) $(PYTEST_OPTIONS)

picture: $(VENV)/installed-test
	$(BIN)/python docs/make_picture.py

man: $(VENV)/installed-test
	$(BIN)/python docs/make_man.py build/man

mutants: $(VENV)/installed-test
	@test -n "$(TREE)" || { echo "make: mutants wants TREE=repository" >&2; exit 2; }
	$(BIN)/python tests/real_mutants.py "$(EXAMPLES)" "$(TREE)" $(MASTERS)

lint: $(VENV)/installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/overlaylint config --schema > overlaylint/overlaylint.schema.json

fidelity: $(VENV)/installed-test
	@test -n "$(TREE)" && test -n "$(ORACLE)" \
	|| { echo "make: fidelity wants TREE=repository ORACLE=md5-cache" >&2; exit 2; }
	$(BIN)/python tests/real_metadata.py "$(TREE)" "$(ORACLE)" $(MASTERS)

clean:
	rm -rf $(VENV) build dist site *.egg-info

# Debian's Python makes no virtual environment unless python3-venv is installed.
$(BIN)/python:
	@test -n "$(PYTHON)" \
	|| { echo "make: Python 3.11 or later is needed, and none is on PATH" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || test "$$(id -u)" != 0 \
	|| { apt-get -qq update && apt-get -qq install -y python3-venv; } >/dev/null 2>&1 || true
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null \
	|| { echo "make: $(PYTHON) can't make a virtual environment: install python3-venv" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml | $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/installed-test: pyproject.toml | $(BIN)/python
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@ $(VENV)/installed
