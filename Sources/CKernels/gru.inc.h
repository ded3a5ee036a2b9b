// One GRU step and back. Included as loops.inc.h is, after it.

INLINE void NAME(gru_forward_row)(size_t H, REAL *restrict r, REAL *restrict z, REAL *restrict n,
                                  const REAL *restrict productR, const REAL *restrict productZ,
                                  const REAL *restrict productN, const OPERAND *restrict hidden,
                                  REAL *restrict candidate, OPERAND *restrict nextHidden) {
  for (size_t j = 0; j < H; j++) {
    const REAL reset = MATH(sigmoid)(r[j] + productR[j]), update = MATH(sigmoid)(z[j] + productZ[j]);
    const REAL proposal = MATH(tanh)(n[j] + reset * productN[j]);
    r[j] = reset;
    z[j] = update;
    n[j] = proposal;
    candidate[j] = productN[j];
    nextHidden[j] = TO_OPERAND(((REAL)1 - update) * proposal + update * FROM_OPERAND(hidden[j]));
  }
}

CLONES void NAME(gru_forward)(size_t B, size_t H, size_t first, size_t last, REAL *gates, const REAL *products,
                              const OPERAND *hidden, REAL *candidate, OPERAND *nextHidden) {
  for (size_t b = 0; b < B; b++) {
    REAL *r = gates + b * 3 * H + first;
    const REAL *p = products + b * 3 * H + first;
    const size_t j = b * H + first;
    NAME(gru_forward_row)(last - first, r, r + H, r + 2 * H, p, p + H, p + 2 * H, hidden + j, candidate + j,
                          nextHidden + j);
  }
}

INLINE void NAME(gru_backward_row)(size_t H, const REAL *restrict r, const REAL *restrict z, const REAL *restrict n,
                                   const REAL *restrict candidate, const OPERAND *restrict hidden,
                                   const REAL *restrict dHidden, REAL *restrict dPrevious, OPERAND *restrict dr,
                                   OPERAND *restrict dz, OPERAND *restrict dn, OPERAND *restrict productR,
                                   OPERAND *restrict productZ, OPERAND *restrict productN) {
  for (size_t j = 0; j < H; j++) {
    const REAL dProposal = dHidden[j] * ((REAL)1 - z[j]) * ((REAL)1 - n[j] * n[j]);
    const REAL dReset = dProposal * candidate[j] * r[j] * ((REAL)1 - r[j]);
    const REAL dUpdate = dHidden[j] * (FROM_OPERAND(hidden[j]) - n[j]) * z[j] * ((REAL)1 - z[j]);
    dr[j] = productR[j] = TO_OPERAND(dReset);
    dz[j] = productZ[j] = TO_OPERAND(dUpdate);
    dn[j] = TO_OPERAND(dProposal);
    productN[j] = TO_OPERAND(dProposal * r[j]);
    dPrevious[j] += dHidden[j] * z[j];
  }
}

CLONES void NAME(gru_backward)(size_t B, size_t H, const REAL *gates, const REAL *candidate, const OPERAND *hidden,
                               const REAL *dHidden, REAL *dPrevious, OPERAND *dProjection, OPERAND *dProducts) {
  for (size_t b = 0; b < B; b++, gates += 3 * H, dProjection += 3 * H, dProducts += 3 * H)
    NAME(gru_backward_row)(H, gates, gates + H, gates + 2 * H, candidate + b * H, hidden + b * H, dHidden + b * H,
                           dPrevious + b * H, dProjection, dProjection + H, dProjection + 2 * H, dProducts,
                           dProducts + H, dProducts + 2 * H);
}
