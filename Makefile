# make setup   everything that is needed, into .venv and build/ (system packages by apt where they are missing)
# make demo    a stereo picture and a stereo clip, made by the plugin's own binary; results in build/demo
# make test    all quick tests            make check   formats, lint, types
# make bundle  only the OpenFX bundle     make bench   speeds of this machine
# make install / uninstall   the bundle in PREFIX, else the first folder of OFX_PLUGIN_PATH, else /usr/OFX/Plugins
# make package               the bundle as an archive in build/package
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: setup bundle demo test chaos fuzz fuzz-parsers check bench bench-docs clean distclean install uninstall package
.PHONY: sanitize pin-release audit
.DEFAULT_GOAL := setup

PYTHON ?= python3
BIN := .venv/bin
TEST_PROCESSES ?= 2
export CMAKE_BUILD_PARALLEL_LEVEL ?= $(shell nproc)
export PYTHONUNBUFFERED := 1

setup: bundle

build/.system: .ci/system-packages
	@.ci/system-packages
	@mkdir -p build && touch $@

# pip writes into .venv, so the stamp lives there too: deleting .venv is enough to start over.
.venv/.installed: build/.system .ci/python-environment requirements-dev.txt pyproject.toml setup.py \
		$(wildcard proto/stereoconvert/v1/*.proto model/warp/*.cpp model/warp/*.h service/wire/*.cpp) ofx_plugin/streaming_copy.h
	@PYTHON=$(PYTHON) .ci/python-environment
	@touch $@

build/cmake/.configured: .venv/.installed CMakeLists.txt $(wildcard cmake/*)
	@echo "setup: configuring the plugin; a first time compiles its static libraries, which takes minutes"
	@cmake -S . -B build/cmake -G Ninja -DCMAKE_BUILD_TYPE=Release -DPython_EXECUTABLE=$(CURDIR)/$(BIN)/python \
		>build/configure.log 2>&1 || { tail -n 40 build/configure.log >&2; exit 1; }
	@touch $@

bundle: build/cmake/.configured
	@cmake --build build/cmake -- --quiet | { grep -v '^ninja: no work to do' || true; }
	@if [[ $$(uname) == Linux ]]; then cmake/glibc_needed.sh build/StereoConvert.ofx.bundle/Contents/*/StereoConvert.ofx; fi

PREFIX ?= $(or $(firstword $(subst :, ,$(OFX_PLUGIN_PATH))),$(if $(filter Darwin,$(shell uname)),/Library,/usr)/OFX/Plugins)
INSTALLED = $(addprefix $(DESTDIR)$(PREFIX)/,StereoConvert.ofx.bundle stereo-convert-service)

# What is there goes first: a host that runs keeps the file that it has mapped, overwritten it would crash.
install: bundle uninstall
	@cmake --install build/cmake --prefix "$(DESTDIR)$(PREFIX)" >build/install.log || { cat build/install.log >&2; exit 1; }
	@echo "installed in $(DESTDIR)$(PREFIX); hosts look there when they start"

uninstall:
	@rm -rf -- $(foreach path,$(INSTALLED),"$(path)")

package: bundle
	@cpack --config build/cmake/CPackConfig.cmake -B build/package | grep 'generated'

demo: bundle
	@$(BIN)/python -m examples.demo

# One thread a test process: two processes with two threads each spin more than they compute.
test: bundle
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(TEST_PROCESSES) --dist loadfile

chaos: .venv/.installed # FAULTS=N; kills, stops, cuts, full and slow disks, clocks that jump, workers that die; a count
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.service.chaos --faults $(or $(FAULTS),200)
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.service.chaos --faults $(or $(FAULTS),20) --ray

fuzz: .venv/.installed # COUNT=N SEED=S; malformed requests against a service
	@OMP_NUM_THREADS=1 $(BIN)/python -m tests.service.fuzz --count $(or $(COUNT),100000) --seed $(or $(SEED),1)

fuzz-parsers: build/cmake/.configured # SECONDS=N; coverage fuzzers of what service and plugin read, N seconds each
	@tests/fuzz/run.sh $(or $(SECONDS),300)

pin-release: .venv/.installed # renew requirements-release.txt: versions and hashes of what a service needs
	@.ci/pin-release

audit: .venv/.installed # advisories and licences of what a release installs; pip-audit, too, where it finds its database
	@$(BIN)/python -m tests.release.audit

sanitize: bundle # the headless host under address, undefined, thread sanitizers and valgrind
	@tests/ofx_host/sanitize.sh

check: build/cmake/.configured
	@.ci/check

bench: bundle
	@$(BIN)/python -m examples.bench

bench-docs: bundle
	@$(BIN)/python -m examples.bench --write docs/results/bench.md

clean: # all but the static libraries, which take minutes to build and follow the system's packages
	find build -mindepth 1 -maxdepth 1 ! -name deps -exec rm -rf {} + 2>/dev/null || true
	rm -rf out model/warp/_native*.so service/wire/_pixel_copy*.so

distclean: clean
	rm -rf build .venv
