#!/usr/bin/python3
"""lstmgen sweep: rows equal `check`, resume after kill -9, zip and where, --best, bad input.  suite: 60 s

    sweep.py [WORD]...        only the cases with every WORD in their name
"""
import csv, json, os, pathlib, pty, random, re, resource, shutil, signal, subprocess, sys, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from cases import Failure, Suite, check, until
from lstm import (LSTMGEN, layer_keys, little_spec, lstmgen, random_lstms, random_values, scratch, write_npy,
                  write_npz)

suite = Suite()
AXES = {"engine.pes": [1, 2, 4], "engine.pe_width": [1, 2], "precision.weight": {"from": 4, "to": 16, "step": 4}}


def sweep_file(folder, axes=AXES, **keys):
    """A sweep over `base`, or little_spec(); the file's path."""
    path = pathlib.Path(folder, "sweep.yaml")
    base = keys.pop("base", None) or str(little_spec(folder))
    path.write_text(json.dumps(dict({"name": "s", "base": base, "axes": axes}, **keys)))
    return str(path)


def rows(folder):
    with open(folder + "/o/points.csv", newline="") as file:
        return list(csv.DictReader(file))


def run(path, folder, *words, **more):
    return lstmgen("sweep", path, "-o", folder + "/o", *words, cwd=folder, **more)


def good(r):
    check(r.status == 0, "exit %s: %s", r.status, r.last())


@suite.case("rows are the figures of check")
def _():
    with scratch() as folder:
        path = sweep_file(folder)
        good(run(path, folder, "-j", "2"))
        table = rows(folder)
        check(len(table) == 24 and [int(r["point"]) for r in table] == list(range(1, 25)), "%d rows", len(table))
        for row in table[::5]:
            sets = [w for k in AXES for w in ("--set", "%s=%s" % (k, row[k]))]
            r = lstmgen("check", folder + "/o/base.yaml", "--json", *sets)
            for name in ("cycles.interval", "cycles.latency", "resources.lut", "verify.snr_db", "macs.kept"):
                check(float(row[name]) == r.get(name), "point %s: %s %s, check says %s", row["point"], name, row[name],
                      r.get(name))
        for name in ("front.svg", "manifest.json", "points.jsonl"):
            check(os.path.exists(folder + "/o/" + name), "no %s", name)


@suite.case("what points share of their early stages changes no figure: all patterns, against check")
def _():
    with scratch() as folder:
        axes = {"sparsity.pattern": ["dense", "bank_balanced", "column_balanced", "structured_blocks",
                                     "grouped_columns"],
                "sparsity.keep": [1.0, 0.5, 0.25], "precision.weight": [6, 12], "engine.pes": [1, 3, 4],
                "engine.pe_width": [2, 3]}
        path = sweep_file(folder, axes, base=str(little_spec(folder, inputs=10, hidden=13)))
        good(run(path, folder))
        table = [r for r in rows(folder) if r["status"] == "ok"]
        check(len({r["sparsity.pattern"] for r in table}) == 5, "a pattern has no row")
        for row in random.Random(1).sample(table, 25):
            sets = [w for k in axes for w in ("--set", "%s=%s" % (k, row[k]))]
            r = lstmgen("check", folder + "/o/base.yaml", "--json", *sets)
            for name in ("cycles.interval", "cycles.latency", "resources.lut", "verify.snr_db", "macs.kept",
                         "memory.index_bits",
                         "verify.prune_snr_db", "padding.macs_lost"):
                value = r.get(name)
                check(row[name] == "" and value is None or abs(float(row[name]) - value) < 1e-8 * max(1, abs(value)),
                      "point %s: %s %s, check says %s", row["point"], name, row[name], value)


