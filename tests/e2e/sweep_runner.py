#!/usr/bin/python3
"""lstmgen sweep --runner: Slurm and other commands give the rows of the local run; failing nodes, scancel.  suite: 40 s

    sweep_runner.py [WORD]...        only the cases with every WORD in their name
"""
import contextlib, json, os, pathlib, random, shutil, signal, subprocess, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import slurm
from cases import Suite, check, until
from lstm import LSTMGEN, layer_keys, lstmgen, random_lstms, random_values, scratch, write_npy, write_npz, write_spec

suite = Suite()
LITTLE = {"engine.pes": list(range(1, 17)), "precision.weight": [4, 8, 12, 16]}


def sweep_file(folder, axes=LITTLE, hidden=4, steps=4, **keys):
    """A sweep over a dense LSTM with so many neurons: the larger, the slower its points."""
    rng, folder = random.Random(3), pathlib.Path(folder)
    write_npz(folder / "w.npz", random_lstms(rng, [(3, hidden)]))
    write_npy(folder / "x.npy", (steps, 3), random_values(rng, steps * 3))
    write_spec(folder, {"name": "base", "model": {"file": "w.npz", "layers": layer_keys(1)}, "engine": {"pe_width": 2},
                        "verify": {"input": "x.npy"}})
    (folder / "sweep.yaml").write_text(json.dumps(dict({"name": "s", "base": "base.yaml", "axes": axes}, **keys)))


def slow_sweep(folder):
    """300 points that take about 4 s in all."""
    sweep_file(folder, {"precision.weight": list(range(2, 17)), "precision.activation": list(range(7, 17)),
                        "precision.state": [20, 24]}, 48, 1000)


def run(folder, out, *words, env=None):
    return lstmgen("sweep", "sweep.yaml", "-o", out, *words, cwd=folder, env=env)


