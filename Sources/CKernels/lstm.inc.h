// One LSTM step and back. Included as loops.inc.h is, after it.

// One row: a function of its own, whose `restrict` parameters tell the vectoriser that nothing overlaps. The hidden state
// has a loop to itself: in one with the gates, the processor would wait for each unit's chain from gate to cell to tanh.
INLINE void NAME(lstm_forward_row)(size_t H, REAL *restrict i, REAL *restrict f, REAL *restrict g, REAL *restrict o,
                                   const REAL *restrict cell, REAL *restrict nextCell, OPERAND *restrict hidden) {
  for (size_t j = 0; j < H; j++) {
    const REAL input = MATH(sigmoid)(i[j]), forget = MATH(sigmoid)(f[j]);
    const REAL candidate = MATH(tanh)(g[j]);
    i[j] = input;
    f[j] = forget;
    g[j] = candidate;
    o[j] = MATH(sigmoid)(o[j]);
    nextCell[j] = forget * cell[j] + input * candidate;
  }
  for (size_t j = 0; j < H; j++) hidden[j] = TO_OPERAND(o[j] * MATH(tanh)(nextCell[j]));
}

CLONES void NAME(lstm_forward)(size_t B, size_t H, size_t first, size_t last, REAL *gates, const REAL *cell,
                               REAL *nextCell, OPERAND *hidden) {
  for (size_t b = 0; b < B; b++) {
    REAL *i = gates + b * 4 * H + first;
    const size_t j = b * H + first;
    NAME(lstm_forward_row)(last - first, i, i + H, i + 2 * H, i + 3 * H, cell + j, nextCell + j, hidden + j);
  }
}

INLINE void NAME(lstm_backward_row)(size_t H, const REAL *restrict i, const REAL *restrict f, const REAL *restrict g,
                                    const REAL *restrict o, const REAL *restrict cell, const REAL *restrict nextCell,
                                    const REAL *restrict dHidden, REAL *restrict dCell, OPERAND *restrict di,
                                    OPERAND *restrict df, OPERAND *restrict dg, OPERAND *restrict dO) {
  for (size_t j = 0; j < H; j++) {
    const REAL squashed = MATH(tanh)(nextCell[j]);
    const REAL dc = dCell[j] + dHidden[j] * o[j] * ((REAL)1 - squashed * squashed);
    di[j] = TO_OPERAND(dc * g[j] * i[j] * ((REAL)1 - i[j]));
    df[j] = TO_OPERAND(dc * cell[j] * f[j] * ((REAL)1 - f[j]));
    dg[j] = TO_OPERAND(dc * i[j] * ((REAL)1 - g[j] * g[j]));
    dO[j] = TO_OPERAND(dHidden[j] * squashed * o[j] * ((REAL)1 - o[j]));
    dCell[j] = dc * f[j];
  }
}

CLONES void NAME(lstm_backward)(size_t B, size_t H, const REAL *gates, const REAL *cell, const REAL *nextCell,
                                const REAL *dHidden, REAL *dCell, OPERAND *dGates) {
  for (size_t b = 0; b < B; b++, gates += 4 * H, dGates += 4 * H)
    NAME(lstm_backward_row)(H, gates, gates + H, gates + 2 * H, gates + 3 * H, cell + b * H, nextCell + b * H,
                            dHidden + b * H, dCell + b * H, dGates, dGates + H, dGates + 2 * H, dGates + 3 * H);
}
