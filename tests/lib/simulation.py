"""`lstmgen sim` as the tests want it: nothing differs, and the cycles are exactly those that were predicted."""
import os

from cases import check
from lstm import lstmgen


def simulated(spec, simulator="icarus", timeout=300, **env):
    """Simulates a spec into out_<simulator>/ beside it, with these environment variables; the result of --json."""
    r = lstmgen("sim", spec, "--sim", simulator, "--json", "-o", spec.parent / ("out_" + simulator), timeout=timeout,
                env=dict(os.environ, **env))
    check(r.status == 0, "%s: exit %s: %s", simulator, r.status, r.last())
    check(r.get("verify.mismatches") == 0 and r.get("verify.compared", 0) > 0, "%s: %s mismatches of %s compared",
          simulator, r.get("verify.mismatches"), r.get("verify.compared"))
    for key in ("interval", "latency"):
        measured, predicted = r.get("measured." + key), r.get("cycles." + key)
        check(measured is not None and measured == predicted, "%s: %s predicted %s, measured %s", simulator, key,
              predicted, measured)
    return r
