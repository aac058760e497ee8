/* graphdef_network.c: the cells of a frozen graph of TensorFlow in their order, from where x enters to where h leaves,
 * and what stays outside the core. */
#include "model/graphdef.h"

#include <string.h>

enum { HOPS_MAX = 64, NAMED_MAX = 4 };

static const char UNROLLED[] = "its state comes from %s '%s', not from a loop over the steps: unrolled steps are not "
                               "read; save the weights as .npz";

/* What tf_cell found. `from`: which cell gives x; -1: none, the graph itself does, as `source`. */
typedef struct Chain {
    Model *m;
    const Subject *s;
    const TfGraph *g;
    TfCell cell[LAYERS_MAX];
    int n, from[LAYERS_MAX];
    Ref source[LAYERS_MAX];
    int order[LAYERS_MAX];              /* first to last */
} Chain;

static int refuse(const Chain *c, const TfCell *cell, const char *fmt, const TfNode *of)
{
    const char *what = str_format(c->m->arena, fmt, of ? of->op : "", of ? of->name : "");
    subject_error(c->s, "%s cell at %s '%.160s': %s", cell->kind, cell->root->op, cell->root->name, what);
    return -1;
}

/* ---- states ---- */

/* Zero, a constant that becomes the layer's initial state, or an input of the graph, said aloud. */
static int first_state(const Chain *c, const TfCell *cell, Ref first, const char **initial)
{
    double value;
    if (tf_scalar(first, &value) && value == 0)
        return 1;
    if (tf_constant(first)) {
        *initial = tf_constant(first)->name;
        return 1;
    }
    if (!tf_is(first, "Placeholder") && !tf_is(first, "PlaceholderWithDefault"))
        return refuse(c, cell, "it starts from what %s '%s' gives, which is no constant; name its tensors in model.layers",
                      first.node);
    diag_warn(c->s->diag, c->s->from, "%s: '%s' is a state that the graph is given: a core starts from zero", c->s->file,
              first.node->name);
    return 1;
}

static int check_state(const Chain *c, const TfCell *cell, Ref before, Ref now, const char **initial)
{
    Loop loop;
    if (cell->whole)
        return first_state(c, cell, before, initial);
    if (!tf_loop(before, &loop))
        return refuse(c, cell, UNROLLED, before.node);
    if (same_ref(loop.next, now))
        return first_state(c, cell, loop.first, initial);
    bool select = loop.next.node && strncmp(loop.next.node->op, "Select", 6) == 0;
    return refuse(c, cell, select ? "%s '%s' holds its state behind the end of a sequence (sequence_length): freeze the "
                                    "graph without it, a core is told the last step"
                                  : "its next state is what %s '%s' gives, not what the cell does", loop.next.node);
}

static int check_states(Chain *c)
{
    for (int k = 0; k < c->n; k++) {
        TfCell *cell = &c->cell[k];
        if (check_state(c, cell, cell->h_before, cell->h, &cell->spec.h0) < 0
            || (cell->c.node && check_state(c, cell, cell->c_before, cell->c, &cell->spec.c0) < 0))
            return -1;
    }
    return 1;
}

/* ---- where x comes from ---- */

static int cell_that_gives(const Chain *c, Ref r)
{
    for (int k = 0; k < c->n; k++)
        if (same_ref(c->cell[k].h, r))
            return k;
    return -1;
}

/* The value that a loop wrote at each step into the array that this node gathers. */
static Ref written(const TfNode *gather)
{
    Ref flow = tf_input(gather, gather->inputs - 1);
    Ref out = tf_is(flow, "Exit") ? tf_input(flow.node, 0) : (Ref){ NULL, 0 };
    Loop loop;
    if (!tf_loop((Ref){ out.node, 1 }, &loop) || !tf_is(loop.next, "TensorArrayWriteV3"))
        return (Ref){ NULL, 0 };
    return tf_input(loop.next.node, 2);
}

/* What a step reads of an array that was filled with the steps of a value. */
static Ref scattered(const TfNode *read)
{
    Ref flow = tf_input(read, read->inputs - 1);
    return tf_is(flow, "TensorArrayScatterV3") ? tf_input(flow.node, 2) : (Ref){ NULL, 0 };
}

/* The permutation is [1, 0, ...]: steps and sequences are exchanged, elements stay. */
static bool exchanges_time(const TfNode *transpose)
{
    const TfNode *order = tf_constant(tf_input(transpose, 1));
    Ref list = tf_input(transpose, 1);
    if (!order && tf_is(list, "ConcatV2"))
        order = tf_constant(tf_input(list.node, 0));
    return order && tf_count(order) >= 2 && tf_element(order, 0) == 1 && tf_element(order, 1) == 0
        && (tf_count(order) == 2 || tf_element(order, 2) == 2);
}