@suite.case("delta.profile deals columns anew for each number of arrays, as check does")
def _():
    with scratch() as folder:
        inputs, steps, rng = 6, 40, random.Random(5)
        for name in ("profile", "x"):
            walk = [0.0] * inputs
            values = [walk.__setitem__(e, walk[e] + rng.choice((0, 0, e / 4))) or walk[e] for _ in range(steps)
                      for e in range(inputs)]
            write_npy(folder + "/%s.npy" % name, (steps, inputs), values)
        base = little_spec(folder, inputs=inputs, hidden=16, sparsity={"pattern": "column_balanced", "keep": 0.5},
                           engine={"pes": 4}, delta={"x": 0.125, "h": 0.0625, "profile": "profile.npy"},
                           verify={"input": "x.npy"})
        path = sweep_file(folder, {"engine.pe_width": [1, 2, 4]}, base=str(base))
        good(run(path, folder, "-j", "1"))
        table = rows(folder)
        for row in table:
            r = lstmgen("check", folder + "/o/base.yaml", "--json", "--set", "engine.pe_width=" + row["engine.pe_width"])
            for name in ("cycles.interval", "verify.snr_db", "verify.prune_snr_db"):
                check(row[name] and abs(float(row[name]) - r.get(name)) < 1e-6, "pe_width %s: %s %s, check says %s",
                      row["engine.pe_width"], name, row[name], r.get(name))
        check(len({r["verify.prune_snr_db"] for r in table}) > 1, "the order does not depend on the arrays here")
        write_npy(folder + "/profile.npy", (steps, inputs), values[::-1])
        again = run(path, folder, "-j", "1")
        good(again)
        check("before" not in again.out, "points of another profile were taken over: %s", again.out)


@suite.case("-j 1 and -j 2 write the same bytes, an inline base the same rows")
def _():
    with scratch() as folder:
        path = sweep_file(folder, base=json.loads(little_spec(folder).read_text()))
        good(run(path, folder))
        inline = [dict(t, key="") for t in rows(folder)]
        path = sweep_file(folder)
        good(run(path, folder, "-j", "1", "--force"))
        check(inline == [dict(t, key="") for t in rows(folder)], "an inline base gives other rows")
        one = pathlib.Path(folder, "o/points.jsonl").read_bytes()
        good(run(path, folder, "-j", "2", "--force"))
        check(one == pathlib.Path(folder, "o/points.jsonl").read_bytes(), "-j 2 differs")
        again = run(path, folder)
        good(again)
        check("24 were finished before" in again.out, "not taken over: %s", again.out)


def slow_file(folder):
    """120 points that take some 2 s in all."""
    write_npz(folder + "/slow.npz", random_lstms(random.Random(3), [(3, 48)]))
    write_npy(folder + "/slow.npy", (1000, 3), random_values(random.Random(4), 3000))
    base = {"model": {"file": "slow.npz", "layers": layer_keys(1)}, "engine": {"pe_width": 2},
            "verify": {"input": "slow.npy"}}
    return sweep_file(folder, {"precision.weight": list(range(5, 17)), "precision.activation": list(range(7, 17))},
                      base=base)


def keys_in(journal):
    return {json.loads(line)["key"] for line in journal.read_bytes().split(b"\n")[:-1]}


def begin(path, folder, *words, **more):
    return subprocess.Popen([str(LSTMGEN), "sweep", path, "-o", folder + "/o"] + list(words), stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True, **more)


def until_rows(journal, n):
    until(lambda: journal.exists() and journal.read_bytes().count(b"\n") >= n, "%d rows" % n)


def children(pid):
    return [int(c) for c in pathlib.Path("/proc/%d/task/%d/children" % (pid, pid)).read_text().split()]


@suite.case("kill -9 at ten random moments loses no finished point; a torn last line is done again")
def _():
    with scratch() as folder:
        path, journal, rng, before = slow_file(folder), pathlib.Path(folder, "o/points.jsonl"), random.Random(5), set()
        for _ in range(10):
            p = begin(path, folder, "-j", "2")
            until_rows(journal, len(before) + rng.randrange(1, 11))
            time.sleep(rng.uniform(0, 0.03))
            p.kill()
            p.communicate()
            lines = journal.read_bytes().split(b"\n")[:-1]
            now = {json.loads(line)["key"] for line in lines}
            check(before < now and len(now) == len(lines), "%d finished points lost, a point twice", len(before - now))
            before = now
        check(len(before) < 120, "all points were finished before the last kill")
        with open(journal, "ab") as file:
            file.write(b'{"point":7,"key":"torn')
        r = run(path, folder)
        good(r)
        check("%d were finished before" % len(before) in r.out, "%d were finished: %s", len(before), r.out)
        check(len(rows(folder)) == 120 and "torn" not in journal.read_text(), "%d rows", len(rows(folder)))


