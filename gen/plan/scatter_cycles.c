/* scatter_cycles.c: the control of the scatter engine, cycle by cycle, as cycles.c does for the gather engine: one
 * struct per module with its registers, wires first, then one step of every register. */
#include "plan/machine.h"

#include <string.h>

enum { QUEUE_DEPTH = 16, QUEUE_STOP = 8, END_MARK = -1, NOTHING = -1 };

typedef struct Queue { int level, head; int entry[QUEUE_DEPTH]; } Queue;    /* words of a column, or END_MARK */
typedef struct Array { bool busy; int left, ahead, ends; } Array;
typedef struct Push { int scan, address, step; } Push;          /* scan NOTHING; address NOTHING: end mark */

typedef struct Scatter {
    Machine m;
    Queue *queue;                       /* [array * queues + queue] */
    Array *array;
    Push push[RING];
    uint8_t closed[RING], release[RING], full[RING];
    bool active, stop, inside;
    int step, scan_step;                /* of the scan that is next, and of the one at work */
    int pc, scan, count, rest;          /* lg_scatter_scan; count: addresses and end mark still to come, less 1 */
    unsigned pending, pending_late, recent;
    int full_now;                       /* complete addresses of the h being written */
    int tile, wait, layers_closed, used;    /* lg_scatter_read */
} Scatter;

/* ---- lg_scatter_scan; whether x was released in this cycle */
static int scan_count(const Scan *s)
{
    return s->addresses + s->end - 1;
}

/* Bit of the vector that the section of a scan writes. */
unsigned scan_closes(const Design *d, const Scan *s)
{
    int writes = d->net->section[s->section].writes;
    return writes > 0 ? 1u << (writes - 1) : 0;
}

static bool scan_step(Scatter *s, bool stop)
{
    const Design *d = s->m.d;
    const Scan *now = &d->scan[s->scan], *next = &d->scan[s->pc];
    bool last = s->count == 0, mark = last && now->end;
    unsigned wait = now->wait_h ? 1u << (now->region - 1) : 0;
    bool there = (wait & (s->pending | s->pending_late)) == 0
                 || (s->pending == wait && s->recent == 0 && scan_count(now) - s->count < s->full_now);
    unsigned closes = scan_closes(d, now);
    bool issue = s->active && !s->stop && (mark ? (s->pending & closes) == 0 : there), finished = issue && last;
    bool rested = s->rest == 0 && !(finished && now->end && d->rest > 0);
    bool ready = rested && (!next->wait_x || s->m.in.level != 0);
    bool choose = !s->active || finished, start = choose && ready;
    bool released = issue && now->release_x && s->count == (now->end ? 1 : 0);
    if (issue) {
        int slot = (int)((s->m.now + 4 + d->delta) % RING);
        s->push[slot] = (Push){s->scan, mark ? NOTHING : scan_count(now) - s->count, s->scan_step};
        s->count--;
    }
    if (finished && now->end)
        s->rest = d->rest;
    else if (s->rest > 0)
        s->rest--;
    unsigned done = s->m.ev.done[s->m.now % RING];
    s->pending_late = s->pending;
    s->pending &= ~done;
    if (issue && mark)
        s->pending |= closes;
    s->full_now = s->recent ? 0 : s->full_now + s->full[s->m.now % RING];
    s->recent = (s->recent << 1 | (done != 0)) & 7;
    if (choose)
        s->active = ready;
    if (start) {
        s->scan = s->pc;
        s->scan_step = s->step;
        s->step += next->wrap;
        s->count = scan_count(next);
        s->pc = next->wrap ? 0 : s->pc + 1;
    }
    s->stop = stop;
    return released;
}

/* ---- lg_scatter_lane */
static void queue_put(Queue *q, int entry)
{
    REQUIRE(q->level < QUEUE_DEPTH);
    q->entry[(q->head + q->level++) % QUEUE_DEPTH] = entry;
}

static void queue_pop(Queue *q)
{
    q->head = (q->head + 1) % QUEUE_DEPTH;
    q->level--;
}

