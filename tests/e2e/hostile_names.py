#!/usr/bin/python3
"""Names that are code in some language: none is carried out, none breaks a file of the output.  suite: 60 s

    hostile_names.py [WORD]...       only the cases with every WORD in their name; long: the build in Verilator

Each name tries to make a file `pwned` in the working folder; a folder that has one at the end failed.
"""
import html.parser, json, os, pathlib, re, shutil, subprocess, sys, xml.dom.minidom

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from cases import Suite, check
from lstm import LSTMGEN, layer_keys, little_spec, lstmgen, read_npz, scratch, tree, write_npz

suite = Suite()
NAMES = [                               # no slash, as they are names of files too
    "a b", "a  b ", " a", "it's", 'say "hi"', "a\\", "a\\\\n", "a\nb", "a\n", "a\rb", "a\tb", "$(touch pwned)",
    "`touch pwned`", "$(shell touch pwned)", "${HOME}", "$HOME", "%s%n%d", "a#b", "a;touch pwned;", "a|touch pwned",
    "a&touch pwned&", "[exec touch pwned]", "a]; exec touch pwned; #", "{a", "}", "<script>fetch(1)", "]]>&lt;&amp;",
    '"><img src=x onerror=alert(1)>', "a\n initial $system(\"touch pwned\");\n", "a\\\n initial $finish; ",
    "x\" ; touch pwned ; \"", "a|b`c`[d](e)", "@@DATA@@", "${NAME}", "-rf", "--help", "*", "~", "\u00e9\u4e2d", "\x1b[2J",
    "synopsys translate_off", "!include a", "&a *b", "- a: b", "null", "a: b # c", "'", "\x7f"]
assert len(set(NAMES)) == len(NAMES) >= 30
VALUES = [n for n in NAMES if n.isprintable()]      # what a spec may say: a value holds no control character


def no_harm(folder):
    """Nothing was carried out, whatever the working folder was."""
    found = [p for top in (folder, os.getcwd()) for p in pathlib.Path(top).rglob("pwned*")]
    check(not found, "carried out: %s", found[:3])


def spec_in(folder, file_name, tensors=None, **more):
    """A little spec under a name of its own; `tensors`: other names for W, R and b."""
    path = little_spec(folder, **more)
    spec = json.loads(path.read_text())
    if tensors:
        data = read_npz(folder + "/little.npz")
        write_npz(folder + "/little.npz", {tensors[k[0]]: v for k, v in data.items()})
        spec["model"]["layers"] = [dict(layer_keys(1)[0], **tensors)]
    path.unlink()
    path = pathlib.Path(folder, file_name)
    path.write_text(json.dumps(spec))
    return path


def made(folder, spec, out, **more):
    r = lstmgen(spec, "-o", out, cwd=folder, **more)
    check(r.status == 0, "exit %s: %s", r.status, r.last())
    return r


@suite.case("the name of the spec file: one line of a comment in Verilog, C, Markdown; text in JSON", ["gcc"])
def _():
    with scratch() as folder:
        made(folder, spec_in(folder, "plain.yaml"), "plain")
        plain = tree(folder + "/plain")
        for name in NAMES:
            made(folder, spec_in(folder, name + ".yaml"), "out")
            files = tree(folder + "/out")
            check(set(files) == set(plain), "%r: other files", name)
            for key in set(files) - {"manifest.json"}:
                one, two = plain[key].decode().split("\n"), files[key].decode().split("\n")
                other = [b for a, b in zip(one, two) if a != b]
                check(len(one) == len(two) and len(other) <= 1, "%r: %s has other lines: %s", name, key, other[:3])
                begin = {".v": "// ", ".vh": "// ", ".h": " * ", ".md": "Made by ", ".json": '  "spec": '}
                check(all(l.startswith(begin[pathlib.Path(key).suffix]) and "\r" not in l and "\x1b" not in l
                          and (key.endswith("json") or not re.search(r"/\*|\*/\S|\\$", l)) for l in other),
                      "%r: %s: %s", name, key, other)
            for key in ("report.json", "manifest.json"):
                check(json.loads(files[key])["spec"].strip("\n") == (name + ".yaml"), "%r: %s: %r", name, key,
                      json.loads(files[key])["spec"])
            done = subprocess.run(["gcc", "-std=c99", "-Wall", "-Werror", "-pedantic", "-fsyntax-only", "-x", "c",
                                   folder + "/out/sw/little.h"], capture_output=True, text=True)
            check(done.returncode == 0, "%r: gcc: %s", name, done.stderr[:300])
        no_harm(folder)