@suite.case("a full disk is said, loses no finished point, and the next run goes on")
def _():
    with scratch() as folder:
        path, journal = slow_file(folder), pathlib.Path(folder, "o/points.jsonl")
        limit = 60000                   # bytes that a file may have: some 40 rows
        p = begin(path, folder, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        words = p.communicate(timeout=300)[1]
        check(p.returncode == 1 and "cannot write" in words and "too large" in words, "exit %s: %s", p.returncode,
              words)
        there = keys_in(journal)
        check(journal.stat().st_size == limit and len(there) > 10, "%d bytes, %d rows", journal.stat().st_size,
              len(there))
        r = run(path, folder, "-j", "2")
        good(r)
        check("%d were finished before" % len(there) in r.out and there <= keys_in(journal), "%s", r.out)
        check(len(rows(folder)) == 120, "%d rows", len(rows(folder)))


@suite.case("no room for the first row: nothing but words")
def _():
    with scratch() as folder:
        r = run(sweep_file(folder), folder, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)))
        check(r.status == 1 and "cannot write" in r.err, "exit %s: %s", r.status, r.err)


@suite.case("a worker that crashes fails its point alone; the next run does it again")
def _():
    with scratch() as folder:
        path, journal = slow_file(folder), pathlib.Path(folder, "o/points.jsonl")
        p = begin(path, folder, "-j", "2")
        until_rows(journal, 10)
        os.kill(children(p.pid)[0], signal.SIGSEGV)
        words = p.communicate(timeout=300)[1]
        failed = [r for r in rows(folder) if r["status"] == "failed"]
        check(p.returncode == 4 and len(failed) == 1 and len(rows(folder)) == 120, "exit %s, %d failed", p.returncode,
              len(failed))
        check("signal 11" in failed[0]["reason"] and "signal 11" in words, "%s; %s", failed[0]["reason"], words)
        r = run(path, folder)
        good(r)
        check("119 were finished before" in r.out and all(t["status"] == "ok" for t in rows(folder)), "%s", r.out)


@suite.case("a worker that somebody ends, as a shutdown does, is no failed point: the sweep stops and goes on later")
def _():
    with scratch() as folder:
        path, journal = slow_file(folder), pathlib.Path(folder, "o/points.jsonl")
        p = begin(path, folder, "-j", "2")
        until_rows(journal, 10)
        os.kill(children(p.pid)[0], signal.SIGTERM)
        words = p.communicate(timeout=300)[1]
        check(p.returncode == 130 and "stopped" in words and b"failed" not in journal.read_bytes(), "exit %s: %s",
              p.returncode, words)
        there = len(keys_in(journal))
        r = run(path, folder)
        good(r)
        check("%d were finished before" % there in r.out and len(rows(folder)) == 120, "%s", r.out)


def written(path):
    return os.path.exists(path) and os.path.getsize(path) > 0


def ended(pid):
    try:
        return pathlib.Path("/proc/%d/stat" % pid).read_text().split()[2] == "Z"
    except OSError:                     # it went while we looked
        return True


