# lstmgen: from a trained LSTM and a short spec to a verified, sparse FPGA core. `make help` lists the targets.

ifeq ($(origin CC),default)
CC := gcc
endif
BUILD    ?= build
PREFIX   ?= /usr/local
CFLAGS   ?= -O2 -g
SANITIZE ?=
PYTHON   ?= /usr/bin/python3
JOBS     ?= $(shell nproc 2>/dev/null || echo 2)

# All that `make setup` installs: to build, to simulate and synthesise, to test and lint.
PACKAGES = gcc g++ libc6-dev pkg-config libyaml-dev libzip-dev zlib1g-dev libprotobuf-c-dev protobuf-c-compiler \
	libonnx-dev flatbuffers-compiler libflatbuffers-dev libjansson-dev libhdf5-dev libssl-dev iverilog verilator yosys python3 python3-numpy \
	libcmocka-dev valgrind clang libclang-rt-14-dev cppcheck slurm-wlm chromium \
	python3-venv python3-torch python3-onnx

LIBRARIES = yaml-0.1 libzip zlib libprotobuf-c jansson libcrypto $(HDF5)
# Debian calls the serial library so; others plainly hdf5.
HDF5     := $(shell pkg-config --exists hdf5-serial 2>/dev/null && echo hdf5-serial || echo hdf5)
ONNX_PROTO ?= $(firstword $(wildcard /usr/include/onnx/onnx.proto /usr/local/include/onnx/onnx.proto))

SOURCES   := $(sort $(wildcard gen/*.c gen/*/*.c))
UNIT      := $(sort $(wildcard tests/unit/test_*.c))
OBJECTS   := $(patsubst %.c,$(BUILD)/obj/%.o,$(filter-out gen/main.c,$(SOURCES)))
UNIT_PROGRAMS := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(UNIT))
PROTO     := $(BUILD)/proto/onnx/onnx.pb-c
GRAPHDEF  := $(BUILD)/proto/model/graphdef.pb-c
# TensorFlow Lite's flatbuffers: the library is C++ alone, and so is the one file that uses it (no runtime of C++).
TFLITE    := $(BUILD)/proto/model/tflite_generated.h
CXX       := $(if $(findstring clang,$(CC)),clang++,g++)
# -fsanitize=function asks for types at run time, which this file does without.
CXX_SANITIZE := $(if $(findstring clang,$(CC)),-fno-sanitize=function)
ARCHIVE   := $(BUILD)/liblstmgen.a
EXAMPLE   := examples/spoken_digits/spec.yaml

CPP_FLAGS  = -I gen -I $(BUILD)/proto $(shell pkg-config --cflags $(LIBRARIES) 2>/dev/null)
LIBS       = $(shell pkg-config --libs $(LIBRARIES) 2>/dev/null) -lm
COMPILE    = $(CC) -std=gnu11 $(CFLAGS) $(SANITIZE)
WARNINGS   = -Wall -Wextra -Werror

VENV      ?= $(BUILD)/venv
TOOLS     ?= $(BUILD)/tools
FRAMEWORKS ?= $(BUILD)/frameworks

TENSORFLOW ?= $(BUILD)/tensorflow

.PHONY: all help setup venv pnr-tools frameworks tensorflow install demo page test test-long test-programs all-programs \
	sanitized-programs \
	bench bench-gen storage area patterns sweeps lint sanitize clean FORCE
.DELETE_ON_ERROR:

all: $(BUILD)/lstmgen ## build the generator, build/lstmgen (CC=clang works too)

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | while IFS='	' read -r name text; do \
	    printf 'make %-12s %s\n' "$$name" "$$text"; done

# ---- building

# Rewritten, and with it every object made anew, when the compiler or its flags change.
$(BUILD)/flags: FORCE
	@pkg-config --exists $(LIBRARIES) 2>/dev/null && command -v protoc-c flatc >/dev/null && test -n "$(ONNX_PROTO)" || { \
	    echo "make: libraries are missing ($(LIBRARIES), protoc-c, flatc, onnx.proto): run 'make setup', which installs them" >&2; exit 1; }
	@mkdir -p $(@D)
	@echo '$(COMPILE) $(WARNINGS) $(CPP_FLAGS) $(LIBS)' | cmp -s - $@ || \
	    echo '$(COMPILE) $(WARNINGS) $(CPP_FLAGS) $(LIBS)' > $@

