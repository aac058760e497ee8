/* pickle.h: a Python pickle as data. Nothing in it is run: a call is kept as the name of what is called and its
 * arguments, and only those that the caller's table names are accepted. */
#ifndef MODEL_PICKLE_H
#define MODEL_PICKLE_H

#include "model/importer.h"

typedef enum PickleKind {
    PICKLE_NONE, PICKLE_BOOL, PICKLE_INT, PICKLE_FLOAT, PICKLE_TEXT, PICKLE_CLASS, PICKLE_TUPLE, PICKLE_LIST,
    PICKLE_DICT, PICKLE_CALL, PICKLE_OBJECT, PICKLE_STORAGE, PICKLE_OPAQUE, PICKLE_MARK
} PickleKind;

typedef struct PickleNode PickleNode;
typedef struct PickleValue {
    PickleKind kind;
    union {
        int64_t integer;                /* BOOL, INT */
        const char *text;               /* TEXT; CLASS: "module name" with a dot */
        PickleNode *node;               /* TUPLE, LIST, DICT (key, value, key ...), CALL (arguments), STORAGE, OBJECT */
    };
} PickleValue;

struct PickleNode {
    const char *class;                  /* CALL, OBJECT */
    PickleValue *item;
    int n, room;
    PickleValue state;                  /* what BUILD gave: attributes */
};

/* What becomes of a call. */
typedef enum PickleRule { RULE_CALL, RULE_DICT, RULE_OPAQUE } PickleRule;
typedef struct PickleCallable {
    const char *name;
    PickleRule rule;
} PickleCallable;

/* Reads one pickle of protocol 2 to 4. A callable that is not in `known`, and an opcode that runs or looks up anything
 * beyond the file, is refused by its name. `remedy` ends such a message. Memory: 32 MiB and twice n, in `a`. */
bool pickle_read(const Subject *s, Arena *a, Bytes from, const PickleCallable *known, int n_known, const char *remedy,
                 PickleValue *out);
/* Argument `i` of a call, or element of a list; PICKLE_NONE where there is none. */
PickleValue pickle_item(PickleValue v, int i);
/* The value of a key of a dict, or PICKLE_NONE. */
PickleValue pickle_key(PickleValue dict, const char *key);

#endif
