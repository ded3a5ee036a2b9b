#include "CKernels.h"
#include "clones.h"
#include "mathematics.h"
#include "vectors.h"

// Hidden states in (−1, 1) as x = (byte − 128) / 127; weights as bytes with a scale of each output. For reading only.
INLINE uint8_t to_byte(float x) {
  x = x < -1.0f ? -1.0f : x;
  x = x > 1.0f ? 1.0f : x;
  return (uint8_t)(x * 127.0f + 128.5f);
}
INLINE float from_byte(uint8_t x) { return ((float)x - 128.0f) * (1.0f / 127.0f); }

#define REAL float
#define OPERAND uint8_t
#define NAME(f) ckernels_##f##_int8
#define MATH(f) f##_f32
#define TO_OPERAND(x) to_byte(x)
#define FROM_OPERAND(x) from_byte(x)
#include "loops.inc.h"
#include "lstm.inc.h"
#include "layernorm.inc.h"
#include "lstm_norm.inc.h"
#include "gru.inc.h"
#include "rnn.inc.h"
#include "regularizers.inc.h"

// Four weights a step. Behind a group's weights lie, output by output, its scales and 128·Σ weights, which the offset of x
// adds to each sum.
#define OPERANDS 4
#define SUMS i32x16
#define WEIGHTS i8x64
#define TRAILER sizeof(Trailer)
typedef struct {
  f32x16 scales[4];
  i32x16 offsets[4];
} Trailer;
#define FINISHED(sum, trailer, p) \
  (__builtin_convertvector((sum) - ((const Trailer *)(trailer))->offsets[p], f32x16) * \
   ((const Trailer *)(trailer))->scales[p])

size_t ckernels_panel_stride_int8(size_t K) {
  return (K + OPERANDS - 1) / OPERANDS * GROUP * sizeof(WEIGHTS) + TRAILER;
}

// An output's weights are rounded to the 255 steps between −m and m, m the largest of them.
void ckernels_panel_pack_int8(size_t K, const float *w, size_t outputStride, size_t innerStride, size_t firstGroup,
                              size_t lastGroup, const int32_t *columns, const int32_t *counts, uint8_t *panels) {
  const size_t steps = (K + OPERANDS - 1) / OPERANDS, stride = ckernels_panel_stride_int8(K);
  for (size_t output = firstGroup * GROUP * PANEL; output < lastGroup * GROUP * PANEL; output++) {
    const size_t panel = output / PANEL, r = output % PANEL, p = panel % GROUP;
    uint8_t *group = panels + panel / GROUP * stride;
    Trailer *trailer = (Trailer *)(group + stride - TRAILER);
    const bool isUsed = (int32_t)r < counts[panel];
    const float *from = w + (isUsed ? ((size_t)columns[panel] + r) * outputStride : 0);
    float largest = 0;
    for (size_t k = 0; isUsed && k < K; k++) largest = fmaxf(largest, fabsf(from[k * innerStride]));
    const float scale = largest / 127.0f;
    int32_t total = 0;
    for (size_t k = 0; k < steps * OPERANDS; k++) {
      const bool isWeight = isUsed && k < K && scale > 0;
      const int8_t weight = isWeight ? (int8_t)lrintf(from[k * innerStride] / scale) : 0;
      total += weight;
      group[(k / OPERANDS * GROUP + p) * sizeof(WEIGHTS) + r * OPERANDS + k % OPERANDS] = (uint8_t)weight;
    }
    trailer->scales[p][r] = scale / 127.0f;
    trailer->offsets[p][r] = 128 * total;
  }
}

// For every processor.
typedef struct {
  int32_t places[4];
} Quad;
INLINE Quad quad(const uint8_t *word) { return (Quad){{word[0], word[1], word[2], word[3]}}; }
INLINE i32x16 add_quads(i32x16 sum, i8x64 w, Quad x) {
  const i32x16 words = (i32x16)w;
  sum += ((words << 24) >> 24) * x.places[0];
  sum += ((words << 16) >> 24) * x.places[1];
  sum += ((words << 8) >> 24) * x.places[2];
  return sum + (words >> 24) * x.places[3];
}
#define FORM(f) ckernels_panel_##f##_int8_portable
#define TARGET
#define CLONED CLONES
#define SPREAD(word) quad(word)
#define FUSED(sum, w, x) add_quads(sum, w, x)
#include "panels.inc.h"

// For processors that multiply bytes.
#if defined(__x86_64__)
#include <immintrin.h>
#undef FORM
#undef TARGET
#undef CLONED
#undef SPREAD
#undef FUSED
#define FORM(f) ckernels_panel_##f##_int8_avx512
#define TARGET __attribute__((target("avx512f,avx512vnni")))
#define CLONED TARGET
#define SPREAD(word) _mm512_set1_epi32(bits_of(word))
#define FUSED(sum, w, x) (i32x16) _mm512_dpbusd_epi32((__m512i)(sum), x, (__m512i)(w))
#include "panels.inc.h"
#endif

DISPATCHED_MULTIPLY(float, uint8_t, int8, "avx512vnni")
