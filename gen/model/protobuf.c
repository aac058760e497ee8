/* protobuf.c: messages of the wire format of Protocol Buffers.
 *
 * protobuf-c recurses once per nested message and allocates a struct for every empty one, so a file
 * is checked first: `measure` walks the wire format along the schema with a limit on depth, finds
 * lengths that pass the end (a truncated file), and the unpacking runs under a budget of memory. */
#include "model/protobuf.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 64 };
enum { SMALLEST = 24, OVERHEAD = 8 };     /* bytes that malloc takes for less, and beside what is asked for */
#define FILE_BYTES_MAX ((size_t)1 << 31) /* protobuf's own limit of a message */

/* ---- the wire format ---- */

typedef struct Wire {
    const Subject *subject;
    const char *what;
    const uint8_t *data;
    size_t at, end;
} Wire;

static bool varint(Wire *w, uint64_t *out)
{
    *out = 0;
    for (int shift = 0; shift < 64 && w->at < w->end; shift += 7) {
        uint8_t byte = w->data[w->at++];
        *out |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return true;
    }
    return false;
}

static bool wire_error(const Wire *w, size_t at, const char *what)
{
    subject_error(w->subject, "truncated or damaged %s at byte %zu: %s", w->what, at, what);
    return false;
}

static bool measure(Wire w, const ProtobufCMessageDescriptor *type, int depth);

/* One length-delimited field; `field` is NULL when the schema does not know it. */
static bool measure_block(Wire *w, const ProtobufCFieldDescriptor *field, int depth)
{
    uint64_t length;
    size_t at = w->at;
    if (!varint(w, &length) || length > w->end - w->at) {
        subject_error(w->subject, "truncated or damaged %s at byte %zu: expected %llu bytes of field '%s', found %zu",
                      w->what, at, (unsigned long long)length, field ? field->name : "?", w->end - w->at);
        return false;
    }
    Wire inner = *w;
    w->at = inner.end = w->at + length;
    return !field || field->type != PROTOBUF_C_TYPE_MESSAGE
        || measure(inner, field->descriptor, depth + 1);
}

static bool measure(Wire w, const ProtobufCMessageDescriptor *type, int depth)
{
    if (depth > DEPTH_MAX)
        return wire_error(&w, w.at, "graphs nested deeper than the limit of 64 messages");
    while (w.at < w.end) {
        uint64_t tag, skip;
        size_t at = w.at;
        if (!varint(&w, &tag) || tag >> 3 == 0 || tag >> 3 > UINT32_MAX)
            return wire_error(&w, at, "expected a field tag");
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> 3));
        size_t fixed = (tag & 7) == 1 ? 8 : (tag & 7) == 5 ? 4 : 0;
        if ((tag & 7) == 2 ? !measure_block(&w, field, depth) : false)
            return false;
        if ((tag & 7) == 0 && !varint(&w, &skip))
            return wire_error(&w, at, "expected a number");
        if (fixed > w.end - w.at || (tag & 7) == 3 || (tag & 7) == 4 || (tag & 7) > 5)
            return wire_error(&w, at, "expected a field of a known kind");
        w.at += fixed;
    }
    return true;
}

/* ---- unpacking under a budget ---- */

static void *budget_alloc(void *data, size_t n)
{
    Protobuf *p = data;
    size_t taken = MAX(n, SMALLEST) + OVERHEAD;
    if (taken > p->budget)
        return NULL;
    p->budget -= taken;
    return malloc(n);
}

static void budget_free(void *data, void *p)
{
    (void)data;
    free(p);
}

bool protobuf_unpack(const Subject *s, Bytes bytes, const ProtobufCMessageDescriptor *type, const char *what,
                     ProtobufLimit limit, Protobuf *out)
{
    size_t memory = limit.base + limit.factor * bytes.size;
    *out = (Protobuf){ NULL, { budget_alloc, budget_free, out }, memory };
    if (!measure((Wire){ s, what, bytes.data, 0, bytes.size }, type, 0))
        return false;
    out->message = protobuf_c_message_unpack(type, &out->allocator, bytes.size, bytes.data);
    if (!out->message)
        subject_error(s, "damaged %s: its %zu bytes do not unpack within %zu bytes of memory", what, bytes.size, memory);
    return out->message != NULL;
}

bool protobuf_read(const Subject *s, const char *path, const ProtobufCMessageDescriptor *type, const char *what,
                   ProtobufLimit limit, Protobuf *out)
{
    Arena *scratch = arena_new(); /* the mapped file is not needed once it is unpacked */
    Bytes bytes;
    bool ok = file_read(scratch, s->diag, s->from, path, FILE_BYTES_MAX, &bytes)
           && protobuf_unpack(s, bytes, type, what, limit, out);
    arena_free(scratch);
    return ok;
}

void protobuf_free(Protobuf *p)
{
    if (p->message)
        protobuf_c_message_free_unpacked(p->message, &p->allocator);
    p->message = NULL;
}
