#!/usr/bin/python3
"""The output folder: same bytes twice, no trace of the machine, works elsewhere, survives a failed run.  suite: 40 s

    output_folder.py [WORD]...       only the cases with every WORD in their name
"""
import hashlib, json, os, pathlib, random, resource, shutil, signal, subprocess, sys, time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from cases import Skip, Suite, check, until
from lstm import LSTMGEN, ROOT, lstmgen, scratch, little_spec, tree, write_npy

FIRST_CORE = ROOT / "examples" / "first_core" / "spec.yaml"
BUILT = "build/"                        # what an output folder's own make leaves
suite = Suite()


def generate(spec, out, **more):
    r = lstmgen(spec, "-o", out, **more)
    check(r.status == 0, "exit %s: %s", r.status, r.last())
    return tree(out)


def differences(one, two):
    return sorted(k for k in set(one) | set(two) if one.get(k) != two.get(k))


def beside(folder):
    """Names in the folder that holds the output: nothing temporary may stay there."""
    return sorted(p.name for p in pathlib.Path(folder).iterdir())


@suite.case("two runs give the same bytes, whatever folder, time zone and language")
def _():
    with scratch() as a, scratch() as b:
        spec = little_spec(a, sparsity={"pattern": "bank_balanced", "keep": 0.5, "banks": 2})
        little_spec(b, sparsity={"pattern": "bank_balanced", "keep": 0.5, "banks": 2})
        one = generate(spec, a + "/out", env=dict(os.environ, TZ="Asia/Tokyo", LC_ALL="C"))
        r = lstmgen("little.yaml", "-o", "deep/er/out", cwd=b, env=dict(os.environ, TZ="UTC", LC_ALL="de_DE.UTF-8"))
        check(r.status == 0, "exit %s: %s", r.status, r.last())
        two = tree(b + "/deep/er/out")
        check(one and not differences(one, two), "these files differ: %s", differences(one, two)[:5])


@suite.case("every part of it is there, manifest.json has every file's hash")
def _():
    with scratch() as folder:
        files = generate(little_spec(folder), folder + "/out")
    for part in ("rtl", "mem", "constraints", "syn", "tb", "sw"):
        check(any(k.startswith(part + "/") for k in files), "no %s/", part)
    for name in ("rtl/little_top.v", "rtl/little_params.vh", "mem/memory_map.md", "report.json", "report.md",
                 "manifest.json", "Makefile"):
        check(name in files, "no %s", name)
    text = files["manifest.json"].decode()
    missing = [k for k, v in files.items() if k != "manifest.json" and not k.startswith("report.")
               and hashlib.sha256(v).hexdigest() not in text]
    check(not missing, "manifest.json lacks the hash of %s", missing[:5])
    json.loads(text), json.loads(files["report.json"])


@suite.case("no absolute path, no date")
def _():
    with scratch(prefix="pathword.") as folder:
        files = generate(little_spec(folder), folder + "/out")
    year = subprocess.run(["date", "+%Y-%m-%d"], capture_output=True).stdout.strip()
    for name, data in files.items():
        host = os.uname().nodename.encode()
        for word in (b"pathword.", str(ROOT).encode(), host if len(host) > 6 else year, year):
            check(word not in data, "%s holds %s", name, word.decode())


