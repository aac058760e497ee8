/* tflite_file.cc: the flatbuffer of a TensorFlow Lite file. The library has no C interface: this file is all C++ here. */
#include "model/tflite_file.h"

#include "model/tflite_generated.h"

static const tflite::SubGraph *graph_of(const uint8_t *bytes)
{
    const tflite::Model *m = tflite::GetModel(bytes);
    return m->subgraphs() && m->subgraphs()->size() > 0 ? m->subgraphs()->Get(0) : nullptr;
}

/* How many of its elements are looked at. */
template <typename T> static int ports(const T *vector)
{
    return !vector ? 0 : vector->size() < LITE_PORTS_MAX ? (int)vector->size() : LITE_PORTS_MAX;
}

template <typename T> static int count(const T *vector)
{
    return vector ? (int)vector->size() : 0;
}

extern "C" bool lite_check(const uint8_t *bytes, size_t n)
{
    flatbuffers::Verifier verifier(bytes, n);
    return tflite::VerifyModelBuffer(verifier);
}

extern "C" int lite_graphs(const uint8_t *bytes)
{
    return count(tflite::GetModel(bytes)->subgraphs());
}

extern "C" int lite_tensors(const uint8_t *bytes)
{
    const tflite::SubGraph *g = graph_of(bytes);
    return g ? count(g->tensors()) : 0;
}

extern "C" int lite_operators(const uint8_t *bytes)
{
    const tflite::SubGraph *g = graph_of(bytes);
    return g ? count(g->operators()) : 0;
}

static void set_quantization(const tflite::Quantization *q, LiteTensor *out)
{
    if (!q || !q->scale())
        return;
    out->scale = q->scale()->data();
    out->scales = count(q->scale());
    out->zero = q->zero_point() ? q->zero_point()->data() : nullptr;
    out->zeros = count(q->zero_point());
    out->axis = q->quantized_dimension();
}

extern "C" bool lite_tensor(const uint8_t *bytes, int index, LiteTensor *out)
{
    const tflite::Model *m = tflite::GetModel(bytes);
    if (index < 0 || index >= lite_tensors(bytes) || !graph_of(bytes)->tensors()->Get(index))
        return false;
    const tflite::Tensor *t = graph_of(bytes)->tensors()->Get(index);
    *out = LiteTensor();
    out->name = t->name() ? t->name()->c_str() : "";
    out->type = t->type();
    out->rank = count(t->shape());
    out->shape = t->shape() ? t->shape()->data() : nullptr;
    out->variable = t->is_variable();
    if (m->buffers() && t->buffer() < m->buffers()->size() && m->buffers()->Get(t->buffer())) {
        const flatbuffers::Vector<uint8_t> *data = m->buffers()->Get(t->buffer())->data();
        out->data = data && data->size() > 0 ? data->data() : nullptr;
        out->bytes = data ? data->size() : 0;
    }
    set_quantization(t->quantization(), out);
    return true;
}

/* Numbers above 127 stand in the newer field; the older holds the others. */
static void set_code(const tflite::Model *m, uint32_t index, LiteOperator *out)
{
    out->code = -1;
    if (!m->operator_codes() || index >= m->operator_codes()->size() || !m->operator_codes()->Get(index))
        return;
    const tflite::OperatorCode *c = m->operator_codes()->Get(index);
    out->code = c->builtin_code() > c->deprecated_builtin_code() ? c->builtin_code() : c->deprecated_builtin_code();
    out->custom = c->custom_code() ? c->custom_code()->c_str() : nullptr;
}

extern "C" bool lite_operator(const uint8_t *bytes, int index, LiteOperator *out)
{
    if (index < 0 || index >= lite_operators(bytes) || !graph_of(bytes)->operators()->Get(index))
        return false;
    const tflite::Operator *o = graph_of(bytes)->operators()->Get(index);
    *out = LiteOperator();
    set_code(tflite::GetModel(bytes), o->opcode_index(), out);
    out->in = o->inputs() ? o->inputs()->data() : nullptr;
    out->inputs = ports(o->inputs());
    out->out = o->outputs() ? o->outputs()->data() : nullptr;
    out->outputs = ports(o->outputs());
    if (const tflite::LstmOptions *l = o->options_as_LstmOptions()) {
        out->activation = l->activation();
        out->cell_clip = l->cell_clip();
        out->proj_clip = l->proj_clip();
        out->time_major = l->time_major();
    } else if (const tflite::RnnOptions *r = o->options_as_RnnOptions()) {
        out->activation = r->activation();
        out->time_major = r->time_major();
    }
    return true;
}
