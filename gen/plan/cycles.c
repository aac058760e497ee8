/* cycles.c: the control of the RTL, cycle by cycle: stream input, sequencer, delays to the cell unit, output buffer.
 *
 * Each struct holds the registers of the module of that name and is advanced by one function per cycle, from wires that
 * are computed first; so the count is that of the simulation, exactly. A test compares the two on every design. */
#include "plan/machine.h"

#include <math.h>
#include <string.h>

/* ---- lg_reorder: reads are issued while a vector is complete and the FIFO has credit */
ReorderWires reorder_wires(const Reorder *r)
{
    ReorderWires w = {.valid = r->level > 0};
    w.last = w.valid && r->n_lasts > 0 && r->lasts[0] == r->popped;
    w.issue = r->full > 0 && r->credits > 0;
    w.sent = w.issue && r->beat == r->beats - 1;
    return w;
}

void reorder_step(Reorder *r, ReorderWires w, bool done, bool pop, int64_t now)
{
    int slot = (int)((now + READ_LATENCY) % RING), here = (int)(now % RING);
    if (w.issue) {
        r->push[slot] = 1;
        r->push_last[slot] = w.sent;
        r->beat = w.sent ? 0 : r->beat + 1;
    }
    r->full += done - w.sent;
    r->credits += pop - w.issue;
    if (pop) {
        if (r->n_lasts > 0 && r->lasts[0] == r->popped)
            memmove(r->lasts, r->lasts + 1, (size_t)--r->n_lasts * sizeof *r->lasts);
        r->popped++;
    }
    if (r->push[here]) {
        if (r->push_last[here])
            r->lasts[r->n_lasts++] = r->pushed;
        r->pushed++;
    }
    r->level += r->push[here] - pop;
    r->push[here] = r->push_last[here] = 0;
}

/* ---- lg_queue, where the banks take fewer elements than a beat of h has; else h is written as it comes */
static bool is_writing_h(const Machine *m)
{
    return m->d->parts > 1 ? m->left > 0 : m->ev.h_valid[m->now % RING];
}

/* Layers whose h is complete when the engine reads it, if it starts now. */
static unsigned layers_done(const Machine *m)
{
    unsigned done = 0;
    if (m->d->parts == 1)
        return m->ev.done[m->now % RING];
    for (int l = m->d->n_regions - 2; l >= 0; l--)
        done = done << 1 | (m->until[l] == 1);
    return done;
}

/* Cycles by which `ahead` is ahead. */
static int queue_early(const Design *d)
{
    return 1 + d->front;
}

static bool queue_moves(const Machine *m)
{
    bool moves = m->left > 0 || m->ahead > 0;
    for (int l = 0; l + 1 < m->d->n_regions; l++)
        moves |= m->until[l] > 0;
    return moves;
}

static void queue_step(Machine *m)
{
    const Design *d = m->d;
    if (d->parts == 1)
        return;
    int early = queue_early(d);
    m->left += m->ev.h_valid[m->now % RING] * d->parts - (m->left > 0);
    m->ahead += m->ev.h_valid[(m->now + early) % RING] * d->parts - (m->ahead > 0);
    for (int l = 0; l + 1 < d->n_regions; l++)
        m->until[l] = m->ev.done[m->now % RING] >> l & 1 ? m->ahead : MAX(m->until[l] - 1, 0);
}

/* ---- lg_input */
void input_step(Machine *m, bool released)
{
    Input *in = &m->in;
    bool busy = is_writing_h(m);
    ReorderWires w = reorder_wires(&in->order);
    bool p_valid = in->reorder ? w.valid : in->valid;
    bool put = p_valid && in->used != 2 && !busy, p_last = in->p_beat == in->p_beats - 1;
    bool q_ready = in->reorder ? in->used_slots != 2 : in->used != 2 && !busy;
    bool take = in->valid && q_ready;
    bool vector_taken = take && in->beat == in->beats - 1;
    bool s_take = in->left > 0 && in->ready;

    if (take)
        in->beat = vector_taken ? 0 : in->beat + 1;
    if (in->reorder) {
        reorder_step(&in->order, w, vector_taken, put, m->now);
        m->emptied[(m->now + EMPTIED_DELAY) % RING] = w.sent;
        if (w.sent)
            expect_pulse(m, m->now + EMPTIED_DELAY);
        if (w.issue)
            expect_pulse(m, m->now + READ_LATENCY);
        in->used_slots += vector_taken - m->emptied[m->now % RING];
    }
    m->freed[(m->now + m->d->front + 1) % RING] = released;
    if (released)
        expect_pulse(m, m->now + m->d->front + 1);
    in->level += (put && p_last) - released;
    in->used += (put && p_last) - m->freed[m->now % RING];
    if (put)
        in->p_beat = p_last ? 0 : in->p_beat + 1;
    if (s_take) {
        in->left--;
        in->port_beats = in->port_beats == in->beats - 1 ? 0 : in->port_beats + 1;
        if (in->port_beats == 0)
            m->last_taken = m->now;
    }
    bool keep = in->valid && !take;
    bool spare = (in->spare && keep) || (s_take && keep);
    m->moved = put || take || s_take || released || (in->reorder && w.issue) || in->spare != spare
        || in->ready == spare;
    in->valid = keep || in->spare || s_take;
    in->spare = spare;
    in->ready = !spare;
}