/* One hop towards the input; false: it is not understood, or the end. */
static bool hop(Ref *r, bool *turned)
{
    Ref next = { NULL, 0 };
    if (tf_is(*r, "TensorArrayGatherV3"))
        next = written(r->node);
    else if (tf_is(*r, "TensorArrayReadV3"))
        next = scattered(r->node);
    else if (tf_is(*r, "Transpose") && r->node->inputs == 2 && exchanges_time(r->node)) {
        *turned = !*turned;
        next = tf_input(r->node, 0);
    }
    if (next.node)
        *r = next;
    return next.node != NULL;
}

static bool reverses(Ref r)
{
    return tf_is(r, "ReverseV2") || tf_is(r, "ReverseSequence") || tf_is(r, "Reverse");
}

static int find_source(Chain *c, int k)
{
    Ref r = c->cell[k].x;
    bool turned = false;
    int giver = cell_that_gives(c, r);
    for (int n = 0; giver < 0 && n < HOPS_MAX && hop(&r, &turned); n++)
        giver = cell_that_gives(c, r);
    if (reverses(r))
        return refuse(c, &c->cell[k], "it runs backward (%s '%s'), which this version cannot build; name the tensors of "
                                      "the forward layer in model.layers", r.node);
    if (giver >= 0 && turned)
        return refuse(c, &c->cell[k], "steps and sequences are exchanged before it, so that it runs over sequences",
                      NULL);
    c->from[k] = giver;
    c->source[k] = r;
    return 1;
}

/* ---- the order ---- */

/* One cell behind the other: each gives its h to one at most, and one takes what the graph gives. */
static int order_cells(Chain *c)
{
    int next[LAYERS_MAX], first = -1;
    for (int k = 0; k < c->n; k++)
        next[k] = -1;
    for (int k = 0; k < c->n; k++) {
        int before = c->from[k], other = before < 0 ? first : next[before];
        if (other >= 0)
            return refuse(c, &c->cell[k], "it runs beside the cell at %s '%s' (two directions, two branches), which this "
                                          "version cannot build; name the tensors of one in model.layers",
                          c->cell[other].root);
        *(before < 0 ? &first : &next[before]) = k;
    }
    int n = 0;
    for (int k = first; k >= 0 && n < c->n; k = next[k])
        c->order[n++] = k;
    return n == c->n ? 1 : refuse(c, &c->cell[0], "the cells of the graph read each other in a ring", NULL);
}

static int find_cells(Chain *c)
{
    TfCell cell;
    for (int i = 0; i < c->g->n; i++) {
        int found = tf_cell(c->m, c->s, &c->g->node[i], &cell);
        if (found < 0)
            return -1;
        if (found == 0)
            continue;
        if (c->n == LAYERS_MAX) {
            subject_error(c->s, "more than %d cells, which is the most that is supported", LAYERS_MAX);
            return -1;
        }
        if (!cell.whole && !tf_is(cell.h_before, "Switch"))
            return refuse(c, &cell, UNROLLED, cell.h_before.node);
        c->cell[c->n++] = cell;
    }
    return c->n;
}

/* ---- a graph without a cell ---- */

static int no_cell(const Chain *c)
{
    static const char *const LOOPS[] = { "While", "StatelessWhile", "PartitionedCall", "StatefulPartitionedCall",
                                         "StatelessIf", "CudnnRNN", "CudnnRNNV2", "CudnnRNNV3" };
    for (int i = 0; i < c->g->n; i++)
        for (int k = 0; k < LENGTH(LOOPS); k++)
            if (strcmp(c->g->node[i].op, LOOPS[k]) == 0) {
                subject_error(c->s, "%s node '%.160s': loops that are functions and cuDNN's operators are not read; python "
                                    "-m tf2onnx.convert --graphdef FILE --output model.onnx --inputs NAME:0 --outputs "
                                    "NAME:0, or name its tensors in model.layers",
                              LOOPS[k], c->g->node[i].name);
                return -1;
            }
    for (int i = 0; i < c->g->n; i++)
        if (strcmp(c->g->node[i].op, "MatMul") == 0) {
            subject_error(c->s, "no cell that is known here (LSTM, GRU or RNN of TensorFlow) is in the graph, nor is MatMul "
                                "'%.160s' a part of one; name its tensors in model.layers", c->g->node[i].name);
            return -1;
        }
    return 0;
}

