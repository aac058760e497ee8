#!/usr/bin/python3
"""Fuzzes what reads users' words and files, with libFuzzer and the sanitizers of clang: some seconds, or with `long`
two minutes each.

    run.py                  20,000 inputs from the seeds below
    run.py long [SECONDS]   so many seconds (120) each, from a random start

An input that fails is printed, and stays in build/failed/.
"""
import collections, os, pathlib, pickle, shlex, shutil, subprocess, sys, tarfile, tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROTO = ROOT / "build/proto"
BASE = [*sorted((ROOT / "gen/base").glob("*.c"))]
EXPR = ["engine.pes * 2 > 7 and not fits or snr_db >= -1e3", "sparsity.pattern == dense", "-engine.pes < 1",
        "(cycles.interval + 1) / (engine.pes - 1) != 'text'", "max snr_db", "not not -(-absent) = \"x\""]
WORDS = ["engine.pes", "cycles.interval", "sparsity.pattern", "fits", "snr_db", "absent", "not", "and", "or", "==", "!=",
         "<=", ">=", "true", "false", "1e308", "0x1p3"]
CLASSES = ["ctorch._utils\\x0a_rebuild_tensor_v2\\x0a", "ccollections\\x0aOrderedDict\\x0a", "ctorch\\x0aSize\\x0a",
           "\\x8c\\x02os\\x8c\\x06system\\x93", ")R", "\\x85R", "(t", "X\\x01\\x00\\x00\\x00"]


def pickles():
    plain = {"state_dict": collections.OrderedDict(a=[1, 2.5, None, (True, "x")]), "epoch": -3, "big": 1 << 70}
    return [pickle.dumps(v, protocol=p) for p in (2, 3, 4) for v in (plain, [plain, plain], {1: b"bytes"}, {"s": {1}})]


def lites():
    """Small files of TensorFlow: of Lite, and frozen graphs."""
    with tarfile.open(ROOT / "tests/model/tensorflow/fixtures.tar.xz") as t:
        return [t.extractfile(n).read() for n in ("lite.tflite", "lite_int8.tflite", "rnn.pb")]


# What is fuzzed: its sources, the seeds, the words of its dictionary, the longest input.
TARGETS = {"expr": ("conditions", [ROOT / "gen/sweep/expr.c"], [s.encode() for s in EXPR], WORDS, 400),
           "pickle": ("pickles", [ROOT / "gen/model/pickle.c", ROOT / "gen/model/dtype.c"], pickles(), CLASSES, 1000),
           "tflite": ("flatbuffers and graphs", [ROOT / "gen/model" / n for n in ("tflite_file.cc", "protobuf.c", "dtype.c")]
                      + [PROTO / "model/graphdef.pb-c.c"], lites(), ["TFL3"], 12000)}


def build(folder, name, sources):
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "jansson", "libcrypto", "libprotobuf-c"], capture_output=True, text=True,
                           check=True).stdout
    program = "%s/fuzz_%s" % (folder, name)
    checks = ["-g", "-O1", "-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all", "-I", str(ROOT / "gen"), "-I",
              str(PROTO)]
    other = [s for s in sources if s.suffix == ".cc"]
    objects = ["%s/%s.o" % (folder, s.stem) for s in other]
    for source, to in zip(other, objects):
        subprocess.run(["clang++", "-std=gnu++17", "-fno-exceptions", "-fno-rtti", *checks, "-c", str(source), "-o", to],
                       check=True)
    subprocess.run(["clang", "-std=gnu11", *checks, str(ROOT / "tests/fuzz" / ("fuzz_%s.c" % name)),
                    *map(str, [s for s in sources + BASE if s not in other]), *objects, *shlex.split(flags), "-lm", "-o",
                    program], check=True)
    return program


def fuzz(name, limit, failed):
    """True: nothing failed."""
    title, sources, seeds, words, longest = TARGETS[name]
    with tempfile.TemporaryDirectory(prefix="lstmgen_fuzz.") as folder:
        program = build(folder, name, sources)
        os.mkdir(folder + "/seeds")
        for k, seed in enumerate(seeds):
            pathlib.Path(folder, "seeds", str(k)).write_bytes(seed)
        pathlib.Path(folder, "words").write_text("".join('"%s"\n' % w for w in words))
        done = subprocess.run([program, *limit, "-max_len=%d" % longest, "-timeout=10", "-print_final_stats=1",
                               "-dict=" + folder + "/words", "-artifact_prefix=%s/fuzz_%s-" % (failed, name),
                               folder + "/seeds"], capture_output=True, text=True, errors="replace")
    text = done.stderr
    runs = [l.split()[-1] for l in text.splitlines() if l.startswith("stat::number_of_executed_units")]
    print("%s: %s inputs" % (title, (runs or ["?"])[0]))
    if done.returncode:
        print(text[-3000:])
    return done.returncode == 0


def main():
    if not shutil.which("clang"):
        print("clang is not there")
        sys.exit(77)
    long = sys.argv[1:2] == ["long"]
    limit = ["-max_total_time=" + (sys.argv[2:] or ["120"])[0]] if long else ["-runs=20000", "-seed=7"]
    failed = ROOT / "build" / "failed"
    failed.mkdir(parents=True, exist_ok=True)
    good = [fuzz(name, limit, failed) for name in TARGETS]
    print("%d passed, %d failed" % (sum(good), len(good) - sum(good)))
    sys.exit(not all(good))


main()
