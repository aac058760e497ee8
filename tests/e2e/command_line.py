#!/usr/bin/python3
"""The command line: subcommands, --json, --set, exit statuses 0 to 4, tools that are missing or crash.  suite: 40 s

    command_line.py [WORD]...        only the cases with every WORD in their name
"""
import json, os, pathlib, random, re, shutil, subprocess, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from cases import Suite, check
from lstm import ROOT, layer_keys, lstmgen, little_spec, random_lstms, scratch, write_npz

SUBCOMMANDS = ["check", "sim", "synth", "prune", "import", "patterns", "cells", "keys"]
suite = Suite()


def expect(r, status, *words):
    check(r.status == status, "exit %s, not %s: %s", r.status, status, r.last())
    for word in words:
        check(word in r.err + r.out, "'%s' is not said: %s", word, (r.err + r.out)[-300:])


@suite.case("--help and --version")
def _():
    r = lstmgen("--help")
    expect(r, 0, *SUBCOMMANDS)
    check(not r.err, "--help writes to stderr")
    check(re.match(r"lstmgen \d+\.\d+", lstmgen("--version").out), "--version says %s", lstmgen("--version").out)
    for sub in SUBCOMMANDS:
        expect(lstmgen(sub, "--help"), 0, "lstmgen " + sub)


@suite.case("wrong use: status 2 and how it is used")
def _():
    for words in ([], ["sim"], ["check"], ["synth"], ["--nonsense"], ["check", "--nonsense", "x.yaml"],
                  ["sim", "x.yaml", "--sim", "modelsim"], ["x.yaml", "--set"], ["x.yaml", "-o"], ["check", "a", "b"]):
        r = lstmgen(*words)
        check(r.status == 2 and r.err and not r.out, "lstmgen %s: exit %s: %s", " ".join(words), r.status, r.last())


@suite.case("gen/doc/keys.md is what `keys --markdown` prints")
def _():
    r = lstmgen("keys", "--markdown")
    expect(r, 0)
    check(r.out == (ROOT / "gen" / "doc" / "keys.md").read_text(), "stale: lstmgen keys --markdown > gen/doc/keys.md")


@suite.case("patterns and keys")
def _():
    expect(lstmgen("patterns"), 0, "dense", "bank_balanced", "3289602")
    cells = lstmgen("cells")
    expect(cells, 0, "a = sigmoid(W x + R h + b [+ P c])", "cell: gru, reset: after", "state = p + kept, h = state")
    for key in re.findall(r'^CELL\("([a-z_]+)"', (ROOT / "gen" / "cell" / "cells.def").read_text(), re.M):
        check("cell: " + key.split("_")[0] in cells.out, "`cells` lacks %s", key)
    keys = lstmgen("keys")
    expect(keys, 0)
    for key in re.findall(r'^KEY\("([a-z_.]+)", (?!LATER)', (ROOT / "gen" / "spec" / "keys.def").read_text(), re.M):
        check(key in keys.out or key.split(".")[-1] in keys.out, "`keys` lacks %s", key)


@suite.case("check: writes nothing, one JSON object, the names of product.md")
def _():
    with scratch() as folder:
        spec = little_spec(folder)
        before = sorted(os.listdir(folder))
        r = lstmgen("check", spec, "--json", cwd=folder)
        expect(r, 0)
        check(sorted(os.listdir(folder)) == before, "check wrote something")
        for key in ("name", "version", "spec_sha256", "pattern", "network", "macs.dense", "macs.kept",
                    "multipliers.engine", "multipliers.cell", "cycles.minimum", "cycles.interval", "cycles.latency",
                    "memory.weight_bits", "memory.bits_per_kept_weight", "memory.bound_bits_per_kept_weight",
                    "memory.vector_bits", "verify.snr_db", "formats", "padding.macs_lost", "padding.lanes_idle", "use"):
            check(r.get(key) is not None, "--json lacks %s", key)
        for key in ("measured", "fmax_mhz", "verify.mismatches"):
            check(r.get(key) is None, "--json has %s, which check does not know", key)
        check(r.get("macs.dense") == 16 * 7 and r.get("multipliers.engine") == 4, "macs %s", r.get("macs"))
        check(r.get("cycles.minimum") == 28, "minimum %s", r.get("cycles.minimum"))
        plain = lstmgen("check", spec)
        expect(plain, 0, str(r.get("cycles.interval")))


