/* write_onnx.c: the unpacked model with weights zeroed in its tensors, packed again (fields that the
 * schema does not know are kept by protobuf-c). Masks become UINT8 initializers of the graph their
 * tensor belongs to; runtimes ignore initializers that no node reads. */
#include "model/onnx_graph.h"
#include "model/writer.h"

#include <stdlib.h>
#include <string.h>

typedef Onnx__TensorProto OnnxTensor;
typedef Onnx__GraphProto Graph;

static void zero_store(const Edit *e, OnnxTensor *t)
{
    if (t->has_raw_data)
        edit_apply(e, t->raw_data.data, t->raw_data.len / (size_t)e->count, false);
    else if (t->n_float_data > 0)
        edit_apply(e, (uint8_t *)t->float_data, sizeof *t->float_data, false);
    else if (t->n_double_data > 0)
        edit_apply(e, (uint8_t *)t->double_data, sizeof *t->double_data, false);
    else
        edit_apply(e, (uint8_t *)t->int32_data, sizeof *t->int32_data, false);
}

/* The mask's elements and dimensions are the edit's own, in the arena. */
static OnnxTensor *mask_tensor(Arena *a, const Edit *e)
{
    OnnxTensor *t = ARENA_NEW(a, OnnxTensor);
    onnx__tensor_proto__init(t);
    t->name = str_dup(a, e->mask);
    t->n_dims = (size_t)e->rank;
    t->dims = ARENA_ARRAY(a, int64_t, MAX(e->rank, 1));
    memcpy(t->dims, e->shape, sizeof *t->dims * t->n_dims);
    t->has_data_type = 1;
    t->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__UINT8;
    t->has_raw_data = 1;
    t->raw_data.len = (size_t)e->count;
    t->raw_data.data = e->kept;
    return t;
}

/* An initializer list that stands in for a graph's own while the model is packed. */
typedef struct Swap {
    Graph *graph;
    OnnxTensor **own;
    size_t n_own;
} Swap;

static void swap_back(Swap *swap, int n)
{
    while (n-- > 0) {
        swap[n].graph->initializer = swap[n].own;
        swap[n].graph->n_initializer = swap[n].n_own;
    }
}

/* The graph's initializers with the mask as the last one, or in the place of an older mask. */
static bool put_mask(const Rewrite *w, const Edit *e, Swap *swap)
{
    Graph *g = (Graph *)onnx_scope(w->model, e->name);
    *swap = (Swap){ g, g->initializer, g->n_initializer };
    const OnnxTensor *old = onnx_constant(w->model, e->mask);
    size_t n = g->n_initializer, at = n;
    for (size_t i = 0; i < n; i++)
        if (g->initializer[i]->name && strcmp(g->initializer[i]->name, e->mask) == 0)
            at = i;
    bool bytes = old && old->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__UINT8 && at < n;
    if (old && !mask_replaces(w, e, bytes, (int64_t)old->n_dims, old->dims))
        return false;
    OnnxTensor **list = ARENA_ARRAY(w->arena, OnnxTensor *, n + 1);
    if (n > 0)
        memcpy(list, g->initializer, sizeof *list * n);
    list[at] = mask_tensor(w->arena, e);
    g->initializer = list;
    g->n_initializer = at < n ? n : n + 1;
    return true;
}

/* Until IR version 3 an initializer had to be an input of its graph too. */
static bool masks_allowed(const Rewrite *w)
{
    const Onnx__ModelProto *m = onnx_proto(w->model);
    if (!w->masks || !m->has_ir_version || m->ir_version > 3)
        return true;
    subject_error(&w->subject, "masks need ONNX IR version 4 or later, found %lld: save the model "
                  "again with a newer version, or leave out --masks", (long long)m->ir_version);
    return false;
}

/* What the graph computes from its tensors has no place of its own in the file; what lies beside the file would
 * change there. */
static bool tensors_here(const Rewrite *w)
{
    for (int i = 0; i < w->n; i++) {
        const OnnxTensor *t = onnx_constant(w->model, w->edit[i].name);
        Subject s = w->subject;
        s.tensor = w->edit[i].name;
        if (t && !onnx_is_external(t))
            continue;
        subject_error(&s, t ? "it lies in a file beside the model, and prune writes one file: save the model in one first "
                              "(onnx.save with save_as_external_data=False)"
                            : "the graph computes it from other tensors, so it cannot be written back: save the model with "
                              "its constants folded first (onnxsim, or the exporter's do_constant_folding)");
        return false;
    }
    return true;
}

bool write_onnx(const Rewrite *w, OutFiles *out)
{
    const Onnx__ModelProto *m = onnx_proto(w->model);
    Swap *swap = ARENA_ARRAY(w->arena, Swap, w->n + 1);
    int swapped = 0;
    bool ok = masks_allowed(w) && tensors_here(w);
    for (int i = 0; i < w->n && ok; i++) {
        zero_store(&w->edit[i], (OnnxTensor *)onnx_constant(w->model, w->edit[i].name));
        if (w->masks)
            ok = put_mask(w, &w->edit[i], &swap[swapped++]);
    }
    if (ok) {
        size_t size = onnx__model_proto__get_packed_size(m);
        uint8_t *data = arena_alloc(w->arena, size);
        onnx__model_proto__pack(m, data);
        out_file(w, out, w->to, (Bytes){ data, size });
    }
    swap_back(swap, swapped);
    return ok;
}
