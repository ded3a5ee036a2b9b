// Packing a weight matrix into panels (see panels.inc.h). The including file defines REAL, OPERAND, NAME(f), OPERANDS
// and WEIGHT(x), a weight as it lies in a panel.

// Bytes of a group of panels.
size_t NAME(panel_stride)(size_t K) {
  return (K + OPERANDS - 1) / OPERANDS * GROUP * PANEL * OPERANDS * sizeof(OPERAND);
}

// One panel's step s: of each output the weights of OPERANDS inner places.
INLINE void NAME(pack_step)(size_t K, size_t s, const REAL *w, size_t outputStride, size_t innerStride, int count,
                            OPERAND *restrict panel) {
  for (int j = 0; j < OPERANDS; j++) {
    const size_t k = s * OPERANDS + (size_t)j;
    for (int r = 0; r < PANEL; r++)
      panel[r * OPERANDS + j] =
          k < K && r < count ? WEIGHT(w[(size_t)r * outputStride + k * innerStride]) : WEIGHT((REAL)0);
  }
}

CLONES void NAME(panel_pack)(size_t K, const REAL *w, size_t outputStride, size_t innerStride, size_t firstGroup,
                             size_t lastGroup, const int32_t *columns, const int32_t *counts, uint8_t *panels) {
  const size_t steps = (K + OPERANDS - 1) / OPERANDS, width = PANEL * OPERANDS, stride = NAME(panel_stride)(K);
  for (size_t group = firstGroup; group < lastGroup; group++) {
    OPERAND *to = (OPERAND *)(panels + group * stride);
    for (int p = 0; p < GROUP; p++) {
      const REAL *from = w + (size_t)columns[group * GROUP + (size_t)p] * outputStride;
      for (size_t s = 0; s < steps; s++)
        NAME(pack_step)(K, s, from, outputStride, innerStride, counts[group * GROUP + (size_t)p],
                        to + (s * GROUP + (size_t)p) * width);
    }
  }
}
