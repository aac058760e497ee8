/* torch.c: PyTorch's .pt and .pth (torch.save since 1.6) and archives of TorchScript: a zip of data.pkl, which says
 * what tensors there are, and of data/N, their storages.
 *
 * A tensor's name is the keys on the way to it, joined by dots, as state_dict names it. Of modules that were saved
 * whole and of scripts only the tensors are read. */
#include "model/archive.h"
#include "model/pickle.h"

#include <stdlib.h>
#include <string.h>

/* Values may be shared, so that a short pickle could name more tensors than there is memory for: what is visited is
 * bounded by its size. A tensor takes about 100 bytes of it. */
enum { DEPTH_MAX = 64, VISITS_FREE = 1 << 16, BYTES_OF_VISIT = 64, PATHS_FREE = 4 << 20,
       PICKLE_BYTES_MAX = 64 << 20, VIEW_ELEMENTS_FREE = 1 << 16, SKIP_BYTES = 64 << 10 };

#define REMEDY \
    "; in PyTorch save the tensors alone: torch.save(model.state_dict(), \"weights.pt\")"

static const PickleCallable CALLABLES[] = {
    { "collections.OrderedDict", RULE_DICT },
    { "torch._utils._rebuild_tensor_v2", RULE_CALL },
    { "torch._utils._rebuild_parameter", RULE_CALL },
    { "torch._utils._rebuild_parameter_with_state", RULE_CALL },
    /* what checkpoints keep beside tensors: known to be values, not looked into */
    { "torch.Size", RULE_OPAQUE },
    { "torch.device", RULE_OPAQUE },
    { "collections.defaultdict", RULE_OPAQUE },
    { "collections.Counter", RULE_OPAQUE },
    { "__builtin__.set", RULE_OPAQUE },
    { "builtins.set", RULE_OPAQUE },
    { "_codecs.encode", RULE_OPAQUE },
    { "numpy.dtype", RULE_OPAQUE },
    { "numpy.core.multiarray.scalar", RULE_OPAQUE },
    { "numpy._core.multiarray.scalar", RULE_OPAQUE },
    { "torch.jit._pickle.restore_type_tag", RULE_OPAQUE },
    { "torch.jit._pickle.build_intlist", RULE_OPAQUE },
    { "torch.jit._pickle.build_doublelist", RULE_OPAQUE },
    { "torch.jit._pickle.build_boollist", RULE_OPAQUE },
    { "torch.jit._pickle.build_tensorlist", RULE_OPAQUE },
    { "pathlib.PosixPath", RULE_OPAQUE },
    { "pathlib.WindowsPath", RULE_OPAQUE },
};

static const struct {
    const char *class, *type;
} STORAGES[] = {
    { "torch.FloatStorage", "f4" }, { "torch.DoubleStorage", "f8" }, { "torch.HalfStorage", "f2" },
    { "torch.BFloat16Storage", "bf2" }, { "torch.LongStorage", "i8" }, { "torch.IntStorage", "i4" },
    { "torch.ShortStorage", "i2" }, { "torch.CharStorage", "i1" }, { "torch.ByteStorage", "u1" },
    { "torch.BoolStorage", "b1" },
};

typedef struct View {
    const char *key, *class;            /* of the storage */
    const DataType *type;               /* NULL: not decoded here */
    int64_t offset, rank, shape[RANK_MAX], stride[RANK_MAX];
} View;

typedef struct Torch {
    zip_t *zip;
    const char *folder;                 /* of data.pkl, with its slash */
    bool big_endian;
    View *view;
    int room;
    size_t size, visits, paths;         /* of data.pkl, values seen, bytes of their paths */
} Torch;

static bool torch_probe(const char *path, const uint8_t *head, size_t n)
{
    return archive_probe(head, n) && archive_has(path, "data.pkl");
}

/* ---- one tensor ---- */

static bool damaged(const Subject *s, const char *name)
{
    subject_error(s, "tensor '%s': damaged: not what PyTorch writes for a tensor", name);
    return false;
}

