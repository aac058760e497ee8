/* h5_child.c: the process that reads an HDF5 file for another one. Only hard links to groups and datasets that lie in
 * the file itself are followed; of filters, only those that are in the library (deflate, shuffle, checksum). */
#define H5_USE_110_API
#include "model/h5.h"

#include <hdf5.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { GROUPS_DEEP_MAX = 32, LINKS_MAX = 1 << 16, SECONDS_MAX = 20, MEMORY_FREE = 48 << 20, DEFLATE_MOST = 1032,
       FILL_BYTES = 1 << 16 };

typedef struct Reader {
    Arena *arena;
    int socket;
    hid_t file;
    char **path;
    int n, room, links, depth;
    uint64_t size;
    char prefix[H5_NAME_MAX + 1];       /* of the group at work */
} Reader;

static void put(const Reader *r, const void *data, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t some = send(r->socket, (const uint8_t *)data + done, n - done, MSG_NOSIGNAL);
        if (some <= 0)
            _exit(1);                   /* nobody is there to be told */
        done += (size_t)some;
    }
}

static void put_text(const Reader *r, char answer, const char *text, uint32_t n)
{
    put(r, &answer, 1);
    put(r, &n, sizeof n);
    put(r, text, n);
}

static void put_error(const Reader *r, const char *text)
{
    put_text(r, ANSWER_ERROR, text, (uint32_t)strlen(text));
}

_Noreturn static void fail(const Reader *r, const char *text)
{
    put_error(r, text);
    _exit(0);
}

/* ---- the list ---- */

static void list_dataset(Reader *r, hid_t set, const char *name)
{
    hid_t type = H5Dget_type(set), space = H5Dget_space(set);
    hsize_t dims[H5S_MAX_RANK];
    H5Wire w = { .floating = H5Tget_class(type) == H5T_FLOAT, .name_bytes = (int32_t)strlen(name) };
    w.rank = H5Sget_simple_extent_ndims(space);
    if (type < 0 || space < 0 || w.rank < 0 || w.rank > H5S_MAX_RANK || H5Sget_simple_extent_dims(space, dims, NULL) < 0
        || H5Sget_simple_extent_type(space) == H5S_NULL)
        fail(r, str_format(r->arena, "damaged: dataset '%s' has no shape", name));
    for (int i = 0; i < w.rank && i < RANK_MAX; i++)
        w.shape[i] = dims[i] > INT64_MAX ? INT64_MAX : (int64_t)dims[i];
    put(r, &(char){ ANSWER_ITEM }, 1);
    put(r, &w, sizeof w);
    put(r, name, strlen(name));
    if (r->n == r->room) {
        int room = MAX(64, 2 * r->room);
        r->path = arena_grow(r->arena, r->path, sizeof *r->path * (size_t)r->room, sizeof *r->path * (size_t)room);
        r->room = room;
    }
    r->path[r->n++] = str_dup(r->arena, name);
    H5Tclose(type), H5Sclose(space);
}

static herr_t list_link(hid_t group, const char *name, const H5L_info_t *info, void *reader);

static void list_group(Reader *r, hid_t group, const char *path)
{
    char before[sizeof r->prefix];
    if (++r->depth > GROUPS_DEEP_MAX)
        fail(r, "groups lie deeper in each other than a model's: refused");
    memcpy(before, r->prefix, sizeof before);
    memcpy(r->prefix, path, strlen(path) + 1);
    if (H5Literate(group, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, list_link, r) < 0)
        fail(r, str_format(r->arena, "damaged: group '%s' cannot be listed", path));
    memcpy(r->prefix, before, sizeof before);
    r->depth--;
}

static herr_t list_link(hid_t group, const char *name, const H5L_info_t *info, void *reader)
{
    Reader *r = reader;
    char path[sizeof r->prefix];
    int n = snprintf(path, sizeof path, "%s%s%s", r->prefix, r->prefix[0] ? "/" : "", name);
    if (n < 0 || n >= (int)sizeof path || ++r->links > LINKS_MAX)
        fail(r, "more, or longer, names than a model has: refused");
    if (info->type != H5L_TYPE_HARD)
        fail(r, str_format(r->arena, "'%s' is a link to elsewhere: refused, a model is whole in its file", path));
    hid_t object = H5Oopen(group, name, H5P_DEFAULT);
    if (object < 0)
        fail(r, str_format(r->arena, "damaged: '%s' cannot be opened", path));
    if (H5Iget_type(object) == H5I_GROUP)
        list_group(r, object, path);
    else if (H5Iget_type(object) == H5I_DATASET)
        list_dataset(r, object, path);
    H5Oclose(object);
    return 0;
}

/* What Keras calls the network: JSON, as a string of fixed or of any length. */
static void send_config(Reader *r)
{
    if (H5Aexists(r->file, "model_config") <= 0)
        return;
    hid_t config = H5Aopen(r->file, "model_config", H5P_DEFAULT), type = H5Aget_type(config);
    hid_t space = H5Aget_space(config);
    size_t n = H5Tget_size(type);
    if (H5Tget_class(type) != H5T_STRING || H5Sget_simple_extent_npoints(space) != 1)
        fail(r, "damaged: its attribute model_config is no text");
    bool any = H5Tis_variable_str(type) > 0;
    char *text = any ? NULL : n <= H5_TEXT_MAX ? calloc(1, n + 1) : NULL;
    hid_t memory = H5Tcopy(H5T_C_S1);
    H5Tset_size(memory, any ? H5T_VARIABLE : n + 1);
    H5Tset_cset(memory, H5Tget_cset(type));
    if ((!any && !text) || H5Aread(config, memory, any ? (void *)&text : text) < 0 || !text
        || strlen(text) > H5_TEXT_MAX)
        fail(r, "damaged: its attribute model_config cannot be read");
    put_text(r, ANSWER_CONFIG, text, (uint32_t)strlen(text));
}

