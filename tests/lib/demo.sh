#!/bin/sh
# demo.sh PROGRAM SPEC: generates a core, simulates it in Verilator, synthesises it; each prints its part of the report.
set -eu
program=$1
spec=$2
echo "== $program sim $spec"
"$program" sim "$spec"
echo
echo "== $program synth $spec"
"$program" synth "$spec"