def moved(target):
    def run():
        with scratch() as folder:
            generate(little_spec(folder), folder + "/out")
            there = folder + "/another place"
            shutil.move(folder + "/out", there)
            r = subprocess.run(["make", "-s", "-C", there, target], capture_output=True, text=True, cwd="/",
                               stdin=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin"})
            check(r.returncode == 0, "make %s: exit %s: %s", target, r.returncode, (r.stdout + r.stderr)[-300:])
            check(not target.startswith("sim") or "\nPASS" in "\n" + r.stdout, "no PASS: %s", r.stdout[-200:])
    return run


suite.add("moved, make sim works without lstmgen", moved("sim"), ["verilator"])
suite.add("moved, make sim-icarus works without lstmgen", moved("sim-icarus"), ["iverilog"])
suite.add("moved, make lint has no warning", moved("lint"), ["iverilog", "verilator", "yosys"])
suite.add("moved, make synth works without lstmgen", moved("synth"), ["yosys"])


@suite.case("a second run replaces the first: no file of the old one stays")
def _():
    with scratch() as folder:
        one = generate(little_spec(folder, engine={"pes": 3, "pe_width": 2}), folder + "/out")
        two = generate(little_spec(folder, engine={"pes": 1, "pe_width": 2}), folder + "/out")
        check("mem/little_weight_2.hex" in one and "mem/little_weight_2.hex" not in two, "files: %s", sorted(two)[:9])
        check(beside(folder) == ["little.npz", "little.yaml", "little_x.npy", "out"], "left over: %s", beside(folder))


@suite.case("a folder that lstmgen did not write is not replaced")
def _():
    with scratch() as folder:
        spec = little_spec(folder)
        mine = pathlib.Path(folder, "mine")
        mine.mkdir()
        (mine / "thesis.txt").write_text("years of work")
        r = lstmgen(spec, "-o", mine)
        check((mine / "thesis.txt").exists(), "the user's file is gone (exit %s)", r.status)
        check(r.status == 1 and "mine" in r.err, "exit %s: %s", r.status, r.last())


def foreign(name, path, make=lambda p: p.write_text("years of work"), named=None):
    """After a simulation, with something of the user's in the output folder: exit 1, named, all as it was."""
    def run():
        with scratch() as folder:
            spec = little_spec(folder)
            generate(spec, folder + "/out")
            r = subprocess.run(["make", "-s", "-C", folder + "/out", "sim-icarus"], capture_output=True, text=True)
            check(r.returncode == 0, "make sim-icarus: %s", r.stderr[-300:])
            mine = pathlib.Path(folder, "out", path)
            mine.parent.mkdir(parents=True, exist_ok=True)
            make(mine)
            before, names = tree(folder + "/out"), beside(folder)
            r = lstmgen(spec, "-o", folder + "/out")
            check(r.status == 1 and (named or path) + " in it" in r.err, "exit %s: %s", r.status, r.last())
            check(not differences(before, tree(folder + "/out")) and os.path.lexists(mine), "something changed")
            check(beside(folder) == names, "left over: %s", beside(folder))
            os.rmdir(mine) if mine.is_dir() and not mine.is_symlink() else mine.unlink()
            for parent in mine.parents:
                if parent == pathlib.Path(folder, "out") or any(parent.iterdir()):
                    break
                parent.rmdir()
            generate(spec, folder + "/out")         # what make left is no obstacle
            check(not os.path.exists(folder + "/out/build"), "build/ of the former output is still there")
    suite.add("the user's file in it survives: " + name, run, ["iverilog"])


foreign("a note", "note.txt")
foreign("a hidden one", ".gitignore")
foreign("in a folder of lstmgen's", "rtl/top_with_my_changes.v")
foreign("in build/", "build/measured.csv")
foreign("in a folder of its own", "photos/2026/cat.jpg", named="photos/")
foreign("an empty folder", "photos", lambda p: p.mkdir(), named="photos/")
foreign("a link", "rtl/link.v", lambda p: p.symlink_to("/etc/passwd"))
foreign("a name with a newline", "rtl/a\nb", named="rtl/a?b")


@suite.case("a folder with somebody else's manifest.json is not replaced, nor one of a former version")
def _():
    for text, word in (('{"name": "my site", "icons": []}', "not lstmgen's"), ("", "not lstmgen's"),
                       ('{"name": "x", "tool": "lstmgen 0.1.0", "files": []}', "former version")):
        with scratch() as folder:
            spec = little_spec(folder)
            site = pathlib.Path(folder, "site")
            site.mkdir()
            (site / "manifest.json").write_text(text)
            (site / "index.html").write_text("<html>")
            r = lstmgen(spec, "-o", site)
            check(r.status == 1 and word in r.err and "remove it yourself" in r.err, "exit %s: %s", r.status, r.last())
            check(tree(site) == {"manifest.json": text.encode(), "index.html": b"<html>"}, "changed: %s", tree(site))


@suite.case("an empty folder is filled; the one lstmgen is started in, or above, is refused")
def _():
    with scratch() as folder:
        spec = little_spec(folder)
        os.makedirs(folder + "/out/below")
        for cwd, out in (("out", "."), ("out/below", ".."), ("out/below", folder + "/out")):
            r = lstmgen(spec, "-o", out, cwd=folder + "/" + cwd)
            check(r.status == 1 and "was started in it" in r.err, "%s: exit %s: %s", cwd, r.status, r.last())
        os.rmdir(folder + "/out/below")
        generate(spec, folder + "/out")


@suite.case("two runs at once: one output, whole; the folder of a run that simulates is not replaced", ["iverilog"])
def _():
    with scratch() as folder:
        specs = [little_spec(folder, engine={"pes": n, "pe_width": 2}, name="little%d" % n) for n in (1, 2)]
        wanted = [generate(s, folder + "/only") for s in specs]
        for _ in range(6):
            runs = [subprocess.Popen([str(LSTMGEN), str(s), "-o", folder + "/out"], stderr=subprocess.PIPE, text=True,
                                     stdout=subprocess.DEVNULL) for s in specs * 3]
            ends = [(p.communicate()[1], p.returncode) for p in runs]
            check(any(status == 0 for _, status in ends), "none won: %s", ends)
            for text, status in ends:
                check(status == 0 or (status == 1 and "another run of lstmgen is at work there" in text),
                      "exit %s: %s", status, text)
            check(tree(folder + "/out") in wanted, "a mix of both: %s", sorted(tree(folder + "/out"))[:9])
            check([n for n in beside(folder) if "little" not in n] == ["only", "out"], "left over: %s", beside(folder))
        os.mkdir(folder + "/bin")       # a simulator that waits until the other run has ended
        pathlib.Path(folder, "bin", "vvp").write_text(
            '#!/bin/sh\nwhile [ ! -e "%s/go" ]; do sleep 0.02; done\nexec %s "$@"\n' % (folder, shutil.which("vvp")))
        os.chmod(folder + "/bin/vvp", 0o755)
        slow = subprocess.Popen([str(LSTMGEN), "sim", "--sim", "icarus", "--json", str(specs[0]), "-o", folder + "/out"],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=dict(os.environ, PATH=folder + "/bin:" + os.environ["PATH"]))
        until(lambda: os.path.exists(folder + "/out/build/icarus.log"), "simulation")
        other = lstmgen(specs[1], "-o", folder + "/out")
        pathlib.Path(folder, "go").touch()
        out, err = slow.communicate()
        check(slow.returncode == 0 and json.loads(out)["verify"]["mismatches"] == 0, "exit %s: %s", slow.returncode, err)
        check(other.status == 1 and "another run of lstmgen is at work there" in other.err, "exit %s: %s",
              other.status, other.last())


@suite.case("stopped by a signal at any moment: the old output or the new one, nothing else; kill -9 spoils no later run")
def _():
    rng = random.Random(5)
    with scratch() as folder:
        old = little_spec(folder, engine={"pes": 1, "pe_width": 2})
        first = generate(old, folder + "/out")
        new = little_spec(folder, hidden=200, inputs=100)
        second = generate(new, folder + "/only")
        shutil.rmtree(folder + "/only")
        for k in range(24):
            number = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)[k % 4]
            p = subprocess.Popen([str(LSTMGEN), str(new), "-o", folder + "/out"], stderr=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL)
            time.sleep(rng.uniform(0, 0.12))
            p.send_signal(number)
            status = p.wait()
            check(status in (0, -number), "exit %s after signal %d", status, number)
            check(tree(folder + "/out") in (first, second), "neither the old nor the new one")
            left = [n for n in beside(folder) if n.startswith(".out")]
            check(not left or number == signal.SIGKILL, "signal %d left %s", number, left)
            for n in left:
                shutil.rmtree(folder + "/" + n)
        generate(old, folder + "/out")