/* ---- the borders ---- */

/* The node that gathers h of all steps, or NULL. */
static const TfNode *gathers(const Chain *c, const TfCell *last)
{
    for (int i = 0; i < c->g->n; i++)
        if (strcmp(c->g->node[i].op, "TensorArrayGatherV3") == 0 && same_ref(written(&c->g->node[i]), last->h))
            return &c->g->node[i];
    return NULL;
}

static void warn_behind(const Chain *c, const TfNode *out, int port)
{
    const TfNode *reader = tf_reader(c->g, out, port, NULL);
    for (int k = 0; k < HOPS_MAX && reader && (strcmp(reader->op, "Transpose") == 0 || strcmp(reader->op, "Identity") == 0);
         k++) {
        out = reader;
        reader = tf_reader(c->g, out, 0, NULL);
    }
    if (reader)
        diag_warn(c->s->diag, c->s->from, "%s: what follows is outside the core, from %s '%s' on", c->s->file, reader->op,
                  reader->name);
}

/* Nodes that compute x, nearest first; those that only move it are no news. */
static void warn_before(const Chain *c, Ref source)
{
    const char *text = "";
    int n = 0;
    for (int hops = 0; hops < HOPS_MAX && source.node && source.node->inputs > 0; hops++) {
        const char *op = source.node->op;
        if (strcmp(op, "Reshape") != 0 && strcmp(op, "Transpose") != 0 && n++ < NAMED_MAX)
            text = str_format(c->m->arena, "%s%s%s '%s'", text, n > 1 ? ", " : "", op, source.node->name);
        source = tf_input(source.node, 0);
    }
    if (n > 0)
        diag_warn(c->s->diag, c->s->from, "%s: what makes x is outside the core: %s%s", c->s->file, text,
                  n > NAMED_MAX ? " and more before" : "");
}

static void set_output(const Chain *c, FoundNetwork *out)
{
    const TfCell *last = &c->cell[c->order[c->n - 1]];
    const TfNode *all = gathers(c, last), *end = NULL;
    Loop loop;
    if (!last->whole && tf_loop(last->h_before, &loop))
        end = tf_exit(c->g, loop.merge);
    out->last = !all && end;
    const TfNode *node = all ? all : end ? end : last->h.node;
    out->output = node->name;
    warn_behind(c, node, node == last->h.node ? last->h.port : 0);
    const TfNode *reader = all && end ? tf_reader(c->g, end, 0, NULL) : NULL;
    if (reader)
        diag_warn(c->s->diag, c->s->from, "%s: the last h is read too, by %s '%s': take it from the last step that leaves "
                  "the core", c->s->file, reader->op, reader->name);
}

static void reach(const Model *m, const char *name, uint8_t *reached)
{
    const char *part[JOIN_MAX];
    int n = name ? join_parts(m->arena, name, part) : 0;
    for (int k = 0; k < n; k++)
        reach(m, part[k], reached);
    int index = name ? model_find(m, name) : -1;
    if (index >= 0)
        reached[index] = true;
}

static const uint8_t *reached(const Model *m, const LayerSpec *layer, int n)
{
    uint8_t *all = ARENA_ARRAY(m->arena, uint8_t, MAX(m->n, 1));
    for (int k = 0; k < n; k++) {
        const LayerSpec *l = &layer[k];
        const char *const names[] = { l->kernel, l->W, l->R, l->n_b > 0 ? l->b[0] : NULL, l->peephole, l->W_projection,
                                      l->h0, l->c0 };
        for (int i = 0; i < LENGTH(names); i++)
            reach(m, names[i], all);
    }
    return all;
}

int graphdef_layers(Model *m, const Subject *s, FoundNetwork *out)
{
    Chain *c = ARENA_NEW(m->arena, Chain);
    *c = (Chain){ .m = m, .s = s, .g = m->own };
    int n = find_cells(c);
    if (n <= 0)
        return n < 0 ? -1 : no_cell(c);
    if (check_states(c) < 0)
        return -1;
    for (int k = 0; k < c->n; k++)
        if (find_source(c, k) < 0)
            return -1;
    if (order_cells(c) < 0)
        return -1;
    *out = (FoundNetwork){ .n = c->n };
    for (int k = 0; k < c->n; k++)
        out->layer[k] = c->cell[c->order[k]].spec;
    out->reached = reached(m, out->layer, c->n);
    Ref source = c->source[c->order[0]];
    out->input = source.node ? source.node->name : "x";
    warn_before(c, source);
    set_output(c, out);
    return c->n;
}
