/* spec.h: what the files of spec/ share with each other and with nobody else. */
#ifndef SPEC_SPEC_H
#define SPEC_SPEC_H

#include "lstmgen.h"

/* What was read, with places. An alias is a second pointer to the same node: nodes are never
 * changed in place once the file is read (spec/set.c copies those on its way). */
typedef enum { NODE_SCALAR, NODE_LIST, NODE_MAP } NodeKind;
typedef struct SpecNode SpecNode;
typedef struct NodeEntry {
    const char *key;
    Place at;
    SpecNode *value;
} NodeEntry; /* key NULL in a list */
struct SpecNode {
    NodeKind kind;
    Place at;
    const char *text;                   /* scalar */
    bool quoted; /* scalar: certainly text, never a number, a boolean or null */
    NodeEntry *entry; int n, room;      /* list, map */
    int values; /* nodes below and including this one, aliases counted at each use */
    bool open;                          /* still being read: an alias to it would be a loop */
};

/* The tree of a YAML text (JSON included). `at.line` 0: places are counted in the text; else all
 * are moved to that line, `at.column` - 1 columns to the right (for --set). NULL after recording
 * what is wrong. */
SpecNode *yaml_read(Arena *a, Diag *d, Place at, const char *text, size_t length);

/* The tree of a file and its text. NULL after recording what is wrong. `path` must outlive it. */
SpecNode *spec_read_tree(Arena *a, Diag *d, const char *path, Bytes *text);

/* node.c */
NodeEntry *node_find(const SpecNode *map, const char *key); /* NULL: not there, or no map */
NodeEntry *node_index(const SpecNode *list, const char *index); /* the same for "0", "1" ... */
/* What is at "model.layers.0.W", or NULL; *nearest is its place, or that of the nearest parent that
 * is there. */
const NodeEntry *tree_entry(Arena *a, const SpecNode *root, const char *path, Place *nearest);
void node_append(Arena *a, SpecNode *node, NodeEntry entry);
bool node_is_null(const SpecNode *n);                   /* null, ~ or nothing at all */
bool node_is_nothing(const SpecNode *n);                /* nothing at all: "key:" */
const char *node_text(Arena *a, const SpecNode *n);     /* on one line, shortened, for messages */

/* Applies --set number `line` ("key.path=value") to the tree and returns the new root. */
SpecNode *set_apply(Arena *a, Diag *d, SpecNode *root, const char *set, int line);

typedef enum {
    KEY_MAP, KEY_LIST,                  /* containers */
    KEY_TEXT, KEY_NAME, KEY_PATH,       /* const char *; PATH: made relative to the spec */
    KEY_NAMES,                          /* LayerSpec.b and .n_b, or b_R and .n_b_R */
    KEY_CURVES,                         /* LayerSpec.activations and .n_activations */
    KEY_CHOICE,                         /* const char *, one of the names */
    KEY_PATTERN,                        /* PatternNames */
    KEY_SWITCH,                         /* bool: the second of two choices */
    KEY_BOOL, KEY_INT, KEY_REAL,
    KEY_RATE,                           /* Keep */
    KEY_LATER                           /* recognised and refused */
} KeyType;
typedef struct Key {
    const char *path;
    KeyType type;
    size_t field;
    const char *initial, *values, *meaning;
} Key;
extern const Key key_table[];
extern const int key_count;
const Key *key_find(const char *path);                  /* path with "[]" for indices */
/* Splits "a | b; later: c | d" into names; returns how many, *now: how many are before "later:". */
int key_choices(Arena *a, const Key *k, const char *const **names, int *now);
/* Range of a number key; word stands for 0, other for -1, or NULL. High is INFINITY when open. */
typedef struct KeyRange { const char *word, *other; double low, high; bool above; } KeyRange;
KeyRange key_range(Arena *a, const Key *k);

/* Fills the Spec with defaults, then from the tree; records every unknown key and every wrong
 * value. */
void spec_fill(Spec *s, Diag *d);
/* layers.c: what the cells of the layers are, and the keys they have. */
void check_layers(Spec *s, Diag *d);
/* Is the key in the file, and not null? Where. */
bool key_given(const Spec *s, const char *key, Place *at);
/* Was the value that the file gives taken? Else its error is already recorded, and no rule builds
 * on it. */
bool key_taken(const Spec *s, const char *key, const char *value);
/* Rules between keys. Needs a Spec whose single values are right. */
void spec_check(Spec *s, Diag *d);

#endif
