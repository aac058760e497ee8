/* base.h: what the files of base/ share with each other and with nobody else. */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include "lstmgen.h"

/* Calls done(object) when the arena is freed, last registered first; the object may live in the
 * arena. */
void arena_on_free(Arena *a, void (*done)(void *object), void *object);

/* str_format with its arguments collected; `args` is used up. */
char *str_vformat(Arena *a, const char *fmt, va_list args) __attribute__((format(printf, 2, 0)));

#endif
