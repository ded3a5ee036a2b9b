// zlib's beginnings, which are macros there.
#include <zlib.h>

// Begins to inflate gzip members.
static inline int unroll_inflate_gzip(z_stream *stream) { return inflateInit2(stream, 16 + MAX_WBITS); }
