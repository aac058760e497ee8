#!/bin/sh
# simulate.sh verilator|icarus|waves: builds the simulation of this core and runs it; called by the Makefile from the
# output folder's root. Writes $SIM_BUILD/result-<simulator>.json; the exit status is 0 only with a PASS.
#
# Programs are kept in $LG_CACHE under a hash of all they are made of (not of mem/, which is read at run time), so the
# same RTL with other weights or other vectors needs no new build.
set -eu
unset CDPATH
kind=$1
here=$(pwd && echo .)
here=${here%??}                          # a name that ends in a line end keeps it
absolute() { case $1 in /*) printf '%s\n' "$1" ;; *) printf '%s\n' "$here/$1" ;; esac; }
build=$(absolute "${SIM_BUILD:-build}")
cache=$(absolute "${LG_CACHE:-$build/cache}")
mkdir -p "$build" "$cache"
optimise=${SIM_OPT:--O1}
runtime_flags=-DVL_VALUE_STRING_MAX_WORDS=1100          # beats of up to 32,768 bits
c_files="lstmgen_tb tb_report tb_stream tb_axil tb_config tb_delta"
defines=
if grep -q '^control 1' tb/config.txt; then defines=-DLG_CONTROL; fi
if grep -q '^last 1' tb/config.txt; then defines="$defines -DLG_LAST"; fi

fail() { echo "simulate.sh: $*" >&2; exit 4; }

need() {
    command -v "$1" >/dev/null 2>&1 || fail "$1: not found; on Debian: apt install $2"
}

hash_of() { sha256sum | cut -c1-32; }

# Builds run in a temporary folder and see nothing but relative names: Verilator writes the names that it is given into
# a makefile, Icarus gives those of its temporary files to a shell; with blanks or $() neither would stay what it is.
scratch=$(mktemp -d "$(absolute "${TMPDIR:-/tmp}")/lstmgen_sim.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 4' INT TERM
ln -s "$here/rtl" "$here/tb" "$scratch/"

# keep FILE NAME: puts a finished file into the cache in one step, so that parallel runs never see half of it.
keep() {
    cp "$1" "$cache/$2.$$" && mv -f "$cache/$2.$$" "$cache/$2"
}

# compile_c INCLUDE FLAGS...: the testbench's objects, into obj/.
compile_c() {
    include=$1; shift
    for f in $c_files; do
        gcc -std=gnu11 -O2 -I"$include" "$@" -c "tb/$f.c" -o "obj/$f.o"
    done
}

# Objects that no design changes (Verilator's runtime, the C testbench), built once per tool version.
seed_runtime() {
    runtime=$( { verilator --version; g++ --version; echo "$root $runtime_flags"; cat tb/*.c tb/*.h; } | hash_of)
    runtime=runtime-$runtime.tar
    if [ -f "$cache/$runtime" ]; then
        tar --force-local -xmf "$cache/$runtime" -C obj
    else
        compile_c "$root/include/vltstd"
    fi
}

keep_runtime() {
    if [ -f "$cache/$runtime" ]; then return; fi
    (cd obj && tar -cf runtime.tar verilated*.o $(printf '%s.o ' $c_files))
    keep obj/runtime.tar "$runtime"
}

name_verilator() {
    need verilator verilator
    need g++ g++
    root=$(verilator --getenv VERILATOR_ROOT)
    program=verilator-$( { verilator --version; g++ --version; echo "$optimise $defines $runtime_flags"; \
        cat rtl/* tb/*.c tb/*.h tb/*.cpp tb/*.v tb/*.vlt tb/simulate.sh; } | hash_of)
}

build_verilator() {
    if [ -x "$cache/$program" ]; then touch "$cache/$program"; return; fi
    find "$cache" -name 'verilator-*' -mtime +14 -delete         # not used for two weeks
    verilator --cc --vpi --prefix Vtb_top --top-module tb_top -Mdir obj -O3 --x-assign fast --x-initial unique \
        -Wno-fatal -Wno-lint -Wno-style -Irtl $defines -CFLAGS "$runtime_flags" \
        --exe tb/public.vlt tb/tb_top.v -f rtl/filelist.f tb/sim_main.cpp
    seed_runtime
    objects=$(printf "%s.o " $c_files)
    wrapper=
    if command -v ccache >/dev/null 2>&1 && [ -n "${HOME:-}" ] && [ -w "$HOME" ]; then wrapper=ccache; fi
    mkdir obj/tb
    cp tb/sim_main.cpp obj/tb/
    make -s -j "${SIM_JOBS:-2}" -C obj -f Vtb_top.mk Vtb_top OBJCACHE="$wrapper" OPT_FAST="$optimise" \
        OPT_SLOW=-O0 OPT_GLOBAL=-O2 USER_LDLIBS="$objects"
    keep obj/Vtb_top "$program"
    keep_runtime
}

name_icarus() {
    need iverilog iverilog
    need gcc gcc
    module=icarus-$( { iverilog -V 2>/dev/null | head -n 1; gcc --version; cat tb/*.c tb/*.h; } | hash_of)
    program=$scratch/sim.vvp
}

build_icarus() {
    if [ ! -f "$cache/$module.vpi" ]; then
        include=$(iverilog-vpi --cflags | tr ' ' '\n' | sed -n 's/^-I//p' | head -n 1)
        compile_c "$include" -fPIC
        (cd obj && gcc -shared -o tb.vpi $(printf '%s.o ' $c_files))
        keep obj/tb.vpi "$module.vpi"
    fi
    iverilog -g2005 -o sim.vvp -s tb_top $defines "$@" -Irtl -f rtl/filelist.f tb/tb_top.v
}

# logged COMMAND...: runs a build in $scratch with all output in the log; ends with the log when it fails. (Not `build || fail`:
# the shell would go on after an error inside.)
logged() {
    set +e
    (set -e; cd "$scratch"; mkdir obj; TMPDIR=. TMP=. TEMP=.; export TMPDIR TMP TEMP; "$@") >"$log" 2>&1
    built=$?
    set -e
    if [ $built != 0 ]; then
        cat "$log" >&2
        fail "building the $kind simulation failed"
    fi
}

LG_RESULT=$build/result-$kind.json
export LG_RESULT
rm -f "$LG_RESULT"
log=$build/$kind.log
status=0
case $kind in
verilator)
    name_verilator
    logged build_verilator
    "$cache/$program" >"$log" 2>&1 || status=$? ;;
icarus)
    name_icarus
    logged build_icarus
    vvp -n -M "$cache" -m "$module" "$program" >"$log" 2>&1 || status=$? ;;
waves)
    name_icarus
    logged build_icarus -DLG_WAVES
    vvp -n -M "$cache" -m "$module" "$program" -fst >"$log" 2>&1 || status=$?
    mv waves.fst "$build/" ;;
*)
    fail "unknown simulator $kind" ;;
esac
cat "$log"
[ "$status" -le 128 ] || fail "the $kind simulation was ended by signal $((status - 128))"
[ -f "$LG_RESULT" ] || fail "the $kind simulation ended (status $status) without a result"
grep -q '^PASS$' "$log" || exit 3
