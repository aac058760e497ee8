/* protobuf.h: a message of a file through protobuf-c, checked first and unpacked within a limit of memory. */
#ifndef MODEL_PROTOBUF_H
#define MODEL_PROTOBUF_H

#include "model/importer.h"

#include <protobuf-c/protobuf-c.h>

/* Memory for a message of a file of n bytes: base + factor * n. */
typedef struct ProtobufLimit { size_t base, factor; } ProtobufLimit;
/* `allocator` points to the struct itself, which must stay where it is. */
typedef struct Protobuf {
    ProtobufCMessage *message;
    ProtobufCAllocator allocator;
    size_t budget;
} Protobuf;
/* Reads the whole file at `path` as a message of that type; `what` names it in errors ("ONNX model"). False after an
 * error. */
bool protobuf_read(const Subject *s, const char *path, const ProtobufCMessageDescriptor *type, const char *what,
                   ProtobufLimit limit, Protobuf *out);
/* Of bytes in memory. */
bool protobuf_unpack(const Subject *s, Bytes bytes, const ProtobufCMessageDescriptor *type, const char *what,
                     ProtobufLimit limit, Protobuf *out);
void protobuf_free(Protobuf *p);

#endif
