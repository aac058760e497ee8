/* write.c: a model file written again with fewer weights, in its own container: which elements go, and
 * the files put in place. The writers (write_*.c) copy bytes; no weight is ever decoded and encoded
 * again, so what is kept keeps every bit. */
#include "model/writer.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = INT_MAX };
/* Of an element that no matrix has asked for yet; where none does, it is kept. */
enum { UNSEEN = 2 };

static const Writer WRITERS[] = {
    { &importer_npz, write_npz },
    { &importer_npy, write_npy },
    { &importer_folder, write_folder },
    { &importer_safetensors, write_safetensors },
    { &importer_onnx, write_onnx },
};

/* ---- for the writers ---- */

void out_file(const Rewrite *w, OutFiles *out, const char *path, Bytes bytes)
{
    size_t old = sizeof *out->file * (size_t)out->n;
    out->file = arena_grow(w->arena, out->file, old, old + sizeof *out->file);
    out->file[out->n++] = (OutFile){ path, bytes };
}

const Edit *edit_of(const Rewrite *w, const char *tensor)
{
    for (int i = 0; i < w->n; i++)
        if (strcmp(w->edit[i].name, tensor) == 0)
            return &w->edit[i];
    return NULL;
}

/* Where element n of C order lies in Fortran order. */
static int64_t fortran_at(const Edit *e, int64_t n)
{
    int64_t at = 0, index[RANK_MAX] = { 0 };
    for (int i = e->rank - 1; i >= 0; i--) {
        index[i] = n % e->shape[i];
        n /= e->shape[i];
    }
    for (int i = e->rank - 1; i >= 0; i--)
        at = at * e->shape[i] + index[i];
    return at;
}

void edit_apply(const Edit *e, uint8_t *data, size_t element_bytes, bool fortran)
{
    for (int64_t n = 0; n < e->count; n++)
        if (!e->kept[n]) {
            size_t at = (size_t)(fortran ? fortran_at(e, n) : n);
            memset(data + at * element_bytes, 0, element_bytes);
        }
}

bool mask_replaces(const Rewrite *w, const Edit *e, bool bytes, int64_t rank, const int64_t *shape)
{
    bool same = bytes && rank == e->rank;
    for (int i = 0; same && i < e->rank; i++)
        same = shape[i] == e->shape[i];
    Subject s = w->subject;
    s.tensor = e->mask;
    if (!same)
        subject_error(&s, "is in the file already, and is no mask of '%s' (8-bit unsigned, shape %s): "
                      "rename it, or leave out --masks",
                      e->name, dims_text(w->arena, e->rank, e->shape));
    return same;
}

bool read_copy(const Rewrite *w, const char *path, uint8_t **data, size_t *size)
{
    Bytes bytes;
    if (!file_read(w->arena, w->subject.diag, w->subject.from, path, FILE_BYTES_MAX, &bytes))
        return false;
    *data = arena_alloc(w->arena, bytes.size);
    *size = bytes.size;
    memcpy(*data, bytes.data, bytes.size);
    return true;
}

/* ---- which elements go ---- */

/* The edit of a tensor, a new one where there is none. NULL after an error. */
static Edit *edit_add(Rewrite *w, Edit *list, const char *tensor)
{
    for (int i = 0; i < w->n; i++)
        if (strcmp(list[i].name, tensor) == 0)
            return &list[i];
    Tensor *t = model_tensor(w->model, w->subject.diag, w->subject.from, tensor);
    if (!t)
        return NULL;
    Edit *e = &list[w->n++];
    *e = (Edit){ .name = t->name, .rank = t->rank, .count = t->count };
    e->mask = str_format(w->arena, "%s_mask", t->name);
    memcpy(e->shape, t->shape, sizeof e->shape);
    e->kept = ARENA_ARRAY(w->arena, uint8_t, t->count);
    memset(e->kept, UNSEEN, (size_t)t->count);
    return e;
}

/* Element of the file's tensor that holds the canonical row and column. */
static int64_t element_at(const Product *p, int64_t file_rows, int row, int column)
{
    int units = p->m.rows / p->m.gates;
    int64_t r = (int64_t)p->block[row / units] * units + row % units;
    return p->turned ? (p->first + column) * file_rows + r : r * p->tensor_columns + p->first + column;
}