def kept(name, spoil, words, needs=(), status=1, **more):
    """An output exists; spoil(folder) makes the next run fail: the old output must stay, and nothing else be left."""
    def run():
        with scratch() as folder:
            spec = little_spec(folder)
            before = generate(spec, folder + "/out")
            options = spoil(folder) or {}
            names = beside(folder)
            r = lstmgen(spec, "-o", folder + "/out", **dict(more, **options))
            check(r.status == status, "exit %s, not %s: %s", r.status, status, r.last())
            for word in words:
                check(word in r.err, "the message lacks '%s': %s", word, r.last())
            check(not differences(before, tree(folder + "/out")), "the old output changed")
            check(beside(folder) == names, "left over: %s", sorted(set(beside(folder)) - set(names)))
    suite.add("kept when " + name, run, needs)


def nan_weights(folder):
    write_npy(folder + "/little_x.npy", (4, 3), [float("nan")] * 12)


def cut_weights(folder):
    path = pathlib.Path(folder, "little.npz")
    path.write_bytes(path.read_bytes()[:300])


def limit_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))


kept("the input has NaN", nan_weights, ["little_x.npy"])
kept("the weights are cut short", cut_weights, ["little.npz"])
kept("files may not grow (ulimit -f)", lambda folder: {"preexec_fn": limit_files},
     ["cannot write", "nothing was changed"])


