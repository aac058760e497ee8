/* graphdef_flow.c: what the nodes of a graph of TensorFlow hand on: through nodes that change nothing, around the loops
 * of tf.while_loop (Enter, Merge, Switch, NextIteration, Exit), from constants. */
#include "model/graphdef.h"

#include <string.h>

enum { STEPS_MAX = 64 };                /* of nodes that change nothing, one behind the other */

bool tf_is(Ref r, const char *op)
{
    return r.node && strcmp(r.node->op, op) == 0;
}

bool same_ref(Ref a, Ref b)
{
    return a.node && a.node == b.node && a.port == b.port;
}

static bool changes_nothing(Ref r)
{
    static const char *const OPS[] = { "Identity", "Enter", "RefEnter", "Snapshot", "StopGradient", "CheckNumerics" };
    for (int i = 0; i < LENGTH(OPS); i++)
        if (tf_is(r, OPS[i]))
            return r.node->inputs > 0;
    return false;
}

static Ref through(Ref r)
{
    for (int k = 0; k < STEPS_MAX && changes_nothing(r); k++)
        r = r.node->in[0];
    return r;
}

Ref tf_input(const TfNode *n, int k)
{
    return k < n->inputs ? through(n->in[k]) : (Ref){ NULL, 0 };
}

const TfNode *tf_constant(Ref r)
{
    r = through(r);
    return tf_is(r, "Const") && tf_count(r.node) > 0 ? r.node : NULL;
}

bool tf_scalar(Ref r, double *value)
{
    const TfNode *n = tf_constant(r);
    if (!n && tf_is(r, "Fill") && r.node->inputs == 2)
        n = tf_constant(tf_input(r.node, 1));
    if (!n)
        return false;
    *value = tf_element(n, 0);
    for (int64_t k = 1; k < tf_count(n); k++)
        if (tf_element(n, k) != *value)
            return false;
    return true;
}

bool tf_operands(Ref r, const char *op, Ref out[2])
{
    bool is = tf_is(r, op) || (strcmp(op, "Add") == 0 && tf_is(r, "AddV2"));
    if (!is || r.node->inputs != 2)
        return false;
    out[0] = tf_input(r.node, 0);
    out[1] = tf_input(r.node, 1);
    return true;
}

/* Minimum(v, high) or Maximum(v, low), with the constant on either side. */
static bool one_limit(Ref r, const char *op, Ref *of, double *limit)
{
    Ref in[2];
    if (!tf_operands(r, op, in))
        return false;
    int k = tf_scalar(in[1], limit) ? 0 : tf_scalar(in[0], limit) ? 1 : -1;
    if (k >= 0)
        *of = in[k];
    return k >= 0;
}

bool tf_limited(Ref r, Ref *of, double *low, double *high)
{
    Ref inner;
    if (tf_is(r, "ClipByValue") && r.node->inputs == 3) {
        *of = tf_input(r.node, 0);
        return tf_scalar(tf_input(r.node, 1), low) && tf_scalar(tf_input(r.node, 2), high);
    }
    if (one_limit(r, "Maximum", &inner, low))
        return one_limit(inner, "Minimum", of, high);
    return one_limit(r, "Minimum", &inner, high) && one_limit(inner, "Maximum", of, low);
}

bool tf_loop(Ref state, Loop *out)
{
    if (!tf_is(state, "Switch") || state.port != 1)
        return false;
    Ref merge = tf_input(state.node, 0);
    if (!tf_is(merge, "Merge") || merge.node->inputs != 2)
        return false;
    for (int k = 0; k < 2; k++)
        if (tf_is(merge.node->in[k], "NextIteration")) {
            out->merge = merge.node;
            out->first = through(merge.node->in[1 - k]);
            out->next = tf_input(merge.node->in[k].node, 0);
            return true;
        }
    return false;
}

const TfNode *tf_reader(const TfGraph *g, const TfNode *of, int port, const TfNode *but)
{
    for (int i = 0; i < g->n; i++)
        for (int k = 0; k < g->node[i].inputs; k++) {
            Ref r = g->node[i].in[k];
            if (r.node == of && (port < 0 || r.port == port) && &g->node[i] != but)
                return &g->node[i];
        }
    return NULL;
}

const TfNode *tf_exit(const TfGraph *g, const TfNode *merge)
{
    for (int i = 0; i < g->n; i++) {
        Ref from = strcmp(g->node[i].op, "Exit") == 0 ? tf_input(&g->node[i], 0) : (Ref){ NULL, 0 };
        if (tf_is(from, "Switch") && from.port == 0 && tf_input(from.node, 0).node == merge)
            return &g->node[i];
    }
    return NULL;
}
