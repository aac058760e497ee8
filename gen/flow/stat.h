/* stat.h: which cells each module of a netlist has, from what Yosys' `stat` prints. */
#ifndef FLOW_STAT_H
#define FLOW_STAT_H

#include "lstmgen.h"

/* So many cells of one type; a type may be another module of the list. */
typedef struct StatCell { const char *type; int64_t count; struct StatCell *next; } StatCell;
typedef struct StatModule { const char *name; StatCell *cells; struct StatModule *next; } StatModule;

/* The modules of `stat -json` (JSON that is not valid, as of a hierarchy in Yosys 0.23, is left aside) or else of the
 * sections of the text of `stat`, name before number (until 0.4x) or after it (0.57, 0.70). The totals that both print
 * are not read: what a number in their tree counts differs between versions. NULL: neither has any. */
StatModule *stat_read(Arena *a, const char *json, const char *text);
const StatModule *stat_module(const StatModule *list, const char *name);
/* Calls visit for the cells of every instance of every module below `top`: `count` of this type in that instance's
 * module, times the instances of it. False: no module is called `top`. */
typedef void StatVisit(void *context, const char *type, int64_t count);
bool stat_walk(const StatModule *list, const char *top, StatVisit *visit, void *context);

#endif
