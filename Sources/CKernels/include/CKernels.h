/// The element-wise inner loops of training and scoring, for double and float, each compiled for several processors
/// and chosen when the program starts.
///
/// Matrices are row-major and dense. B: rows (lanes, or steps × lanes), H: hidden size, V: vocabulary size.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// REAL is the type of weights, cells and gradients; OPERAND that of hidden states and gate gradients.
#define CKERNELS_DECLARE(REAL, OPERAND, NAME)                                                                          \
  /* One LSTM step, of the units first ..< last. gates [B, 4H]: pre-activations in, activations i, f, g, o out. */     \
  void NAME(lstm_forward)(size_t B, size_t H, size_t first, size_t last, REAL *gates, const REAL *cell,                \
                          REAL *nextCell, OPERAND *hidden);                                                            \
  /* Back through it. dCell [B, H]: gradient at nextCell in, at cell out. dGates [B, 4H] is overwritten. */            \
  void NAME(lstm_backward)(size_t B, size_t H, const REAL *gates, const REAL *cell, const REAL *nextCell,              \
                           const REAL *dHidden, REAL *dCell, OPERAND *dGates);                                         \
  /* One step of an LSTM with layer normalization. norms [14, H]: gains of projection and products, biases at the gates  \
     (4 rows each), gain and bias of the cell. projection, products [B, 4H]: W·x and W·h. gates [B, 4H]: activations     \
     out. moments [B, 6] out: mean and 1 / deviation of a row of projection, products and nextCell. */                   \
  void NAME(lstm_norm_forward)(size_t B, size_t H, const REAL *norms, const REAL *projection, const REAL *products,      \
                               REAL *gates, const REAL *cell, REAL *nextCell, REAL *moments, OPERAND *hidden);           \
  /* Back through it. dCell as above; dNorms [14, H] accumulates; scratch: 5H numbers; dProjection and dProducts         \
     [B, 4H] are overwritten. */                                                                                         \
  void NAME(lstm_norm_backward)(size_t B, size_t H, const REAL *norms, const REAL *projection, const REAL *products,     \
                                const REAL *gates, const REAL *cell, const REAL *nextCell, const REAL *moments,          \
                                const REAL *dHidden, REAL *dCell, REAL *dNorms, REAL *scratch, OPERAND *dProjection,     \
                                OPERAND *dProducts);                                                                     \
  /* One GRU step, of the units first ..< last. gates [B, 3H]: the projection in, activations r, z, n out. products */ \
  /* [B, 3H]: the recurrent products with their bias. candidate [B, H]: those of n, kept for the way back. */          \
  void NAME(gru_forward)(size_t B, size_t H, size_t first, size_t last, REAL *gates, const REAL *products,             \
                         const OPERAND *hidden, REAL *candidate, OPERAND *nextHidden);                                 \
  /* Back through it. dPrevious [B, H] gets what flows past the gates added; dProjection and dProducts [B, 3H] are */  \
  /* overwritten with the gradients at projection and recurrent products. */                                           \
  void NAME(gru_backward)(size_t B, size_t H, const REAL *gates, const REAL *candidate, const OPERAND *hidden,         \
                          const REAL *dHidden, REAL *dPrevious, OPERAND *dProjection, OPERAND *dProducts);             \
  /* One RNN step, of the units first ..< last: tanh, or with `relu` max(0, x). gates [B, H]: pre-activations in, */   \
  /* activations out, which `hidden` holds as operands. */                                                             \
  void NAME(rnn_forward)(size_t B, size_t H, size_t first, size_t last, bool relu, REAL *gates, OPERAND *hidden);      \
  /* Back through it. dGates [B, H] is overwritten. */                                                                 \
  void NAME(rnn_backward)(size_t B, size_t H, bool relu, const REAL *gates, const REAL *dHidden, OPERAND *dGates);     \
  /* out[r] = table[symbols[r]], in the columns first ..< last. */                                                     \
  void NAME(gather)(size_t rows, size_t columns, size_t first, size_t last, const REAL *table, const int32_t *symbols, \
                    REAL *out);                                                                                        \
  /* table[symbols[r]] += a[r], from the last r to the first. */                                                       \
  void NAME(scatter_add)(size_t rows, size_t columns, const OPERAND *a, const int32_t *symbols, REAL *table);          \
  /* sums[j] += Σ_r a[r, j], from the last r to the first. */                                                          \
  void NAME(column_sums)(size_t rows, size_t columns, const OPERAND *a, REAL *sums);                                   \
  /* losses[r] = −ln softmax(logits[r])[targets[r]] in nats; dLogits = scale·(softmax − one-hot), where not NULL. */   \
  void NAME(cross_entropy)(size_t rows, size_t V, REAL *logits, const int32_t *targets, REAL scale, OPERAND *dLogits,  \
                           double *losses);                                                                            \
  /* Of each row of logits, which are destroyed: the loss as above, the entropy in nats, the target's rank from 1, the \
     K ≤ V best symbols and their losses; and, where not NULL, the sum of all probabilities, added up in double. */    \
  void NAME(describe)(size_t rows, size_t V, size_t K, REAL *logits, const int32_t *targets, double *losses,           \
                      double *entropies, int32_t *ranks, int32_t *best, double *bestLosses, double *totals);           \
  /* out = a, rounded to the operand type. */                                                                          \
  void NAME(narrow)(size_t count, const REAL *a, OPERAND *out);                                                        \
  /* out [steps, count] = a [steps, count] ⊙ mask [count], the same at every step. */                                  \
  void NAME(mask)(size_t steps, size_t count, const OPERAND *a, const REAL *mask, OPERAND *out);                       \
  /* to += factor·a. */                                                                                                \
  void NAME(add_scaled)(size_t count, REAL factor, const OPERAND *a, REAL *to);                                        \
  /* d = factor·(next − previous): dNext += d, dPrevious −= d. */                                                      \
  void NAME(add_difference)(size_t count, REAL factor, const OPERAND *next, const OPERAND *previous, REAL *dNext,      \
                            REAL *dPrevious);