@suite.case("^C ends the tools of a point, keeps finished points, status 130", ["iverilog"])
def _():
    with scratch() as folder:
        tools = pathlib.Path(folder, "bin")
        tools.mkdir()
        slow = tools / "vvp"            # a simulation that would take a minute
        slow.write_text("#!/bin/sh\necho $$ > %s/vvp.pid\nsleep 1000 & echo $! > %s/sleep.pid\nwait\n"
                        % (folder, folder))
        slow.chmod(0o755)
        path = sweep_file(folder, {"engine.pes": [1, 2]}, depth="simulate")
        p = begin(path, folder, "--sim", "icarus", env=dict(os.environ, PATH="%s:%s" % (tools, os.environ["PATH"])))
        until(lambda: written(folder + "/sleep.pid"), "simulation")
        p.send_signal(signal.SIGINT)
        words = p.communicate(timeout=300)[1]
        check(p.returncode == 130 and "stopped; 0 of 2" in words, "exit %s: %s", p.returncode, words)
        for name in ("vvp", "sleep"):
            pid = int(pathlib.Path(folder, name + ".pid").read_text())
            try:
                until(lambda: ended(pid), "end of " + name, 30)
            except Failure:
                os.kill(pid, signal.SIGKILL)
                raise
        good(run(path, folder, "--sim", "icarus"))


@suite.case("--force does finished points again")
def _():
    with scratch() as folder:
        path, journal = sweep_file(folder, {"engine.pes": [1, 2]}), pathlib.Path(folder, "o/points.jsonl")
        good(run(path, folder))
        right = journal.read_text()
        journal.write_text(right.replace('"cycles.interval":', '"cycles.interval":9'))
        good(run(path, folder))
        check(journal.read_text() != right, "the second run did finished points again")
        r = run(path, folder, "--force")
        good(r)
        check("before" not in r.out and journal.read_text() == right, "%s", r.out)


@suite.case("progress: a line that renews itself on a terminal, few lines in a pipe")
def _():
    with scratch() as folder:
        path = slow_file(folder)
        master, slave = pty.openpty()
        p = subprocess.Popen([str(LSTMGEN), "sweep", path, "-o", folder + "/o"], stdout=subprocess.DEVNULL,
                             stderr=slave)
        os.close(slave)
        seen = b""
        try:
            while True:
                seen += os.read(master, 65536)
        except OSError:
            pass                        # the terminal's other end is closed
        os.close(master)
        check(p.wait() == 0, "exit %s", p.returncode)
        line = rb"\r\x1b\[K\d+ of 120 done, 0 invalid, 0 failed, \d+ left, [\d.]+/s, \d+ s to go; at \d+"
        check(len(re.findall(line, seen)) >= 3 and b"120 of 120 done" in seen, "%s", seen[-300:])
        r = run(path, folder, "--force")
        check(r.err.count("\n") <= 1 + r.err.count("of 120 done") and "\r" not in r.err, "%s", r.err)


@suite.case("a folder that is not a sweep's is not written to: a stranger's manifest, files beside or among its own")
def _():
    with scratch() as folder:
        path, out = sweep_file(folder, {"engine.pes": [1, 2]}), pathlib.Path(folder, "o")
        for name, text in (("manifest.json", "{}"), ("points.csv", "mine"), (".lock", ""), ("notes.txt", "mine")):
            out.mkdir()
            (out / "thesis.tex").write_text("years of work")
            (out / name).write_text(text)
            r = run(path, folder)
            check(r.status == 1 and "is not written to" in r.err, "%s: exit %s: %s", name, r.status, r.err)
            check(sorted(p.name for p in out.iterdir() if p.name != ".lock") ==
                  sorted({name, "thesis.tex"} - {".lock"}), "%s: %s", name, sorted(out.iterdir()))
            check((out / name).read_text() == text or name == ".lock", "%s was written to", name)
            shutil.rmtree(out)
        good(run(path, folder))
        check(json.loads((out / "manifest.json").read_text())["generator"] == "lstmgen", "no generator")
        (out / "chunks").mkdir()
        for name in ("notes.txt", "chunks/notes.txt"):
            (out / name).write_text("mine")
            r = run(path, folder)
            check(r.status == 1 and name + " in it" in r.err, "%s: exit %s: %s", name, r.status, r.err)
            (out / name).unlink()
        good(run(path, folder))
        (out / "manifest.json").write_text('{"name": "sweep", "version": "0.1.0", "base_sha256": "00"}')
        r = run(path, folder)
        check(r.status == 1 and "former version" in r.err, "exit %s: %s", r.status, r.err)


