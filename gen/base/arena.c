/* arena.c: memory of one design point. Small blocks are cut from chunks; large ones stand alone, so
 * that the system can hand out zeroed pages and grow them without a copy. */
#include "base/base.h"

#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ONE_BY_ONE 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define ONE_BY_ONE 1
#endif

#ifdef ONE_BY_ONE /* every block stands alone: the sanitizer sees each overrun */
enum { CHUNK_BYTES = 0, LARGE_BYTES = 1 };
#else
enum { CHUNK_BYTES = 64 * 1024, LARGE_BYTES = 16 * 1024 };
#endif
enum { ALIGN = 16 };

/* Header of every piece obtained from the system; the memory follows it. */
typedef struct Chunk {
    struct Chunk *next, *prev;
    size_t size, used;
} Chunk;
_Static_assert(sizeof(Chunk) % ALIGN == 0, "memory after the header is aligned");

typedef struct Cleanup {
    struct Cleanup *next;
    void (*done)(void *object);
    void *object;
} Cleanup;

struct Arena {
    Chunk head;                         /* of the ring of all chunks */
    Chunk *open;                        /* the one that small blocks are cut from */
    Cleanup *cleanups;
    size_t bytes;
};

static size_t round_up(size_t bytes)
{
    if (bytes > SIZE_MAX / 4)
        FAULT("a request for %zu bytes of memory", bytes);
    return bytes == 0 ? ALIGN : (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

static uint8_t *chunk_data(Chunk *c)
{
    return (uint8_t *)(c + 1);
}

static void chunk_link(Arena *a, Chunk *c)
{
    c->prev = &a->head;
    c->next = a->head.next;
    c->next->prev = c;
    a->head.next = c;
}

static Chunk *chunk_new(Arena *a, size_t size)
{
    Chunk *c = calloc(1, sizeof *c + size);
    if (!c)
        FAULT("out of memory: %zu bytes wanted, %zu in use", size, a->bytes);
    c->size = size;
    a->bytes += size;
    chunk_link(a, c);
    return c;
}

/* A new, empty arena. The caller frees it with arena_free. */
Arena *arena_new(void)
{
    Arena *a = calloc(1, sizeof *a);
    if (!a)
        FAULT("out of memory");
    a->head.next = a->head.prev = &a->head;
    return a;
}

/* Runs the cleanups (mapped files, unfinished folders), then gives everything back. NULL is
 * allowed. */
void arena_free(Arena *a)
{
    if (!a)
        return;
    for (Cleanup *c = a->cleanups; c; c = c->next)
        c->done(c->object);
    for (Chunk *c = a->head.next, *next; c != &a->head; c = next) {
        next = c->next;
        free(c);
    }
    free(a);
}

void *arena_alloc(Arena *a, size_t bytes)
{
    size_t size = round_up(bytes);
    if (size >= LARGE_BYTES) {
        Chunk *c = chunk_new(a, size);
        c->used = size;
        return chunk_data(c);
    }
    if (!a->open || a->open->size - a->open->used < size)
        a->open = chunk_new(a, CHUNK_BYTES);
    void *p = chunk_data(a->open) + a->open->used;
    a->open->used += size;
    return p;
}

/* A large block moves, if it must, with the system's help only. */
static void *grow_large(Arena *a, void *old, size_t size)
{
    Chunk *c = (Chunk *)old - 1;
    size_t before = c->size;
    c->prev->next = c->next;
    c->next->prev = c->prev;
    c = realloc(c, sizeof *c + size);
    if (!c)
        FAULT("out of memory: %zu bytes wanted, %zu in use", size, a->bytes);
    memset(chunk_data(c) + before, 0, size - before);
    c->size = c->used = size;
    a->bytes += size - before;
    chunk_link(a, c);
    return chunk_data(c);
}

/* Grows a block of this arena; `old_bytes` must be the size it was asked for with (old NULL: 0).
 * The new part is zeroed and `old` must not be used again. A smaller `new_bytes` leaves the block
 * as it is. */
void *arena_grow(Arena *a, void *old, size_t old_bytes, size_t new_bytes)
{
    if (!old)
        return arena_alloc(a, new_bytes);
    size_t before = round_up(old_bytes), after = round_up(new_bytes);
    if (after <= before)
        return old;
    if (before >= LARGE_BYTES)
        return grow_large(a, old, after);
    Chunk *c = a->open;
    bool last = c && (uint8_t *)old + before == chunk_data(c) + c->used;
    if (last && after < LARGE_BYTES && c->size - c->used >= after - before) {
        c->used += after - before;
        return old;
    }
    void *p = arena_alloc(a, new_bytes);
    memcpy(p, old, MIN(old_bytes, new_bytes));
    return p;
}

size_t arena_bytes(const Arena *a)
{
    return a->bytes;
}

void arena_on_free(Arena *a, void (*done)(void *object), void *object)
{
    Cleanup *c = ARENA_NEW(a, Cleanup);
    *c = (Cleanup){ a->cleanups, done, object };
    a->cleanups = c;
}
