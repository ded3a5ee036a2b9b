// Dropping elements of vectors, and masks on rows. The including file defines REAL and NAME(f).

// Elements that 16 blocks of a stream decide: 8 each, 16 bits for an element.
enum { NAME(tile) = 128 };

INLINE void NAME(drop_half)(const uint32_t *restrict bits, int shift, uint32_t threshold, REAL factor,
                            REAL *restrict a) {
  for (int k = 0; k < 16; k++) a[k] = (bits[k] >> shift & 0xFFFFu) >= threshold ? a[k] * factor : (REAL)0;
}

INLINE void NAME(drop_tile)(const CKernelsStream *stream, size_t place, uint32_t threshold, REAL factor, REAL *a) {
  uint32_t words[4][16];
  philox_tile(stream, (uint32_t)(place / 8), words);
  for (int w = 0; w < 4; w++) {
    NAME(drop_half)(words[w], 0, threshold, factor, a + w * 32);
    NAME(drop_half)(words[w], 16, threshold, factor, a + w * 32 + 16);
  }
}

CLONES void NAME(drop)(size_t count, const CKernelsStream *stream, uint32_t threshold, REAL factor, REAL *a) {
  size_t place = 0;
  for (; place + NAME(tile) <= count; place += NAME(tile)) NAME(drop_tile)(stream, place, threshold, factor, a + place);
  if (place == count) return;
  REAL rest[NAME(tile)] = {0};
  memcpy(rest, a + place, (count - place) * sizeof(REAL));
  NAME(drop_tile)(stream, place, threshold, factor, rest);
  memcpy(a + place, rest, (count - place) * sizeof(REAL));
}

INLINE void NAME(multiply_step)(size_t count, const REAL *restrict factors, REAL *restrict a) {
  for (size_t j = 0; j < count; j++) a[j] *= factors[j];
}

CLONES void NAME(multiply)(size_t repeats, size_t count, const REAL *factors, REAL *a) {
  for (size_t s = 0; s < repeats; s++) NAME(multiply_step)(count, factors, a + s * count);
}

INLINE void NAME(scale_row)(size_t columns, REAL factor, REAL *restrict a) {
  for (size_t j = 0; j < columns; j++) a[j] *= factor;
}

CLONES void NAME(scale_rows)(size_t rows, size_t columns, const REAL *factors, const int32_t *symbols, REAL *a) {
  for (size_t r = 0; r < rows; r++)
    NAME(scale_row)(columns, factors[symbols ? (size_t)symbols[r] : r], a + r * columns);
}
