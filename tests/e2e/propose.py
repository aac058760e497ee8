#!/usr/bin/python3
"""What `check` proposes where the part is too small or the SNR low: each figure is that of a check with the change, and
better than what was there.  suite: 20 s
"""
import pathlib, sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "lib")]
from cases import Suite, check
from lstm import ROOT, lstmgen

suite = Suite()
SPEC = ROOT / "examples" / "spoken_digits" / "spec.yaml"
LIMITS = (("lut", "luts"), ("ff", "ffs"), ("dsp", "dsps"), ("bram", "brams"))


def run(*sets):
    words = [w for s in sets for w in ("--set", s)]
    r = lstmgen("check", SPEC, "--json", *words)
    check(r.status in (0, 3), "exit %s: %s", r.status, r.err)
    return r.object, r


def figures(o):
    used, has = o["resources"], o["resources_limit"]
    return o["verify"]["snr_db"], o["cycles"]["interval"], max(used[k] / has[k] for k in has if has[k] and k in used)


def proposed(*sets):
    before, r = run(*sets)
    return before, before.get("proposals", []), r


def holds(proposals, sets):
    """Every figure against a check of its own."""
    for p in proposals:
        o, _ = run(*sets, *p["set"])
        snr, interval, _ = figures(o)
        check(abs(snr - p["snr_db"]) < 0.01 and abs(interval - p["interval"]) < 0.01, "%s: %s, %s", p, snr, interval)
        check(o["resources"]["fits"] == (p["fill"] <= 1), "%s: fits %s", p, o["resources"]["fits"])


@suite.case("a part that is too small: changes that fit, the fastest first")
def _():
    sets = ("target.part=LFE5U-45F", "engine.pes=32")
    before, found, _ = proposed(*sets)
    check(not before["resources"]["fits"] and 1 <= len(found) <= 3, "%s", found)
    holds(found, sets)
    check(all(p["why"] == "part" for p in found) and found[0]["fill"] <= 1, "%s", found)
    fitting = [p["interval"] for p in found if p["fill"] <= 1]
    check(fitting == sorted(fitting), "%s", found)
    return "; ".join("%s: %.0f %%" % (" ".join(p["set"]), 100 * p["fill"]) for p in found)


@suite.case("a low SNR: changes that reach what is asked for, the smallest first")
def _():
    sets = ("precision.activation=6", "precision.weight=4")
    before, found, _ = proposed(*sets)
    check(before["verify"]["snr_db"] < 30 and 1 <= len(found) <= 3, "%s", found)
    holds(found, sets)
    check(all(p["why"] == "snr" and p["snr_db"] > before["verify"]["snr_db"] + 1 for p in found) and found[0]["snr_db"] >= 30, "%s", found)
    return "; ".join("%s: %.0f dB" % (" ".join(p["set"]), p["snr_db"]) for p in found)


@suite.case("what verify.min_snr_db asks for counts; nothing is proposed where nothing is wrong; the table shows it")
def _():
    _, found, _ = proposed("verify.min_snr_db=60")
    check(found and found[0]["snr_db"] >= 60, "%s", found)
    _, found, _ = proposed()
    check(not found, "%s", found)
    r = lstmgen("check", SPEC, "--set", "precision.activation=6", "--set", "precision.weight=4")
    check("  proposed   --set precision." in r.out, "%s", r.out)


suite.main()
