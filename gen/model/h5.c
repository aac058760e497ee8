/* h5.c: datasets of an HDF5 file by name.
 *
 * libhdf5 was not made for files that somebody damaged on purpose. It therefore works in a process of its own, with
 * bounds on memory and time, that can do no more than send what it read (h5_child.c); when it crashes, the file is
 * damaged, and that is what the user is told. */
#include "model/h5.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ITEMS_MAX = 1 << 16 };

/* ---- the other process ---- */

static bool receive(const H5 *h, void *to, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t got = read(h->socket, (uint8_t *)to + done, n - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

/* It is gone, or says nothing that makes sense. */
static bool lost(const Subject *s)
{
    subject_error(s, "damaged: HDF5's library cannot read it");
    return false;
}

/* A length and a text, in the arena; NULL: lost. */
static const char *receive_text(const H5 *h, size_t most)
{
    uint32_t n;
    if (!receive(h, &n, sizeof n) || n > most)
        return NULL;
    char *text = arena_alloc(h->arena, (size_t)n + 1);
    return receive(h, text, n) ? text : NULL;
}

static bool start(H5 *h, const Subject *s, Bytes image)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) {
        subject_error(s, "cannot read HDF5: %s", strerror(errno));
        return false;
    }
    h->socket = pair[0];
    h->child = fork();
    if (h->child == 0) {
        close(pair[0]);
        h5_child(pair[1], s->file, image, h->size);
    }
    close(pair[1]);
    if (h->child < 0)
        subject_error(s, "cannot read HDF5: %s", strerror(errno));
    return h->child > 0;
}

void h5_close(H5 *h)
{
    if (!h || h->socket < 0)
        return;
    close(h->socket);
    h->socket = -1;
    if (h->child <= 0)
        return;
    kill(h->child, SIGKILL);            /* it holds nothing that it would have to put away */
    while (waitpid(h->child, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* ---- the list ---- */

static bool add_item(H5 *h)
{
    H5Wire w;
    if (!receive(h, &w, sizeof w) || w.name_bytes < 0 || w.name_bytes > H5_NAME_MAX || w.rank < 0 || h->n >= ITEMS_MAX)
        return false;
    char *name = arena_alloc(h->arena, (size_t)w.name_bytes + 1);
    if (!receive(h, name, (size_t)w.name_bytes))
        return false;
    if (h->n == h->room) {
        int room = MAX(64, 2 * h->room);
        h->item = arena_grow(h->arena, h->item, sizeof *h->item * (size_t)h->room, sizeof *h->item * (size_t)room);
        h->room = room;
    }
    H5Item *i = &h->item[h->n++];
    *i = (H5Item){ .name = name, .floating = w.floating, .rank = w.rank };
    memcpy(i->shape, w.shape, sizeof i->shape);
    return true;
}

static bool read_list(H5 *h, const Subject *s)
{
    for (char answer;;) {
        if (!receive(h, &answer, 1))
            return lost(s);
        if (answer == ANSWER_END)
            return true;
        if (answer == ANSWER_ERROR) {
            const char *text = receive_text(h, H5_NAME_MAX + 200);
            if (text)
                subject_error(s, "%s", text_line(h->arena, text));
            return text ? false : lost(s);
        }
        bool ok = answer == ANSWER_ITEM     ? add_item(h)
                : answer == ANSWER_CONFIG ? (h->config = receive_text(h, H5_TEXT_MAX)) != NULL : false;
        if (!ok)
            return lost(s);
    }
}

H5 *h5_open(Arena *a, const Subject *s, Bytes image)
{
    H5 *h = ARENA_NEW(a, H5);
    struct stat st;
    *h = (H5){ .arena = a, .socket = -1, .size = image.size };
    if (!image.data && stat(s->file, &st) == 0)
        h->size = (uint64_t)st.st_size;
    if (start(h, s, image) && read_list(h, s))
        return h;
    h5_close(h);
    return NULL;
}

/* ---- values ---- */

typedef struct Answer { const H5 *h; } Answer;

static size_t read_answer(void *handle, void *to, size_t n)
{
    return receive(((Answer *)handle)->h, to, n) ? n : 0;
}

bool h5_load(H5 *h, const Subject *s, int index, Arena *a, Tensor *out)
{
    const H5Item *i = &h->item[index];
    int32_t request = index;
    char answer;
    if (!i->floating) {
        subject_error(s, "not floating point; save it as float32");
        return false;
    }
    if (!tensor_shape(s, out, i->rank, i->shape, dtype_find("f4")))
        return false;
    if (send(h->socket, &request, sizeof request, MSG_NOSIGNAL) != sizeof request || !receive(h, &answer, 1))
        return lost(s);
    if (answer == ANSWER_ERROR) {
        const char *text = receive_text(h, H5_NAME_MAX + 200);
        subject_error(s, "%s", text ? text_line(h->arena, text) : "damaged");
        return false;
    }
    Answer handle = { h };
    Source from = { read_answer, &handle, (uint64_t)out->count * sizeof(float) };
    bool big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
    return answer == ANSWER_DATA ? tensor_decode(s, a, out, (Coding){ dtype_find("f4"), big, false }, &from) : lost(s);
}
