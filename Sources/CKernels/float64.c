#include "CKernels.h"
#include "clones.h"
#include "mathematics.h"
#include "philox.h"
#include "vectors.h"

#define REAL double
#define OPERAND double
#define NAME(f) ckernels_##f##_f64
#define MATH(f) f##_f64
#define TO_OPERAND(x) (x)
#define FROM_OPERAND(x) (x)
#include "loops.inc.h"
#include "lstm.inc.h"
#include "layernorm.inc.h"
#include "lstm_norm.inc.h"
#include "gru.inc.h"
#include "rnn.inc.h"
#include "regularizers.inc.h"
#include "vectors.inc.h"
#include "dropout.inc.h"

// One weight a step.
#define FORM(f) ckernels_panel_##f##_f64
#define TARGET
#define CLONED CLONES
#define OPERANDS 1
#define SUMS f64x16
#define WEIGHTS f64x16
#define TRAILER 0
#define WEIGHT(x) (x)
#define SPREAD(word) ((word)[0])
#define FUSED(sum, w, x) ((sum) + (w) * (x))
#define FINISHED(sum, trailer, panel) (sum)
#include "packing.inc.h"
#include "panels.inc.h"

INLINE void add_multiple(size_t count, double factor, const double *restrict a, double *restrict to) {
  for (size_t j = 0; j < count; j++) to[j] += factor * a[j];
}

CLONES void ckernels_add_outer_f64(size_t M, size_t N1, size_t N2, const double *A, const double *B, double *C) {
  for (size_t m = M; m-- > 0;)
    for (size_t i = 0; i < N1; i++) add_multiple(N2, A[m * N1 + i], B + m * N2, C + i * N2);
}
