#!/bin/sh
# run.sh [verilator|icarus]...: tests the testbench with a stand-in core, sound and with planted faults, in both
# simulators. Prints one line per case and "N passed, M failed"; exit status 1 when one failed.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/lstmgen_tb.XXXXXX")
trap 'rm -rf "$work"' EXIT
pass=0
fail=0

# folder CONTROL FAULT: an output folder with the stand-in core; its name has a blank on purpose.
folder() {
    out="$work/core $1 $2"
    mkdir -p "$out/rtl" "$out/tb"
    { [ "$2" = none ] || echo "\`define FAULT_$2"; cat "$here/dummy_dut.v"; } >"$out/rtl/dummy_top.v"
    echo rtl/dummy_top.v >"$out/rtl/filelist.f"
    cp "$root"/tb/*.c "$root"/tb/*.h "$root"/tb/*.cpp "$root"/tb/*.vlt "$root"/tb/*.sh "$out/tb/"
    sed 's/${NAME}/dummy/g; s/${TDATA_BITS}/32/g' "$root/tb/tb_top.v" >"$out/tb/tb_top.v"
    sed 's/${NAME}/dummy/g' "$root/templates/flow/output.mk" >"$out/Makefile"
    /usr/bin/python3 "$here/make_vectors.py" "$out" "$1"
}

# verdict NAME GOOD: counts and prints; GOOD is 0 for success.
verdict() {
    if [ "$2" = 0 ]; then pass=$((pass + 1)); echo "ok      $1"
    else fail=$((fail + 1)); echo "FAILED  $1"; sed 's/^/        /' "$work/log" | tail -n 12; fi
}

# simulate TARGET: runs the folder's own make target; its result file in $result.
simulate() {
    result="$out/build/result-$1.json"
    target=sim; [ "$1" = icarus ] && target=sim-icarus
    LG_CACHE="$work/cache" PATH=/usr/bin:/bin make -s -C "$out" $target >"$work/log" 2>&1
}

# sound CONTROL SIM: must pass, with the interval and latency that the RTL says: 3 x beats, then 7 cycles to the first
# output beat, 2 output beats: 3 + 6 + 2 = 11 cycles a step; the last beat is offered 8 edges after the last x beat.
sound() {
    folder "$1" none
    simulate "$2"
    good=$?
    grep -q '"pass":true' "$result" && grep -q '"interval":11,"latency":8,"steps":11,"total":121}' "$result" || good=1
    verdict "$2 sound core, control $1" $good
}

# faulty SIM FAULT WORDS: must fail with WORDS in its output, and with pass false in the result.
faulty() {
    folder 1 "$2"
    good=1
    if ! simulate "$1" && grep -q "$3" "$work/log" && grep -q '"pass":false' "$result"; then good=0; fi
    verdict "$1 $2" $good
}

[ $# -gt 0 ] || set -- icarus verilator
for sim in "$@"; do
    sound 1 "$sim"
    sound 0 "$sim"
    for seed in 2 3 4 5 6 7; do
        folder 1 none
        LG_SEED=$seed simulate "$sim"
        verdict "$sim seed $seed" $?
    done
    while read -r fault words; do
        # Verilator has two states: an X is a random bit there, and shows as one.
        case "$sim-$fault" in verilator-X_VALID) continue ;; verilator-X) words='mismatch: .* got' ;; esac
        faulty "$sim" "$fault" "$words"
    done <<'CASES'
DATA mismatch: MEASURE, sequence 0, step 3, element 2: expected
PADDING mismatch: .*(padding): expected 0000, got 0001
X mismatch: .* got ...x
X_VALID m_axis_tvalid is X or Z
TLAST m_axis_tlast is 0 on beat 2 of 2
EARLY_TLAST m_axis_tlast is 1 on beat 1 of 2
UNSTABLE_VALID m_axis_tvalid fell
STALL_DATA m_axis_tdata changed
LOST waiting for output step 5 of 11
EXTRA an output beat was offered though
HANG waiting for to send step
RESTART mismatch: MEASURE
STEPS register STEPS
RESET BREAK counters, .*register STEPS is
INTERVAL register INTERVAL
SATURATIONS register SATURATIONS
CYCLES register CYCLES went back
BUSY STATUS says busy
BRESP response is not OKAY
BEYOND response is not SLVERR
REPEATED register that does not exist is 0x4c53544d
WSTRB register STATUS (its bit ENABLED) is 0x00000000
LATE_RESET BREAK counters, .*offered though only 0 of 0
RDATA_HOLD reply of 0x.. changed
RVALID_HOLD rvalid fell
CASES
done
echo "$pass passed, $fail failed"
[ $fail = 0 ]
