// One step of a plain RNN and back, with tanh or relu. Included as loops.inc.h is, after it.

INLINE void NAME(tanh_forward_row)(size_t H, REAL *restrict a, OPERAND *restrict hidden) {
  for (size_t j = 0; j < H; j++) {
    a[j] = MATH(tanh)(a[j]);
    hidden[j] = TO_OPERAND(a[j]);
  }
}

// NaN stays NaN.
INLINE void NAME(relu_forward_row)(size_t H, REAL *restrict a, OPERAND *restrict hidden) {
  for (size_t j = 0; j < H; j++) {
    a[j] = a[j] < 0 ? 0 : a[j];
    hidden[j] = TO_OPERAND(a[j]);
  }
}

CLONES void NAME(rnn_forward)(size_t B, size_t H, size_t first, size_t last, bool relu, REAL *gates, OPERAND *hidden) {
  for (size_t b = 0; b < B; b++) {
    const size_t j = b * H + first;
    if (relu)
      NAME(relu_forward_row)(last - first, gates + j, hidden + j);
    else
      NAME(tanh_forward_row)(last - first, gates + j, hidden + j);
  }
}

INLINE void NAME(tanh_backward_row)(size_t count, const REAL *restrict a, const REAL *restrict dHidden,
                                    OPERAND *restrict dGates) {
  for (size_t j = 0; j < count; j++) dGates[j] = TO_OPERAND(dHidden[j] * ((REAL)1 - a[j] * a[j]));
}

// At 0 the slope is 0, as in PyTorch.
INLINE void NAME(relu_backward_row)(size_t count, const REAL *restrict a, const REAL *restrict dHidden,
                                    OPERAND *restrict dGates) {
  for (size_t j = 0; j < count; j++) dGates[j] = TO_OPERAND(a[j] > 0 ? dHidden[j] : 0);
}

CLONES void NAME(rnn_backward)(size_t B, size_t H, bool relu, const REAL *gates, const REAL *dHidden, OPERAND *dGates) {
  if (relu)
    NAME(relu_backward_row)(B * H, gates, dHidden, dGates);
  else
    NAME(tanh_backward_row)(B * H, gates, dHidden, dGates);
}