@suite.case("the name of the spec file: the core is simulated and linted as it is", ["iverilog"])
def _():
    with scratch() as folder:
        for name in ("a\n initial $system(\"touch pwned\");\n//", "a\\\n initial $finish; //", "*/ `include \"x\""):
            made(folder, spec_in(folder, name.replace("/", "|") + ".yaml"), "out")
            done = subprocess.run(["make", "-s", "-C", "out", "sim-icarus"], cwd=folder, capture_output=True, text=True)
            check(done.returncode == 0 and "PASS" in done.stdout, "%r: %s", name, (done.stdout + done.stderr)[-300:])
        no_harm(folder)


@suite.case("names of tensors: the core is that of plain names; prune and import say them on one line each")
def _():
    with scratch() as folder:
        spec = spec_in(folder, "plain.yaml")
        made(folder, spec, "plain")
        plain = tree(folder + "/plain")
        for name in VALUES:
            tensors = {k: name + " " + k for k in "WRb"}
            made(folder, spec_in(folder, "plain.yaml", tensors), "out")
            files = tree(folder + "/out")
            other = [k for k in files if files[k] != plain[k] and not k.startswith("report.")
                     and k != "manifest.json" and re.sub(rb"(sha256 |32'h|0x|hash )[0-9a-fA-F]+", b"", files[k]) !=
                     re.sub(rb"(sha256 |32'h|0x|hash )[0-9a-fA-F]+", b"", plain[k])]
            check(not other, "%r: %s differ", name, other)
            pathlib.Path(folder, "pruned.npz").unlink(missing_ok=True)      # of other tensors: it would be kept
            r = lstmgen("prune", "plain.yaml", "-o", "pruned.npz", cwd=folder)
            check(r.status == 0 and len(r.out.splitlines()) == 3 and "\x1b" not in r.out, "%r: prune: %r", name, r.out)
        for name in NAMES:
            tensors = {"W": name + ".weight_ih_l0", "R": name + ".weight_hh_l0", "b": name + ".bias_ih_l0"}
            spec_in(folder, "plain.yaml", tensors)
            r = lstmgen("import", "little.npz", cwd=folder)
            if name not in VALUES:
                check(r.status == 1 and "control character" in r.err and "\x1b" not in r.err, "%r: import: %r", name, r.err)
                continue
            check(r.status == 0, "%r: import: %r", name, r.err)
            pathlib.Path(folder, "read.yaml").write_text(r.out)
            r = lstmgen("check", "read.yaml", "--json", cwd=folder)
            check(r.status == 0, "%r: the printed spec: %s", name, r.last())
        no_harm(folder)


@suite.case("parts: refused, or one word of Tcl", ["tclsh"])
def _():
    with scratch() as folder:
        spec = spec_in(folder, "plain.yaml")
        for part in NAMES + ["LFE5U-25F" + n for n in NAMES]:
            r = lstmgen(spec, "--part", part, "-o", "out", cwd=folder)
            if part in ("~", "null"):   # YAML's word for no value: the default
                shutil.rmtree(folder + "/out")
                continue
            check(r.status == 1 and ("target.part" in r.err or part not in VALUES) or r.status == 2, "%r: exit %s: %s", part, r.status, r.last())
            check(not os.path.exists(folder + "/out"), "%r: written", part)
        made(folder, spec, "out", env=dict(os.environ, LC_ALL="C"))
        shutil.rmtree(folder + "/out")
        r = lstmgen(spec, "--part", "LFE5U-25F 6BG256C", "-o", "out", cwd=folder)
        check(r.status == 0, "a part with a blank: %s", r.last())
        stub = 'foreach c {prj_project prj_src prj_impl prj_run} { proc $c args { puts [list {*}$args] } }\n'
        pathlib.Path(folder, "stub.tcl").write_text(stub + "source out/syn/diamond.tcl\n")
        done = subprocess.run(["tclsh", "stub.tcl"], cwd=folder, capture_output=True, text=True)
        check(done.returncode == 0 and "{LFE5U-25F 6BG256C}" in done.stdout, "tclsh: %s", done.stdout + done.stderr)


@suite.case("the output folder: each name written to, some simulated in", ["iverilog"])
def _():
    with scratch() as folder:
        spec = spec_in(folder, "plain.yaml")
        for name in NAMES:
            made(folder, spec, "./" + name)
            check(os.path.isdir(os.path.join(folder, name)), "%r: no such folder", name)
        for name in NAMES[10:14] + NAMES[28:30]:
            r = lstmgen("sim", spec, "--sim", "icarus", "-o", "./" + name, cwd=folder)
            check(r.status == 0 and "PASS" in r.out, "%r: exit %s: %s", name, r.status, r.last())
        no_harm(folder)


