/* fuzz_pickle.c: libFuzzer's bytes as a pickle: read as torch.c reads one, or refused; never a crash. */
#include "model/pickle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Every value that was made is looked at. */
static int64_t walk(PickleValue v, int depth)
{
    int64_t sum = v.kind;
    for (int i = 0; depth < 4 && i < 16; i++)
        sum += pickle_item(v, i).kind ? walk(pickle_item(v, i), depth + 1) : 0;
    return sum + pickle_key(v, "state_dict").kind;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const PickleCallable KNOWN[] = { { "collections.OrderedDict", RULE_DICT },
                                            { "torch._utils._rebuild_tensor_v2", RULE_CALL },
                                            { "torch.Size", RULE_OPAQUE } };
    Arena *a = arena_new();
    Diag *d = diag_new(a);
    Subject s = { d, { 0 }, "fuzz", NULL };
    PickleValue v;
    bool ok = pickle_read(&s, a, (Bytes){ data, n }, KNOWN, LENGTH(KNOWN), "", &v);
    if (ok)
        walk(v, 0);
    REQUIRE(ok != diag_failed(d));
    arena_free(a);
    return 0;
}
