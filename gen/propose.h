/* propose.h: what `check` says could be changed where the part is too small or the SNR low. */
#ifndef PROPOSE_H
#define PROPOSE_H

#include "driver.h"

/* Works out the design again with one or two keys changed, and returns the changes that help most (at most three; NULL: nothing
 * is wrong, or nothing helps): [{"set": ["key=value"..], "fill": .., "snr_db": .., "interval": .., "why": ..}]. */
json_t *propose(const Job *j, const char *spec_path, const char *const *sets, int n_sets);
void propose_print(const json_t *proposals, FILE *to);

#endif
