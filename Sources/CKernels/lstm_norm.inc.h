// One step of an LSTM with layer normalization and back. Included as loops.inc.h is, after layernorm.inc.h.
//
// Norms are [14, H]: the gains of the projection and of the products (4 each), the sum of all biases at the gates (4),
// the gain and the bias of the cell. Moments are a row's means and scales of projection, products and cell.

INLINE void NAME(normal_gates_row)(size_t N, const REAL *restrict projection, const REAL *restrict products,
                                   const REAL *restrict norms, NAME(Moments) x, NAME(Moments) h, REAL *restrict gates) {
  const REAL *gainX = norms, *gainH = norms + N, *bias = norms + 2 * N;
  for (size_t j = 0; j < N; j++)
    gates[j] = gainX[j] * ((projection[j] - x.mean) * x.scale) + gainH[j] * ((products[j] - h.mean) * h.scale) + bias[j];
}

INLINE void NAME(cell_row)(size_t H, REAL *restrict i, REAL *restrict f, REAL *restrict g, REAL *restrict o,
                           const REAL *restrict cell, REAL *restrict nextCell) {
  for (size_t j = 0; j < H; j++) {
    const REAL input = MATH(sigmoid)(i[j]), forget = MATH(sigmoid)(f[j]), candidate = MATH(tanh)(g[j]);
    i[j] = input;
    f[j] = forget;
    g[j] = candidate;
    o[j] = MATH(sigmoid)(o[j]);
    nextCell[j] = forget * cell[j] + input * candidate;
  }
}

INLINE void NAME(normal_output_row)(size_t H, const REAL *restrict o, const REAL *restrict nextCell, NAME(Moments) c,
                                    const REAL *restrict gain, const REAL *restrict bias, OPERAND *restrict hidden) {
  for (size_t j = 0; j < H; j++)
    hidden[j] = TO_OPERAND(o[j] * MATH(tanh)(gain[j] * ((nextCell[j] - c.mean) * c.scale) + bias[j]));
}

CLONES void NAME(lstm_norm_forward)(size_t B, size_t H, const REAL *norms, const REAL *projection, const REAL *products,
                                    REAL *gates, const REAL *cell, REAL *nextCell, REAL *moments, OPERAND *hidden) {
  for (size_t b = 0; b < B; b++, projection += 4 * H, products += 4 * H, gates += 4 * H, moments += 6) {
    const NAME(Moments) x = NAME(moments)(4 * H, projection), h = NAME(moments)(4 * H, products);
    NAME(normal_gates_row)(4 * H, projection, products, norms, x, h, gates);
    NAME(cell_row)(H, gates, gates + H, gates + 2 * H, gates + 3 * H, cell + b * H, nextCell + b * H);
    const NAME(Moments) c = NAME(moments)(H, nextCell + b * H);
    NAME(normal_output_row)(H, gates + 3 * H, nextCell + b * H, c, norms + 12 * H, norms + 13 * H, hidden + b * H);
    const NAME(Moments) all[3] = {x, h, c};
    memcpy(moments, all, sizeof all);
  }
}

// The gradients at the normalised cell and at the output gate's pre-activation; gain and bias accumulate.
INLINE void NAME(normal_output_back)(size_t H, const REAL *restrict o, const REAL *restrict nextCell, NAME(Moments) c,
                                     const REAL *restrict gain, const REAL *restrict bias,
                                     const REAL *restrict dHidden, REAL *restrict dGain, REAL *restrict dBias,
                                     REAL *restrict dNormal, REAL *restrict dO) {
  for (size_t j = 0; j < H; j++) {
    const REAL normal = (nextCell[j] - c.mean) * c.scale, squashed = MATH(tanh)(gain[j] * normal + bias[j]);
    const REAL d = dHidden[j] * o[j] * ((REAL)1 - squashed * squashed);
    dGain[j] += d * normal;
    dBias[j] += d;
    dNormal[j] = d;
    dO[j] = dHidden[j] * squashed * o[j] * ((REAL)1 - o[j]);
  }
}

