/* archive.h: zip archives, as .npz, PyTorch and Keras use them. */
#ifndef MODEL_ARCHIVE_H
#define MODEL_ARCHIVE_H

#include "model/importer.h"

#include <zip.h>

/* Do the first bytes say that it is a zip archive? */
bool archive_probe(const uint8_t *head, size_t n);
/* NULL after recording the error; zip_discard gives it back. */
zip_t *archive_open(const Subject *s, const char *path);
/* Does the archive at `path` hold a member with this last component of its name? False also where it is no archive. */
bool archive_has(const char *path, const char *member);
/* Would it stay inside the folder that the archive is unpacked in? */
bool member_name_is_safe(const char *name);
/* Opens a member, stored or deflated, that claims no more than its compressed bytes can hold; out->size is its size. */
bool member_open(const Subject *s, zip_t *zip, zip_uint64_t index, Source *out);
/* After its last byte: is it whole (size and CRC)? */
bool member_ends_well(const Subject *s, const Source *member);
void member_close(Source *member);
/* A whole small member, with a NUL behind it; free() gives it back. NULL after recording the error. */
uint8_t *member_read(const Subject *s, zip_t *zip, zip_uint64_t index, size_t most, size_t *size);

#endif
