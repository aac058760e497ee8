/* terms.c: prints what the estimate of a spec is a sum of, for fit.py: the terms, then the LUT RAM of its memories
 * alone. */
#include "driver.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    Arena *a = arena_new();
    Job j;
    if (argc != 2 || !job_read(&j, a, diag_new(a), argv[1], NULL, 0) || !job_build(&j))
        return 1;
    double of[ESTIMATE_TERMS];
    estimate_terms(&j.design, of);
    for (int k = 0; k < ESTIMATE_TERMS; k++)
        printf("%.17g ", of[k]);
    Usage memories = {0};
    estimate_memories(&j.design, &memories);
    printf("%lld\n", (long long)memories.count[RES_LUTRAM]);
    arena_free(a);
    return 0;
}
