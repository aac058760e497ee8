/* model.c: the table of importers, and tensors by name whatever the container. */
#include "model/importer.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { NAMES_SHOWN = 12, NAME_LENGTH_MAX = 1024, TENSORS_MAX = 1 << 20 };

static const Importer *const IMPORTERS[] = {
    &importer_torch,                    /* before .npz: all are zip archives */
    &importer_keras,
    &importer_h5,
    &importer_npz,
    &importer_npy,
    &importer_safetensors,
    &importer_onnx,
    &importer_graphdef,
    &importer_tflite,
};

bool model_add(Model *m, const Subject *s, const char *name)
{
    if (strlen(name) > NAME_LENGTH_MAX || m->n >= TENSORS_MAX) {
        subject_error(
            s, "a tensor name of %zu bytes, %d tensors so far: beyond the limits of %d and %d",
            strlen(name), m->n, NAME_LENGTH_MAX, TENSORS_MAX);
        return false;
    }
    for (const char *p = name; *p; p++)
        if (iscntrl((unsigned char)*p)) {
            subject_error(s, "a tensor name holds the control character 0x%02x", (unsigned char)*p);
            return false;
        }
    if (m->n == m->room) {
        int room = MAX(64, 2 * m->room);
        m->names = arena_grow(m->arena, m->names, (size_t)m->room * sizeof *m->names,
                              (size_t)room * sizeof *m->names);
        m->room = room;
    }
    m->names[m->n++] = name;
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const NamedTensor *)a)->name, ((const NamedTensor *)b)->name);
}

/* Sorts the tensors by name, for model_find. Two tensors of one name: nobody can say which is meant. */
static bool index_names(Model *m, const Subject *s)
{
    m->sorted = ARENA_ARRAY(m->arena, NamedTensor, MAX(m->n, 1));
    for (int i = 0; i < m->n; i++)
        m->sorted[i] = (NamedTensor){ m->names[i], i };
    qsort(m->sorted, (size_t)m->n, sizeof *m->sorted, by_name);
    for (int i = 1; i < m->n; i++)
        if (strcmp(m->sorted[i - 1].name, m->sorted[i].name) == 0) {
            subject_error(s, "duplicate tensor '%s'", m->sorted[i].name);
            return false;
        }
    return true;
}

int model_find(const Model *m, const char *name)
{
    int low = 0, high = m->n;
    while (low < high) {
        int middle = low + (high - low) / 2, order = strcmp(m->sorted[middle].name, name);
        if (order == 0)
            return m->sorted[middle].index;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

/* Reads the first bytes; -1 after recording the error. */
static int read_head(const Subject *s, const char *path, uint8_t head[HEAD_BYTES])
{
    struct stat st;
    FILE *file = NULL;
    errno = 0;
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
        file = fopen(path, "rb");
    if (!file) {
        subject_error(s, "cannot open the model file: %s",
                      errno ? strerror(errno) : "not a regular file");
        return -1;
    }
    size_t n = fread(head, 1, HEAD_BYTES, file);
    fclose(file);
    if (n == 0)
        subject_error(s, "the model file is empty");
    return n == 0 ? -1 : (int)n;
}

/* By content first; the name decides only for files whose content says nothing. */
static const Importer *find_importer(const Subject *s, const char *path)
{
    uint8_t head[HEAD_BYTES];
    if (file_is_folder(path))
        return &importer_folder;
    int n = read_head(s, path, head);
    if (n < 0)
        return NULL;
    bool saved_model = strcmp(path_name(path), "saved_model.pb") == 0; /* begins as ONNX does */
    for (int i = 0; i < LENGTH(IMPORTERS) && !saved_model; i++)
        if (IMPORTERS[i]->probe(path, head, (size_t)n))
            return IMPORTERS[i];
    const char *other = foreign_file(path, head, (size_t)n);
    if (other) {
        subject_error(s, "%s", other);
        return NULL;
    }
    for (int i = 0; i < LENGTH(IMPORTERS); i++)
        if (str_ends(path, IMPORTERS[i]->suffix))
            return IMPORTERS[i];
    subject_error(
        s, "not a model file this version knows: .npz, .npy, a folder of .npy, .safetensors, .onnx, .pt, .pth, .h5, "
           ".keras, .pb or .tflite");
    return NULL;
}

Model *model_open(Arena *a, Diag *d, Place from, const char *path)
{
    Subject s = { d, from, path, NULL };
    const Importer *importer = find_importer(&s, path);
    if (!importer)
        return NULL;
    Model *m = ARENA_NEW(a, Model);
    *m = (Model){ .arena = a, .path = str_dup(a, path), .importer = importer };
    s.file = m->path;
    if (importer->open(m, &s) && index_names(m, &s))
        return m;
    importer->close(m);
    return NULL;
}

void model_close(Model *m)
{
    if (m)
        m->importer->close(m);
}

int model_names(const Model *m, const char *const **names)
{
    *names = m->names;
    return m->n;
}

static void report_missing(const Model *m, const Subject *s, const char *name)
{
    Buffer list;
    buffer_init(&list, m->arena);
    for (int i = 0; i < MIN(m->n, NAMES_SHOWN); i++)
        buffer_print(&list, "%s%.60s", i ? ", " : "", m->names[i]);
    if (m->n > NAMES_SHOWN)
        buffer_print(&list, " and %d more", m->n - NAMES_SHOWN);
    const char *near = str_nearest(name, m->names, m->n);
    subject_error(s, "no tensor '%s'%s%s%s; tensors here: %s", name, near ? "; did you mean '" : "",
                  near ? near : "", near ? "'?" : "", m->n ? list.text : "none");
}

Tensor *model_tensor(Model *m, Diag *d, Place from, const char *name)
{
    Subject s = { d, from, m->path, NULL };
    int i = model_find(m, name);
    Tensor *t = ARENA_NEW(m->arena, Tensor);
    if (i >= 0) {
        s.tensor = t->name = m->names[i];
        return m->importer->load(m, &s, i, t) ? t : NULL;
    }
    t->name = str_dup(m->arena, name);
    int derived = m->importer->derive ? m->importer->derive(m, &s, name, t) : 0;
    if (derived == 0) {
        s.tensor = t->name;
        derived = join_derive(m, &s, name, t);
        s.tensor = NULL;
    }
    if (derived == 0)
        report_missing(m, &s, name);
    return derived > 0 ? t : NULL;
}

Tensor *model_peek(Model *m, Arena *scratch, Diag *d, const char *name)
{
    Arena *own = m->arena;
    m->arena = scratch;
    Tensor *t = model_tensor(m, d, (Place){ 0 }, name);
    m->arena = own;
    return t;
}

int model_layers(Model *m, Diag *d, Place from, FoundNetwork *out)
{
    Subject s = { d, from, m->path, NULL };
    *out = (FoundNetwork){ 0 };
    int n = m->importer->layers ? m->importer->layers(m, &s, out) : 0;
    if (n != 0)
        return n;
    subject_error(&s, "a %s file does not say which tensor is what; name them in model.layers",
                  m->importer->name);
    return -1;
}
