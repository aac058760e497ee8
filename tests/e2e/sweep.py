#!/usr/bin/python3
"""lstmgen sweep: rows equal `check`, resume after kill -9, zip and where, --best, bad input.  suite: 60 s

    sweep.py [WORD]...        only the cases with every WORD in their name
"""
import csv, json, os, pathlib, random, signal, subprocess, sys, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from cases import Suite, check
from lstm import LSTMGEN, lstmgen, scratch, little_spec

suite = Suite()
AXES = {"engine.pes": [1, 2, 4], "engine.pe_width": [1, 2], "precision.weight": {"from": 4, "to": 16, "step": 4}}


def sweep_file(folder, axes=AXES, **keys):
    """A sweep over little_spec(); the file's path."""
    path = pathlib.Path(folder, "sweep.yaml")
    path.write_text(json.dumps(dict({"name": "s", "base": str(little_spec(folder)), "axes": axes}, **keys)))
    return str(path)


def rows(folder):
    with open(folder + "/o/points.csv", newline="") as file:
        return list(csv.DictReader(file))


def run(path, folder, *words):
    return lstmgen("sweep", path, "-o", folder + "/o", *words, cwd=folder)


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
                check(float(row[name]) == r.get(name), "point %s: %s %s, check says %s", row["point"], name, row[name], r.get(name))
        for name in ("front.svg", "manifest.json", "points.jsonl"):
            check(os.path.exists(folder + "/o/" + name), "no %s", name)


@suite.case("-j 1 and -j 2 write the same bytes, an inline base the same rows")
def _():
    with scratch() as folder:
        path = sweep_file(folder)
        good(run(path, folder, "-j", "1"))
        one = pathlib.Path(folder, "o/points.jsonl").read_bytes()
        good(run(path, folder, "-j", "2", "--force"))
        check(one == pathlib.Path(folder, "o/points.jsonl").read_bytes(), "-j 2 differs")
        again = run(path, folder)
        good(again)
        check("24 were finished before" in again.out, "not taken over: %s", again.out)