def full_disk():
    """A real one: a tmpfs of 64 KB with the old output in it."""
    if os.geteuid() != 0:
        raise Skip("only root can mount a small file system")
    with scratch() as folder:
        disk = folder + "/disk"
        os.mkdir(disk)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", disk], capture_output=True).returncode:
            raise Skip("mounting is not allowed here")
        try:
            before = generate(little_spec(folder), disk + "/out")
            with open(disk + "/filler", "wb") as f:
                free = os.statvfs(disk)
                f.write(b"x" * max(0, free.f_bavail * free.f_bsize - 16384))
            r = lstmgen(folder + "/little.yaml", "-o", disk + "/out")
            check(r.status == 1 and "No space left" in r.err, "exit %s: %s", r.status, r.last())
            check(not differences(before, tree(disk + "/out")), "the old output changed")
            check(beside(disk) == ["filler", "out"], "left over: %s", beside(disk))
        finally:
            subprocess.run(["umount", disk], check=True)


suite.add("kept when the disk is full", full_disk)


def refused(name, out, words, prepare=lambda folder: None):
    def run():
        with scratch() as folder:
            spec = little_spec(folder)
            prepare(folder)
            names = beside(folder)
            r = lstmgen(spec, "-o", folder + "/" + out)
            check(r.status == 1, "exit %s: %s", r.status, r.last())
            for word in words:
                check(word in r.err, "the message lacks '%s': %s", word, r.last())
            check(beside(folder) == names, "left over: %s", sorted(set(beside(folder)) - set(names)))
    suite.add("refused: " + name, run)


refused("the output is below a file", "little.npz/out", ["little.npz"])
refused("the output is a file", "little.npz", ["little.npz"])
refused("the output is a link to nowhere", "link", ["link"], lambda f: os.symlink(f + "/nowhere/at/all", f + "/link"))


@suite.case("refused: a folder that may not be written")
def _():
    as_user = {}
    if os.geteuid() == 0:               # root may write everywhere: be somebody else
        as_user = {"user": 65534, "group": 65534}
        if subprocess.run([str(LSTMGEN), "--version"], capture_output=True, **as_user).returncode:
            raise Skip("nobody may not run %s" % LSTMGEN)
    with scratch() as folder:
        spec = little_spec(folder)
        os.chmod(folder, 0o755)
        before = beside(folder)
        if not as_user:
            os.chmod(folder, 0o555)
        r = lstmgen(spec, "-o", folder + "/out", **as_user)
        os.chmod(folder, 0o755)
        check(r.status == 1 and "Permission denied" in r.err, "exit %s: %s", r.status, r.last())
        check(beside(folder) == before, "left over: %s", beside(folder))


@suite.case("rtl_out/first_core is what its example gives")
def _():
    committed = {k: v for k, v in tree(ROOT / "rtl_out" / "first_core").items() if not k.startswith(BUILT)}
    with scratch() as folder:
        fresh = generate(FIRST_CORE.relative_to(ROOT), folder + "/first_core", cwd=ROOT)
    check(committed, "rtl_out/first_core is not there: build/lstmgen examples/first_core/spec.yaml makes it")
    check(not differences(fresh, committed), "these files differ: %s; commit a fresh run of build/lstmgen "
          "examples/first_core/spec.yaml", differences(fresh, committed)[:5])


@suite.case("check writes nothing, and so takes no -o")
def _():
    with scratch() as folder:
        r = lstmgen("check", little_spec(folder), "-o", folder + "/out")
        check(r.status == 2 and "check does not take the option -o" in r.err, "exit %s: %s", r.status, r.last())


@suite.case("without -o the output goes to rtl_out/<name>")
def _():
    with scratch() as folder:
        little_spec(folder)
        r = lstmgen("little.yaml", cwd=folder)
        check(r.status == 0 and os.path.exists(folder + "/rtl_out/little/rtl/little_top.v"), "exit %s: %s", r.status,
              beside(folder))


suite.main()