@suite.case("check --accuracy: a row for every pattern and rate, the figures that check gives one by one")
def _():
    with scratch() as folder:
        spec = little_spec(folder, hidden=8)
        before = sorted(os.listdir(folder))
        r = lstmgen("check", "--accuracy", spec, "--json", cwd=folder)
        expect(r, 0)
        check(sorted(os.listdir(folder)) == before and r.get("steps") == 4, "steps %s", r.get("steps"))
        rows = {(row["pattern"], row["rate"]): row for row in r.object["rows"]}
        check([rate for p, rate in rows if p == "bank_balanced"] == [1, 0.5, 0.25, 0.125], "rates %s", list(rows))
        check(rows["dense", 1]["pruned_snr_db"] == 999 and ("dense", 0.5) not in rows, "dense %s", rows["dense", 1])
        for rate in (0.5, 0.25):
            one = lstmgen("check", spec, "--json", "--set", "sparsity.pattern=bank_balanced",
                          "--set", "sparsity.keep=%g" % rate)
            row = rows["bank_balanced", rate]
            check(abs(one.get("verify.snr_db") - row["rounded_snr_db"]) < 0.01, "%s, check says %s", row,
                  one.get("verify"))
            check(abs(one.get("macs.kept") / one.get("macs.dense") - row["kept"]) < 1e-3, "kept %s", row)
        expect(lstmgen("check", "--accuracy", spec), 0, "pruned without retraining", "bank_balanced")
        expect(lstmgen("check", "--accuracy", spec, "--set", "model.layers.0.W=V"), 1, "no tensor 'V'")


@suite.case("a network with one multiplier: more than 100 million cycles are counted")
def _():
    with scratch() as folder:
        words = 4 * 150 * (16 + 150)
        r = lstmgen("check", "--json", little_spec(folder, inputs=16, hidden=150, steps=1024, engine={"pes": 1, "pe_width": 1}))
        check(r.status == 0, "exit %s: %s", r.status, r.last())
        check(r.get("cycles.interval") == words and 1024 * words > 10**8, "interval %s", r.get("cycles.interval"))


@suite.case("sizes that a word of an image or a number of a tile can not hold are refused")
def _():
    with scratch() as folder:
        r = lstmgen("check", little_spec(folder, inputs=2**16 + 1, hidden=1, steps=1, sparsity={"pattern": "grouped_columns"}))
        check(r.status == 1 and "17 bits, and 16 are the most" in r.err, "exit %s: %s", r.status, r.last())
        head = random_lstms(random.Random(1), [(1, 1)], head=2**16)
        spec = little_spec(folder, inputs=1, hidden=1, model={"file": "little.npz", "layers": layer_keys(1, head=True)})
        write_npz(folder + "/little.npz", head)
        for pes, said in ((1, "65536 are the most: use more PEs"), (2, "")):
            r = lstmgen("check", spec, "--set", "engine.pes=%d" % pes)
            check(r.status == (1 if said else 0) and said in r.err, "%d PEs: exit %s: %s", pes, r.status, r.last())


@suite.case("--set changes a key, by name and by index")
def _():
    with scratch() as folder:
        spec = little_spec(folder)
        r = lstmgen("check", spec, "--json", "--set", "engine.pes=4", "--set", "precision.weight=6")
        expect(r, 0)
        check(r.get("multipliers.engine") == 8, "multipliers %s", r.get("multipliers"))
        expect(lstmgen("check", spec, "--set", "model.layers.0.W=nothing"), 1, "nothing")
        expect(lstmgen("check", spec, "--set", "engin.pes=4"), 1, "engine")
        expect(lstmgen("check", spec, "--set", "engine.pes=many"), 1, "pes")


