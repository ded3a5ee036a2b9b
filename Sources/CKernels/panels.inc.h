// Products with a weight matrix in panels, written once. The including file has packing.inc.h before it, and defines of
// one form of the product:
//   FORM(f)            the function's name
//   TARGET             the attribute of functions that use its instructions, CLONED that of the outermost one
//   OPERANDS           operands of a step
//   SUMS, WEIGHTS      vectors of 16 sums, and of 16 outputs' weights of one step
//   SPREAD(word)       a step's operands of one row of x, handed to every output
//   FUSED(sum, w, x)   sum + w·x
//   TRAILER            bytes behind a group's weights
//   FINISHED(sum, trailer, panel)   the sums as 16 REALs
//
// A panel holds the weights of 16 outputs, step after step of the inner dimension; a group holds 4 panels, step by step
// side by side, so that a product with one row reads memory from beginning to end. Each sum is taken in the order of the
// inner dimension, whatever the number of rows and whoever computes the others.

typedef REAL FORM(reals) __attribute__((vector_size(PANEL * sizeof(REAL)), aligned(sizeof(REAL))));

TARGET INLINE FORM(reals) FORM(load)(const REAL *from, int count) {
  FORM(reals) values = {0};
  if (count == PANEL) memcpy(&values, from, sizeof values);
  else memcpy(&values, from, (size_t)count * sizeof(REAL));
  return values;
}

TARGET INLINE void FORM(store)(FORM(reals) values, int count, REAL *to) {
  if (count == PANEL) memcpy(to, &values, sizeof values);
  else memcpy(to, &values, (size_t)count * sizeof(REAL));
}

// One step: `count` operands, OPERANDS but for the last, of R rows of x, times P panels.
TARGET INLINE void FORM(step)(const int R, const int P, size_t K, const OPERAND *x, size_t count, const uint8_t *weights,
                              size_t stride, SUMS sums[6][2 * GROUP]) {
  WEIGHTS w[2 * GROUP];
  for (int p = 0; p < P; p++)
    memcpy(&w[p], weights + (size_t)(p / GROUP) * stride + (size_t)(p % GROUP) * sizeof w[p], sizeof w[p]);
  for (int r = 0; r < R; r++) {
    OPERAND word[OPERANDS] = {0};
    memcpy(word, x + (size_t)r * K, count * sizeof(OPERAND));
    for (int p = 0; p < P; p++) sums[r][p] = FUSED(sums[r][p], w[p], SPREAD(word));
  }
}

// Finishes and stores the sums. Where all panels are whole, they go from register to memory.
TARGET INLINE void FORM(finish)(const int R, const int P, const bool isWhole, SUMS sums[6][2 * GROUP],
                                const uint8_t *weights, size_t stride, Outputs outputs, const REAL *bias, bool adding,
                                REAL *out, size_t N) {
  for (int p = 0; p < P; p++) {
    const int count = isWhole ? PANEL : outputs.counts[p];
    const int32_t column = outputs.columns[p];
    const uint8_t *trailer = weights + (size_t)(p / GROUP) * stride + stride - TRAILER;
    (void)trailer;
    if (count == 0) continue;
    for (int r = 0; r < R; r++) {
      FORM(reals) value = FINISHED(sums[r][p], trailer, p % GROUP);
      REAL *to = out + (size_t)r * N + column;
      if (bias) value += FORM(load)(bias + column, count);
      if (adding) value += FORM(load)(to, count);
      FORM(store)(value, count, to);
    }
  }
}

// R rows of x times P panels.
TARGET INLINE void FORM(tile)(const int R, const int P, size_t K, const OPERAND *x, const uint8_t *weights, size_t stride,
                              Outputs outputs, const REAL *bias, bool adding, REAL *out, size_t N) {
  SUMS sums[6][2 * GROUP];
  for (int r = 0; r < R; r++)
    for (int p = 0; p < P; p++) sums[r][p] = (SUMS){0};
  size_t k = 0;
  const uint8_t *w = weights;
  for (; k + OPERANDS <= K; k += OPERANDS, w += GROUP * sizeof(WEIGHTS))
    FORM(step)(R, P, K, x + k, OPERANDS, w, stride, sums);
  if (k < K) FORM(step)(R, P, K, x + k, K - k, w, stride, sums);
  bool isWhole = true;
  for (int p = 0; p < P; p++) isWhole = isWhole && outputs.counts[p] == PANEL;
  if (isWhole && adding) FORM(finish)(R, P, true, sums, weights, stride, outputs, bias, true, out, N);
  else if (isWhole) FORM(finish)(R, P, true, sums, weights, stride, outputs, bias, false, out, N);
  else {
    SUMS kept[6][2 * GROUP];  // in memory; the others stay in registers
    for (int r = 0; r < R; r++)
      for (int p = 0; p < P; p++) kept[r][p] = sums[r][p];
    FORM(finish)(R, P, false, kept, weights, stride, outputs, bias, adding, out, N);
  }
}

// All rows of x times a group, 6 at a time; the last 7 to 11 are cut in two halves, because in a tile of few rows the sums
// wait for each other.
TARGET INLINE void FORM(tiles)(size_t M, size_t K, const OPERAND *x, const uint8_t *weights, size_t stride, Outputs outputs,
                               const REAL *bias, bool adding, REAL *out, size_t N) {
#define TILE(R) FORM(tile)(R, GROUP, K, x + m * K, weights, stride, outputs, bias, adding, out + m * N, N), m += R
  size_t m = 0;
  while (M - m >= 12 || M - m == 6) TILE(6);
  while (m < M) {
    const size_t left = M - m;
    switch (left > 6 ? (left + 1) / 2 : left) {
      case 6: TILE(6); break;
      case 5: TILE(5); break;
      case 4: TILE(4); break;
      case 3: TILE(3); break;
      case 2: TILE(2); break;
      default: TILE(1);
    }
  }
#undef TILE
}

CLONED void FORM(multiply)(CKERNELS_PRODUCT(REAL, OPERAND)) {
  const size_t stride = NAME(panel_stride)(K), groups = lastGroup - firstGroup;
  // One row takes two groups at once: the sums of one would wait for each other.
  const size_t pairs = M == 1 ? groups / 2 : 0, turns = groups - pairs;
  // Many rows leave time to read, and the processor reads ahead best forth.
  const bool isBack = backwards && M <= 8;
  for (size_t turn = 0; turn < turns; turn++) {
    const size_t place = isBack ? turns - 1 - turn : turn;
    const bool isPair = place < pairs;
    const size_t group = firstGroup + (isPair ? 2 * place : place + pairs);
    const uint8_t *w = panels + group * stride;
    const Outputs to = {columns + GROUP * group, counts + GROUP * group};
    if (isPair) FORM(tile)(1, 2 * GROUP, K, x, w, stride, to, bias, adding, out, N);
    else FORM(tiles)(M, K, x, w, stride, to, bias, adding, out, N);
  }
}