/* ---- the pulses a tile causes; `end` is the cycle of the sequencer's counters in which it ends */
void tile_events(Machine *m, const Tile *t, int64_t end)
{
    const Design *d = m->d;
    int64_t element = end + 1 + d->tile_at + TABLE_TO_ELEMENT, result = stages_result(d);
    int64_t last = element + d->shifts - 1;
    for (int s = 0; tile_writes(d, t) && s < d->shifts; s++) {
        m->ev.h_valid[(element + s + result) % RING] = 1;
        expect_pulse(m, element + s + result);
        expect_pulse(m, element + s + result - queue_early(d));
    }
    if (t->vector_done) {
        m->ev.done[(last + result - 1 - d->front) % RING] |= 1u << (d->net->section[t->section].writes - 1);
        expect_pulse(m, last + result - 1 - d->front);
    }
    if (t->y_done) {
        m->ev.y_done[(last + result) % RING] = 1;
        expect_pulse(m, last + result);
    }
}

/* ---- lg_sequencer */
static const Run *looked_at(const Machine *m)
{
    const Sequencer *q = &m->seq;
    return &m->d->run[!q->poll ? q->pc : q->last_head ? m->d->last_head_run : m->d->head_run];
}

static void load_run(Sequencer *q, const Design *d, int run)
{
    const Run *r = &d->run[run];
    q->run = run;
    q->phase = r->lead > 0 ? LEAD : SEG_A;
    q->idle = r->lead - 1;
    q->count = 0;
    q->tiles = r->count - 1;
}

static void advance_run(Sequencer *q, const Run *r, const Tile *t, bool end_a, bool end_b, bool tile_end, bool gap_end)
{
    bool has_b = t->term[1].cycles > 0;
    int idle = q->idle, phase = q->phase;
    q->idle--;
    if (phase == SEG_A || phase == SEG_B)
        q->count = end_a || end_b ? 0 : q->count + 1;
    if (phase == LEAD && idle == 0)
        q->phase = SEG_A;
    if (end_a && has_b)
        q->phase = SEG_B;
    if (tile_end) {
        q->phase = r->gap == 0 ? SEG_A : GAP;
        q->idle = r->gap - 1;
    }
    if (gap_end)
        q->phase = SEG_A;
    if (r->gap == 0 ? tile_end : gap_end)
        q->tiles--;
}

/* The last of two runs that are behind. */
static bool is_last_head(const Design *d, const Run *r)
{
    return d->last_head_run != d->head_run && r == &d->run[d->last_head_run];
}

static bool skipped(const Machine *m, const Run *next)
{
    const Sequencer *q = &m->seq;
    if (m->d->stages == 1)
        return next->is_head && !(is_last_head(m->d, next) ? q->last_head : q->head);
    return next->stage == 0 ? q->flush : !(q->due >> next->stage & 1);
}

/* Which stages have a step to work on; `pending` as it was in this cycle. */
static void step_stages(Sequencer *q, const Design *d, const Run *next, bool start, bool turn, bool idle)
{
    if (d->stages == 1)
        return;
    unsigned ends = start && next->ends ? 1u << next->stage : 0;
    if (turn)
        q->due = (q->ran | ends) << 1 & ((1u << d->stages) - 1);
    q->flush = !turn && (q->flush || (idle && q->due && !q->pending));
    q->ran = turn ? 0 : q->ran | ends;
    q->old = turn ? 0 : q->old | (ends && !next->now ? next->set_pending : 0);
}