/* An element that serves two matrices must go in both or in none. */
static bool edit_fill(const Rewrite *w, const Product *p, Edit *e)
{
    const Matrix *m = &p->m;
    REQUIRE(e->count % p->tensor_columns == 0);
    for (int row = 0; row < m->rows; row++)
        for (int column = 0; column < m->columns; column++) {
            uint8_t kept = !m->kept || m->kept[(int64_t)row * m->columns + column];
            uint8_t *to = &e->kept[element_at(p, e->count / p->tensor_columns, row, column)];
            if (*to != UNSEEN && *to != kept) {
                Subject s = w->subject;
                s.tensor = e->name;
                subject_error(&s, "it serves two matrices that keep different weights; give each its "
                              "own tensor, or the same rate");
                return false;
            }
            *to = kept;
        }
    return true;
}

static bool find_edits(Rewrite *w, const Network *net)
{
    Edit *list = ARENA_ARRAY(w->arena, Edit, net->products);
    w->edit = list;
    for (int k = 0; k < net->products; k++) {
        Edit *e = edit_add(w, list, net->product[k].tensor);
        if (!e || !edit_fill(w, &net->product[k], e))
            return false;
    }
    for (int i = 0; i < w->n; i++)
        for (int64_t k = 0; k < list[i].count; k++)
            list[i].kept[k] = list[i].kept[k] != 0;
    return true;
}

/* ---- where it goes ---- */

static bool refuse(const Rewrite *w, const char *to, const char *why)
{
    diag_error(w->subject.diag, (Place){ 0 }, "-o %s: %s", to, why);
    return false;
}

static bool same_place(const char *a, const char *b)
{
    char x[PATH_MAX], y[PATH_MAX];
    return realpath(a, x) && realpath(b, y) && strcmp(x, y) == 0;
}

/* Links are followed, so that what they point to is replaced and not they; but never to the input,
 * which has to be named itself. */
static bool follow_link(Rewrite *w, const char *to)
{
    struct stat st;
    char resolved[PATH_MAX];
    char *clean = str_dup(w->arena, to);
    for (size_t n = strlen(clean); n > 1 && clean[n - 1] == '/'; n--)
        clean[n - 1] = '\0';
    w->to = clean;
    w->in_place = same_place(clean, w->model->path);
    if (lstat(clean, &st) != 0 || !S_ISLNK(st.st_mode))
        return true;
    bool input_is_link = strcmp(clean, w->model->path) == 0;
    if (w->in_place && !input_is_link)
        return refuse(w, to, "a link to the model file itself: name that file to replace it");
    if (!realpath(clean, resolved))
        return refuse(w, to, strerror(errno));
    w->to = str_dup(w->arena, resolved);
    return true;
}

static bool has_name(const Model *m, const char *name)
{
    for (int i = 0; i < m->n; i++)
        if (strcmp(m->names[i], name) == 0)
            return true;
    return false;
}

/* A file that is there is replaced only if it may be an earlier result: a model of the same container with the same
 * tensors. Anything else (the spec, other data, another network) is somebody's. */
static bool is_earlier_result(const Rewrite *w)
{
    Arena *a = arena_new();
    Model *old = model_open(a, diag_new(a), w->subject.from, w->to);
    const char *missing = NULL;
    bool kind = old && old->importer == w->model->importer, one = w->model->importer == &importer_npy;
    for (int i = 0; kind && !one && !missing && i < w->model->n; i++)
        if (!has_name(old, w->model->names[i]))
            missing = w->model->names[i];
    model_close(old);
    bool ok = kind && !missing;
    if (!ok)
        refuse(w, w->to, str_format(w->arena, "is there already and is no earlier result of this (%s%s): remove it "
                                    "yourself, or give another name",
                                    missing ? "it has no tensor " : "it is no ",
                                    missing ? missing : w->model->importer->name));
    arena_free(a);
    return ok;
}

/* The container is kept: a name that promises another one, or a folder for a file, is a mistake. */
static bool kind_fits(const Rewrite *w, const char *to)
{
    const Importer *of = w->model->importer;
    struct stat st;
    bool folder = of == &importer_folder, there = stat(w->to, &st) == 0;
    for (int i = 0; i < LENGTH(WRITERS); i++)
        if (WRITERS[i].of != of && (folder || WRITERS[i].of != &importer_folder)
            && str_ends(to, WRITERS[i].of->suffix) && !str_ends(to, of->suffix))
            return refuse(w, to, str_format(w->arena, "%s is a %s, and prune keeps the container: give "
                          "a name that fits", w->model->path, of->name));
    if (there && folder && !S_ISDIR(st.st_mode))
        return refuse(w, to, "is a file; the model is a folder of .npy, and so is what is written");
    if (there && !folder && !S_ISREG(st.st_mode))
        return refuse(w, to, S_ISDIR(st.st_mode) ? "is a folder; the name of a file is needed"
                                                 : "is not a regular file");
    if (to[0] == '\0' || (!folder && str_ends(to, "/")))
        return refuse(w, to, "the name of a file is needed");
    return !there || folder || w->in_place || is_earlier_result(w);
}