/// A counter-based random stream: its key, and its blocks' counters except for the first word, the block's place.
typedef struct {
  uint32_t key0, key1, counter1, counter2, counter3;
} CKernelsStream;

// What needs no operand type: vectors of parameters.
#define CKERNELS_DECLARE_VECTOR(REAL, NAME)                                                                            \
  double NAME(sum_of_squares)(size_t count, const REAL *a);                                                            \
  void NAME(scale)(size_t count, REAL factor, REAL *a);                                                                \
  /* a = min(max(a, -bound), bound); the number of elements that this changed. NaN stays NaN. */                       \
  size_t NAME(clamp)(size_t count, REAL bound, REAL *a);                                                               \
  void NAME(add)(size_t count, const REAL *a, REAL *to);                                                               \
  /* a += share·(target − a). */                                                                                       \
  void NAME(approach)(size_t count, REAL share, const REAL *target, REAL *a);                                          \
  /* One Adam step: m, v are the moments, `rest` is 1 − beta, which float would round away; `rate` already holds */    \
  /* the bias corrections, `decay` multiplies the weights, `penalty` times the weights is added to the gradient. */    \
  void NAME(adam)(size_t count, REAL beta1, REAL rest1, REAL beta2, REAL rest2, REAL rate, REAL epsilon, REAL decay,   \
                  REAL penalty, const REAL *gradient, REAL *m, REAL *v, REAL *weights);                                \
  /* One step of plain SGD; of SGD with momentum; of RMSprop; of Adagrad. */                                           \
  void NAME(sgd)(size_t count, REAL rate, REAL penalty, const REAL *gradient, REAL *weights);                          \
  void NAME(momentum)(size_t count, REAL rate, REAL penalty, REAL momentum, REAL own, REAL past,                       \
                      const REAL *gradient, REAL *buffer, REAL *weights);                                              \
  void NAME(rmsprop)(size_t count, REAL rate, REAL penalty, REAL alpha, REAL rest, REAL epsilon, REAL momentum,        \
                     const REAL *gradient, REAL *v, REAL *buffer, REAL *weights);                                      \
  void NAME(adagrad)(size_t count, REAL rate, REAL penalty, REAL epsilon, const REAL *gradient, REAL *sum,             \
                     REAL *weights);                                                                                     \
  /* sums += a²; Σ √(factor·a). */                                                                                     \
  void NAME(add_squares)(size_t count, const REAL *a, REAL *sums);                                                     \
  double NAME(sum_of_roots)(size_t count, REAL factor, const REAL *a);                                                 \
  /* One step of SGD whose weights are pulled back to a base; the same with the gradient divided by √(factor·squares) +\
     epsilon and the pull multiplied by that root, at most 1. */                                                       \
  void NAME(pulled_sgd)(size_t count, REAL rate, REAL pull, const REAL *gradient, const REAL *base, REAL *weights);    \
  void NAME(pulled_rms)(size_t count, REAL rate, REAL pull, REAL factor, REAL epsilon, const REAL *gradient,           \
                        const REAL *squares, const REAL *base, REAL *weights);                                         \
  /* scores [queries, width] of flatness·key·query, for query [queries, columns] and key [keys, columns]. */           \
  void NAME(cache_scores)(size_t queries, size_t keys, size_t columns, const REAL *key, const REAL *query,             \
                          REAL flatness, size_t width, REAL *scores);                                                  \
  /* Σ softmax(scores [keys]) over the keys whose symbol is `symbol`; 0 without keys. Overwrites the scores. */        \
  double NAME(cache_share)(size_t keys, const int32_t *symbols, int32_t symbol, REAL *scores);                         \
  /* a[j] = 0 where the 16 bits of the stream that are element j's are below the threshold, else factor·a[j]. Of 128 */\
  /* elements, 16 blocks of four words, 32·w + k has the lower half of word w of block k, 16 further the upper half. */\
  void NAME(drop)(size_t count, const CKernelsStream *stream, uint32_t threshold, REAL factor, REAL *a);               \
  /* a [repeats, count] ⊙= factors [count]. */                                                                         \
  void NAME(multiply)(size_t repeats, size_t count, const REAL *factors, REAL *a);                                     \
  /* a[r] *= factors[symbols[r]], or factors[r] where symbols is NULL. */                                              \
  void NAME(scale_rows)(size_t rows, size_t columns, const REAL *factors, const int32_t *symbols, REAL *a);