/* The step that is looked at: late enough that all stages work and both buffers of x were in use. */
static int looked_at_step(const Design *d)
{
    return 4 + 2 * d->stages;
}

/* began[n_runs]: the first run of the next step. 0: it did not begin. */
enum { TWICE = -1 };

static void note_run(Machine *m, int run)
{
    int step = looked_at_step(m->d);
    m->turn += run == 0;
    if (m->began && m->turn == step)
        m->began[run] = m->began[run] ? TWICE : m->now;
    if (m->began && m->turn == step + 1 && run == 0)
        m->began[m->d->n_runs] = m->now;
}

/* Returns whether x was released in this cycle. */
static bool sequencer_step(Machine *m, bool out_sent)
{
    Sequencer *q = &m->seq;
    const Design *d = m->d;
    const Run *r = &d->run[q->run];
    const Tile *t = &d->tile[r->first];
    bool end_a = q->active && q->phase == SEG_A && q->count == t->term[0].cycles - 1;
    bool end_b = q->active && q->phase == SEG_B && q->count == t->term[1].cycles - 1;
    bool tile_end = (end_a && t->term[1].cycles == 0) || end_b;
    bool gap_end = q->active && q->phase == GAP && q->idle == 0;
    bool run_end = q->tiles == 0 && (r->gap == 0 ? tile_end : gap_end);
    bool release = tile_end && q->tiles == 0 && r->release_x;
    if (tile_end)
        tile_events(m, &d->tile[r->first + r->count - 1 - q->tiles], m->now);

    const Run *next = looked_at(m);
    bool x_ready = release ? m->in.level == 2 : m->in.level != 0;
    bool skip = skipped(m, next);
    bool ready = !skip && (!next->wait_x || x_ready) && (!next->wait_out || q->out_used != 2)
                 && (next->wait_h & q->pending & ~q->old) == 0;
    bool choose = !q->active || run_end, start = choose && ready;

    bool polled = q->poll;
    unsigned done = layers_done(m);
    q->poll = d->head_run >= 0 && choose && !ready && !polled && next->wait_x && (q->head || q->last_head);
    int started = (int)(next - d->run);
    bool turn = !polled && choose && (ready || skip) && next->wrap;
    step_stages(q, d, next, start, turn, choose && next->wait_x && !x_ready);
    if (!polled && choose && (ready || skip))
        q->pc = turn ? 0 : q->pc + 1;
    if (start && is_last_head(d, next))
        q->last_head = false;
    else if (start && next->is_head && next->set_head)
        q->last_head = true;
    if (start && next->is_head && !is_last_head(d, next))
        q->head = false;
    else if (start && next->set_head)
        q->head = true;
    q->pending = (q->pending & ~done) | (start ? next->set_pending : 0);
    q->out_used += (start && next->wait_out) - out_sent;
    bool was_active = q->active;
    if (choose)
        q->active = ready;
    if (start) {
        note_run(m, started);
        load_run(q, d, started);
    } else if (was_active) {
        advance_run(q, r, t, end_a, end_b, tile_end, gap_end);
    }
    return release;
}

void machine_start(Machine *m, const Design *d, int64_t vectors)
{
    memset(m, 0, sizeof *m);
    const Region *x = &d->region[0];
    m->d = d;
    m->in.beats = (d->inputs + d->lanes - 1) / d->lanes;
    m->in.reorder = region_is_reordered(x, d->lanes);
    int positions = m->in.reorder ? x->positions : d->inputs;
    m->in.p_beats = (positions + d->lanes - 1) / d->lanes;
    m->in.order.beats = m->in.p_beats;
    m->in.order.credits = m->out.credits = CREDITS;
    m->out.beats = d->out_beats;
    m->in.left = vectors * m->in.beats;
    m->in.ready = true;
    m->last_taken = -1;
}

/* Cycles from now on in which the sequencer does nothing but count. */
static int counting(const Machine *m)
{
    const Sequencer *q = &m->seq;
    const Tile *t = &m->d->tile[m->d->run[q->run].first];
    if (!q->active || q->poll)
        return 0;
    if (q->phase == LEAD || q->phase == GAP)
        return MAX(q->idle, 0);
    return MAX(t->term[q->phase == SEG_B].cycles - 1 - q->count, 0);
}

