/* least.h: MIN and MAX as inline functions, one pair for each type that arithmetic has: an argument may be a call. */
#ifndef BASE_LEAST_H
#define BASE_LEAST_H

#define LEAST_AND_MOST(name, type)                                                                                     \
    static inline type min_##name(type a, type b) { return a < b ? a : b; }                                            \
    static inline type max_##name(type a, type b) { return a > b ? a : b; }
LEAST_AND_MOST(int, int)
LEAST_AND_MOST(unsigned, unsigned)
LEAST_AND_MOST(long, long)
LEAST_AND_MOST(ulong, unsigned long)
LEAST_AND_MOST(llong, long long)
LEAST_AND_MOST(ullong, unsigned long long)
LEAST_AND_MOST(float, float)
LEAST_AND_MOST(double, double)
#undef LEAST_AND_MOST

/* The operand of _Generic is looked at, not evaluated. */
#define LEAST_OF(prefix, a, b)                                                                                         \
    _Generic((a) + (b), int: prefix##_int, unsigned: prefix##_unsigned, long: prefix##_long,                           \
             unsigned long: prefix##_ulong, long long: prefix##_llong, unsigned long long: prefix##_ullong,            \
             float: prefix##_float, double: prefix##_double)(a, b)
#define MIN(a, b) LEAST_OF(min, a, b)
#define MAX(a, b) LEAST_OF(max, a, b)

#endif