$(PROTO).c $(PROTO).h &: $(ONNX_PROTO) $(BUILD)/flags
	@mkdir -p $(@D)
	protoc-c --proto_path=$(patsubst %/onnx/,%,$(dir $(ONNX_PROTO))) --c_out=$(BUILD)/proto onnx/onnx.proto

$(GRAPHDEF).c $(GRAPHDEF).h &: gen/model/graphdef.proto $(BUILD)/flags
	@mkdir -p $(@D)
	protoc-c --proto_path=gen --c_out=$(BUILD)/proto model/graphdef.proto

$(TFLITE): gen/model/tflite.fbs $(BUILD)/flags
	@mkdir -p $(@D)
	flatc --cpp -o $(@D) $<

$(BUILD)/obj/gen/model/tflite_file.o: gen/model/tflite_file.cc gen/model/tflite_file.h $(TFLITE)
	@mkdir -p $(@D)
	$(CXX) -std=gnu++17 -fno-exceptions -fno-rtti $(CFLAGS) $(SANITIZE) $(CXX_SANITIZE) -Wall -Wextra -Werror -I gen \
	    -I $(BUILD)/proto -c $< -o $@

$(BUILD)/proto/%.o: $(BUILD)/proto/%.c
	$(COMPILE) -I $(BUILD)/proto -c $< -o $@

$(BUILD)/obj/%.o: %.c $(BUILD)/flags | $(PROTO).h $(GRAPHDEF).h
	@mkdir -p $(@D)
	$(COMPILE) $(WARNINGS) $(CPP_FLAGS) -MMD -MP -c $< -o $@

$(ARCHIVE): $(OBJECTS) $(PROTO).o $(GRAPHDEF).o $(BUILD)/obj/gen/model/tflite_file.o
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/lstmgen: $(BUILD)/obj/gen/main.o $(ARCHIVE)
	$(COMPILE) $^ $(LIBS) -o $@.new && mv -f $@.new $@

$(BUILD)/tests/%: $(BUILD)/obj/tests/unit/%.o $(ARCHIVE)
	@mkdir -p $(@D)
	$(COMPILE) $^ -lcmocka $(LIBS) -o $@

# What the estimate of a spec is a sum of, for tests/estimate/fit.py.
$(BUILD)/terms: $(BUILD)/obj/tests/estimate/terms.o $(ARCHIVE)
	$(COMPILE) $^ $(LIBS) -o $@

# What the float and the golden model give for a spec (tests/e2e/cells_float.py).
$(BUILD)/outputs: $(BUILD)/obj/tests/lib/outputs.o $(ARCHIVE)
	$(COMPILE) $^ $(LIBS) -o $@