@suite.case("changed weights are another point")
def _():
    with scratch() as folder:
        path = sweep_file(folder)
        good(run(path, folder))
        for weights in pathlib.Path(folder).rglob("*.np[yz]"):
            data = bytearray(weights.read_bytes())
            data[-1:] = data[-1:] + b"\0"
            weights.write_bytes(bytes(data))
        r = run(path, folder)
        check("finished before" not in r.out, "old results taken over: %s", r.out)


@suite.case("two sweeps on one folder: the second is refused with the first one's process")
def _():
    with scratch() as folder:
        path = sweep_file(folder,
                          {"engine.pes": list(range(1, 65)), "precision.weight": list(range(4, 17)),
                           "precision.activation": [8, 10, 12, 16]})
        p = subprocess.Popen([str(LSTMGEN), "sweep", path, "-o", folder + "/o"], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        try:
            until(lambda: os.path.exists(folder + "/o/points.csv"), "table")
            r = run(path, folder)
            check(r.status == 1 and str(p.pid) in r.err, "exit %s: %s", r.status, r.last())
            p.send_signal(signal.SIGINT)
            check(p.wait(300) == 130, "^C: exit %s", p.returncode)
        finally:
            p.kill()
            p.wait()
        check(lstmgen("sweep", path, "--dry-run").status == 0, "no dry run")


@suite.case("zip, where, --front and --best")
def _():
    with scratch() as folder:
        path = sweep_file(folder, {"engine.pes": [1, 2, 4], "engine.pe_width": [1, 2, 2], "precision.weight": [4, 8]},
                          zip=[["engine.pes", "engine.pe_width"]],
                          where="engine.pes * engine.pe_width > 1 and not precision.weight == 4")
        r = run(path, folder, "--front", "cycles.interval, resources.dsp", "--best", "fits and interval <= 1000")
        good(r)
        check([(t["engine.pes"], t["engine.pe_width"]) for t in rows(folder)] == [("2", "2"), ("4", "2")], "%s",
              rows(folder))
        spec = lstmgen("check", folder + "/o/best.yaml", "--json")
        good(spec)
        check(spec.get("engine.pes") in (2, 4) and spec.get("cycles.interval") <= 1000, "%s", r.out)


@suite.case("an invalid point is a row with its reason")
def _():
    with scratch() as folder:
        good(run(sweep_file(folder, {"engine.pes": [1, 1000]}), folder))
        table = rows(folder)
        check([t["status"] for t in table] == ["ok", "invalid"] and "1000" in table[1]["reason"], "%s", table)


@suite.case("depth simulate counts what the estimate said", ["iverilog"])
def _():
    with scratch() as folder:
        good(run(sweep_file(folder, {"engine.pes": [1, 2]}, depth="simulate"), folder, "--sim", "icarus", "-j", "2"))
        for t in rows(folder):
            check(t["measured.interval"] == t["cycles.interval"] and t["verify.mismatches"] == "0", "%s", t)
        check(os.path.exists(folder + "/o/points/2/report.json"), "no folder of point 2")
        table = rows(folder)
        good(run(sweep_file(folder, {"engine.pes": [1, 2]}, depth="simulate", folders="failed"), folder, "--sim",
                 "icarus", "--force"))
        check(table == rows(folder) and not os.listdir(folder + "/o/points"),
              "folders: failed left some, or changed a row")


@suite.case("other values of an axis: finished points keep their rows and their folders, under their new numbers",
            ["iverilog"])
def _():
    with scratch() as folder:
        good(run(sweep_file(folder, {"engine.pes": [2, 3]}, depth="simulate"), folder, "--sim", "icarus"))
        places = [pathlib.Path(folder, "o/points", n, "report.json") for n in "1234"]
        before = [p.read_bytes() for p in places[:2]]
        r = run(sweep_file(folder, {"engine.pes": [4, 1, 2, 3]}, depth="simulate"), folder, "--sim", "icarus")
        good(r)
        check("2 were finished before" in r.out, "%s", r.out)
        check([p.read_bytes() for p in places[2:]] == before, "a folder is not that of its point")
        for row, place in zip(rows(folder), places):
            check(json.loads(place.read_text())["engine"]["pes"] == int(row["engine.pes"]), "point %s", row["point"])


BAD = [("unknown axis", {"axes": {"engine.pse": [1]}}, "engine.pes"),
       ("empty axis", {"axes": {"engine.pes": []}}, "empty"),
       ("an axis without values", {"axes": {"engine.pes": 4}}, "list of values or a range"),
       ("one value that the base has", {"axes": {"engine.pes": [2]}}, "changes nothing"),
       ("one value that is the default", {"axes": {"precision.weight": [8]}}, "changes nothing"),
       ("value twice", {"axes": {"engine.pes": [2, 2]}}, "twice"),
       ("empty range", {"axes": {"engine.pes": {"from": 8, "to": 4, "step": 1}}}, "empty"),
       ("no point", {"where": "engine.pes > 100"}, "0 points"),
       ("a billion", {"axes": {"engine.pes": {"from": 1, "to": 1000000000}}}, "1000000000"),
       ("a billion in three axes", {"axes": {k: {"from": 1, "to": 1000} for k in AXES}},
        "the axes make 1000000000 points"),
       ("unknown name", {"where": "1 < engine.pse"},
        "at character 5: 'engine.pse' is not known: did you mean engine.pes?"),
       ("an unknown name behind a minus", {"where": "-foo < 1"}, "at character 2: 'foo' is not known"),
       ("an unknown column behind a minus", {"front": ["-cycles.intervall"]}, "did you mean cycles.interval?"),
       ("an empty front", {"front": []}, "front is empty"),
       ("half a condition", {"where": "engine.pes >"}, "too early"),
       ("text as a number", {"where": "sparsity.pattern < 3"}, "dense"),
       ("other folders", {"folders": "some"}, "all"),
       ("other depth", {"depth": "deep"}, "synthesise or place"),
       ("zip of other lengths", {"zip": [["engine.pes", "engine.pe_width"]]}, "together"),
       ("unknown key", {"wher": "engine.pes > 1"}, "where"),
       ("unknown column", {"front": ["cycles.intervall"]}, "cycles.interval")]
# Found when the points are worked out: rows with reasons, exit status 1 as there is not one good point.
FUTILE = [("a part that no tool has a flow for", {"depth": "synthesise", "axes": {"target.part": ["xc9", "XC10"]}},
           "xc9"),
          ("a key without effect", {"axes": {"sparsity.block": [8, 16]}}, "has no effect with pattern dense")]
for name, keys, word in FUTILE:
    @suite.case("bad input: " + name)
    def _(keys=keys, word=word):
        with scratch() as folder:
            r = run(sweep_file(folder, **keys), folder)
            check(r.status == 1 and word in r.err and "no point" in r.err and "warning" not in r.err, "exit %s: %s",
                  r.status, r.err)
            check(all(t["status"] == "invalid" and t["reason"] for t in rows(folder)), "%s", rows(folder))


@suite.case("an axis that changes no result is said at the end")
def _():
    with scratch() as folder:
        r = run(sweep_file(folder, {"engine.pes": [1, 2], "precision.input_range": [5.1, 5.2]}), folder)
        good(r)
        check(r.err.count("warning") == 1 and "the axis precision.input_range changes nothing" in r.err, "%s", r.err)


for name, keys, word in BAD:
    @suite.case("bad input: " + name)
    def _(keys=keys, word=word):
        with scratch() as folder:
            keys = dict(keys)
            r = run(sweep_file(folder, keys.pop("axes", AXES), **keys), folder)
            check(r.status == 1 and word in r.err, "exit %s: %s", r.status, r.err)
            check(not os.path.exists(folder + "/o"), "it wrote something")


suite.main()