static bool sizes(PickleValue v, int64_t *rank, int64_t out[RANK_MAX])
{
    *rank = v.kind == PICKLE_TUPLE ? v.node->n : -1;
    for (int i = 0; i < *rank; i++) {
        PickleValue n = pickle_item(v, i);
        if (n.kind != PICKLE_INT || n.integer < 0 || n.integer > (int64_t)1 << 48)
            return false;
        if (i < RANK_MAX)
            out[i] = n.integer;
    }
    return *rank >= 0;
}

/* storage: ("storage", class, key, device, elements). */
static bool read_view(PickleValue call, View *v)
{
    PickleValue storage = pickle_item(call, 0), offset = pickle_item(call, 1);
    PickleValue class = pickle_item(storage, 1), key = pickle_item(storage, 2);
    int64_t strides;
    if (storage.kind != PICKLE_STORAGE || offset.kind != PICKLE_INT || offset.integer < 0
        || offset.integer > (int64_t)1 << 48 || class.kind != PICKLE_CLASS || key.kind != PICKLE_TEXT)
        return false;
    *v = (View){ .key = key.text, .class = class.text, .offset = offset.integer };
    for (int i = 0; i < LENGTH(STORAGES); i++)
        if (strcmp(STORAGES[i].class, v->class) == 0)
            v->type = dtype_find(STORAGES[i].type);
    return sizes(pickle_item(call, 2), &v->rank, v->shape) && sizes(pickle_item(call, 3), &strides, v->stride)
        && v->rank == strides;
}

static bool add_tensor(Model *m, const Subject *s, const char *name, PickleValue call)
{
    Torch *t = m->own;
    if (m->n == t->room) {
        int room = MAX(64, 2 * t->room);
        t->view = arena_grow(m->arena, t->view, sizeof(View) * (size_t)t->room, sizeof(View) * (size_t)room);
        t->room = room;
    }
    return (read_view(call, &t->view[m->n]) || damaged(s, name)) && model_add(m, s, name);
}

/* ---- all of them ---- */

static bool walk(Model *m, const Subject *s, const char *path, PickleValue v, int depth);

static bool child(Model *m, const Subject *s, const char *path, PickleValue key, PickleValue v, int depth)
{
    const char *dot = path[0] ? "." : "";
    bool holds = v.kind == PICKLE_DICT || v.kind == PICKLE_LIST || v.kind == PICKLE_TUPLE || v.kind == PICKLE_CALL
              || v.kind == PICKLE_OBJECT;
    if (!holds)
        return true;
    if (key.kind == PICKLE_INT)
        return walk(m, s, str_format(m->arena, "%s%s%lld", path, dot, (long long)key.integer), v, depth + 1);
    return key.kind != PICKLE_TEXT || walk(m, s, str_format(m->arena, "%s%s%s", path, dot, key.text), v, depth + 1);
}

static bool walk_dict(Model *m, const Subject *s, const char *path, PickleValue dict, int depth)
{
    for (int i = 0; dict.kind == PICKLE_DICT && i + 1 < dict.node->n; i += 2)
        if (!child(m, s, path, dict.node->item[i], dict.node->item[i + 1], depth))
            return false;
    return true;
}

/* A script keeps tensors and parts as attributes; a module keeps them in three dicts; other objects are settings. */
static bool walk_object(Model *m, const Subject *s, const char *path, PickleValue v, int depth)
{
    PickleValue state = v.node->state;
    if (!str_starts(v.node->class, "__torch__."))
        return walk_dict(m, s, path, pickle_key(state, "_parameters"), depth)
            && walk_dict(m, s, path, pickle_key(state, "_buffers"), depth)
            && walk_dict(m, s, path, pickle_key(state, "_modules"), depth);
    for (int i = 0; state.kind == PICKLE_DICT && i + 1 < state.node->n; i += 2) {
        PickleValue part = state.node->item[i + 1];
        if ((part.kind == PICKLE_OBJECT || part.kind == PICKLE_CALL)
            && !child(m, s, path, state.node->item[i], part, depth))
            return false;
    }
    return true;
}