.SECONDARY:
-include $(wildcard $(BUILD)/obj/gen/*.d $(BUILD)/obj/gen/*/*.d $(BUILD)/obj/tests/*/*.d)

# ---- installing

setup: ## install what is missing through apt (as root or with sudo); nothing when all is there
	@sh tests/lib/setup.sh $(PACKAGES)

venv: $(VENV)/made ## what tests need of PyPI, into build/venv: ONNX Runtime, newer simulators and synthesis (tests/requirements.txt)

$(VENV)/made: tests/requirements.txt
	@rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

pnr-tools: $(TOOLS)/made ## Yosys, nextpnr and packers of PyPI for `synth --pnr`, into build/tools (470 MB)

$(TOOLS)/made: gen/flow/requirements.txt
	@rm -rf $(TOOLS)
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

frameworks: $(FRAMEWORKS)/made ## Keras, into build/frameworks: tests then make its files anew

$(FRAMEWORKS)/made: tests/requirements-frameworks.txt
	@rm -rf $(FRAMEWORKS)
	$(PYTHON) -m venv $(FRAMEWORKS)
	$(FRAMEWORKS)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

tensorflow: $(TENSORFLOW)/made ## TensorFlow, into build/tensorflow (1.2 GB): tests then make its files anew

$(TENSORFLOW)/made: tests/requirements-tensorflow.txt
	@rm -rf $(TENSORFLOW)
	$(PYTHON) -m venv $(TENSORFLOW)
	$(TENSORFLOW)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

install: $(BUILD)/lstmgen ## install program, templates, testbench and man page (PREFIX, DESTDIR)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/lstmgen $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 755 $(BUILD)/lstmgen $(DESTDIR)$(PREFIX)/bin/lstmgen
	cp -R templates tb constraints $(DESTDIR)$(PREFIX)/share/lstmgen/
	install -d $(DESTDIR)$(PREFIX)/share/lstmgen/examples/reference
	install -m 755 examples/reference/reference.py $(DESTDIR)$(PREFIX)/share/lstmgen/examples/reference/
	install -m 644 gen/doc/lstmgen.1 $(DESTDIR)$(PREFIX)/share/man/man1/lstmgen.1

# ---- using

demo: setup ## build, generate the spoken-digits core, simulate it in Verilator, synthesise it, print the report
	@$(MAKE) --no-print-directory -s -j$(JOBS) all
	@sh tests/lib/demo.sh $(BUILD)/lstmgen $(EXAMPLE)

page: ## renew the plotting library of the sweeps' page from the npm registry (its version: templates/page/package.json)
	cd templates/page && npm ci --no-audit --no-fund && cp node_modules/chart.js/dist/chart.umd.min.js . && rm -rf node_modules

# ---- testing

test-programs: all $(UNIT_PROGRAMS) $(BUILD)/outputs

test: setup ## run all tests (tests/run NAME runs one)
	@$(MAKE) --no-print-directory -s -j$(JOBS) all-programs venv pnr-tools
	@$(PYTHON) tests/run

test-long: setup ## all tests, with 1000 random designs and everything under valgrind
	@$(MAKE) --no-print-directory -s -j$(JOBS) all-programs venv pnr-tools
	@$(PYTHON) tests/run --long

sanitize: setup ## unit tests and all bad input under the sanitizers of gcc and clang
	@$(MAKE) --no-print-directory -s -j$(JOBS) sanitized-programs
	@$(PYTHON) tests/run asan asan-clang

# The generator and the unit tests: plain, and with the sanitizers of both compilers.
SANITIZERS = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
all-programs: test-programs sanitized-programs
sanitized-programs:
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/asan SANITIZE="$(SANITIZERS)" test-programs
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/asan-clang CC=clang SANITIZE="$(SANITIZERS)" test-programs

bench: all ## the speed table: published accelerators' networks on our cores, simulated; build/bench/bench.md and .json
	@$(PYTHON) tests/bench/run.py

patterns: all ## every pattern on the trained models: writes gen/doc/patterns.md
	@$(PYTHON) tests/bench/patterns.py -o gen/doc/patterns.md

storage: all ## bits per kept weight of every pattern: writes gen/doc/storage.md
	@$(PYTHON) tests/bench/storage.py -o gen/doc/storage.md

sweeps: all ## run the sweeps of examples/ (6 minutes of CPU) and renew what gen/doc/sweeps.md shows of them
	@$(PYTHON) tests/bench/sweeps.py

area: all ## LUTs, registers and memories of every pattern by Yosys: writes gen/doc/area.md
	@$(PYTHON) tests/bench/area.py -o gen/doc/area.md

bench-gen: all ## measure the generator: 8 M weights to an output folder, seconds and memory; `check` on the examples
	@$(PYTHON) tests/e2e/bench_gen.py

lint: setup venv ## what a reviewer would run: clang build, cppcheck, Verilator -Wall, Icarus -Wall, Yosys check, slang
	@$(MAKE) --no-print-directory -s -j$(JOBS) BUILD=$(BUILD)/clang CC=clang test-programs
	cppcheck -q --std=c11 --enable=warning,performance,portability --error-exitcode=1 \
	    --library=tests/lib/cppcheck.cfg -I gen -I $(BUILD)/proto -j$(JOBS) gen tb
	@$(PYTHON) tests/rtl/lint.py

clean: ## remove build/
	rm -rf $(BUILD)
