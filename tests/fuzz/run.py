#!/usr/bin/python3
"""Fuzzes what reads users' words, with libFuzzer and the sanitizers of clang: some seconds, or with `long` two minutes.

    run.py                  20,000 inputs from the seeds below
    run.py long [SECONDS]   so many seconds (120), from a random start

An input that fails is printed, and stays in build/failed/.
"""
import os, pathlib, shlex, shutil, subprocess, sys, tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SOURCES = [ROOT / "tests/fuzz/fuzz_expr.c", ROOT / "gen/sweep/expr.c", *sorted((ROOT / "gen/base").glob("*.c"))]
SEEDS = ["engine.pes * 2 > 7 and not fits or snr_db >= -1e3", "sparsity.pattern == dense", "-engine.pes < 1",
         "(cycles.interval + 1) / (engine.pes - 1) != 'text'", "max snr_db", "not not -(-absent) = \"x\""]
WORDS = ["engine.pes", "cycles.interval", "sparsity.pattern", "fits", "snr_db", "absent", "not", "and", "or", "==",
         "!=", "<=", ">=", "true", "false", "1e308", "0x1p3"]


def build(folder):
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "jansson", "libcrypto"], capture_output=True, text=True,
                           check=True).stdout
    program = folder + "/fuzz_expr"
    subprocess.run(["clang", "-std=gnu11", "-g", "-O1", "-fsanitize=fuzzer,address,undefined",
                    "-fno-sanitize-recover=all", "-I", str(ROOT / "gen"), *map(str, SOURCES), *shlex.split(flags), "-lm", "-o", program], check=True)
    return program


def main():
    if not shutil.which("clang"):
        print("clang is not there")
        sys.exit(77)
    long = sys.argv[1:2] == ["long"]
    limit = ["-max_total_time=" + (sys.argv[2:] or ["120"])[0]] if long else ["-runs=20000", "-seed=7"]
    failed = ROOT / "build" / "failed"
    failed.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="lstmgen_fuzz.") as folder:
        program = build(folder)
        os.mkdir(folder + "/seeds")
        for k, text in enumerate(SEEDS):
            pathlib.Path(folder, "seeds", str(k)).write_text(text)
        pathlib.Path(folder, "words").write_text("".join('"%s"\n' % w for w in WORDS))
        done = subprocess.run([program, *limit, "-max_len=400", "-timeout=10", "-print_final_stats=1",
                               "-dict=" + folder + "/words", "-artifact_prefix=%s/fuzz_expr-" % failed,
                               folder + "/seeds"], capture_output=True, text=True, errors="replace")
    text = done.stderr
    runs = [l.split()[-1] for l in text.splitlines() if l.startswith("stat::number_of_executed_units")]
    print("conditions: %s inputs" % (runs or ["?"])[0])
    if done.returncode:
        print(text[-3000:])
    print("%d passed, %d failed" % (done.returncode == 0, done.returncode != 0))
    sys.exit(done.returncode != 0)


main()
