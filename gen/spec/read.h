/* read.h: what the readers of values share. Private to gen/spec. */
#ifndef SPEC_READ_H
#define SPEC_READ_H
#include "spec/spec.h"

typedef struct Reading {
    Arena *arena;
    Diag *diag;
    Spec *spec;
} Reading;

/* One value on its way: which key, under which name the user knows it, and the struct its field is
 * in. */
typedef struct Slot { const Key *key; const char *shown; void *base; } Slot;

static inline void *field(const Slot *s)
{
    return (char *)s->base + s->key->field;
}

/* read.c: one value of the key's type and range; false after recording what is wrong. */
bool read_number(Reading *r, const Slot *s, const SpecNode *n, bool whole, double *value);
/* One of the choices: its index and name; -1 after recording what is wrong. */
int read_choice(Reading *r, const Slot *s, const SpecNode *n, const char **name);
/* sparsity.c: sparsity.keep and sparsity.pattern, for all layers or in one of them. */
void read_keeps(Reading *r, const Slot *s, const SpecNode *n);
void read_pattern(Reading *r, const Slot *s, const SpecNode *n);
#endif