def everywhere(simulator, names):
    """TMPDIR, HOME and the cache are folders of that name."""
    def run():
        for name in names:
            with scratch() as folder:
                spec = spec_in(folder, "plain.yaml")
                there = os.path.join(folder, name)
                os.mkdir(there)
                env = dict(os.environ, TMPDIR=there, TMP=there, HOME=there, LG_CACHE=there + "/cache")
                r = lstmgen("sim", spec, "--sim", simulator, "-o", there + "/out", cwd=folder, env=env)
                check(r.status == 0 and "PASS" in r.out, "%r: exit %s: %s", name, r.status, r.last())
                check("temporary files go to /tmp" in r.err, "%r: no warning: %s", name, r.err)
                if simulator == "icarus":
                    done = subprocess.run(["make", "-s", "sim-icarus", "clean"], cwd=there + "/out", env=env,
                                          capture_output=True, text=True)
                    check(done.returncode == 0 and "PASS" in done.stdout, "%r: make: %s", name,
                          (done.stdout + done.stderr)[-300:])
                no_harm(folder)
    return run


HARD = 'a $(touch pwned) `touch pwned` "b\' #%:\\\n;c'
suite.add("TMPDIR, HOME and the cache: Icarus", everywhere("icarus", [HARD, "$(shell touch pwned)"]),
          ["iverilog"])
if "long" in sys.argv[1:]:              # a build of the simulation that no cache has
    suite.add("long: TMPDIR, HOME and the cache: Verilator", everywhere("verilator", [HARD]), ["verilator"])


class Page(html.parser.HTMLParser):
    """Elements of a page that could carry out something."""
    def __init__(self):
        super().__init__()
        self.tags, self.data = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, tuple(k for k, _ in attrs if k.startswith("on"))))

    def handle_data(self, data):
        self.data.append(data)


@suite.case("sweeps: values of axes and texts in columns of the front, in table, drawing and page")
def _():
    with scratch() as folder:
        base = spec_in(folder, "base.yaml")
        x = pathlib.Path(folder, "little_x.npy").read_bytes()
        values = []
        for name in VALUES:
            pathlib.Path(folder, name + ".npy").write_bytes(x)
            values.append(name + ".npy")
        text = "</script><script>alert(1)</script>&<img src=x onerror=alert(1)>"
        sweep = {"name": "s", "base": "base.yaml", "axes": {"verify.input": values},
                 "front": ["cycles.interval", "cycles.latency + ('%s' == 'a')" % text, "verify.snr_db"]}
        pathlib.Path(folder, "sweep.yaml").write_text(json.dumps(sweep))
        r = lstmgen("sweep", "sweep.yaml", "-o", "o", cwd=folder)
        check(r.status == 0, "exit %s: %s", r.status, r.last())
        rows = [json.loads(l) for l in open(folder + "/o/points.jsonl")]
        check([row["status"] for row in rows] == ["ok"] * len(VALUES), "%s", [row for row in rows if
                                                                            row["status"] != "ok"][:3])
        xml.dom.minidom.parse(folder + "/o/front.svg")
        page = Page()
        page.feed(pathlib.Path(folder, "o/report.html").read_text())
        check([t for t, _ in page.tags].count("script") <= 3 and not any(on for _, on in page.tags),
              "%s", page.tags[:20])
        data = json.loads(re.search(r"const DATA = (.*);$", max(page.data, key=lambda d: "const DATA" in d).strip(),
                                    re.S).group(1))
        check(len(data["values"][0]) == len(VALUES), "%s", data["values"])
        no_harm(folder)


@suite.case("names of cores that mean something elsewhere: refused with the reason, or built")
def _():
    with scratch() as folder:
        for name, word in (("tb", "testbench"), ("lg_mul", "lg_ belongs"), ("lg", "lg_"),
                           ("Tb", "[a-z]"), ("a" * 65, "65 characters"), ("a-b", "[a-z]"), ("1a", "[a-z]")):
            spec = spec_in(folder, "plain.yaml")
            r = lstmgen(spec, "--set", "name=" + name, "-o", "out", cwd=folder)
            check(r.status == 1 and word in r.err and not os.path.exists(folder + "/out"), "%s: exit %s: %s", name,
                  r.status, r.last())
        for name in ("sim_main", "tb_top", "top", "module", "edge", "int", "x", "dut", "params", "a" * 64):
            spec = spec_in(folder, "plain.yaml")
            r = lstmgen("sim", spec, "--set", "name=" + name, "--sim", "icarus", "-o", "out", cwd=folder)
            check(r.status == 0, "%s: exit %s: %s", name, r.status, r.last())
            done = subprocess.run(["gcc", "-std=c99", "-Wall", "-Werror", "-pedantic", "-fsyntax-only", "-x", "c",
                                   "%s/out/sw/%s.h" % (folder, name)], capture_output=True, text=True)
            check(done.returncode == 0, "%s: gcc: %s", name, done.stderr[:300])
        r = lstmgen(spec_in(folder, "tb.yaml"), "-o", "out", cwd=folder)
        check(r.status == 0, "a spec file tb.yaml with a name: %s", r.last())


suite.main()
