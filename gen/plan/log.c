/* log.c: what the planner found by trial, in the order in which it asked: schedules it chose and cycles it counted. A
 * design that takes the same cycles, like the next point of a sweep over weight widths, is planned from the log without
 * a trial. Who hands in a log answers for that: see `plan_key` in sweep/stock.c. */
#include "plan/plan.h"

#include <string.h>

typedef struct Entry { struct Entry *next; size_t size; void *item; } Entry;

struct PlanLog {
    Arena *arena;
    Entry *first, **end, *at;
    bool whole;                         /* a plan was made with it to its end: it is read now */
};

PlanLog *plan_log_new(Arena *a)
{
    PlanLog *log = ARENA_NEW(a, PlanLog);
    log->arena = a;
    log->end = &log->first;
    return log;
}

void plan_log_close(PlanLog *log)
{
    if (!log)
        return;
    log->whole = true;
    log->at = log->first;
}

bool plan_log_take(PlanLog *log, void *item, size_t size)
{
    if (!log || !log->whole)
        return false;
    REQUIRE(log->at && log->at->size == size);
    memcpy(item, log->at->item, size);
    log->at = log->at->next;
    return true;
}

void plan_log_put(PlanLog *log, const void *item, size_t size)
{
    if (!log)
        return;
    Entry *e = ARENA_NEW(log->arena, Entry);
    *e = (Entry){.size = size, .item = arena_alloc(log->arena, size)};
    memcpy(e->item, item, size);
    *log->end = e;
    log->end = &e->next;
}

CycleCount plan_cycles(const Design *d, int steps)
{
    CycleCount c;
    if (!plan_log_take(d->log, &c, sizeof c)) {
        c = d->engine->cycles(d, steps);
        plan_log_put(d->log, &c, sizeof c);
    }
    return c;
}