/* Was element e of a scan sent in this step? Steps go round. */
static bool was_sent(const Activity *a, const Scan *scan, int step, int e)
{
    if (!scan->delta || !a)
        return true;
    return a->sent[(size_t)(step % a->steps) * (size_t)a->elements + (size_t)(a->at[scan->product] + e)];
}

static void push_step(Scatter *s)
{
    const Design *d = s->m.d;
    Push *p = &s->push[s->m.now % RING];
    if (p->scan == NOTHING)
        return;
    const Scan *scan = &d->scan[p->scan];
    int elements = d->region[scan->region].elements;
    for (int b = 0; b < d->vector_banks; b++) {
        Queue *q = &s->queue[b % d->lanes_pe * d->queues + b / d->lanes_pe];
        if (p->address == NOTHING)
            queue_put(q, END_MARK);
        else if (p->address * d->vector_banks + b < elements
                 && was_sent(d->activity, scan, p->step,
                             region_element(&d->region[scan->region], p->address * d->vector_banks + b)))
            queue_put(q, scan->words);
    }
    p->scan = NOTHING;
}

static bool any_half_full(const Scatter *s)
{
    for (int k = 0; k < s->m.d->vector_banks; k++)
        if (s->queue[k].level >= QUEUE_STOP)
            return true;
    return false;
}

/* ---- lg_scatter_array; whether it took an end mark */
static bool array_step(Scatter *s, int n, bool release)
{
    Array *a = &s->array[n];
    Queue *q = &s->queue[n * s->m.d->queues];
    int queues = s->m.d->queues, pick = NOTHING, marks = 0;
    for (int k = queues - 1; k >= 0; k--) {
        bool valid = q[k].level > 0, mark = valid && q[k].entry[q[k].head] == END_MARK;
        marks += mark;
        if (valid && !mark)
            pick = k;
    }
    bool free = (!a->busy || a->left == 0) && a->ahead < 2, ends = free && marks == queues;
    a->left--;
    if (free && pick >= 0) {
        a->left = q[pick].entry[q[pick].head] - 1;
        a->busy = true;
        queue_pop(&q[pick]);
    } else if (a->left < 0) {
        a->busy = false;
    }
    for (int k = 0; ends && k < queues; k++)
        queue_pop(&q[k]);
    a->ahead += ends - release;
    return ends;
}

static void arrays_step(Scatter *s)
{
    const Design *d = s->m.d;
    int meet = MAX(d->mul_latency, 2);
    bool all = true, release = s->release[s->m.now % RING];
    for (int n = 0; n < d->lanes_pe; n++)
        all = all && s->array[n].ends > 0;
    for (int n = 0; n < d->lanes_pe; n++)
        s->array[n].ends += array_step(s, n, release) - all;
    if (all)
        s->closed[(s->m.now + meet + 1 - d->read_at) % RING] = 1;
}

/* ---- lg_scatter_read */
static bool first_of_output(const Design *d, int tile)
{
    int section = d->tile[tile].section;
    return d->net->section[section].output && (tile == 0 || d->tile[tile - 1].section != section);
}

/* Cycles in which the cell unit completes an address of h: it writes the last bank. */
static void mark_full(Scatter *s, const Tile *t)
{
    const Design *d = s->m.d;
    int64_t first = s->m.now + 1 + d->tile_at + TABLE_TO_ELEMENT + stages_result(d);
    int end = MIN((t->group + 1) * d->tile_rows, d->region[d->net->section[t->section].writes].positions);
    for (int k = 0; k < d->shifts; k++) {
        int from = t->group * d->tile_rows + k * d->cell_lanes, to = MIN(from + d->cell_lanes, end);
        if (from < to && to / d->vector_banks > from / d->vector_banks)
            s->full[(first + k) % RING] = 1;
    }
}

