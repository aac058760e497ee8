/* foreign.c: formats that people have and that no importer reads: their right names, and what to do instead. A reader
 * that is written for one of them makes its row superfluous. */
#include "model/importer.h"

#include <string.h>

#define TORCH \
    "; in PyTorch: d = torch.load(FILE, map_location=\"cpu\"); d = getattr(d, \"state_dict\", lambda: d)(); " \
    "numpy.savez(\"model.npz\", **{k: v.numpy() for k, v in d.items()})"
#define TENSORFLOW \
    "; in TensorFlow: m = tf.saved_model.load(FOLDER); numpy.savez(\"model.npz\", **{v.name: v.numpy() for v in " \
    "m.variables}), or python -m tf2onnx.convert --saved-model FOLDER --output model.onnx"
#define CHECKPOINT \
    "; in TensorFlow: r = tf.train.load_checkpoint(FILE); numpy.savez(\"model.npz\", **{k: r.get_tensor(k) for k in " \
    "r.get_variable_to_shape_map()})"
#define MATLAB \
    "; in Python: numpy.savez(\"model.npz\", **{k: v for k, v in scipy.io.loadmat(FILE).items() if k[0] != \"_\"})"

static const char *const PICKLE =
    "a Python pickle (a PyTorch checkpoint of before 1.6, or scikit-learn): it can run programs, refused" TORCH;
/* By the bytes at a place of the file. */
static const struct {
    size_t at, length;
    const char *bytes, *text;
} MAGIC[] = {
    { 0, 10, "MATLAB 5.0", "a MATLAB file (.mat), which this version does not read" MATLAB },
    { 0, 10, "MATLAB 7.3", "a MATLAB file (.mat, version 7.3), which this version does not read" MATLAB },
    { 257, 5, "ustar", "a tar archive (a PyTorch checkpoint of before 1.0, or packed files: unpack it first)" TORCH },
    { 0, 2, "\x80\x02", NULL }, { 0, 2, "\x80\x03", NULL }, { 0, 2, "\x80\x04", NULL }, { 0, 2, "\x80\x05", NULL },
    { 0, 4, "GGUF", "a GGUF file (llama.cpp), which this version does not read; save the weights as .safetensors" },
    { 0, 2, "\x1f\x8b", "a gzip archive: unpack it first" },
};

/* By its suffix, where the content says nothing. */
static const struct {
    const char *suffix, *text;
} NAMED[] = {
    { ".index", "the index of a checkpoint of TensorFlow, which this version does not read" CHECKPOINT },
    { ".ckpt", "a checkpoint (.ckpt) in a form that this version does not read" CHECKPOINT },
    { ".data-00000-of-00001", "the values of a checkpoint of TensorFlow, which this version does not read" CHECKPOINT },
    { ".pb", "named like a frozen graph of TensorFlow, but its content is none: damaged, or text (.pbtxt)?" },
    { ".h5", "named like an HDF5 file (Keras .h5), but its content is none: damaged?" },
    { ".keras", "named like a model of Keras (.keras), but its content is none: damaged?" },
    { ".tflite", "named like a TensorFlow Lite model, but its content is none: damaged?" },
    { ".pt", "named like a PyTorch checkpoint, but its content is none: damaged?" },
    { ".pth", "named like a PyTorch checkpoint, but its content is none: damaged?" },
};

/* Files that tell what a folder is. */
static const struct {
    const char *file, *text;
} FOLDERS[] = {
    { "saved_model.pb", "a SavedModel of TensorFlow, which this version does not read" TENSORFLOW },
    { "checkpoint", "the checkpoints of TensorFlow, which this version does not read" CHECKPOINT },
    { "model.safetensors", "no .npy file, but a model.safetensors: name that file" },
    { "pytorch_model.bin", "a PyTorch model of Hugging Face: save its weights as .safetensors or .npz" TORCH },
    { "model.weights.h5", "an unpacked .keras file: name the .keras file itself, or its model.weights.h5" },
};

static const char *json_text(const uint8_t *head, size_t n)
{
    size_t at = 0;
    while (at < n && strchr(" \t\r\n", head[at]) && head[at])
        at++;
    return at < n && head[at] == '{'
             ? "a JSON file: an architecture (Keras to_json), an index or a configuration, without weights; name the "
               "file that holds the weights" : NULL;
}

const char *foreign_file(const char *path, const uint8_t *head, size_t n)
{
    for (int i = 0; i < LENGTH(MAGIC); i++)
        if (n >= MAGIC[i].at + MAGIC[i].length && memcmp(head + MAGIC[i].at, MAGIC[i].bytes, MAGIC[i].length) == 0)
            return MAGIC[i].text ? MAGIC[i].text : PICKLE;
    if (str_ends(path_name(path), "saved_model.pb"))
        return FOLDERS[0].text;
    for (int i = 0; i < LENGTH(NAMED); i++)
        if (str_ends(path, NAMED[i].suffix))
            return NAMED[i].text;
    return json_text(head, n);
}

const char *foreign_folder(Arena *a, const char *path)
{
    for (int i = 0; i < LENGTH(FOLDERS); i++)
        if (file_exists(path_join(a, path, FOLDERS[i].file)))
            return FOLDERS[i].text;
    return NULL;
}
