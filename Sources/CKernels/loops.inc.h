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

// Σ e^d·d with d = x − largest, in 16 interleaved parts.
INLINE REAL NAME(row_energy)(size_t V, REAL largest, const REAL *restrict x) {
  REAL parts[16] = {0};
  size_t j = 0;
  for (; j + 16 <= V; j += 16)
    for (int k = 0; k < 16; k++) parts[k] += MATH(exp)(x[j + k] - largest) * (x[j + k] - largest);
  for (int k = 0; j < V; j++, k++) parts[k] += MATH(exp)(x[j] - largest) * (x[j] - largest);
  for (int half = 8; half > 0; half /= 2)
    for (int k = 0; k < half; k++) parts[k] += parts[k + half];
  return parts[0];
}

// 1 + how many come before the target: larger, or as large and of a smaller index.
INLINE int32_t NAME(row_rank)(size_t V, size_t target, const REAL *restrict x) {
  const REAL chosen = x[target];
  int32_t rank = 1;
  for (size_t j = 0; j < target; j++) rank += x[j] >= chosen;
  for (size_t j = target + 1; j < V; j++) rank += x[j] > chosen;
  return rank;
}

// The indices of the K largest, the largest first; of equals the smaller index first.
INLINE void NAME(row_best)(size_t V, size_t K, const REAL *restrict x, int32_t *restrict best) {
  size_t found = 0;
  for (size_t j = 0; j < V; j++) {
    if (found == K && !(x[j] > x[best[K - 1]])) continue;
    size_t place = found < K ? found++ : K - 1;
    for (; place > 0 && x[j] > x[best[place - 1]]; place--) best[place] = best[place - 1];
    best[place] = (int32_t)j;
  }
}

CLONES void NAME(describe)(size_t rows, size_t V, size_t K, REAL *logits, const int32_t *targets, double *losses,
                           double *entropies, int32_t *ranks, int32_t *best, double *bestLosses, double *totals) {
  for (size_t r = 0; r < rows; r++) {
    REAL *x = logits + r * V;
    const size_t target = (size_t)targets[r];
    const REAL largest = NAME(row_maximum)(V, x), chosen = x[target];
    ranks[r] = NAME(row_rank)(V, target, x);
    if (K > 0) NAME(row_best)(V, K, x, best + r * K);
    for (size_t k = 0; k < K; k++) bestLosses[r * K + k] = (double)largest - (double)x[best[r * K + k]];
    const REAL energy = NAME(row_energy)(V, largest, x);
    double total = 0;
    if (totals)
      for (size_t j = 0; j < V; j++) total += exp((double)x[j] - (double)largest);
    NAME(exponentials)(V, largest, x);
    const REAL sum = NAME(row_sum)(V, x);
    const double logarithm = log((double)sum);
    losses[r] = logarithm - ((double)chosen - (double)largest);
    entropies[r] = logarithm - (double)energy / (double)sum;
    for (size_t k = 0; k < K; k++) bestLosses[r * K + k] += logarithm;
    if (totals) totals[r] = total / (double)sum;
  }
}

CLONES void NAME(narrow)(size_t count, const REAL *restrict a, OPERAND *restrict out) {
  for (size_t j = 0; j < count; j++) out[j] = TO_OPERAND(a[j]);
}