@suite.case("kill -9 at random moments loses no finished point")
def _():
    with scratch() as folder:
        path = sweep_file(folder, {"engine.pes": list(range(1, 33)), "precision.weight": [4, 6, 8, 12, 16], "precision.activation": [8, 12, 16]})
        command = [str(LSTMGEN), "sweep", path, "-j", "2", "-o", folder + "/o"]
        journal, rng, before = pathlib.Path(folder, "o/points.jsonl"), random.Random(5), set()
        for _ in range(10):
            p = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(rng.uniform(0.02, 0.25))
            p.send_signal(signal.SIGKILL)
            p.wait()
            if journal.exists():
                lines = journal.read_bytes().split(b"\n")[:-1]
                now = {json.loads(line)["key"] for line in lines}
                check(before <= now, "%d finished points lost", len(before - now))
                check(len(now) == len(lines), "a point twice")
                before = now
        if journal.exists():
            with open(journal, "ab") as file:
                file.write(b'{"point":7,"key":"torn')
        r = subprocess.run(command, capture_output=True, text=True)
        check(r.returncode == 0, "exit %s: %s", r.returncode, r.stderr[-200:])
        check(len(rows(folder)) == 480 and "torn" not in journal.read_text(), "%d rows", len(rows(folder)))


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
        path = sweep_file(folder, {"engine.pes": list(range(1, 65)), "precision.weight": list(range(4, 17)), "precision.activation": [8, 10, 12, 16]})
        p = subprocess.Popen([str(LSTMGEN), "sweep", path, "-o", folder + "/o"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while not os.path.exists(folder + "/o/points.csv"):
                time.sleep(0.01)
            r = run(path, folder)
            check(r.status == 1 and str(p.pid) in r.err, "exit %s: %s", r.status, r.last())
            p.send_signal(signal.SIGINT)
            check(p.wait(20) == 130, "^C: exit %s", p.returncode)
        finally:
            p.kill()
            p.wait()
        check(lstmgen("sweep", path, "--dry-run").status == 0, "no dry run")


@suite.case("zip, where, --front and --best")
def _():
    with scratch() as folder:
        path = sweep_file(folder, {"engine.pes": [1, 2, 4], "engine.pe_width": [1, 2, 2], "precision.weight": [4, 8]},
                          zip=[["engine.pes", "engine.pe_width"]], where="engine.pes * engine.pe_width > 1 and not precision.weight == 4")
        r = run(path, folder, "--front", "cycles.interval, resources.dsp", "--best", "fits and interval <= 1000")
        good(r)
        check([(t["engine.pes"], t["engine.pe_width"]) for t in rows(folder)] == [("2", "2"), ("4", "2")], "%s", rows(folder))
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


PROBE = """<script>
const out = {errors: window.lost || [], rows: rows.length, shown: shown.length, dots: 0};
for (const d of scatter.data.datasets) if (d.type !== "line") out.dots += d.data.length;
[...document.querySelectorAll("#head button")].find(b => b.textContent.startsWith("cycles.interval")).click();
out.sorted = shown.every((r, i) => !i || r[at["cycles.interval"]] >= shown[i - 1][at["cycles.interval"]]);
document.querySelector("#body button").click();
out.point = document.getElementById("point").textContent;
document.getElementById("filter").value = "engine.pes=2 precision.weight<=8";
refresh(); out.filtered = shown.length;
const pre = document.createElement("pre"); pre.id = "probe"; pre.textContent = "PROBE" + JSON.stringify(out) + "END"; document.body.append(pre);
</script></body>"""


@suite.case("the page in a headless browser: points, sort, filter, a click", ["chromium"])
def _():
    with scratch() as folder:
        good(run(sweep_file(folder), folder))
        text = pathlib.Path(folder, "o/report.html").read_text()
        check("http://" not in text.split("<script>")[0] and "src=" not in text.split("<script>")[0], "it loads something")
        text = text.replace("<head>", "<head><script>window.lost = []; onerror = m => { lost.push(m); };</script>", 1)
        page = pathlib.Path(folder, "probe.html")
        page.write_text(text.replace("</body>", PROBE))
        r = subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir=" + folder + "/profile",
                            "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=120)
        check("PROBE{" in r.stdout, "the page did not come so far: %s", r.stderr[-300:])
        out = json.loads(r.stdout.split("<pre id=\"probe\">PROBE")[1].split("END</pre>")[0].replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&"))
        check(out["errors"] == [] and out["rows"] == out["shown"] == out["dots"] == 24, "%s", out)
        check(out["sorted"] and out["filtered"] == 4, "%s", out)
        check("lstmgen check base.yaml --set engine.pes=" in out["point"] and "little.npz" in out["point"], "%s", out["point"])


BAD = [("unknown axis", {"axes": {"engine.pse": [1]}}, "engine.pes"),
       ("empty axis", {"axes": {"engine.pes": []}}, "empty"),
       ("value twice", {"axes": {"engine.pes": [2, 2]}}, "twice"),
       ("empty range", {"axes": {"engine.pes": {"from": 8, "to": 4, "step": 1}}}, "empty"),
       ("no point", {"where": "engine.pes > 100"}, "0 points"),
       ("a billion", {"axes": {"engine.pes": {"from": 1, "to": 1000000000}}}, "1000000000"),
       ("unknown name", {"where": "engine.pse > 1"}, "engine.pes"),
       ("half a condition", {"where": "engine.pes >"}, "too early"),
       ("text as a number", {"where": "sparsity.pattern < 3"}, "dense"),
       ("place", {"depth": "place"}, "not part of this version"),
       ("other depth", {"depth": "deep"}, "estimate"),
       ("zip of other lengths", {"zip": [["engine.pes", "engine.pe_width"]]}, "together"),
       ("unknown key", {"wher": "engine.pes > 1"}, "where"),
       ("unknown column", {"front": ["cycles.intervall"]}, "cycles.interval")]
for name, keys, word in BAD:
    @suite.case("bad input: " + name)
    def _(keys=keys, word=word):
        with scratch() as folder:
            keys = dict(keys)
            r = run(sweep_file(folder, keys.pop("axes", AXES), **keys), folder)
            check(r.status == 1 and word in r.err, "exit %s: %s", r.status, r.err)
            check(not os.path.exists(folder + "/o"), "it wrote something")


suite.main()
