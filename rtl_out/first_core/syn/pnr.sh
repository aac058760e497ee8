#!/bin/sh
# Places and routes first_core on Lattice ECP5, from the folder that holds rtl/ and mem/:
#     sh syn/pnr.sh [SEED]...         netlist, then one placement for each seed (default: 1), bitstream of the last
#     sh syn/pnr.sh netlist | place SEED | pack SEED         one of these steps
# Programs: $YOSYS and $NEXTPNR, else those in PATH, else PyPI's (yowasp-...) in PATH. Results: syn/.
set -e

find_program() {
    for program in "$1" "yowasp-$1"; do
        if command -v "$program" >/dev/null 2>&1; then echo "$program"; return; fi
    done
    echo "pnr: $1 is not there; PyPI has it: pip install yowasp-$1" >&2
    exit 127
}

netlist() {
    yosys=$YOSYS
    test -n "$yosys" || yosys=$(find_program yosys)
    rm -f syn/first_core_pnr.json
    "$yosys" -q -l syn/first_core_pnr.log -s syn/pnr.ys
    test -s syn/first_core_pnr.json || { echo "pnr: $yosys left no netlist, see syn/first_core_pnr.log" >&2; exit 1; }
}

# place SEED
place() {
    nextpnr=$NEXTPNR
    test -n "$nextpnr" || nextpnr=$(find_program nextpnr-ecp5)
    rm -f "syn/first_core_$1.report.json" "syn/first_core_$1.config"
    "$nextpnr" --version || true
    "$nextpnr" --85k --speed 6 --lpf-allow-unconstrained --freq 100 --timing-allow-fail --seed "$1" \
        --json syn/first_core_pnr.json --report "syn/first_core_$1.report.json" --textcfg "syn/first_core_$1.config"
}

# pack SEED
pack() {
    pack=$(find_program ecppack)
    rm -f syn/first_core.bit
    "$pack"  "syn/first_core_$1.config" syn/first_core.bit
}

case $1 in
netlist) netlist ;;
place) place "$2" ;;
pack) pack "$2" ;;
*)
    test $# -gt 0 || set -- 1
    netlist
    for seed in "$@"; do
        place "$seed" >"syn/first_core_$seed.log" 2>&1 || { tail -n 15 "syn/first_core_$seed.log" >&2; exit 1; }
        echo "seed $seed: $(grep 'Max frequency for clock' "syn/first_core_$seed.log" | tail -n 1)"
    done
    pack "$seed"
    echo "bitstream: syn/first_core.bit" ;;
esac