static bool walk(Model *m, const Subject *s, const char *path, PickleValue v, int depth)
{
    Torch *t = m->own;
    t->paths += strlen(path);
    if (depth > DEPTH_MAX || ++t->visits > VISITS_FREE + t->size / BYTES_OF_VISIT
        || t->paths > PATHS_FREE + 2 * t->size) {
        subject_error(s, "its values lie deeper in each other than a model's: refused" REMEDY);
        return false;
    }
    if (v.kind == PICKLE_CALL)
        return strcmp(v.node->class, "torch._utils._rebuild_tensor_v2") == 0
                 ? add_tensor(m, s, path[0] ? path : "tensor", v)
                 : child(m, s, "", (PickleValue){ PICKLE_TEXT, { .text = path } }, pickle_item(v, 0), depth);
    if (v.kind == PICKLE_OBJECT)
        return walk_object(m, s, path, v, depth);
    for (int i = 0; (v.kind == PICKLE_LIST || v.kind == PICKLE_TUPLE) && i < v.node->n; i++)
        if (!child(m, s, path, (PickleValue){ PICKLE_INT, { .integer = i } }, v.node->item[i], depth))
            return false;
    return walk_dict(m, s, path, v, depth);
}

/* ---- the archive ---- */

/* "big" in torch's member of this name; without one, little. */
static bool read_byteorder(const Model *m, const Subject *s, Torch *t)
{
    zip_int64_t at = zip_name_locate(t->zip, str_format(m->arena, "%sbyteorder", t->folder), 0);
    size_t n;
    uint8_t *text = at < 0 ? NULL : member_read(s, t->zip, (zip_uint64_t)at, HEAD_BYTES, &n);
    t->big_endian = text && strcmp((char *)text, "big") == 0;
    bool ok = at < 0 || text;
    free(text);
    return ok;
}

static bool read_pickle(Model *m, const Subject *s, Torch *t, PickleValue *top)
{
    zip_int64_t at = zip_name_locate(t->zip, "data.pkl", ZIP_FL_NODIR);
    const char *name = at < 0 ? NULL : zip_get_name(t->zip, (zip_uint64_t)at, ZIP_FL_ENC_RAW);
    if (!name || !str_ends(name, "data.pkl")) {
        subject_error(s, "damaged: its data.pkl is not there");
        return false;
    }
    t->folder = str_ndup(m->arena, name, strlen(name) - strlen("data.pkl"));
    uint8_t *text = member_read(s, t->zip, (zip_uint64_t)at, PICKLE_BYTES_MAX, &t->size);
    bool ok = text && pickle_read(s, m->arena, (Bytes){ text, t->size }, CALLABLES, LENGTH(CALLABLES), REMEDY, top);
    free(text);
    return ok;
}

static bool torch_open(Model *m, const Subject *s)
{
    Torch *t = m->own = ARENA_NEW(m->arena, Torch);
    PickleValue top;
    t->zip = archive_open(s, m->path);
    if (!t->zip || !read_pickle(m, s, t, &top) || !read_byteorder(m, s, t) || !walk(m, s, "", top, 0))
        return false;
    if (m->n == 0)
        subject_error(s, "a PyTorch file without tensors");
    return m->n > 0;
}

/* ---- values ---- */

/* Elements of the storage from the first one of the view to its last, and whether they lie one after the other. */
static bool extent(const Subject *s, const View *v, const Tensor *t, uint64_t elements, int64_t *span, bool *in_order)
{
    int64_t last = 0, expected = 1;
    *in_order = true;
    for (int i = t->rank - 1; i >= 0; i--) {
        if (t->shape[i] > 1 && (uint64_t)v->stride[i] > elements)
            last = INT64_MAX / 16;
        else if (t->shape[i] > 1)
            last += (t->shape[i] - 1) * v->stride[i];
        *in_order = *in_order && (t->shape[i] == 1 || v->stride[i] == expected);
        expected *= t->shape[i];
    }
    *span = last + 1;
    if ((uint64_t)v->offset > elements || (uint64_t)*span > elements - (uint64_t)v->offset) {
        subject_error(s, "truncated or damaged: it needs elements %lld to %lld of storage %s, which has %llu",
                      (long long)v->offset, (long long)(v->offset + last), v->key, (unsigned long long)elements);
        return false;
    }
    if ((uint64_t)t->count > MAX(elements, (uint64_t)VIEW_ELEMENTS_FREE)) {
        subject_error(s, "repeats the %llu elements of its storage: save it as .contiguous()",
                      (unsigned long long)elements);
        return false;
    }
    return true;
}

