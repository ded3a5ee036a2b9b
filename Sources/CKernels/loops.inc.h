// The loops, written once. The including file defines REAL, OPERAND, NAME(f), MATH(f) and the conversions
// TO_OPERAND(x), FROM_OPERAND(x).

INLINE REAL MATH(sigmoid)(REAL x) { return (REAL)1 / ((REAL)1 + MATH(exp)(-x)); }

void NAME(gather)(size_t rows, size_t columns, size_t first, size_t last, const REAL *table, const int32_t *symbols,
                  REAL *out) {
  for (size_t r = 0; r < rows; r++)
    memcpy(out + r * columns + first, table + (size_t)symbols[r] * columns + first, (last - first) * sizeof(REAL));
}

INLINE void NAME(add_row)(size_t columns, const OPERAND *restrict a, REAL *restrict to) {
  for (size_t j = 0; j < columns; j++) to[j] += FROM_OPERAND(a[j]);
}

CLONES void NAME(scatter_add)(size_t rows, size_t columns, const OPERAND *a, const int32_t *symbols, REAL *table) {
  for (size_t r = rows; r-- > 0;) NAME(add_row)(columns, a + r * columns, table + (size_t)symbols[r] * columns);
}

CLONES void NAME(column_sums)(size_t rows, size_t columns, const OPERAND *a, REAL *sums) {
  for (size_t r = rows; r-- > 0;) NAME(add_row)(columns, a + r * columns, sums);
}

// The largest of a row and a row's sum, in 16 interleaved parts: a fixed order that vectorises.
INLINE REAL NAME(row_maximum)(size_t V, const REAL *restrict x) {
  REAL parts[16];
  for (int k = 0; k < 16; k++) parts[k] = x[0];
  size_t j = 0;
  for (; j + 16 <= V; j += 16)
    for (int k = 0; k < 16; k++) parts[k] = x[j + k] > parts[k] ? x[j + k] : parts[k];
  for (; j < V; j++) parts[0] = x[j] > parts[0] ? x[j] : parts[0];
  REAL largest = parts[0];
  for (int k = 1; k < 16; k++) largest = parts[k] > largest ? parts[k] : largest;
  return largest;
}

INLINE REAL NAME(row_sum)(size_t V, const REAL *restrict x) {
  REAL parts[16] = {0};
  size_t j = 0;
  for (; j + 16 <= V; j += 16)
    for (int k = 0; k < 16; k++) parts[k] += x[j + k];
  for (int k = 0; j < V; j++, k++) parts[k] += x[j];
  for (int half = 8; half > 0; half /= 2)
    for (int k = 0; k < half; k++) parts[k] += parts[k + half];
  return parts[0];
}

INLINE void NAME(exponentials)(size_t V, REAL largest, REAL *restrict x) {
  for (size_t j = 0; j < V; j++) x[j] = MATH(exp)(x[j] - largest);
}

INLINE void NAME(scaled_operands)(size_t V, REAL factor, const REAL *restrict x, OPERAND *restrict out) {
  for (size_t j = 0; j < V; j++) out[j] = TO_OPERAND(x[j] * factor);
}

CLONES void NAME(cross_entropy)(size_t rows, size_t V, REAL *logits, const int32_t *targets, REAL scale,
                                OPERAND *dLogits, double *losses) {
  for (size_t r = 0; r < rows; r++) {
    REAL *x = logits + r * V;
    const size_t target = (size_t)targets[r];
    const REAL largest = NAME(row_maximum)(V, x), chosen = x[target];
    NAME(exponentials)(V, largest, x);
    const REAL sum = NAME(row_sum)(V, x);
    losses[r] = log((double)sum) - ((double)chosen - (double)largest);
    if (dLogits) {
      NAME(scaled_operands)(V, scale / sum, x, dLogits + r * V);
      dLogits[r * V + target] = TO_OPERAND(x[target] * (scale / sum) - scale);
    }
  }
}

CLONES void NAME(narrow)(size_t count, const REAL *restrict a, OPERAND *restrict out) {
  for (size_t j = 0; j < count; j++) out[j] = TO_OPERAND(a[j]);
}
