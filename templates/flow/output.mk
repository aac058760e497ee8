# Simulation, lint and synthesis of ${NAME}. Works from a copy of this folder alone; needs the tools that a target
# names, nothing else. Results and built programs go to build/.
SIM_BUILD ?= build
YOSYS ?= yosys
# Seeds of `make pnr`.
SEEDS ?= 1
export SIM_BUILD

# Icarus and Yosys give the names of their temporary files to a shell: in here they are plain.
IN_BUILD = mkdir -p build/tmp && TMPDIR=build/tmp TMP=build/tmp TEMP=build/tmp

.PHONY: help sim sim-icarus waves lint synth pnr clean
.DEFAULT_GOAL := help

help:
	@echo "make sim         check the core bit for bit in Verilator, under random stalls; count cycles"
	@echo "make sim-icarus  the same in Icarus Verilog"
	@echo "make waves       the same in Icarus Verilog, signals to build/waves.fst"
	@echo "make lint        verilator -Wall, iverilog -Wall, yosys check: no warning"
	@echo "make synth       Yosys for the core's part: syn/${NAME}.ys"
	@echo "make pnr         place and route, where the part has an open tool; SEEDS='1 2 3': more than once"
	@echo "make clean       removes build/"
	@echo "LG_SEED=n        other gaps and stalls; LG_STEPS=n: at most n steps in each phase"

sim:
	@sh tb/simulate.sh verilator

sim-icarus:
	@sh tb/simulate.sh icarus

waves:
	@sh tb/simulate.sh waves

lint:
	verilator --lint-only -Wall --top-module ${NAME}_top -Irtl $(wildcard rtl/lint.vlt) -f rtl/filelist.f
	@mkdir -p "$$SIM_BUILD"
	@$(IN_BUILD) iverilog -g2005 -Wall -t null -s ${NAME}_top -Irtl -f rtl/filelist.f >"$$SIM_BUILD/lint.log" 2>&1; \
	    status=$$?; cat "$$SIM_BUILD/lint.log"; test $$status = 0 && test ! -s "$$SIM_BUILD/lint.log"
	$(IN_BUILD) $(YOSYS) -q -p "read_verilog -lib ${MODELS}; read_verilog -defer -Irtl $(shell cat rtl/filelist.f); \
	    hierarchy -check -top ${NAME}_top; proc; check -assert"

synth:
	$(IN_BUILD) $(YOSYS) -l syn/${NAME}.log -s syn/${NAME}.ys

pnr:
	@test -f syn/pnr.sh || { echo "pnr: no open place-and-route tool serves this part; see syn/ for the vendor's" >&2; exit 1; }
	$(IN_BUILD) sh syn/pnr.sh $(SEEDS)

clean:
	rm -rf -- "$$SIM_BUILD"
