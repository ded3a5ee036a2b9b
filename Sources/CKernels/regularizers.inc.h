// What regularisers do with hidden states, which are operands. Included as loops.inc.h is, after it.

INLINE void NAME(mask_step)(size_t count, const OPERAND *restrict a, const REAL *restrict mask, OPERAND *restrict out) {
  for (size_t j = 0; j < count; j++) out[j] = TO_OPERAND(FROM_OPERAND(a[j]) * mask[j]);
}

CLONES void NAME(mask)(size_t steps, size_t count, const OPERAND *a, const REAL *mask, OPERAND *out) {
  for (size_t s = 0; s < steps; s++) NAME(mask_step)(count, a + s * count, mask, out + s * count);
}

CLONES void NAME(add_scaled)(size_t count, REAL factor, const OPERAND *restrict a, REAL *restrict to) {
  for (size_t j = 0; j < count; j++) to[j] += factor * FROM_OPERAND(a[j]);
}

CLONES void NAME(add_difference)(size_t count, REAL factor, const OPERAND *restrict next,
                                 const OPERAND *restrict previous, REAL *restrict dNext, REAL *restrict dPrevious) {
  for (size_t j = 0; j < count; j++) {
    const REAL d = factor * (FROM_OPERAND(next[j]) - FROM_OPERAND(previous[j]));
    dNext[j] += d;
    dPrevious[j] -= d;
  }
}
