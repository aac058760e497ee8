"""Model files that `lstmgen import` must turn into specs that compute what their framework computed, and files that are
damaged or hostile. Needs numpy."""
import io, os, pathlib, random, subprocess, zipfile

import numpy as np
from cases import Skip, check
from lstm import LSTMGEN, lstmgen, scratch

NOT_CARRIED = "does not carry that in this version"
SURE = 55.0                     # dB at 16 bits: what the number formats cost, and nothing else


def snr(folder, spec, x, y, *sets):
    """dB of what the spec computes against y, as `check` says it."""
    np.save(pathlib.Path(folder, "x.npy"), np.asarray(x, "<f4"))
    np.save(pathlib.Path(folder, "y.npy"), np.asarray(y, "<f4"))
    r = lstmgen("check", spec, "--json", "--set", "precision.weight=16", "--set", "precision.activation=16", "--set",
                "verify.input=" + str(pathlib.Path(folder, "x.npy")), "--set",
                "verify.expect=" + str(pathlib.Path(folder, "y.npy")), *sets, cwd=folder)
    if r.status == 1 and r.err.count("error:") == r.err.count(NOT_CARRIED):
        return float_snr(folder, spec, x, y)
    check(r.status == 0, "check: exit %s: %s", r.status, r.last())
    return r.get("verify.expect_snr_db", -1)


def float_snr(folder, spec, x, y):
    """The same of the spec's network in floating point, where no engine carries it yet."""
    outputs = LSTMGEN.parent / "outputs"
    if not outputs.exists():
        raise Skip("no engine carries it, and build/outputs is not there")
    whole = pathlib.Path(folder, "float.yaml")
    whole.write_text(pathlib.Path(spec).read_text() + "verify: {input: x.npy}\n")
    done = subprocess.run([str(outputs), str(whole)], capture_output=True, text=True)
    check(done.returncode == 0, "outputs: %s", done.stderr)
    y = np.asarray(y, float)
    got = np.array([float(line.split()[0]) for line in done.stdout.splitlines()]).reshape(len(x), -1)[-len(y):]
    return 10 * np.log10((y ** 2).sum() / max(((y - got) ** 2).sum(), 1e-30))


def holds(folder, path, x, y, warned=None, answer=False, sure=SURE):
    """The file is imported (answer: its questions answered by yes) and computes y from x. Returns the dB."""
    r = lstmgen("import", pathlib.Path(path).name, cwd=folder)
    check(r.status == (1 if answer else 0), "exit %s: %s", r.status, r.last())
    check(not answer or "a question to answer" in r.err, "no question: %s", r.last())
    for word in [warned] if isinstance(warned, str) else warned or []:
        check("warning" in r.err and word in r.err, "'%s' is not in: %s", word, r.err)
    check(warned != [] or not r.err, "it says %s", r.err)
    spec = pathlib.Path(folder, "spec.yaml")
    spec.write_text(r.out.replace("    # - {", "    - {") if answer else r.out)
    db = snr(folder, spec, x, y)
    check(db >= sure, "%.1f dB: %s%s", db, r.out, r.err)
    return "%.0f dB" % db


def refused(path, *words):
    r = lstmgen("import", path)
    check(r.status == 1, "exit %s: %s", r.status, r.out)
    check(not any(line.startswith("    - {") for line in r.out.splitlines()), "it prints a layer: %s", r.out)
    for word in words:
        check(word in r.err, "'%s' is not in: %s", word, r.err)


# ---- damage ----

def damaged(rng, data):
    """Bytes with one to four faults: bits, cuts, runs, copies."""
    b = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at, kind = rng.randrange(max(len(b), 1)), rng.randrange(6)
        if kind == 0 and b:
            b[at] ^= 1 << rng.randrange(8)
        elif kind == 1 and b:
            b[at] = rng.choice((0, 1, 0x7f, 0x80, 0xff, rng.randrange(256)))
        elif kind == 2:
            del b[at:at + rng.randint(1, 16)]
        elif kind == 3:
            b[at:at] = bytes(rng.randrange(256) for _ in range(rng.randint(1, 8)))
        elif kind == 4:
            n = rng.choice((2, 4, 8))
            b[at:at + n] = rng.choice((b"\xff", b"\x7f", b"\x00")) * n
        else:
            n = rng.randint(1, 64)
            b[at:at] = b[max(at - n, 0):at]
    return bytes(b)


def damaged_member(rng, data, ending):
    """The zip archive with damage inside one member, whose CRC is right all the same."""
    out, into = io.BytesIO(), zipfile.ZipFile(io.BytesIO(data))
    with zipfile.ZipFile(out, "w") as z:
        for i in into.infolist():
            text = into.read(i)
            z.writestr(i.filename, damaged(rng, text) if i.filename.endswith(ending) else text)
    return out.getvalue()


def memory(*command):
    """Bytes that a program takes at most. What a child counts begins with what its parent has (a Python with PyTorch in
    it: 250 MB), so that a small one starts it."""
    code = ("import os, sys\npid = os.fork()\nif pid == 0:\n os.dup2(os.open(os.devnull, os.O_WRONLY), 1)\n os.dup2(1, 2)\n"
            " os.execv(sys.argv[1], sys.argv[1:])\nsys.stdout.write(str(os.wait4(pid, 0)[2].ru_maxrss))")
    return 1024 * int(subprocess.run(["/usr/bin/python3", "-S", "-c", code, *map(str, command)], capture_output=True, check=True).stdout)


def survives(path, program=LSTMGEN):
    """Imported, refused or asked about: never a crash, a hang or more memory than 4 times the file and 64 MiB."""
    child = subprocess.Popen([str(program), "import", str(path)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, cwd=path.parent)
    out = child.stdout.read()
    child.stdout.close()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    check(child.returncode in (0, 1) and b"Sanitizer" not in out and b"runtime error" not in out, "exit %s: %s",
          child.returncode, out[-2000:])
    check(b"HDF5-DIAG" not in out, "the library speaks: %s", out[-2000:])
    check(b"error: " in out or child.returncode == 0, "no message: %s", out[-2000:])
    limit = 4 * path.stat().st_size + (64 << 20)
    if "asan" not in str(program) and usage.ru_maxrss * 1024 > limit:
        took = memory(program, "import", path)
        check(took <= limit, "%d KiB of memory for a file of %d bytes", took >> 10, path.stat().st_size)
    return child.returncode


def mutations(name, data, ways, count, program=LSTMGEN, seed=1):
    """`count` damaged versions of a file; ways: functions of (rng, data). A failing one stays in build/failed."""
    failed = pathlib.Path(__file__).resolve().parent.parent.parent / "build" / "failed"
    accepted = 0
    with scratch() as folder:
        for k in range(count):
            rng = random.Random(seed * 1000003 + k)
            path = pathlib.Path(folder, name)
            path.write_bytes(ways[k % len(ways)](rng, data))
            try:
                accepted += survives(path, program) == 0
            except Exception:
                failed.mkdir(parents=True, exist_ok=True)
                (failed / ("%d-%s" % (k, name))).write_bytes(path.read_bytes())
                raise
    check(accepted < count, "none of %d was noticed", count)
    return "%d files, %d of them still good" % (count, accepted)


def sanitized():
    """The generator under the sanitizers where it is built, else the plain one."""
    path = LSTMGEN.parent / "asan" / "lstmgen"
    return path if path.exists() else LSTMGEN
