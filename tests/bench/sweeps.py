#!/usr/bin/python3
"""The two sweeps that come with lstmgen: runs them (6 minutes of CPU) and renews what gen/doc/ shows of them.

    sweeps.py [--keep]       --keep: points that an earlier run finished are taken over
Tables of gen/doc/sweeps.md, pages, fronts as SVG, pictures of the pages.
"""
import argparse, csv, os, pathlib, re, shutil, subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DOC, OUT = ROOT / "gen/doc", "build/sweeps"
SWEEPS = {"patterns": "sweep_patterns/estimate.yaml", "simulate": "sweep_patterns/simulate.yaml",
          "parts": "sweep_parts/parts.yaml"}


def run(name, more):
    """The rows of a sweep, and what it printed."""
    command = ["build/lstmgen", "sweep", "examples/" + SWEEPS[name], "-j", str(os.cpu_count()), "-o",
               "%s/%s" % (OUT, name)] + more
    print(" ".join(command), flush=True)
    said = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    print(said, end="", flush=True)
    with open(ROOT / OUT / name / "points.csv", newline="") as file:
        return list(csv.DictReader(file)), said


def show(name):
    """Page, front and picture of a sweep."""
    folder = ROOT / OUT / name
    shutil.copy(folder / "report.html", DOC / ("sweep_%s.html" % name))
    shutil.copy(folder / "front.svg", DOC / ("sweep_%s.svg" % name))
    for scheme in ("light", "dark") if name == "patterns" else ("light",):
        png = DOC / ("sweep_%s%s.png" % (name, "-dark" if scheme == "dark" else ""))
        subprocess.run([ROOT / "tests/e2e/sweep_page.py", "picture", folder / "report.html", png, scheme], check=True)


def number(text):
    return format(int(text), ",") if text.lstrip("-").isdigit() else text


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "".join(" --- |" if i == 0 else " ---: |" for i in range(len(head)))]
    return "\n".join(lines + ["| " + " | ".join(number(c) for c in r) + " |" for r in rows])


def simulated(rows):
    return table(["pattern", "R kept", "PEs of 8", "cycles, predicted", "measured", "LUT", "DSP", "BRAM", "SNR, dB",
                  "right, %", "mismatches"],
                 [[r["sparsity.pattern"], r["sparsity.keep.R"], r["engine.pes"], r["cycles.interval"],
                   r["measured.interval"], r["resources.lut"],
                   r["resources.dsp"], r["resources.bram"], r["verify.snr_db"], r["accuracy.hardware"],
                   r["verify.mismatches"]] for r in rows])


def synthesised(rows):
    return table(["part", "LUT", "FF", "DSP", "BRAM", "LUT as RAM", "fits"],
                 [[r["target.part"], r["resources.lut"], r["resources.ff"], r["resources.dsp"], r["resources.bram"],
                   r["resources.lutram"],
                   {"true": "yes", "false": "no"}[r["resources.fits"]]] for r in rows])


def fill(text, name, body):
    begin, end = "<!-- %s: make sweeps -->\n" % name, "<!-- end -->"
    before, rest = text.split(begin)
    return before + begin + body + "\n" + end + rest.split(end, 1)[1]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--keep", action="store_true")
    more = [] if p.parse_args().keep else ["--force"]
    text = (DOC / "sweeps.md").read_text()
    for name in SWEEPS:
        rows, said = run(name, more)
        first = re.sub("; .* before", "", said.split("\n  written")[0])
        text = fill(text, "printed " + name, "```\n%s\n```" % first)
        if name == "simulate":
            text = fill(text, name, simulated(rows))
        elif name == "parts":
            text = fill(text, name, synthesised(rows))
        if name != "simulate":
            show(name)
    (DOC / "sweeps.md").write_text(text)


main()
