"""Test cases of one program: each a function that returns nothing or raises; counted, printed, summed.

    suite = Suite()
    @suite.case("a name")            # or suite.case("a name", needs=[path or tool...])
    def _(): check(1 + 1 == 2, "sum is %d", 1 + 1)
    suite.main()
"""
import os, shutil, sys, time, traceback


class Failure(Exception):
    pass


class Skip(Exception):
    pass


def check(condition, text, *values):
    if not condition:
        raise Failure(text % values if values else text)


def until(condition, what, seconds=300):
    """Waits; generous, for a machine that is busy with other things."""
    end = time.monotonic() + seconds
    while not condition():
        check(time.monotonic() < end, "no %s in %d s", what, seconds)
        time.sleep(0.02)


def need(*things):
    """Skips the case where a file or (a name without a slash) a tool is not there."""
    for thing in things:
        name = str(thing)
        if not (os.path.exists(name) if os.sep in name else shutil.which(name)):
            raise Skip("%s is not there" % thing)


class Suite:
    def __init__(self):
        self.cases = []

    def case(self, name, needs=()):
        def add(function):
            self.cases.append((name, needs, function))
            return function
        return add

    def add(self, name, function, needs=()):
        self.cases.append((name, needs, function))

    def main(self, words=None):
        """Runs the cases whose name has every word of the command line in it; ends the program."""
        words = sys.argv[1:] if words is None else words
        counts = {"ok": 0, "FAILED": 0, "skipped": 0}
        for name, needs, function in self.cases:
            if not all(w in name for w in words):
                continue
            begin = time.monotonic()
            word, text = self.run(function, needs)
            counts[word] += 1
            print("%-7s %5.1f s  %s%s" % (word, time.monotonic() - begin, name, ": " + text if text else ""),
                  flush=True)
        print("%d passed, %d failed, %d skipped" % (counts["ok"], counts["FAILED"], counts["skipped"]))
        sys.exit(1 if counts["FAILED"] or not sum(counts.values()) else 0)

    @staticmethod
    def run(function, needs):
        try:
            need(*needs)
            return "ok", function() or ""
        except Skip as e:
            return "skipped", str(e)
        except Failure as e:
            return "FAILED", str(e)
        except Exception:
            return "FAILED", traceback.format_exc().rstrip()