static bool skip(const Subject *s, const Source *from, uint64_t n)
{
    if (n > 0 && zip_fseek(from->handle, (zip_int64_t)n, SEEK_SET) == 0)
        return true;                    /* stored, not deflated */
    uint8_t *waste = malloc(SKIP_BYTES);
    bool ok = waste != NULL;
    for (uint64_t done = 0, some; ok && done < n; done += some) {
        some = MIN(n - done, (uint64_t)SKIP_BYTES);
        ok = source_read(s, from, waste, some, "data");
    }
    free(waste);
    return ok;
}

typedef struct Gather {
    const uint8_t *from;
    const View *view;
    const Tensor *tensor;
    int64_t index[RANK_MAX], at;
} Gather;

/* Elements in C order of a view of any strides. */
static size_t gather_read(void *handle, void *to, size_t bytes)
{
    Gather *g = handle;
    size_t size = g->view->type->size;
    for (size_t n = 0; n < bytes / size; n++) {
        memcpy((uint8_t *)to + n * size, g->from + (size_t)g->at * size, size);
        for (int i = g->tensor->rank - 1; i >= 0; i--) {
            g->at += g->view->stride[i];
            if (++g->index[i] < g->tensor->shape[i])
                break;
            g->at -= g->view->stride[i] * g->tensor->shape[i];
            g->index[i] = 0;
        }
    }
    return bytes;
}

static bool read_gathered(const Model *m, const Subject *s, const View *v, Tensor *out, const Source *from,
                          int64_t span, Coding coding)
{
    size_t bytes = (size_t)span * v->type->size;
    uint8_t *data = malloc(bytes);
    bool ok = data && source_read(s, from, data, bytes, "data");
    Gather g = { .from = data, .view = v, .tensor = out };
    Source gathered = { gather_read, &g, (uint64_t)out->count * v->type->size };
    ok = ok && tensor_decode(s, m->arena, out, coding, &gathered);
    free(data);
    return ok;
}

static bool load_view(const Model *m, const Subject *s, const View *v, Tensor *out, const Source *from)
{
    const Torch *t = m->own;
    Coding coding = { v->type, t->big_endian, false };
    uint64_t elements = from->size / v->type->size;
    int64_t span;
    bool in_order;
    if (!extent(s, v, out, elements, &span, &in_order) || !skip(s, from, (uint64_t)v->offset * v->type->size))
        return false;
    if (!in_order)
        return read_gathered(m, s, v, out, from, span, coding);
    bool whole = v->offset == 0 && (uint64_t)span * v->type->size == from->size;
    return tensor_decode(s, m->arena, out, coding, from) && (!whole || member_ends_well(s, from));
}

static bool torch_load(Model *m, const Subject *s, int index, Tensor *out)
{
    const Torch *t = m->own;
    const View *v = &t->view[index];
    Source from;
    if (!v->type || !v->type->floating) {
        subject_error(s, "a %s, which is not floating point of 16 to 64 bits; save it as float32", v->class);
        return false;
    }
    if (!tensor_shape(s, out, v->rank, v->shape, v->type))
        return false;
    zip_int64_t at = zip_name_locate(t->zip, str_format(m->arena, "%sdata/%s", t->folder, v->key), 0);
    if (at < 0) {
        subject_error(s, "damaged: its storage 'data/%s' is not in the archive", v->key);
        return false;
    }
    if (!member_open(s, t->zip, (zip_uint64_t)at, &from))
        return false;
    bool ok = load_view(m, s, v, out, &from);
    member_close(&from);
    return ok;
}

static void torch_close(Model *m)
{
    Torch *t = m->own;
    if (t && t->zip)
        zip_discard(t->zip);
    m->own = NULL;
}

const Importer importer_torch = { "PyTorch file", ".pt", torch_probe, torch_open, torch_load,
                                  torch_close, NULL, NULL };