#define CKERNELS_F64(f) ckernels_##f##_f64
#define CKERNELS_F32(f) ckernels_##f##_f32
#define CKERNELS_BF16(f) ckernels_##f##_bf16
#define CKERNELS_INT8(f) ckernels_##f##_int8
CKERNELS_DECLARE(double, double, CKERNELS_F64)
CKERNELS_DECLARE(float, float, CKERNELS_F32)
CKERNELS_DECLARE(float, uint16_t, CKERNELS_BF16)
CKERNELS_DECLARE(float, uint8_t, CKERNELS_INT8)
CKERNELS_DECLARE_VECTOR(double, CKERNELS_F64)
CKERNELS_DECLARE_VECTOR(float, CKERNELS_F32)

// Weight matrices in panels of 16 outputs, 4 panels a group: see panels.inc.h. Panel p serves the outputs
// columns[p] ..< columns[p] + counts[p], counts[p] ≤ 16.
#define CKERNELS_PRODUCT(REAL, OPERAND)                                                                                \
  size_t M, size_t K, const OPERAND *x, const uint8_t *panels, size_t firstGroup, size_t lastGroup,                    \
      const int32_t *columns, const int32_t *counts, const REAL *bias, bool adding, bool backwards, REAL *out, size_t N
#define CKERNELS_DECLARE_PANELS(REAL, OPERAND, SUFFIX)                                                                 \
  /* Bytes of a group of panels of K weights each. */                                                                  \
  size_t ckernels_panel_stride_##SUFFIX(size_t K);                                                                     \
  /* out [M, N] = x [M, K]·W + bias [N] (where not NULL) + out (where `adding`), for the outputs of some groups, from   \
     the last to the first where `backwards`. */                                                                       \
  void ckernels_panel_multiply_##SUFFIX(CKERNELS_PRODUCT(REAL, OPERAND));                                              \
  /* Packs some groups; the weight of output n at inner place k is w[n·outputStride + k·innerStride]; one of the        \
     strides is 1. */                                                                                                  \
  void ckernels_panel_pack_##SUFFIX(size_t K, const REAL *w, size_t outputStride, size_t innerStride,                  \
                                    size_t firstGroup, size_t lastGroup, const int32_t *columns,                       \
                                    const int32_t *counts, uint8_t *panels);

CKERNELS_DECLARE_PANELS(double, double, f64)
CKERNELS_DECLARE_PANELS(float, float, f32)
CKERNELS_DECLARE_PANELS(float, uint16_t, bf16)
CKERNELS_DECLARE_PANELS(float, uint8_t, int8)
/// The same for processors that do not multiply bfloat16 or bytes.
void ckernels_panel_multiply_bf16_portable(CKERNELS_PRODUCT(float, uint16_t));
void ckernels_panel_multiply_int8_portable(CKERNELS_PRODUCT(float, uint8_t));
/// C [N1, N2] += Aᵀ·B with A [M, N1], B [M, N2], each sum from the last m to the first.
void ckernels_add_outer_f64(size_t M, size_t N1, size_t N2, const double *A, const double *B, double *C);

/// The same from packed A and B, in steps of two rows; see outer.inc.h.
void ckernels_add_outer_bf16(size_t M, size_t N1, size_t N2, const uint16_t *A, const uint16_t *B, float *C);
/// Packs a [M, N], and into how many elements.
size_t ckernels_outer_count_bf16(size_t M, size_t N);
void ckernels_outer_pack_bf16(size_t M, size_t N, const uint16_t *a, uint16_t *packed);
/// The same for processors that do not multiply bfloat16.
void ckernels_panel_add_outer_bf16_portable(size_t M, size_t N1, size_t N2, const uint16_t *A, const uint16_t *B, float *C);

/// Tells the processor that a loop waits for another thread.
static inline void ckernels_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

#endif
