#!/usr/bin/python3
"""What a core computes and when stays as it was: memory images, golden outputs and cycles of fixed designs.  suite: 30 s

    structure.py [WORD]...      only the groups with every WORD in their name
    structure.py --renew        writes structure.txt anew: for commits that change behaviour, which say why
A line of structure.txt is a design: its cycles and, for each kind of memory image and the golden outputs, a hash of
the words (comments and the names of files do not count). A diff of it shows what changed in which designs.
"""
import concurrent.futures, hashlib, os, pathlib, random, re, sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import column_balanced, random_designs
from cases import Suite, check
from lstm import ROOT, lstmgen, scratch

KNOWN = pathlib.Path(__file__).with_suffix(".txt")
SEED = 20261130
MOST_WEIGHTS = 8000
GATHER = {"dense": 70, "bank_balanced": 70, "grouped_columns": 75, "structured_blocks": 80, "mixed": 40}
SCATTER = {"plain": 50, "delta": 60, "many rows": 12}
EXAMPLES = ["first_core/spec", "spoken_digits/spec", "sweep_patterns/base"]
suite = Suite()


def gather_spec(pattern, number, folder):
    for size in range(100):
        d = random_designs.draw(SEED + 1000 * size, number, "small", pattern)
        if d["weights"] <= MOST_WEIGHTS:
            return random_designs.write(d, folder)
    raise ValueError("no small design %s %d" % (pattern, number))


def scatter_spec(kind, number, folder):
    return column_balanced.KINDS[kind][2](random.Random("%d %s %d" % (SEED, kind, number)), folder)


def words_of(path):
    """The words of an image, without its comments."""
    return b"\n".join(line for line in path.read_bytes().splitlines() if line and not line.startswith(b"//"))


def role_of(path, name):
    """Kind of an image: weight_3.hex and little_weight_3.hex are weights."""
    stem = path.stem[len(name) + 1:] if path.stem.startswith(name + "_") else path.stem
    return re.sub(r"_?\d+$", "", stem)


def line_of(label, folder, name, report):
    """The line of a design whose output is in `folder`."""
    hashes = {}
    files = sorted((folder / "mem").glob("*.hex")) + [folder / "tb" / "golden.hex"]
    for path in sorted(files, key=lambda p: [int(w) if w.isdigit() else w for w in re.split(r"(\d+)", p.name)]):
        hashes.setdefault(role_of(path, name), hashlib.sha256()).update(words_of(path) + b"\n")
    cycles = "%s/%s" % (report["interval"], report["latency"])
    return " ".join([label, cycles] + ["%s:%s" % (k, h.hexdigest()[:7]) for k, h in sorted(hashes.items())])


def generate(label, spec_of):
    """Generates one design; its line."""
    with scratch("lstmgen_structure.") as folder:
        spec = spec_of(pathlib.Path(folder))
        out = pathlib.Path(folder) / "out"
        r = lstmgen(spec, "-o", out, "--json")
        check(r.status == 0, "%s: exit %s: %s", label, r.status, r.last())
        return line_of(label, out, r.get("name"), r.get("cycles"))


def groups():
    """{group: [(label, function that gives the spec in a folder)]}"""
    found = {}
    for pattern, count in GATHER.items():
        found[pattern] = [("%s.%d" % (pattern, k), lambda folder, p=pattern, k=k: gather_spec(p, k, folder))
                          for k in range(count)]
    for kind, count in SCATTER.items():
        group = "column_balanced." + kind.replace(" ", "_")
        found[group] = [("%s.%d" % (group, k), lambda folder, kind=kind, k=k: scatter_spec(kind, k, folder))
                        for k in range(count)]
    found["examples"] = [("examples." + name, lambda folder, name=name: ROOT / "examples" / (name + ".yaml"))
                         for name in EXAMPLES]
    return found


def lines_of(designs):
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS", "2"))) as pool:
        return list(pool.map(lambda d: generate(*d), designs))


def renew():
    lines = [line for designs in groups().values() for line in lines_of(designs)]
    KNOWN.write_text("\n".join(lines) + "\n")
    print("%s: %d designs" % (KNOWN.relative_to(ROOT), len(lines)))


def difference(known, now):
    """The first words that differ, for a message."""
    old, new = dict(w.rsplit(":", 1) for w in known.split()[2:]), dict(w.rsplit(":", 1) for w in now.split()[2:])
    kinds = [k for k in sorted(set(old) | set(new)) if old.get(k) != new.get(k)]
    cycles = [] if known.split()[1] == now.split()[1] else ["cycles %s, were %s" % (now.split()[1], known.split()[1])]
    return "%s: %s" % (now.split()[0], ", ".join(cycles + kinds))


def compare(designs, known):
    changed = [difference(known.get(line.split()[0], "- -"), line) for line in lines_of(designs)
               if known.get(line.split()[0]) != line]
    check(not changed, "%d of %d designs changed (structure.py --renew, where that is meant): %s", len(changed),
          len(designs), "; ".join(changed[:6]))
    return "%d designs" % len(designs)


def main():
    if sys.argv[1:] == ["--renew"]:
        return renew()
    known = {line.split()[0]: line for line in KNOWN.read_text().splitlines()}
    found = groups()
    for group, designs in found.items():
        suite.add(group, lambda designs=designs: compare(designs, known))
    labels = {label for designs in found.values() for label, _ in designs}
    suite.add("every line is of a design", lambda: check(set(known) == labels, "%s", sorted(set(known) ^ labels)[:5]))
    return suite.main()


if __name__ == "__main__":
    main()
