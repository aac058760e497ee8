/* hex.c: memory images for $readmemh, one word per line, with a commented header that says the layout. */
#include "emit/emit.h"

#include <string.h>

bool image_open(Image *m, const Design *d, Arena *a, Folder *f, const char *what, int width, const char *layout)
{
    const char *name = str_format(a, "mem/%s_%s.hex", d->spec->name, what);
    *m = (Image){.width = width};
    int limbs = (width + 63) / 64 + 1;
    m->limb = ARENA_ARRAY(a, uint64_t, limbs);
    m->line = arena_alloc(a, (size_t)(width + 3) / 4 + 2);
    m->file = folder_open(f, name);
    if (!m->file)
        return false;
    char *head = str_format(a, "// %s: words of %d bits, highest bit first\n// %s\n", name, width, layout);
    folder_put(m->file, head, strlen(head));
    return true;
}

void image_field(Image *m, int64_t value, int bits)
{
    uint64_t v = (uint64_t)value;
    if (bits < 64)
        v &= (UINT64_C(1) << bits) - 1;
    int limb = m->at / 64, shift = m->at % 64;
    m->limb[limb] |= v << shift;
    if (shift + bits > 64)
        m->limb[limb + 1] |= v >> (64 - shift);
    m->at += bits;
}

void image_word(Image *m)
{
    static const char digit[] = "0123456789abcdef";
    REQUIRE(m->at == m->width);
    int digits = (m->width + 3) / 4;
    for (int k = 0; k < digits; k++) {
        int from = digits - 1 - k;
        m->line[k] = digit[m->limb[from / 16] >> (from % 16 * 4) & 15];
    }
    m->line[digits] = '\n';
    folder_put(m->file, m->line, (size_t)digits + 1);
    memset(m->limb, 0, (size_t)((m->width + 63) / 64 + 1) * sizeof *m->limb);
    m->at = 0;
    m->words++;
}

bool image_close(Image *m)
{
    return folder_close(m->file);
}
