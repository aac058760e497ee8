/* accuracy.h: the table of `lstmgen check --accuracy`. */
#ifndef REPORT_ACCURACY_H
#define REPORT_ACCURACY_H

#include "report/report.h"

/* SNR of the outputs for every pattern at rates 1, 1/2, 1/4, 1/8: `net` is unpruned and stays so. Takes
 * as many steps as a few seconds allow. The caller gives the object back with json_decref. */
json_t *accuracy_table(Arena *a, const Spec *s, const Network *net, const Sequences *seq);
void accuracy_print(const json_t *table, FILE *to);

#endif