@suite.case("sim: the report has what was measured", ["iverilog"])
def _():
    with scratch() as folder:
        r = lstmgen("sim", little_spec(folder), "--sim", "icarus", "--json", "-o", folder + "/out")
        expect(r, 0)
        check(r.get("measured.interval") == r.get("cycles.interval") and r.get("verify.mismatches") == 0, r.out[-300:])
        stored = json.loads(pathlib.Path(folder, "out", "report.json").read_text())
        check(stored == r.object, "report.json is not what --json printed")


@suite.case("sim: SNR below verify.min_snr_db is status 3", ["iverilog"])
def _():
    with scratch() as folder:
        spec = little_spec(folder, precision={"activation": 6, "weight": 4, "state": 12})
        r = lstmgen("sim", spec, "--sim", "icarus", "-o", folder + "/out", "--set", "verify.min_snr_db=90")
        expect(r, 3, "min_snr_db")


def spoilt_data(folder, name, pattern, replacement):
    """A copy of the program's data with one template changed; the environment that makes lstmgen use it."""
    data = pathlib.Path(folder, "data")
    for part in ("templates", "tb", "constraints"):
        shutil.copytree(ROOT / part, data / part)
    path = data / name
    text, n = re.subn(pattern, replacement, path.read_text())
    check(n > 0, "%s has no text like %s", name, pattern)
    path.write_text(text)
    return dict(os.environ, LSTMGEN_DATA=str(data))


@suite.case("sim: wrong RTL is status 3 with its mismatches", ["iverilog"])
def _():
    with scratch() as folder:
        env = spoilt_data(folder, "templates/cell/lg_lane.v", r" \+ HALF_C;", ";")
        r = lstmgen("sim", little_spec(folder, precision={"state": 10}), "--sim", "icarus", "--json", "-o", folder + "/out", env=env)
        expect(r, 3)
        check(r.get("verify.mismatches", 0) > 0, "verify %s", r.get("verify"))


@suite.case("a template with an unknown hole is refused")
def _():
    with scratch() as folder:
        env = spoilt_data(folder, "templates/top/core.v", r"\$\{OUTPUTS\} elements", "${NOWHERE} elements")
        r = lstmgen(little_spec(folder), "-o", folder + "/out", env=env)
        check(r.status in (1, 70) and "NOWHERE" in r.err and "core.v" in r.err, "exit %s: %s", r.status, r.last())
        check(not os.path.exists(folder + "/out"), "something was written")


@suite.case("a fault in an included template is told by its own file and line")
def _():
    with scratch() as folder:
        env = spoilt_data(folder, "templates/top/gather.v", r"\.RUNS\(RUNS\)", ".RUNS(${NOWHERE})")
        lines = (pathlib.Path(env["LSTMGEN_DATA"]) / "templates/top/gather.v").read_text().splitlines()
        line = next(n for n, text in enumerate(lines, 1) if "NOWHERE" in text)
        r = lstmgen(little_spec(folder), "-o", folder + "/out", env=env)
        check(r.status == 70 and "gather.v:%d: no value for ${NOWHERE}" % line in r.err, "exit %s: %s", r.status,
              r.last())


def tools_without(folder, missing):
    """A PATH with everything of the usual one but these programs."""
    there = pathlib.Path(folder, "bin")
    there.mkdir()
    for place in ("/bin", "/usr/bin"):
        for path in pathlib.Path(place).iterdir():
            link = there / path.name
            if path.name not in missing and not link.is_symlink():
                link.symlink_to(path)
    return dict(os.environ, PATH=str(there))