/* How many of them are before the next pulse. */
static int without_pulse(const Machine *m, int most)
{
    int k = 0;
    while (k < most) {
        unsigned slot = (unsigned)((m->now + k) % RING);
        uint64_t bits = m->expected[slot / 64] >> slot % 64;
        if (bits)
            return MIN(k + __builtin_ctzll(bits), most);
        k += 64 - (int)(slot % 64);
    }
    return most;
}

/* Nothing moved in the last cycle, and nothing will before a counter ends or a pulse arrives: those cycles are counted,
 * not worked out one by one. */
static void skip_quiet(Machine *m)
{
    int k = without_pulse(m, MIN(counting(m), RING / 2));
    if (m->seq.phase == SEG_A || m->seq.phase == SEG_B)
        m->seq.count += k;
    m->seq.idle -= k;
    m->now += k;
}

/* One cycle, and the quiet ones behind it; whether the last beat of a step was at the output. */
static bool machine_step(Machine *m)
{
    int here = (int)(m->now % RING);
    ReorderWires w = reorder_wires(&m->out);
    bool y_done = m->ev.y_done[here], queued = queue_moves(m);
    bool released = sequencer_step(m, w.sent);
    input_step(m, released);
    reorder_step(&m->out, w, y_done, w.valid, m->now);
    if (w.issue)
        expect_pulse(m, m->now + READ_LATENCY);
    queue_step(m);
    m->ev.h_valid[here] = m->ev.y_done[here] = m->freed[here] = m->emptied[here] = 0;
    m->ev.done[here] = 0;
    bool pulse = m->expected[here / 64] >> here % 64 & 1;
    bool quiet = !m->moved && !w.issue && !w.valid && !y_done && !queued && !pulse;
    m->expected[here / 64] &= ~(UINT64_C(1) << here % 64);
    m->now++;
    if (quiet)
        skip_quiet(m);
    return w.last;
}

int cycles_last_steps(const Design *d)
{
    return MAX(1, d->stages - 1);
}

int cycles_least_steps(const Design *d)
{
    enum { LEAST = 8 };
    return MAX(LEAST, 2 * cycles_last_steps(d) + 2);
}

CycleCount machine_count(const Machine *m, const int64_t *t, int steps)
{
    CycleCount c = {.latency = t[steps - 1] - m->last_taken, .total = t[steps - 1] + 1};
    /* Second half, but for the last steps, which have no input behind them: as the testbench measures. */
    int last = steps - 1 - cycles_last_steps(m->d), half = MIN(steps / 2, last);
    if (half > 0)
        c.interval = (double)(t[last] - t[half - 1]) / (last - half + 1);
    return c;
}

CycleCount cycles_simulate(const Design *d, int steps)
{
    Arena *scratch = arena_new();
    Machine *m = ARENA_NEW(scratch, Machine);
    int64_t *t = ARENA_ARRAY(scratch, int64_t, steps), offered = 0;
    machine_start(m, d, steps);
    for (int done = 0; done < steps;) {
        int64_t now = m->now;
        REQUIRE(now - offered < HANGS);
        if (machine_step(m))
            offered = t[done++] = now;
    }
    CycleCount c = machine_count(m, t, steps);
    arena_free(scratch);
    return c;
}

/* Where steps differ, as x comes too late for all stages to work on each: runs one after the other, then the wait for
 * x. */
static int without_waits(const Design *d, int *begin)
{
    int now = 0;
    for (int k = 0; k < d->n_runs; k++) {
        const Run *r = &d->run[k];
        const Tile *t = &d->tile[r->first];
        begin[k] = now;
        now += r->lead + r->count * (t->term[0].cycles + t->term[1].cycles + r->gap);
    }
    return MAX(now, (int)ceil(d->interval));
}

int cycles_of_step(const Design *d, int *begin)
{
    Arena *scratch = arena_new();
    Machine *m = ARENA_NEW(scratch, Machine);
    machine_start(m, d, looked_at_step(d) + 2);
    m->began = ARENA_ARRAY(scratch, int64_t, d->n_runs + 1);
    for (int64_t offered = 0, now = 0; m->began[d->n_runs] == 0; now = m->now) {
        REQUIRE(now - offered < HANGS);
        if (machine_step(m))
            offered = now;
    }
    bool regular = true;
    for (int k = 0; k < d->n_runs; k++) {
        regular &= m->began[k] > 0;
        begin[k] = (int)(m->began[k] - m->began[0]);
    }
    int cycles = regular ? (int)(m->began[d->n_runs] - m->began[0]) : without_waits(d, begin);
    arena_free(scratch);
    return cycles;
}
