# Everything a person can do with this repository. Bare `make` lists it.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

PYTHON ?= python3
PYTEST_ARGS ?=
CC ?= cc
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
PKG_CONFIG ?= pkg-config
# Warnings of the C compiler are errors here (not in an ordinary pip install); WERROR= lets them pass.
WERROR ?= 1

VENV := .venv
PEERS := build/venvs/peers
BENCH_WHEEL := build/venvs/bench-wheel
LIMITS := build/benchmarks
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

# Files
CORE_SOURCES := $(sort $(wildcard csrc/core/*.c csrc/core/*/*.c))
BINDING_SOURCES := $(sort $(wildcard csrc/binding/*.c))
SUPPORT_SOURCES := $(sort $(wildcard csrc/tests/support/*.c))
TEST_SOURCES := $(sort $(wildcard csrc/tests/test_*.c))
FUZZ_SOURCES := $(sort $(wildcard csrc/tests/fuzz/fuzz_*.c))
FUZZ_SUPPORT_SOURCES := csrc/tests/fuzz/fuzz.c csrc/tests/fuzz/replay.c
EXAMPLE_SOURCES := $(sort $(wildcard csrc/examples/*.c))
C_SOURCES := $(CORE_SOURCES) $(BINDING_SOURCES) $(SUPPORT_SOURCES) $(TEST_SOURCES) $(EXAMPLE_SOURCES) \
    $(FUZZ_SOURCES) $(FUZZ_SUPPORT_SOURCES)
LIMIT_SOURCES := $(sort $(wildcard benchmarks/*.c))
C_HEADERS := $(sort $(wildcard csrc/*/*.h csrc/*/*/*.h))
C_FILES := $(C_SOURCES) $(C_HEADERS) $(LIMIT_SOURCES) benchmarks/limits.h
EXTENSION_FILES := $(CORE_SOURCES) $(BINDING_SOURCES) $(C_HEADERS)
PACKAGE_FILES := $(EXTENSION_FILES) $(shell find merge_link -name '*.py' -o -name '*.pyi' -o -name py.typed) \
    $(wildcard merge_link/sandbox/pages/*) merge_link_pytest.py \
    pyproject.toml setup.py MANIFEST.in $(wildcard README.md LICENSE)

# A make of its own, with as many jobs as there are cores unless -j was given.
PARALLEL = +@$(MAKE) -s --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(JOBS))

.PHONY: help
help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  PYTHON=python3.12 chooses the Python, PYTEST_ARGS='-k retry' is given to pytest."

# Of `make fuzz`: seconds for each target, the targets, and the compiler, which must be clang.
SECONDS ?= 60
FUZZ ?= $(FUZZ_SOURCES:csrc/tests/fuzz/fuzz_%.c=%)
FUZZ_CC ?= clang
# Of `make test-kills`.
ROWS ?= 20000
# Of `make soak`, and the interpreter of `make test-debug-python`.
MINUTES ?= 5
DEBUG_PYTHON ?= python3-dbg
# Of `make bench`.
ROUNDS ?= 10
QUICK ?=

# Of `make install-c`.
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
C_LIBDIR = $(DESTDIR)$(LIBDIR)
C_INCLUDEDIR = $(DESTDIR)$(INCLUDEDIR)

# ---- What a person does ----------------------------------------------------------------------------------------------

.PHONY: demo
demo: $(if $(wildcard $(VENV)/.installed),setup,$(VENV)/.demo)  ## A link token, and the life of a linked account, in the sandbox (sets up all it needs)
	@$(BIN)/merge-link create --sandbox --email hr@acme.example --organization Acme --origin-id acme-42 --category ats
	@echo
	@$(BIN)/python examples/lifecycle.py

.PHONY: test
test:  ## Run all tests: C under ASan and UBSan, then pytest (sets up all it needs)
	@$(MAKE) --no-print-directory test-c
	@$(MAKE) --no-print-directory test-python

.PHONY: test-c
test-c: system-test  ## The C tests under ASan and UBSan, with leak detection
	$(PARALLEL) c-tests FLAVOUR=asan
	@$(SANITIZER_ENV) scripts/run-c-tests $(NO_ASLR) -- $(call c_tests,asan)

.PHONY: test-python
test-python: setup system-test  ## The Python tests
	@$(BIN)/pytest $(PYTEST_ARGS)

.PHONY: docs
docs: setup  ## The documentation as a site (build/docs/index.html), and check each link in it
	@rm -rf build/docs
	@$(BIN)/sphinx-build -q -E -W --keep-going -j auto -c docs -d build/doctrees . build/docs
	@$(BIN)/python scripts/check-site build/docs
	@echo build/docs/index.html

.PHONY: lint
lint: lint-python lint-c  ## Check layout, types and the usual mistakes in Python and C

.PHONY: format
format: setup  ## Lay out Python and C, and bring the stub's docstrings up to date
	@$(BIN)/python scripts/stub-docstrings
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .
	@$(BIN)/clang-format -i $(C_FILES)

.PHONY: coverage
coverage: setup system-test  ## Measure what the tests reach, in C and in Python (build/coverage/)
	$(PARALLEL) c-tests FLAVOUR=coverage
	@scripts/coverage $(CURDIR)/$(BIN) $(call c_tests,coverage) -- $(PYTEST_ARGS)

.PHONY: thorough
thorough:  ## All that is too slow for every change: what stands below, and the examples
	@$(MAKE) --no-print-directory test-valgrind
	@$(MAKE) --no-print-directory test-tsan
	@$(MAKE) --no-print-directory test-asan
	@$(MAKE) --no-print-directory test-debug-python
	@$(MAKE) --no-print-directory test-pythons
	@$(MAKE) --no-print-directory test-browser
	@$(MAKE) --no-print-directory check-wheel
	@$(MAKE) --no-print-directory test-wheel
	@$(MAKE) --no-print-directory test-next IF_POSSIBLE=--if-possible
	@$(MAKE) --no-print-directory free-threaded
	@$(MAKE) --no-print-directory fuzz SECONDS=30
	@$(MAKE) --no-print-directory soak MINUTES=1
	@$(MAKE) --no-print-directory test-kills
	@$(MAKE) --no-print-directory instructions
	@$(MAKE) --no-print-directory examples

.PHONY: test-valgrind
test-valgrind: system-test system-valgrind  ## The C tests under valgrind
	$(PARALLEL) c-tests FLAVOUR=valgrind
	@scripts/run-c-tests valgrind $(VALGRIND_FLAGS) -- $(call c_tests,valgrind)

.PHONY: test-tsan
test-tsan: system-test  ## The C tests under ThreadSanitizer
	$(PARALLEL) c-tests FLAVOUR=tsan
	@$(SANITIZER_ENV) scripts/run-c-tests $(NO_ASLR) -- $(call c_tests,tsan)

.PHONY: test-asan
test-asan: setup system-test  ## The Python tests with the extension under ASan and UBSan
	@rm -rf build/lib.*
	@SANITIZE=address,undefined $(PIP) wheel -q --no-deps --no-build-isolation -w build/asan-wheel .
	@scripts/wheel-venv $(BIN)/python build/venvs/asan build/asan-wheel/*.whl
	@scripts/test-asan build/venvs/asan $(PYTEST_ARGS)

.PHONY: fuzz
fuzz: system-test system-fuzz  ## Look for bytes that break a promise: SECONDS=60 for each target, FUZZ=json for one
	$(PARALLEL) c-fuzzers FLAVOUR=fuzz CC=$(FUZZ_CC)
	@$(SANITIZER_ENV) scripts/fuzz $(SECONDS) $(if $(NO_ASLR),"$(NO_ASLR)","") $(FUZZ:%=build/c/fuzz/tests/fuzz/fuzz_%)

.PHONY: soak
soak: setup  ## Make calls from 64 threads for MINUTES=5 to a server that fails in every way it can
	@$(BIN)/python scripts/soak.py $(MINUTES)

.PHONY: test-kills
test-kills: setup  ## A bulk run of ROWS=20000 rows on bad days, killed three times and gone on with
	@$(BIN)/python tests/isolated/bulk_kills.py $(ROWS)

.PHONY: bench
bench: $(PEERS)/.ours $(BENCH_WHEEL)/.ours limits system-bench  ## Measure against peers and limits, for docs/performance.md; QUICK=1 only prints
	@$(PEERS)/bin/python -m benchmarks --programs $(LIMITS) --wheel $(BENCH_WHEEL)/bin/python \
	    --rounds $(ROUNDS) $(if $(QUICK),--quick)

.PHONY: limits
limits: system  ## The C programs that it compares with (build/benchmarks/)
	$(PARALLEL) $(LIMIT_PROGRAMS)

.PHONY: instructions
instructions: $(PEERS)/.ours limits system-bench system-valgrind  ## Count the instructions of a warm call; RECORD=1 records them
	@$(PEERS)/bin/python -m benchmarks.instructions --programs $(LIMITS) $(if $(RECORD),--record)

.PHONY: test-debug-python
test-debug-python: system-debug-python  ## Count references over 10,000 calls on each path, in a debug build of Python
	@scripts/test-debug-python $(DEBUG_PYTHON) build/venvs/debug

.PHONY: test-pythons
test-pythons: dist system-test  ## The Python tests on every other Python from 3.11 on that is found
	@scripts/test-pythons $(BIN)/python dist/*.whl $(PYTEST_ARGS)

.PHONY: test-browser
test-browser: setup system-browser  ## The tests in Chromium, which are skipped where it is missing
	@$(BIN)/pytest $(PYTEST_ARGS) -m browser

.PHONY: test-next
test-next: dist  ## The Python tests on Debian's newest python3 and libcurl (needs root and debootstrap)
	@scripts/test-next $(IF_POSSIBLE) dist/*.tar.gz $(PYTEST_ARGS)

.PHONY: free-threaded
free-threaded: setup  ## Check that the extension compiles for a free-threaded Python
	@scripts/free-threaded

.PHONY: dist
dist: dist/.built  ## Build the sdist, and the wheel from it (dist/)

.PHONY: wheel
wheel: wheelhouse/.built  ## Build the wheel that needs nothing of the machine (wheelhouse/)

.PHONY: check-wheel
check-wheel: wheel setup  ## Install that wheel into empty environments, the C library into an empty root, and try them
	@PATH="$(CURDIR)/$(WHEEL_TOOLS)/bin:$$PATH" $(BIN)/pytest --timeout=600 tests/packaging $(PYTEST_ARGS)

.PHONY: test-wheel
test-wheel: wheel system-test  ## The Python tests on that wheel
	@scripts/wheel-venv $(BIN)/python build/venvs/wheel wheelhouse/*.whl
	@mkdir -p build/run
	@cd build/run && ../venvs/wheel/bin/pytest -c $(CURDIR)/pyproject.toml $(PYTEST_ARGS) $(CURDIR)/tests

.PHONY: c-lib
c-lib: system  ## Build the C library alone (build/libmerge_link.a)
	$(PARALLEL) build/libmerge_link.a

.PHONY: install-c
install-c: system  ## Install the C library for pkg-config (PREFIX=/usr/local, DESTDIR, LIBDIR, INCLUDEDIR)
	$(PARALLEL) build/libmerge_link.a build/libmerge_link.so
	@install -d '$(C_INCLUDEDIR)' '$(C_LIBDIR)/pkgconfig'
	@install -m 644 csrc/include/merge_link.h '$(C_INCLUDEDIR)'
	@install -m 644 build/libmerge_link.a '$(C_LIBDIR)'
	@install -m 755 build/libmerge_link.so '$(C_LIBDIR)/libmerge_link.so.$(VERSION)'
	@ln -sf libmerge_link.so.$(VERSION) '$(C_LIBDIR)/$(SONAME)'
	@ln -sf $(SONAME) '$(C_LIBDIR)/libmerge_link.so'
	@sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' -e 's|@VERSION@|$(VERSION)|' \
	    csrc/merge-link.pc.in > '$(C_LIBDIR)/pkgconfig/merge-link.pc'

.PHONY: uninstall-c
uninstall-c:  ## Remove what install-c with the same PREFIX, DESTDIR, LIBDIR and INCLUDEDIR installed
	@rm -f '$(C_INCLUDEDIR)/merge_link.h' '$(C_LIBDIR)/pkgconfig/merge-link.pc' '$(C_LIBDIR)'/libmerge_link.a \
	    '$(C_LIBDIR)'/libmerge_link.so '$(C_LIBDIR)/$(SONAME)' '$(C_LIBDIR)/libmerge_link.so.$(VERSION)'

.PHONY: examples
examples: system  ## Build the C examples (build/examples/)
	$(PARALLEL) $(EXAMPLES)

.PHONY: clean
clean:  ## Remove what was built, but for the virtual environment
	rm -rf build dist wheelhouse *.egg-info .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .hypothesis merge_link/*.so
	rm -f $(VENV)/.built
	find . -name __pycache__ -not -path './.*' -prune -exec rm -rf {} +

# ---- Set-up ----------------------------------------------------------------------------------------------------------

.PHONY: setup
setup: system $(VENV)/.built

.PHONY: system system-test system-browser system-wheel system-valgrind system-fuzz system-debug-python system-bench
system:
	@scripts/system-packages $(PYTHON) build
system-test: system
	@scripts/system-packages $(PYTHON) test
system-browser: system
	@scripts/system-packages $(PYTHON) browser
system-wheel: system
	@scripts/system-packages $(PYTHON) wheel
system-valgrind: system
	@scripts/system-packages $(PYTHON) valgrind
system-fuzz: system
	@FUZZ_CC=$(FUZZ_CC) scripts/system-packages $(PYTHON) fuzz
system-debug-python: system
	@DEBUG_PYTHON=$(DEBUG_PYTHON) scripts/system-packages $(PYTHON) debug-python
system-bench: system
	@scripts/system-packages $(PYTHON) bench

# The stamp names the checkout and the Python: an environment that is half made, moved, broken or of
# another Python is made again.
VENV_OF := $(CURDIR) $(PYTHON)
VENV_STATE := $(shell [ "$$(cat $(VENV)/.created 2>/dev/null)" = "$(VENV_OF)" ] \
    && [ ! -e $(VENV)/.installing ] && $(BIN)/python -c 'import pip' 2>/dev/null && echo good)

$(VENV)/.created: $(if $(VENV_STATE),,FORCE) | system
	@echo "Making a virtual environment in $(VENV)"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@echo "$(VENV_OF)" > $@

# The package and its command alone: `make demo` is quick where nothing is set up yet.
$(VENV)/.demo: $(PACKAGE_FILES) $(VENV)/.created
	@echo "Installing merge-link with its command line"
	@$(PIP) install -q -e '.[cli]'
	@touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.created
	@echo "Installing merge-link and the tools of its dev extra"
	@touch $(VENV)/.installing
	@$(PIP) install -q 'setuptools>=77'
	@WERROR=$(WERROR) $(PIP) install -q --no-build-isolation -e '.[dev]'
	@mv $(VENV)/.installing $@

$(VENV)/.built: $(VENV)/.installed setup.py merge_link/_version.py $(EXTENSION_FILES)
	@echo "Building the extension"
	@WERROR=$(WERROR) $(BIN)/python setup.py -q build_ext --inplace
	@touch $@

# What is handed out has an environment of tools of its own: neither `make setup` nor `make wheel` waits for the other's.
WHEEL_TOOLS := build/venvs/wheel-tools

$(WHEEL_TOOLS)/.installed: pyproject.toml | system
	@echo "Installing the tools that make a wheel"
	@rm -rf $(WHEEL_TOOLS)
	@$(PYTHON) -m venv $(WHEEL_TOOLS)
	@$(WHEEL_TOOLS)/bin/python scripts/dependency-group wheel | xargs $(WHEEL_TOOLS)/bin/python -m pip install -q --disable-pip-version-check
	@touch $@

dist/.built: $(PACKAGE_FILES) | $(WHEEL_TOOLS)/.installed
	@rm -rf dist
	@mkdir -p build
	@$(WHEEL_TOOLS)/bin/python -m build --no-isolation . > build/dist.log 2>&1 || { cat build/dist.log; exit 1; }
	@ls dist/*
	@touch $@

# The peers have one as well, and merge-link as a stranger installs it from source.
$(PEERS)/.installed: pyproject.toml | system
	@echo "Installing what merge-link is compared with"
	@rm -rf $(PEERS)
	@$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python scripts/dependency-group bench | xargs $(PEERS)/bin/python -m pip install -q --disable-pip-version-check
	@touch $@

$(PEERS)/.ours: $(PEERS)/.installed dist/.built
	@$(PEERS)/bin/python -m pip install -q --disable-pip-version-check --force-reinstall --no-deps dist/*.whl
	@touch $@

# The wheel alone, as from an index.
$(BENCH_WHEEL)/.ours: wheelhouse/.built
	@rm -rf $(BENCH_WHEEL)
	@$(PYTHON) -m venv $(BENCH_WHEEL)
	@$(BENCH_WHEEL)/bin/python -m pip install -q --disable-pip-version-check --no-deps wheelhouse/*.whl
	@touch $@

# Asks each time whether the libraries have new security fixes, and changes only if they do.
build/bundled/.key: FORCE $(WHEEL_TOOLS)/.installed | system-wheel
	@PATH="$(CURDIR)/$(WHEEL_TOOLS)/bin:$$PATH" scripts/bundled-libraries build/bundled

wheelhouse/.built: dist/.built build/bundled/.key scripts/finish-wheel
	@rm -rf wheelhouse build/wheel
	@mkdir -p wheelhouse build/wheel
	@PKG_CONFIG_PATH=$(CURDIR)/build/bundled/lib/pkgconfig $(WHEEL_TOOLS)/bin/python -m pip wheel -q --disable-pip-version-check \
	    --no-deps --no-build-isolation -w build/wheel dist/*.tar.gz
	@PATH="$(CURDIR)/$(WHEEL_TOOLS)/bin:$$PATH" scripts/finish-wheel build/bundled build/wheel/*.whl wheelhouse \
	    > build/wheel/log 2>&1 || { cat build/wheel/log; exit 1; }
	@ls wheelhouse/*.whl
	@touch $@

# ---- C: one directory of objects for each flavour --------------------------------------------------------------------

FLAVOUR ?= plain
OBJECTS := build/c/$(FLAVOUR)

FLAGS_plain := -O2 -g -fPIC -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong
FLAGS_valgrind := -O1 -g
FLAGS_coverage := -O0 -g --coverage -fprofile-update=atomic
FLAGS_asan := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
FLAGS_tsan := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
FLAGS_fuzz := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all

VERSION = $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' merge_link/_version.py)
# Looked up at first use: the libraries may be installed by this same make.
LIBRARY_CFLAGS = $(eval LIBRARY_CFLAGS := $$(shell $(PKG_CONFIG) --cflags libcurl libcjson))$(LIBRARY_CFLAGS)
LIBRARY_LIBS = $(eval LIBRARY_LIBS := $$(shell $(PKG_CONFIG) --libs libcurl libcjson))$(LIBRARY_LIBS)
CMOCKA_LIBS = $(eval CMOCKA_LIBS := $$(shell $(PKG_CONFIG) --libs cmocka))$(CMOCKA_LIBS)

INCLUDES := -Icsrc/include -Icsrc/core -Icsrc/tests
WARNINGS := -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes $(if $(WERROR),-Werror)
C_FLAGS = -std=c11 -D_GNU_SOURCE -DML_VERSION='"$(VERSION)"' -pthread \
    $(INCLUDES) $(LIBRARY_CFLAGS) $(CPPFLAGS) $(CFLAGS)
# Programs named test_alloc* make allocations fail; those named test_secrets* look at what is freed.
WRAP_alloc := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup
WRAP_secrets := $(WRAP_alloc),--wrap=free

CORE_OBJECTS := $(CORE_SOURCES:csrc/%.c=$(OBJECTS)/%.o)
SUPPORT_OBJECTS := $(SUPPORT_SOURCES:csrc/%.c=$(OBJECTS)/%.o)
TEST_PROGRAMS := $(TEST_SOURCES:csrc/%.c=$(OBJECTS)/%)
EXAMPLES := $(EXAMPLE_SOURCES:csrc/examples/%.c=build/examples/%)
# The fuzz targets run over their kept corpus where there is no libFuzzer.
FUZZ_PROGRAMS := $(FUZZ_SOURCES:csrc/%.c=$(OBJECTS)/%)
FUZZ_OBJECTS := $(patsubst %,$(OBJECTS)/tests/%.o,fuzz/fuzz support/build $(if $(filter fuzz,$(FLAVOUR)),,fuzz/replay))
c_tests = $(patsubst csrc/%.c,build/c/$(1)/%,$(TEST_SOURCES) $(FUZZ_SOURCES))

.PHONY: c-tests
c-tests: $(TEST_PROGRAMS) $(FUZZ_PROGRAMS)

.PHONY: c-fuzzers
c-fuzzers: $(FUZZ_PROGRAMS)

.PHONY: FORCE
FORCE:

# Changes only when the flags or the list of files do, and everything depends on it.
$(OBJECTS)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(CC) $(C_FLAGS) $(FLAGS_$(FLAVOUR)) $(WARNINGS) $(CORE_SOURCES) $(SUPPORT_SOURCES)' > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

$(OBJECTS)/%.o: csrc/%.c $(OBJECTS)/flags
	@mkdir -p $(@D)
	@echo "  cc $(FLAVOUR) $<"
	@$(CC) $(C_FLAGS) $(FLAGS_$(FLAVOUR)) $(WARNINGS) -MMD -MP -c $< -o $@

$(OBJECTS)/libmerge_link.a: $(CORE_OBJECTS) $(OBJECTS)/flags
	@rm -f $@
	@$(AR) rcs $@ $(CORE_OBJECTS)

$(OBJECTS)/tests/%: $(OBJECTS)/tests/%.o $(SUPPORT_OBJECTS) $(OBJECTS)/libmerge_link.a
	@$(CC) $(FLAGS_$(FLAVOUR)) -pthread $(WRAP_$(firstword $(subst _, ,$(@F:test_%=%)))) $(LDFLAGS) $^ \
	    $(CMOCKA_LIBS) $(LIBRARY_LIBS) -o $@

$(OBJECTS)/tests/fuzz/%: $(OBJECTS)/tests/fuzz/%.o $(FUZZ_OBJECTS) $(OBJECTS)/libmerge_link.a
	@$(CC) $(subst fuzzer-no-link,fuzzer,$(FLAGS_$(FLAVOUR))) -pthread $(LDFLAGS) $^ $(LIBRARY_LIBS) -o $@

build/libmerge_link.a: build/c/plain/libmerge_link.a
	@cp $< $@

# A version is compatible with the ones before it if its first number is the same; below 1.0, the second too.
VERSION_PARTS = $(subst ., ,$(VERSION))
SONAME = libmerge_link.so.$(word 1,$(VERSION_PARTS))$(if $(VERSION:0.%=),,.$(word 2,$(VERSION_PARTS)))

# The functions of the header, and nothing else, are seen from outside.
build/merge_link.map: csrc/include/merge_link.h
	@mkdir -p $(@D)
	@{ echo '{ global:'; $(CC) -E -P $< | grep -o 'ml_[a-z0-9_]* *(' | tr -d ' ' | tr '(' ';'; echo 'local: *; };'; } > $@

build/libmerge_link.so: build/c/plain/libmerge_link.a build/merge_link.map merge_link/_version.py
	@$(CC) -shared -pthread -Wl,-soname,$(SONAME) -Wl,--version-script=build/merge_link.map -Wl,-z,relro,-z,now -Wl,-z,defs \
	    $(LDFLAGS) -Wl,--whole-archive $< -Wl,--no-whole-archive $(LIBRARY_LIBS) -o $@

build/examples/%: build/c/plain/examples/%.o build/libmerge_link.a
	@mkdir -p $(@D)
	@$(CC) -pthread $(LDFLAGS) $^ $(LIBRARY_LIBS) -o $@

LIMIT_PROGRAMS := $(LIMIT_SOURCES:benchmarks/%.c=$(LIMITS)/%)

$(LIMITS)/%: benchmarks/%.c benchmarks/limits.h
	@mkdir -p $(@D)
	@$(CC) -std=c11 -D_GNU_SOURCE -O2 -g $(LIBRARY_CFLAGS) $(CPPFLAGS) $(CFLAGS) $(WARNINGS) $(LDFLAGS) $< $(LIBRARY_LIBS) -o $@

.PRECIOUS: $(OBJECTS)/%.o
-include $(wildcard $(OBJECTS)/*/*.d $(OBJECTS)/*/*/*.d)

