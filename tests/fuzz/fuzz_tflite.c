/* fuzz_tflite.c: libFuzzer's bytes as a TensorFlow Lite file, and as a frozen graph: what the schema's readers hand out
 * lies within the bytes, or the file is refused; never a crash. */
#include "model/protobuf.h"
#include "model/graphdef.pb-c.h"
#include "model/tflite_file.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int64_t walk(const uint8_t *data)
{
    int64_t sum = lite_graphs(data);
    LiteTensor t;
    LiteOperator o;
    for (int i = 0; i < MIN(lite_tensors(data), 64) && lite_tensor(data, i, &t); i++) {
        sum += t.type + (int64_t)strlen(t.name) + (t.rank > 0 ? t.shape[t.rank - 1] : 0);
        sum += t.bytes > 0 ? t.data[t.bytes - 1] : 0;
        sum += (t.scales > 0 && t.scale[t.scales - 1] > 0) + (t.zeros > 0 ? t.zero[t.zeros - 1] : 0);
    }
    for (int i = 0; i < MIN(lite_operators(data), 64) && lite_operator(data, i, &o); i++)
        sum += o.code + (o.custom ? (int64_t)strlen(o.custom) : 0) + (o.inputs > 0 ? o.in[o.inputs - 1] : 0)
             + (o.outputs > 0 ? o.out[o.outputs - 1] : 0) + o.activation;
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static volatile int64_t sum;
    if (lite_check(data, n))
        sum += walk(data);
    Arena *a = arena_new();
    Diag *d = diag_new(a);
    Subject s = { d, { 0 }, "fuzz", NULL };
    Protobuf p = { 0 };
    bool ok = protobuf_unpack(&s, (Bytes){ data, n }, &tensor_flow__graph__descriptor, "graph",
                              (ProtobufLimit){ 1 << 20, 2 }, &p);
    REQUIRE(ok != diag_failed(d));
    protobuf_free(&p);
    arena_free(a);
    return 0;
}