/* A folder of .npy is read as a whole: what another run left there would become part of the model. */
static bool folder_is_ours(const Rewrite *w, const OutFiles *out)
{
    DIR *dir = w->model->importer == &importer_folder && !w->in_place ? opendir(w->to) : NULL;
    bool ok = true;
    for (struct dirent *e; dir && ok && (e = readdir(dir)) != NULL;) {
        bool ours = !str_ends(e->d_name, ".npy") || e->d_name[0] == '.';
        for (int i = 0; !ours && i < out->n; i++)
            ours = strcmp(path_name(out->file[i].path), e->d_name) == 0;
        if (!ours)
            ok = refuse(w, w->to, str_format(w->arena, "the folder holds %s, which is not part of what "
                        "is written: remove it or choose another folder", e->d_name));
    }
    if (dir)
        closedir(dir);
    return ok;
}

/* ---- putting files in place ---- */

/* As a new file would have, or as the file that is replaced has. */
static mode_t mode_of(const char *path)
{
    struct stat st;
    mode_t mask = umask(0);
    umask(mask);
    return stat(path, &st) == 0 ? st.st_mode & 0777 : 0666 & ~mask;
}

/* Writes beside the final name; NULL after recording why not. */
static char *write_temp(const Rewrite *w, const OutFile *f)
{
    char *temp = path_beside(w->arena, f->path,
                             str_format(w->arena, ".%s.XXXXXX", path_name(f->path)));
    int fd = mkstemp(temp);
    FILE *file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    bool ok = file && fwrite(f->bytes.data, 1, f->bytes.size, file) == f->bytes.size
           && fchmod(fd, mode_of(f->path)) == 0;
    int error = errno;
    if (file && fclose(file) != 0 && ok) {
        ok = false;
        error = errno;
    }
    if (ok)
        return temp;
    diag_error(w->subject.diag, (Place){ 0 }, "cannot write %s: %s (nothing was changed)", f->path,
               strerror(error));
    if (fd >= 0)
        unlink(temp);
    return NULL;
}

/* All are complete under other names before the first one is renamed. */
static bool put_files(const Rewrite *w, const OutFiles *out)
{
    bool made = w->model->importer == &importer_folder && mkdir(w->to, 0777) == 0, ok = true;
    char **temp = ARENA_ARRAY(w->arena, char *, out->n);
    for (int i = 0; i < out->n && ok; i++)
        ok = (temp[i] = write_temp(w, &out->file[i])) != NULL;
    for (int i = 0; i < out->n && ok; i++) {
        ok = rename(temp[i], out->file[i].path) == 0;
        if (ok)
            temp[i] = NULL;
        else
            refuse(w, out->file[i].path, strerror(errno));
    }
    for (int i = 0; i < out->n; i++)
        if (temp[i])
            unlink(temp[i]);
    if (made && !ok)
        rmdir(w->to);
    return ok;
}

static bool write_files(const Rewrite *w)
{
    OutFiles out = { 0 };
    for (int i = 0; i < LENGTH(WRITERS); i++)
        if (WRITERS[i].of == w->model->importer)
            return WRITERS[i].write(w, &out) && folder_is_ours(w, &out) && put_files(w, &out);
    return refuse(w, w->to, str_format(w->arena, "%s is a %s, which prune cannot write: save the weights as .npz or "
                                                 ".safetensors first",
                                       w->model->path, w->model->importer->name));
}

bool model_write(Arena *a, Diag *d, const Spec *s, const Network *net, bool masks, const char *to)
{
    Place from = spec_at(s, "model.file");
    Rewrite w = { .arena = a, .masks = masks, .model = model_open(a, d, from, s->model_file) };
    if (!w.model)
        return false;
    w.subject = (Subject){ d, from, w.model->path, NULL };
    bool ok = follow_link(&w, to) && kind_fits(&w, to) && find_edits(&w, net) && write_files(&w);
    model_close(w.model);
    return ok;
}