# Address randomisation can be too wide for the sanitizers' shadow memory; where a process may turn it off, do.
NO_ASLR = $(shell setarch -R true 2>/dev/null && echo setarch -R)
SANITIZER_ENV := \
    ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1 \
    UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 \
    TSAN_OPTIONS=halt_on_error=0:exitcode=66:second_deadlock_stack=1

VALGRIND_FLAGS := -q --leak-check=full --errors-for-leak-kinds=definite,indirect,possible --error-exitcode=99

# ---- Lint ------------------------------------------------------------------------------------------------------------

.PHONY: lint-python
lint-python: setup
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/mypy examples
	@$(BIN)/stubtest --mypy-config-file pyproject.toml --concise merge_link._core

.PHONY: lint-c
lint-c: setup system-test
	@$(BIN)/clang-format --dry-run -Werror $(C_FILES)
	$(PARALLEL) $(C_SOURCES:%=build/tidy/%.ok) $(LIMIT_SOURCES:%=build/tidy/%.ok)

PYTHON_INCLUDE = $(shell $(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("include"))')
TIDY_FLAGS = $(eval TIDY_FLAGS := $$(C_FLAGS) -DPy_LIMITED_API=0x030B0000 -isystem $(PYTHON_INCLUDE))$(TIDY_FLAGS)

build/tidy/%.ok: % $(C_HEADERS) benchmarks/limits.h .clang-tidy
	@mkdir -p $(@D)
	@echo "  clang-tidy $<"
	@$(BIN)/clang-tidy --quiet $< -- $(TIDY_FLAGS) > $@.log 2>&1 || { cat $@.log; exit 1; }
	@touch $@