INLINE void NAME(cell_back)(size_t H, const REAL *restrict i, const REAL *restrict f, const REAL *restrict g,
                            const REAL *restrict cell, const REAL *restrict nextCell, NAME(Moments) c,
                            NAME(Held) held, const REAL *restrict gain, const REAL *restrict dNormal,
                            REAL *restrict dCell, REAL *restrict di, REAL *restrict df, REAL *restrict dg) {
  for (size_t j = 0; j < H; j++) {
    const REAL dc = dCell[j] + NAME(before_norm)(dNormal[j], gain[j], nextCell[j], c, held);
    di[j] = dc * g[j] * i[j] * ((REAL)1 - i[j]);
    df[j] = dc * cell[j] * f[j] * ((REAL)1 - f[j]);
    dg[j] = dc * i[j] * ((REAL)1 - g[j] * g[j]);
    dCell[j] = dc * f[j];
  }
}

// From the gradient d at the gates' pre-activations; gains and bias accumulate.
INLINE void NAME(normal_gates_back)(size_t N, const REAL *restrict d, const REAL *restrict projection,
                                    const REAL *restrict products, const REAL *restrict gainX,
                                    const REAL *restrict gainH, NAME(Moments) x, NAME(Moments) h, NAME(Held) heldX,
                                    NAME(Held) heldH, REAL *restrict dGainX, REAL *restrict dGainH,
                                    REAL *restrict dBias, OPERAND *restrict dProjection, OPERAND *restrict dProducts) {
  for (size_t j = 0; j < N; j++) {
    dGainX[j] += d[j] * ((projection[j] - x.mean) * x.scale);
    dGainH[j] += d[j] * ((products[j] - h.mean) * h.scale);
    dBias[j] += d[j];
    dProjection[j] = TO_OPERAND(NAME(before_norm)(d[j], gainX[j], projection[j], x, heldX));
    dProducts[j] = TO_OPERAND(NAME(before_norm)(d[j], gainH[j], products[j], h, heldH));
  }
}

// Asks for a row that comes next: three long rows at once are more than processors foresee (a fifth to two fifths faster).
INLINE void NAME(expect)(size_t N, const REAL *a) {
  for (size_t j = 0; j < N; j += 64 / sizeof(REAL)) __builtin_prefetch(a + j, 0, 3);
}

// The last step first and in each the first lane first, like memory: so the bits of what accumulates do not depend on
// how a window is cut.
CLONES void NAME(lstm_norm_backward)(size_t B, size_t H, const REAL *norms, const REAL *projection,
                                     const REAL *products, const REAL *gates, const REAL *cell, const REAL *nextCell,
                                     const REAL *moments, const REAL *dHidden, REAL *dCell, REAL *dNorms, REAL *scratch,
                                     OPERAND *dProjection, OPERAND *dProducts) {
  const size_t N = 4 * H;
  const REAL *gainX = norms, *gainH = norms + N, *gainC = norms + 3 * N, *biasC = gainC + H;
  REAL *dNormal = scratch + N, *dGainC = dNorms + 3 * N;
  for (size_t b = 0; b < B; b++) {
    const REAL *i = gates + b * N, *f = i + H, *g = f + H, *o = g + H, *c = cell + b * H, *next = nextCell + b * H;
    const REAL *xs = projection + b * N, *hs = products + b * N;
    NAME(Moments) of[3];
    memcpy(of, moments + 6 * b, sizeof of);
    if (b + 1 < B) NAME(expect)(N, i + N);
    NAME(normal_output_back)(H, o, next, of[2], gainC, biasC, dHidden + b * H, dGainC, dGainC + H, dNormal,
                             scratch + 3 * H);
    if (b + 1 < B) NAME(expect)(N, xs + N);
    NAME(cell_back)(H, i, f, g, c, next, of[2], NAME(held)(H, dNormal, gainC, next, of[2]), gainC, dNormal,
                    dCell + b * H, scratch, scratch + H, scratch + 2 * H);
    if (b + 1 < B) NAME(expect)(N, hs + N);
    NAME(normal_gates_back)(N, scratch, xs, hs, gainX, gainH, of[0], of[1], NAME(held)(N, scratch, gainX, xs, of[0]),
                            NAME(held)(N, scratch, gainH, hs, of[1]), dNorms, dNorms + N, dNorms + 2 * N,
                            dProjection + b * N, dProducts + b * N);
  }
}
