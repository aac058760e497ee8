/* outputs.c: prints what the floating-point reference and the golden model give for a spec before pruning: two values on a
 * line, all steps of all sequences, those beyond a sequence's end included (0). No engine is planned. */
#include "driver.h"

#include <stdio.h>

static bool models(Job *j)
{
    return job_load(j) && job_stage(j, STAGE_QUANTISE) && job_stage(j, STAGE_GOLDEN);
}

int main(int argc, char **argv)
{
    Arena *a = arena_new();
    Diag *d = diag_new(a);
    Job j;
    bool ok = argc == 2 && job_read(&j, a, d, argv[1], NULL, 0) && models(&j);
    diag_flush(d, stderr);
    if (!ok)
        return 1;
    const Sequences *q = &j.sequences;
    size_t n = (size_t)q->n * (size_t)q->steps * (size_t)j.golden.width;
    double *y = ARENA_ARRAY(a, double, n);
    float_network_values(&j.network, q, y);
    for (size_t i = 0; i < n; i++)
        printf("%.17g %.17g\n", y[i], format_decode(j.qnet.layer[j.network.n - 1].out, j.golden.y[i]));
    arena_free(a);
    return 0;
}
