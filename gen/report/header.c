/* header.c: sw/<name>.h, what a C program needs to talk to the core. */
#include "report/report.h"

#include <ctype.h>

/* A row of emit/registers.def. REGISTER: `at` is its byte address; FIELD: `at` is its lowest bit in
 * register `owner`. */
typedef struct Row {
    bool field;
    const char *owner, *name;
    unsigned at, width;
    const char *access, *meaning;
} Row;

static const Row ROWS[] = {
#define REGISTER(name, address, access, meaning) { false, "", #name, address, 0, access, meaning },
#define FIELD(owner, name, low, width, meaning) { true, #owner, #name, low, width, "", meaning },
#include "emit/registers.def"
#undef REGISTER
#undef FIELD
};

typedef struct Header {
    Arena *arena;
    const Design *design;
    const char *prefix;
    Buffer out;
} Header;

static const char *capitals(Arena *a, const char *name)
{
    char *out = str_dup(a, name);
    for (char *p = out; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    return out;
}

/* One #define with its meaning behind it, names aligned. */
static void define(Header *h, const char *name, const char *value, const char *meaning)
{
    const char *full = str_format(h->arena, "%s_%s", h->prefix, name);
    buffer_print(&h->out, "#define %-36s %-12s /* %s */\n", full, value, meaning);
}

static void define_number(Header *h, const char *name, int64_t value, const char *meaning)
{
    define(h, name, str_format(h->arena, "%lld", (long long)value), meaning);
}

static bool is_for_loading(const Row *r)
{
    return str_starts(r->name, "LOAD_") || str_starts(r->owner, "LOAD_");
}

static void put_row(Header *h, const Row *r)
{
    if (!r->field) {
        define(h, str_format(h->arena, "REG_%s", r->name), str_format(h->arena, "0x%02Xu", r->at),
               str_format(h->arena, "%s: %s", r->access, r->meaning));
        return;
    }
    const char *field = str_format(h->arena, "%s_%s", r->owner, r->name);
    unsigned long mask = ((1ul << r->width) - 1) << r->at;
    define(h, str_format(h->arena, "%s_MASK", field), str_format(h->arena, "0x%08lXu", mask),
           r->meaning);
    if (r->width > 1)
        define(h, str_format(h->arena, "%s_SHIFT", field), str_format(h->arena, "%u", r->at),
               "lowest bit");
}

static void put_registers(Header *h)
{
    const Spec *s = h->design->spec;
    if (!s->control) {
        buffer_print(&h->out, "/* The core has no register port (interface.control: none). */\n");
        return;
    }
    buffer_print(
        &h->out,
        "/* AXI4-Lite registers: byte addresses, 32 bits each; masks of their fields. Other addresses read 0 and\n"
        " * write nothing; bytes that wstrb leaves out stay as they are. Each register reads whole; counters read one\n"
        " * after the other belong to the same moment only while STATUS.BUSY is 0, but for CYCLES and CYCLES_HI. */\n");
    for (int i = 0; i < LENGTH(ROWS); i++)
        if (s->loadable || !is_for_loading(&ROWS[i]))
            put_row(h, &ROWS[i]);
    buffer_print(&h->out, "/* What a read of REG_ID and REG_SPEC_HASH must give. */\n");
    define(h, "ID_VALUE", "0x4C53544Du", "\"LSTM\"");
    define(h, "SPEC_HASH_VALUE", str_format(h->arena, "0x%.8su", s->sha256),
           "start of the spec's SHA-256");
}

static void put_stream(Header *h)
{
    const Design *d = h->design;
    buffer_print(&h->out, "\n/* AXI4-Stream: a step is INPUTS elements in and OUTPUTS elements "
                          "out, LANES in a beat, first element in\n"
                          " * the lowest bits, each sign-extended to ELEMENT_BITS. tlast is on the last beat of a step. %s. */\n",
                 spec_sends_last(d->spec)
                     ? "tuser[0] is on\n * the first beat of a sequence, tuser[1] on the last beat of its last step, the only "
                       "one with a result"
                     : "tuser is on the\n * first beat of a sequence");
    define_number(h, "INPUTS", d->inputs, "elements of x");
    define_number(h, "OUTPUTS", d->outputs, "elements of a result");
    define_number(h, "LANES", d->lanes, "elements in a beat");
    define_number(h, "ELEMENT_BITS", d->element_bits, "bits of an element in tdata");
    define_number(h, "INPUT_BEATS", (d->inputs + d->lanes - 1) / d->lanes, "beats of a step of x");
    define_number(h, "OUTPUT_BEATS", (d->outputs + d->lanes - 1) / d->lanes, "beats of a result");
}

/* encode: nearest integer, halves away from 0, limited to the format (as fixed/format_encode); NaN
 * gives 0. */
static void put_conversion(Header *h, const char *tensor, const char *what, Format f)
{
    const char *name = str_format(h->arena, "%s_%s", h->design->spec->name, tensor);
    const char *upper = capitals(h->arena, tensor);
    const char *to_integer = str_format(h->arena, "0x1p%+d", f.fraction),
               *limit = str_format(h->arena, "%lld", 1ll << (f.bits - 1));
    buffer_print(&h->out, "\n/* %s: %d bits, %d of them fraction bits. */\n", what, f.bits,
                 f.fraction);
    define_number(h, str_format(h->arena, "%s_BITS", upper), f.bits, "signed");
    define_number(h, str_format(h->arena, "%s_FRACTION", upper), f.fraction,
                  "value = integer / 2^fraction");
    buffer_print(&h->out,
                 "static inline int32_t %s_encode(double value)\n{\n"
                 "    double scaled = value * %s;\n"
                 "    scaled += scaled < 0 ? -0.5 : 0.5;\n"
                 "    if (scaled != scaled) return 0;\n"
                 "    if (scaled >= %s.0) return %s - 1;\n"
                 "    if (scaled <= -%s.0) return -%s;\n"
                 "    return (int32_t)scaled;\n}\n"
                 "static inline double %s_decode(int32_t integer)\n{\n"
                 "    return integer * 0x1p%+d;\n}\n",
                 name, to_integer, limit, limit, limit, limit, name, -f.fraction);
}

const char *header_text(Arena *a, const Design *d)
{
    Header h = { .arena = a, .design = d, .prefix = capitals(a, d->spec->name) };
    const QNetwork *q = d->q;
    buffer_init(&h.out, a);
    buffer_print(&h.out,
                 "/* %s.h: registers, stream layout and number formats of %s_top. C99 or later.\n"
                 " * Made by lstmgen " LSTMGEN_VERSION " from %s (sha256 %.16s). Do not edit. */\n"
                 "#ifndef %s_H\n#define %s_H\n\n#include <stdint.h>\n\n",
                 d->spec->name, d->spec->name, text_comment(a, path_name(d->spec->file)), d->spec->sha256, h.prefix,
                 h.prefix);
    put_registers(&h);
    put_stream(&h);
    put_conversion(&h, "x", "An element of the input", q->vector[0]);
    put_conversion(&h, "y", "An element of the result", q->layer[q->net->n - 1].out);
    buffer_print(&h.out, "\n#endif\n");
    return h.out.text;
}
