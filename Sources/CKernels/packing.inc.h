// Packing a weight matrix into panels (see panels.inc.h). The including file defines REAL, OPERAND, NAME(f), OPERANDS
// and WEIGHT(x), a weight as it lies in a panel.

// Bytes of a group of panels.
size_t NAME(panel_stride)(size_t K) {
  return (K + OPERANDS - 1) / OPERANDS * GROUP * PANEL * OPERANDS * sizeof(OPERAND);
}

// Step s of a panel's `count` outputs, side by side in memory: of each the weights of OPERANDS inner places.
INLINE void NAME(pack_step)(size_t K, size_t s, const REAL *w, size_t innerStride, const int count,
                            OPERAND *restrict panel) {
  for (int r = 0; r < count; r++)
    for (size_t j = 0; j < OPERANDS; j++) {
      const size_t k = s * OPERANDS + j;
      panel[(size_t)r * OPERANDS + j] = k < K ? WEIGHT(w[(size_t)r + k * innerStride]) : WEIGHT((REAL)0);
    }
}

// Steps first ..< last, at most PACKED_STEPS, of one output, whose weights are side by side in memory.
INLINE void NAME(pack_output)(size_t K, size_t first, size_t last, const REAL *restrict w, OPERAND *restrict panel) {
  OPERAND weights[PACKED_STEPS * OPERANDS] = {0};
  const size_t end = last * OPERANDS < K ? last * OPERANDS : K;
  for (size_t k = first * OPERANDS; k < end; k++) weights[k - first * OPERANDS] = WEIGHT(w[k]);
  for (size_t s = first; s < last; s++)
    memcpy(panel + s * GROUP * PANEL * OPERANDS, weights + (s - first) * OPERANDS, OPERANDS * sizeof(OPERAND));
}

// Steps first ..< last of a group whose weights have `stride` between an output's and its next: 1, or innerStride is 1.
INLINE void NAME(pack_steps)(size_t K, size_t first, size_t last, const REAL *w, size_t stride, size_t innerStride,
                             const int32_t *columns, const int32_t *counts, OPERAND *group) {
  const size_t width = PANEL * OPERANDS, whole = K / OPERANDS;
  if (stride == 1)
    for (size_t s = first; s < last; s++)
      for (size_t p = 0; p < GROUP; p++) {
        OPERAND *to = group + (s * GROUP + p) * width;
        if (s < whole && counts[p] == PANEL) NAME(pack_step)((size_t)-1, s, w + columns[p], innerStride, PANEL, to);
        else NAME(pack_step)(K, s, w + columns[p], innerStride, counts[p], to);
      }
  else
    for (size_t p = 0; p < GROUP; p++)
      for (int r = 0; r < counts[p]; r++)
        NAME(pack_output)(K, first, last, w + (size_t)(columns[p] + r) * stride,
                          group + p * width + (size_t)r * OPERANDS);
}

// Some steps of all groups, then the next: so memory is read in long pieces. What serves no output stays
// as it was; no sum of it goes anywhere.
CLONES void NAME(panel_pack)(size_t K, const REAL *w, size_t outputStride, size_t innerStride, size_t firstGroup,
                             size_t lastGroup, const int32_t *columns, const int32_t *counts, uint8_t *panels) {
  const size_t steps = (K + OPERANDS - 1) / OPERANDS, some = outputStride == 1 ? 16 : PACKED_STEPS;
  for (size_t s = 0; s < steps; s += some)
    for (size_t group = firstGroup; group < lastGroup; group++)
      NAME(pack_steps)(K, s, s + some < steps ? s + some : steps, w, outputStride, innerStride, columns + group * GROUP,
                       counts + group * GROUP, (OPERAND *)(panels + group * NAME(panel_stride)(K)));
}