static void read_step(Scatter *s, bool out_sent)
{
    const Design *d = s->m.d;
    int n = s->tile;
    bool output = first_of_output(d, n), closed = s->closed[s->m.now % RING];
    bool start = s->inside || (s->layers_closed > 0 && !(output && s->used == 2));
    bool issue = start && s->wait == 0;
    bool last = n == d->n_tiles - 1 || d->tile[n + 1].section != d->tile[n].section;
    if (issue) {
        tile_events(&s->m, &d->tile[n], s->m.now);
        if (tile_writes(d, &d->tile[n]))
            mark_full(s, &d->tile[n]);
        s->tile = n == d->n_tiles - 1 ? 0 : n + 1;
        s->wait = d->tile_gap[n];
        s->inside = !last;
        if (last)
            s->release[(s->m.now + 1 + d->read_at) % RING] = 1;
    } else if (s->wait > 0) {
        s->wait--;
    }
    s->layers_closed += closed - (issue && last);
    s->used += (issue && output) - out_sent;
}

static void cycle(Scatter *s, ReorderWires w)
{
    Machine *m = &s->m;
    int here = (int)(m->now % RING);
    bool y_done = m->ev.y_done[here], stop = any_half_full(s);
    arrays_step(s);
    push_step(s);
    read_step(s, w.sent);
    bool released = scan_step(s, stop);
    input_step(m, released);
    reorder_step(&m->out, w, y_done, w.valid, m->now);
    m->ev.h_valid[here] = m->ev.y_done[here] = m->freed[here] = m->emptied[here] = 0;
    m->ev.done[here] = 0;
    s->closed[here] = s->release[here] = s->full[here] = 0;
}

static Scatter *scatter_start(Arena *a, const Design *d, int steps)
{
    Scatter *s = ARENA_NEW(a, Scatter);
    machine_start(&s->m, d, steps);
    s->queue = ARENA_ARRAY(a, Queue, d->vector_banks);
    s->array = ARENA_ARRAY(a, Array, d->lanes_pe);
    for (int k = 0; k < RING; k++)
        s->push[k].scan = NOTHING;
    return s;
}

CycleCount scatter_cycles(const Design *d, int steps)
{
    Arena *scratch = arena_new();
    Scatter *s = scatter_start(scratch, d, steps);
    int64_t *t = ARENA_ARRAY(scratch, int64_t, steps), offered = 0;
    for (int done = 0; done < steps; s->m.now++) {
        ReorderWires w = reorder_wires(&s->m.out);
        REQUIRE(s->m.now - offered < HANGS);
        if (w.last)
            offered = t[done++] = s->m.now;
        cycle(s, w);
    }
    CycleCount c = machine_count(&s->m, t, steps);
    arena_free(scratch);
    return c;
}

/* ---- without the control: what a step leaves to do */
typedef struct Counting {
    const Activity *activity;
    int step;
    bool permuted;
    int64_t *cycles;
    StepCounts *out;
} Counting;

static void count_scan(const Design *d, const Scan *scan, const Counting *c)
{
    const Region *r = &d->region[scan->region];
    StepCounts *out = c->out;
    int n = r->elements, sent = 0;
    for (int q = 0; q < n; q++)
        if (was_sent(c->activity, scan, c->step, c->permuted ? region_element(r, q) : q)) {
            out->columns[q % d->lanes_pe]++;
            c->cycles[q % d->lanes_pe] += scan->words;
            sent++;
        }
    if (scan->region == 0)
        out->skipped_x += n - sent;
    else
        out->skipped_h += n - sent;
}

void scatter_step_counts(const Design *d, const Activity *a, int step, bool permuted, StepCounts *out)
{
    Arena *scratch = arena_new();
    int64_t *cycles = ARENA_ARRAY(scratch, int64_t, d->lanes_pe);
    Counting c = {a, step, permuted, cycles, out};
    *out = (StepCounts){.columns = out->columns};
    memset(out->columns, 0, sizeof *out->columns * (size_t)d->lanes_pe);
    for (int k = 0; k < d->n_scans; k++) {
        count_scan(d, &d->scan[k], &c);
        if (!d->scan[k].end)
            continue;
        int64_t most = 0;
        for (int array = 0; array < d->lanes_pe; array++)
            most = MAX(most, cycles[array]);
        out->busiest += d->scan[k].delta ? most : 0;
        memset(cycles, 0, sizeof *cycles * (size_t)d->lanes_pe);
    }
    arena_free(scratch);
}
