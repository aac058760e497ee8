"""`lstmgen sim` as the tests want it: nothing differs, and the cycles are exactly those that were predicted."""
import os

from cases import check
from lstm import lstmgen


def fault(r):
    """What is wrong with a simulation, by the result of --json; empty: nothing."""
    if r.status != 0:
        return "exit %s: %s" % (r.status, r.last())
    if r.get("verify.mismatches") != 0 or not r.get("verify.compared"):
        return "%s mismatches of %s compared" % (r.get("verify.mismatches"), r.get("verify.compared"))
    for key in ("interval", "latency"):
        measured, predicted = r.get("measured." + key), r.get("cycles." + key)
        if measured is None or measured != predicted:
            return "%s predicted %s, measured %s" % (key, predicted, measured)
    return ""


def simulated(spec, simulator="icarus", timeout=300, **env):
    """Simulates a spec into out_<simulator>/ beside it, with these environment variables; the result of --json."""
    r = lstmgen("sim", spec, "--sim", simulator, "--json", "-o", spec.parent / ("out_" + simulator), timeout=timeout,
                env=dict(os.environ, **env))
    check(not fault(r), "%s: %s", simulator, fault(r))
    return r
