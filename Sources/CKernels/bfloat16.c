#include "CKernels.h"
#include "clones.h"
#include "mathematics.h"
#include "vectors.h"

// bfloat16 is the upper half of a float. Rounded to nearest, ties to even; NaN stays NaN.
INLINE uint16_t to_bfloat16(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  const uint32_t rounded = (bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16;
  return (uint16_t)(x == x ? rounded : 0x7FC0u);
}

INLINE float from_bfloat16(uint16_t x) {
  const uint32_t bits = (uint32_t)x << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

#define REAL float
#define OPERAND uint16_t
#define NAME(f) ckernels_##f##_bf16
#define MATH(f) f##_f32
#define TO_OPERAND(x) to_bfloat16(x)
#define FROM_OPERAND(x) from_bfloat16(x)
#include "loops.inc.h"
#include "lstm.inc.h"
#include "layernorm.inc.h"
#include "lstm_norm.inc.h"
#include "gru.inc.h"
#include "rnn.inc.h"
#include "regularizers.inc.h"

// Two weights a step: a word of 32 bits for each output.
#define OPERANDS 2
#define TRAILER 0
#define WEIGHT(x) to_bfloat16(x)
#define SUMS f32x16
#define WEIGHTS u32x16
#define FINISHED(sum, trailer, panel) (sum)

// For every processor: the two products of a step one after the other.
typedef struct {
  float first, second;
} Pair;
INLINE Pair pair(const uint16_t *word) { return (Pair){from_bfloat16(word[0]), from_bfloat16(word[1])}; }
INLINE f32x16 add_pairs(f32x16 sum, u32x16 w, Pair x) {
  const u32x16 first = w << 16, second = w & 0xFFFF0000u;
  return sum + (f32x16)first * x.first + (f32x16)second * x.second;
}
#define FORM(f) ckernels_panel_##f##_bf16_portable
#define TARGET
#define CLONED CLONES
#define SPREAD(word) pair(word)
#define FUSED(sum, w, x) add_pairs(sum, w, x)
#include "packing.inc.h"
#include "panels.inc.h"
#include "outer.inc.h"

// For processors that multiply bfloat16.
#if defined(__x86_64__)
#include <immintrin.h>
#undef FORM
#undef TARGET
#undef CLONED
#undef SPREAD
#undef FUSED
#define FORM(f) ckernels_panel_##f##_bf16_avx512
#define TARGET __attribute__((target("avx512f,avx512bf16")))
#define CLONED TARGET
#define SPREAD(word) _mm512_set1_epi32(bits_of(word))
#define FUSED(sum, w, x) (f32x16) _mm512_dpbf16_ps((__m512)(sum), (__m512bh)(w), (__m512bh)(x))
#include "panels.inc.h"
#include "outer.inc.h"
#endif

DISPATCHED_MULTIPLY(float, uint16_t, bf16, "avx512bf16")

size_t ckernels_outer_count_bf16(size_t K, size_t N) {
  const size_t width = GROUP * PANEL;
  return (K + OPERANDS - 1) / OPERANDS * OPERANDS * ((N + width - 1) / width * width);
}

void ckernels_outer_pack_bf16(size_t K, size_t N, const uint16_t *a, uint16_t *packed) {
  IF_AVX512("avx512bf16", ckernels_panel_outer_pack_bf16_avx512, K, N, a, packed)
  ckernels_panel_outer_pack_bf16_portable(K, N, a, packed);
}

void ckernels_add_outer_bf16(size_t K, size_t N1, size_t N2, const uint16_t *A, const uint16_t *B, float *C) {
  IF_AVX512("avx512bf16", ckernels_panel_add_outer_bf16_avx512, K, N1, N2, A, B, C)
  ckernels_panel_add_outer_bf16_portable(K, N1, N2, A, B, C);
}