/* ---- values ---- */

/* Why the values are not read, or NULL. */
static const char *fault_of_filters(hid_t creation)
{
    int n = H5Pget_nfilters(creation);
    for (int i = 0; i < n; i++) {
        unsigned flags, config;
        size_t values = 0;
        H5Z_filter_t f = H5Pget_filter2(creation, (unsigned)i, &flags, &values, NULL, 0, NULL, &config);
        if (f != H5Z_FILTER_DEFLATE && f != H5Z_FILTER_SHUFFLE && f != H5Z_FILTER_FLETCHER32)
            return "a compression that is not read here (only gzip, with or without shuffle); save it without";
    }
    return n < 0 ? "damaged: its filters are unknown" : NULL;
}

static const char *fault_of_storage(const Reader *r, hid_t set, hid_t creation, uint64_t bytes)
{
    H5D_layout_t layout = H5Pget_layout(creation);
    uint64_t stored = H5Dget_storage_size(set);
    bool packed = layout == H5D_CHUNKED && H5Pget_nfilters(creation) > 0;
    if (H5Pget_external_count(creation) != 0 || (layout != H5D_COMPACT && layout != H5D_CONTIGUOUS
                                                 && layout != H5D_CHUNKED))
        return "its values are in other files: refused, a model is whole in its file";
    if (stored == 0)
        return "it has no values in the file";
    if (stored > r->size || (!packed && bytes > stored + FILL_BYTES) || bytes > DEFLATE_MOST * stored + FILL_BYTES)
        return "truncated or damaged: it claims more values than the file holds";
    return NULL;
}

static const char *fault_of_set(const Reader *r, hid_t set, hid_t type, hid_t space, hid_t creation)
{
    hssize_t count = H5Sget_simple_extent_npoints(space);
    size_t size = H5Tget_size(type);
    if (set < 0 || type < 0 || space < 0 || creation < 0 || count <= 0 || size == 0 || size > 16
        || (uint64_t)count > TENSOR_BYTES_MAX / sizeof(float))
        return "damaged: it cannot be opened";
    const char *fault = fault_of_filters(creation);
    return fault ? fault : fault_of_storage(r, set, creation, (uint64_t)count * size);
}

static void send_values(const Reader *r, int index)
{
    hid_t set = H5Dopen2(r->file, r->path[index], H5P_DEFAULT), type = H5Dget_type(set), space = H5Dget_space(set);
    hid_t creation = H5Dget_create_plist(set);
    const char *fault = fault_of_set(r, set, type, space, creation);
    size_t bytes = fault ? 0 : (size_t)H5Sget_simple_extent_npoints(space) * sizeof(float);
    float *data = fault ? NULL : malloc(bytes);
    if (!fault && (!data || H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0))
        fault = "truncated or damaged: its values cannot be read";
    if (fault) {
        put_error(r, fault);
    } else {
        put(r, &(char){ ANSWER_DATA }, 1);
        put(r, data, bytes);
    }
    free(data);
    H5Pclose(creation), H5Sclose(space), H5Tclose(type), H5Dclose(set);
}

/* ---- the process ---- */

/* What it may take beyond what it was born with. */
static void bound(uint64_t size)
{
    struct rlimit time = { SECONDS_MAX, SECONDS_MAX }, none = { 0, 0 };
    unsigned long long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%llu", &pages) == 1 && pages > 0) {
        rlim_t most = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + MEMORY_FREE + 4 * size;
        setrlimit(RLIMIT_AS, &(struct rlimit){ most, most });
    }
    if (f)
        fclose(f);
    setrlimit(RLIMIT_CPU, &time);
    setrlimit(RLIMIT_CORE, &none);
    setrlimit(RLIMIT_FSIZE, &none);
}

/* Its words are for nobody: what is wrong goes through the socket. */
static void be_quiet(void)
{
    int nowhere = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3 && nowhere >= 0; fd++)
        dup2(nowhere, fd);
    setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    H5PLset_loading_state(0);
}

static hid_t open_image(const char *path, Bytes image)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (image.data) {
        H5Pset_fapl_core(access, 1 << 16, false);
        H5Pset_file_image(access, (void *)image.data, image.size);
    }
    return H5Fopen(image.data ? "image" : path, H5F_ACC_RDONLY, access);
}

_Noreturn void h5_child(int socket, const char *path, Bytes image, uint64_t size)
{
    Reader r = { .arena = arena_new(), .socket = socket, .size = size };
    be_quiet();
    bound(size);
    r.file = open_image(path, image);
    if (r.file < 0)
        fail(&r, "truncated or damaged: not a whole HDF5 file");
    send_config(&r);
    hid_t root = H5Gopen2(r.file, "/", H5P_DEFAULT);
    if (root < 0)
        fail(&r, "damaged: its root cannot be opened");
    list_group(&r, root, "");
    put(&r, &(char){ ANSWER_END }, 1);
    for (int32_t index; recv(socket, &index, sizeof index, MSG_WAITALL) == sizeof index;)
        if (index >= 0 && index < r.n)
            send_values(&r, index);
    _exit(0);
}