def missing_tool(sub, program, package, *options):
    def run():
        with scratch() as folder:
            env = tools_without(folder, [program])
            r = lstmgen(sub, little_spec(folder), "-o", folder + "/out", *options, env=env)
            expect(r, 4, program, package)
    suite.add("%s without %s: status 4, names it and its package" % (sub, program), run)


missing_tool("sim", "verilator", "verilator")
missing_tool("sim", "iverilog", "iverilog", "--sim", "icarus")
missing_tool("sim", "g++", "g++")
missing_tool("synth", "yosys", "yosys", "--part", "LFE5U-25F")


def crash(sub, program, script, words, *options):
    """A tool that misbehaves is put before the real ones in PATH."""
    def run():
        with scratch() as folder:
            os.mkdir(folder + "/bin")
            path = pathlib.Path(folder, "bin", program)
            path.write_text("#!/bin/sh\n" + script + "\n")
            path.chmod(0o755)
            env = dict(os.environ, PATH=folder + "/bin:" + os.environ["PATH"], LG_CACHE=folder + "/cache")
            expect(lstmgen(sub, little_spec(folder), "-o", folder + "/out", *options, env=env), 4, *words)
    suite.add("%s: %s" % (sub, words[0]), run)


crash("sim", "vvp", "kill -SEGV $$", ["signal 11"], "--sim", "icarus")
crash("sim", "vvp", "exit 0", ["without a result"], "--sim", "icarus")
crash("sim", "iverilog", "echo 'core.v:7: syntax error' >&2; exit 2", ["core.v:7: syntax error", "failed"],
      "--sim", "icarus")
crash("synth", "yosys", "echo 'ERROR: out of luck' >&2; exit 1", ["out of luck", "yosys"], "--part", "LFE5U-25F")
crash("synth", "yosys", "exit 0", ["yosys"], "--part", "LFE5U-25F")


@suite.case("a family of `check` only: check works, a core is refused and nothing written")
def _():
    for part in ("10AX115", "5SGXEA7K2F40C2", "10M50", "MPF300T"):
        with scratch() as folder:
            r = lstmgen("check", little_spec(folder), "--part", part, "--json")
            check(r.status == 0 and r.get("resources.bram") > 0 and r.get("resources.lut") > 0, "%s: %s", part, r.err)
            for words in ([], ["synth"], ["sim"]):
                r = lstmgen(*words, folder + "/little.yaml", "--part", part, "-o", folder + "/out")
                expect(r, 1, "only `lstmgen check` knows")
                check(not os.path.exists(folder + "/out"), "%s wrote a folder", words)


@suite.case("an unknown part is refused and a near one named")
def _():
    with scratch() as folder:
        r = lstmgen("check", little_spec(folder), "--set", "target.part=LFE5U-85G")
        expect(r, 1, "LFE5U-85F")


@suite.case("results go to stdout, diagnostics to stderr, no colour in a pipe")
def _():
    with scratch() as folder:
        r = lstmgen("check", little_spec(folder))
        expect(r, 0)
        check(r.out and "\033" not in r.out + r.err, "escape codes in a pipe")
        bad = lstmgen("check", little_spec(folder), "--set", "engine.pes=0")
        check(bad.status == 1 and not bad.out and "pes" in bad.err, "exit %s, stdout %r", bad.status, bad.out[:80])


@suite.case("a full pipe or a closed one does no harm")
def _():
    with scratch() as folder:
        spec = little_spec(folder)
        with open("/dev/full", "w") as full:
            r = subprocess.run([str(lstm_program()), "check", str(spec)], stdout=full, stderr=subprocess.PIPE)
        check(r.returncode in (1, 4) and r.stderr, "writing to a full device: exit %s, %r", r.returncode, r.stderr[:80])


def lstm_program():
    return os.environ.get("LSTMGEN") or ROOT / "build" / "lstmgen"


suite.main()