def begin(folder, out, *words, env=None):
    return subprocess.Popen([str(LSTMGEN), "sweep", "sweep.yaml", "-o", out] + list(words), cwd=folder, env=env,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def good(r):
    check(r.status == 0, "exit %s: %s", r.status, r.last())


def finished(folder, out):
    """How many whole rows the table has."""
    path = pathlib.Path(folder, out, "points.jsonl")
    return path.read_bytes().count(b"\n") if path.exists() else 0


def same(folder, *outs):
    for name in ("points.jsonl", "points.csv", "manifest.json", "front.svg", "report.html"):
        files = [pathlib.Path(folder, out, name).read_bytes() for out in outs]
        check(all(f == files[0] for f in files), "%s differs from that of the local run", name)
    for out in outs:
        check(not os.path.exists(folder + "/" + out + "/chunks"), "%s/chunks is still there", out)


@suite.case("a command for each chunk, or one with a list of them: the rows of the local run")
def _():
    with scratch() as folder:
        sweep_file(folder)
        good(run(folder, "local"))
        good(run(folder, "each", "--runner", "sh -c {}", "-j", "2"))
        good(run(folder, "list", "--runner", "while read -r c; do sh -c \"$c\"; done < {list}"))
        same(folder, "local", "each", "list")


@suite.case("depth simulate through a command: the folders of the points too", ["iverilog"])
def _():
    with scratch() as folder:
        sweep_file(folder, {"engine.pes": [1, 2]}, depth="simulate")
        good(run(folder, "local", "--sim", "icarus"))
        good(run(folder, "each", "--sim", "icarus", "--runner", "sh -c {}"))
        same(folder, "local", "each")
        for k in "12":
            check(os.path.exists("%s/each/points/%s/report.json" % (folder, k)), "no folder of point %s", k)


@suite.case("a command that fails three times fails its points, with its last words; the next run redoes them")
def _():
    with scratch() as folder:
        sweep_file(folder, {"engine.pes": [1, 2, 4]})
        r = run(folder, "o", "--runner", "echo no route to host; true {} && exit 9")
        check(r.status == 4 and "status 9: no route to host" in r.err, "exit %s: %s", r.status, r.err)
        good(run(folder, "o", "--runner", "sh -c {}"))
        good(run(folder, "local"))
        same(folder, "local", "o")


@suite.case("a command that dies in the middle is started again and goes on")
def _():
    with scratch() as folder:
        slow_sweep(folder)
        script = pathlib.Path(folder, "flaky.sh")       # killed in the middle, the first time
        script.write_text('if [ -e "$0.done" ]; then exec sh -c "$1"; fi\n: > "$0.done"\n'
                          'timeout -s KILL 0.5 sh -c "$1"; echo $? > "$0.done"\nexit 1\n')
        good(run(folder, "o", "--runner", "sh %s {}" % script))
        check(pathlib.Path(folder, "flaky.sh.done").read_text() == "137\n", "the command was not killed")
        good(run(folder, "local", "-j", "2"))
        same(folder, "local", "o")


# What a node that fails does to a command, slowly: its worker, a while later the command itself get SIGTERM.
WORKER_FIRST = """if [ -e "$0.done" ]; then exec sh -c "$1"; fi
: > "$0.done"
sh -c "$1" & command=$!
until worker=$(cat /proc/$command/task/$command/children) && [ "$worker" ]; do sleep 0.05; done
sleep 0.3
kill -TERM $worker && echo ended > "$0.done"
sleep 0.3
kill -TERM $command
wait $command
"""
# The same for the simulator, which ends itself the first time.
TOOL_FIRST = """if [ -e "$0.done" ]; then exec sh -c "$1"; fi
: > "$0.done"
sh -c "$1" & command=$!
until [ -e "$0.vvp" ]; do sleep 0.05; done
sleep 0.3
kill -TERM $command
wait $command
"""
ENDS_ITSELF = """#!/bin/sh
if [ -e %s.vvp ]; then exec %s "$@"; fi
: > %s.vvp
kill -TERM $$
"""


@suite.case("a command whose worker or tool is ended before it is leaves that point open")
def _():
    with scratch() as folder:
        slow_sweep(folder)
        script = pathlib.Path(folder, "first.sh")
        script.write_text(WORKER_FIRST)
        good(run(folder, "o", "--runner", "sh %s {}" % script))
        check(pathlib.Path(folder, "first.sh.done").read_text() == "ended\n", "no worker was ended")
        good(run(folder, "local", "-j", "2"))
        same(folder, "local", "o")


@suite.case("the same for a point's simulator", ["iverilog"])
def _():
    with scratch() as folder:
        sweep_file(folder, {"engine.pes": [1, 2]}, depth="simulate")
        script, vvp = pathlib.Path(folder, "first.sh"), pathlib.Path(folder, "bin/vvp")
        script.write_text(TOOL_FIRST)
        vvp.parent.mkdir()
        vvp.write_text(ENDS_ITSELF % (script, shutil.which("vvp"), script))
        vvp.chmod(0o755)
        env = dict(os.environ, PATH="%s:%s" % (vvp.parent, os.environ["PATH"]))
        good(run(folder, "o", "--sim", "icarus", "--runner", "sh %s {}" % script, env=env))
        check(os.path.exists("%s.vvp" % script), "the simulator was not ended")
        good(run(folder, "local", "--sim", "icarus"))
        same(folder, "local", "o")


@suite.case("kill -9 of the sweep: rows that only its commands wrote are not lost")
def _():
    with scratch() as folder:
        slow_sweep(folder)
        p = begin(folder, "o", "--runner", "sh -c {}", "-j", "2")
        until(lambda: finished(folder, "o") >= 20, "row")
        p.kill()
        p.wait()
        rows = {json.loads(l)["key"] for f in pathlib.Path(folder, "o").rglob("*.jsonl")
                for l in f.read_text().splitlines(True) if l.endswith("\n") and '"key"' in l}
        r = run(folder, "o", "-j", "2")
        good(r)
        before = int(r.out.split("; ")[1].split()[0])
        check(before >= len(rows) >= 20, "%d rows were there, %d taken over", len(rows), before)


@suite.case("bad input: a runner that is none, Slurm that is not there, a chunk that is none")
def _():
    with scratch() as folder:
        sweep_file(folder)
        r = run(folder, "o", "--runner", "ssh host")
        check(r.status == 2 and "{}" in r.err, "exit %s: %s", r.status, r.err)
        r = run(folder, "o", "--chunk", "7")
        check(r.status == 1 and "plan" in r.err, "exit %s: %s", r.status, r.err)
        r = run(folder, "o", "--runner", "slurm", env=dict(os.environ, PATH="/nowhere"))
        check(r.status == 4 and "sbatch" in r.err and "slurm-client" in r.err, "exit %s: %s", r.status, r.err)


@suite.case("bad input: a plan that is damaged names the place; nothing is worked out")
def _():
    with scratch() as folder:
        sweep_file(folder)
        os.makedirs(folder + "/o/chunks")
        for line, column in (("1:1-0", 3), ("1:-1", 3), ("0:0", 3), ("1:0 x", 5), ("1:0  2:1", 5), ("1", 1), ("", 1),
                             ("1:99999999999999999999", 3), ("1:0 2:1 999999999:1", 9), ("1:123456789", 12)):
            pathlib.Path(folder, "o", "chunks", "plan").write_text(line + "\n")
            r = run(folder, "o", "--chunk", "1")
            check(r.status == 1 and "plan:1:%d: error: chunk 1" % column in r.err and "damaged" in r.err,
                  "'%s': exit %s: %s", line, r.status, r.err)
            check(not os.path.exists(folder + "/o/chunks/1.jsonl"), "'%s': rows were written", line)


@suite.case("Slurm: the rows of the local run; refusals; a node that fails; scancel; ^C",
            [slurm.sbin(n) or n for n in slurm.PROGRAMS])
def _():
    with scratch() as folder, slurm.Slurm(folder + "/slurm") as cluster:
        @contextlib.contextmanager
        def under_way(out):
            p = begin(folder, out, "--runner", "slurm", env=cluster.env)
            try:
                until(lambda: finished(folder, out) > 10 and "RUNNING" in dict(cluster.tasks()).values(),
                      "running task")
                yield p
            finally:
                p.kill()
                p.wait()

        def requeue():
            with under_way("node") as p:
                check(cluster.fail_node() > 0, "no task was put back into the queue")
                words = p.communicate(timeout=300)[1]
                check(p.returncode == 0, "exit %s after the node failed: %s", p.returncode, words)

        def cancel():
            with under_way("cancel") as p:
                cluster.call("scancel", next(t for t, s in cluster.tasks() if s == "RUNNING").split("_")[0])
                words = p.communicate(timeout=300)[1]
                check(p.returncode == 4 and "still open" in words, "exit %s after scancel: %s", p.returncode, words)
            good(run(folder, "cancel", "--runner", "slurm", env=cluster.env))

        def interrupt():
            with under_way("stop") as p:
                p.send_signal(signal.SIGINT)
                words = p.communicate(timeout=300)[1]
                check(p.returncode == 130 and "stopped" in words, "exit %s after ^C: %s", p.returncode, words)
                until(lambda: not {"RUNNING", "PENDING"} & set(dict(cluster.tasks()).values()), "end of the tasks")

        slow_sweep(folder)
        r = run(folder, "o", "--runner", "slurm --partition=none", env=cluster.env)
        check(r.status == 4 and "invalid partition" in r.err, "exit %s: %s", r.status, r.err)
        good(run(folder, "local", "-j", "2"))
        requeue()
        cancel()
        interrupt()
        same(folder, "local", "node", "cancel")


suite.main()
