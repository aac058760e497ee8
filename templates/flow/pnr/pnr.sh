#!/bin/sh
# Places and routes ${NAME} on ${TITLE}, from the folder that holds rtl/ and mem/:
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
    rm -f syn/${NAME}_pnr.json
    "$yosys" -q -l syn/${NAME}_pnr.log -s syn/pnr.ys
    test -s syn/${NAME}_pnr.json || { echo "pnr: $yosys left no netlist, see syn/${NAME}_pnr.log" >&2; exit 1; }
}

# place SEED
place() {
    nextpnr=$NEXTPNR
    test -n "$nextpnr" || nextpnr=$(find_program ${PNR_PROGRAM})
    rm -f "syn/${NAME}_$1.report.json" "syn/${NAME}_$1.${PNR_ENDING}"
    "$nextpnr" --version || true
    "$nextpnr" ${PNR_OPTIONS} --freq ${CLOCK_MHZ} --timing-allow-fail --seed "$1" \
        --json syn/${NAME}_pnr.json --report "syn/${NAME}_$1.report.json" ${PNR_WRITE} "syn/${NAME}_$1.${PNR_ENDING}"
}

# pack SEED
pack() {
    pack=$(find_program ${PNR_PACK})
    rm -f syn/${NAME}.bit
    "$pack" ${PNR_PACK_OPTIONS} "syn/${NAME}_$1.${PNR_ENDING}" syn/${NAME}.bit
}

case $1 in
netlist) netlist ;;
place) place "$2" ;;
pack) pack "$2" ;;
*)
    test $# -gt 0 || set -- 1
    netlist
    for seed in "$@"; do
        place "$seed" >"syn/${NAME}_$seed.log" 2>&1 || { tail -n 15 "syn/${NAME}_$seed.log" >&2; exit 1; }
        echo "seed $seed: $(grep 'Max frequency for clock' "syn/${NAME}_$seed.log" | tail -n 1)"
    done
    pack "$seed"
    echo "bitstream: syn/${NAME}.bit" ;;
esac
