#!/usr/bin/python3
"""`make install`: the installed program finds its templates and works from any folder.  suite: 15 s"""
import os, pathlib, re, subprocess, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from cases import Suite, check
from lstm import ROOT, scratch, little_spec, tree

suite = Suite()


def make(*arguments):
    r = subprocess.run(["make", "-s", "-C", str(ROOT)] + list(arguments), capture_output=True, text=True,
                       stdin=subprocess.DEVNULL)
    check(r.returncode == 0, "make %s: exit %s: %s", " ".join(arguments), r.returncode, r.stderr[-300:])
    return r.stdout


@suite.case("DESTDIR and PREFIX; generates and simulates from another folder")
def _():
    with scratch() as folder:
        make("install", "DESTDIR=" + folder + "/destination", "PREFIX=/opt/tools")
        prefix = folder + "/destination/opt/tools"
        for name in ("bin/lstmgen", "share/man/man1/lstmgen.1", "share/lstmgen/templates/top/core.v",
                     "share/lstmgen/tb/lstmgen_tb.c"):
            check(os.path.exists(prefix + "/" + name), "%s is not installed", name)
        little_spec(folder)
        env = {"PATH": "/usr/bin:/bin", "LG_CACHE": os.environ["LG_CACHE"]}
        for arguments in (["little.yaml", "-o", "out"], ["sim", "little.yaml", "--sim", "icarus", "-o", "sim"]):
            r = subprocess.run([prefix + "/bin/lstmgen"] + arguments, cwd=folder, env=env, capture_output=True,
                               text=True,
                               stdin=subprocess.DEVNULL)
            check(r.returncode == 0, "%s: exit %s: %s", arguments[0], r.returncode, r.stderr[-300:])
        mine = subprocess.run([str(ROOT / "build" / "lstmgen"), "little.yaml", "-o", "built"], cwd=folder, env=env,
                              capture_output=True, text=True)
        check(mine.returncode == 0, "the program in build/: %s", mine.stderr[-300:])
        check(tree(folder + "/out") == tree(folder + "/built"), "installed and built program write different folders")


@suite.case("without its templates it says what is missing")
def _():
    with scratch() as folder:
        os.mkdir(folder + "/bin")
        subprocess.run(["cp", str(ROOT / "build" / "lstmgen"), folder + "/bin/"], check=True)
        little_spec(folder)
        r = subprocess.run([folder + "/bin/lstmgen", "little.yaml"], cwd=folder, capture_output=True, text=True)
        check(r.returncode == 1 and "templates" in r.stderr, "exit %s: %s", r.returncode, r.stderr[-300:])


@suite.case("the man page is read without a warning", ["man"])
def _():
    r = subprocess.run(["man", "--warnings", "-l", "-Tutf8", str(ROOT / "gen" / "doc" / "lstmgen.1")],
                       capture_output=True, text=True, env=dict(os.environ, MANWIDTH="100", LC_ALL="C.UTF-8"))
    check(r.returncode == 0 and not r.stderr.strip(), "man: %s", r.stderr[-300:])
    shown = re.sub("\x1b\\[[0-9;]*m|.\b", "", r.stdout).replace("\u2010", "-").replace("\u2212", "-")
    for word in ("check", "sim", "synth", "--set", "--json", "EXIT STATUS"):
        check(word in shown, "the man page does not have %s", word)


@suite.case("make help lists every target")
def _():
    out = make("help")
    for target in ("all", "setup", "demo", "test", "test-long", "install", "lint", "sanitize", "bench-gen", "clean"):
        check("make %s " % target in out, "%s is missing", target)


suite.main()
