// Sums of outer products, C [N1, N2] += Aᵀ·B with A [K, N1] and B [K, N2]: gradients of weights. Included after
// panels.inc.h, with the same defines of one form.
//
// Both are packed first: a group is GROUP·PANEL columns, step after step of the inner dimension, and a step is OPERANDS
// rows of it, side by side column by column. So a step of A is spread as one of a row of x is in panels.inc.h, and a step of
// B is what a group's weights are there.

// OPERANDS rows of `count` columns, `rows` of them there.
TARGET INLINE void FORM(outer_pack_step)(size_t rows, size_t count, const OPERAND *restrict a, size_t N,
                                         OPERAND *restrict packed) {
  for (size_t n = 0; n < count; n++)
    for (size_t j = 0; j < OPERANDS; j++) packed[n * OPERANDS + j] = j < rows ? a[j * N + n] : (OPERAND)0;
}

CLONED void FORM(outer_pack)(size_t K, size_t N, const OPERAND *a, OPERAND *packed) {
  const size_t width = GROUP * PANEL, whole = K - K % OPERANDS;
  for (size_t n = 0; n < N; n += width) {
    for (size_t k = 0; k < K; k += OPERANDS, packed += width * OPERANDS) {
      const OPERAND *from = a + k * N + n;
      if (n + width <= N && k < whole) FORM(outer_pack_step)(OPERANDS, width, from, N, packed);
      else {
        memset(packed, 0, width * OPERANDS * sizeof(OPERAND));
        FORM(outer_pack_step)(k < whole ? OPERANDS : K - k, n + width <= N ? width : N - n, from, N, packed);
      }
    }
  }
}

// Adds sums to R rows and `columns` columns of C. Where those are all, they go from register to memory.
TARGET INLINE void FORM(outer_finish)(const int R, const bool isWhole, SUMS sums[6][GROUP], int columns, REAL *c,
                                      size_t N2) {
  for (int p = 0; isWhole ? p < GROUP : p * PANEL < columns; p++) {
    const int count = isWhole || columns - p * PANEL > PANEL ? PANEL : columns - p * PANEL;
    for (int r = 0; r < R; r++) {
      REAL *to = c + (size_t)r * N2 + p * PANEL;
      FORM(store)(FORM(load)(to, count) + sums[r][p], count, to);
    }
  }
}

// R rows and `columns` columns of C.
TARGET INLINE void FORM(outer_tile)(const int R, size_t steps, const OPERAND *a, const OPERAND *b, int columns, REAL *c,
                                    size_t N2) {
  SUMS sums[6][GROUP];
  for (int r = 0; r < R; r++)
    for (int p = 0; p < GROUP; p++) {
      __builtin_prefetch(c + (size_t)r * N2 + p * PANEL, 1);  // C is long out of the caches
      sums[r][p] = (SUMS){0};
    }
  for (size_t s = 0; s < steps; s++, a += GROUP * PANEL * OPERANDS, b += GROUP * PANEL * OPERANDS) {
    WEIGHTS w[GROUP];
    memcpy(w, b, sizeof w);
    for (int r = 0; r < R; r++)
      for (int p = 0; p < GROUP; p++) sums[r][p] = FUSED(sums[r][p], w[p], SPREAD(a + r * OPERANDS));
  }
  if (columns == GROUP * PANEL) FORM(outer_finish)(R, true, sums, columns, c, N2);
  else {
    SUMS kept[6][GROUP];  // in memory; the others stay in registers
    for (int r = 0; r < R; r++)
      for (int p = 0; p < GROUP; p++) kept[r][p] = sums[r][p];
    FORM(outer_finish)(R, false, kept, columns, c, N2);
  }
}

// A group of A times one of B: `rows` and `columns` of C.
TARGET INLINE void FORM(outer_block)(size_t steps, const OPERAND *a, const OPERAND *b, int rows, int columns, REAL *c,
                                     size_t N2) {
  int r = 0;
  for (; r + 6 <= rows; r += 6) FORM(outer_tile)(6, steps, a + r * OPERANDS, b, columns, c + (size_t)r * N2, N2);
  if (r + 4 <= rows) FORM(outer_tile)(4, steps, a + r * OPERANDS, b, columns, c + (size_t)r * N2, N2), r += 4;
  if (r + 2 <= rows) FORM(outer_tile)(2, steps, a + r * OPERANDS, b, columns, c + (size_t)r * N2, N2), r += 2;
  if (r < rows) FORM(outer_tile)(1, steps, a + r * OPERANDS, b, columns, c + (size_t)r * N2, N2);
}

// Of packed A and B. As many steps at once as leave a group of B in the first-level cache.
CLONED void FORM(add_outer)(size_t K, size_t N1, size_t N2, const OPERAND *A, const OPERAND *B, REAL *C) {
  const size_t width = GROUP * PANEL, steps = (K + OPERANDS - 1) / OPERANDS, most = 128;
  for (size_t m = 0; m < N1; m += width)
    for (size_t n = 0; n < N2; n += width)
      for (size_t s = 0; s < steps; s += most)
        FORM(outer_block)(steps - s < most ? steps - s : most, A + (m * steps + s * width) * OPERANDS,
                          B + (n * steps + s * width) * OPERANDS, (int)(N1 - m < width ? N1 - m : width),
                          (int)(N2 - n < width ? N2 - n : width), C + m * N2 + n, N2);
}
