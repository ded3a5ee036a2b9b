// What weights in panels are made of; see panels.inc.h.
#ifndef CKERNELS_VECTORS_H
#define CKERNELS_VECTORS_H

#include <stdint.h>
#include <string.h>

#include "clones.h"

// Functions that hand over vectors are inlined: how a call would pass them does not matter.
#pragma clang diagnostic ignored "-Wpsabi"

enum { PANEL = 16, GROUP = 4, PACKED_STEPS = 256 };

// Where the outputs of panels go: `counts[p]` columns from `columns[p]` on.
typedef struct {
  const int32_t *columns, *counts;
} Outputs;

typedef float f32x16 __attribute__((vector_size(64)));
typedef double f64x16 __attribute__((vector_size(128)));
typedef int32_t i32x16 __attribute__((vector_size(64)));
typedef uint32_t u32x16 __attribute__((vector_size(64)));
typedef int8_t i8x64 __attribute__((vector_size(64)));

// The operands of a step, 32 bits of them.
INLINE int32_t bits_of(const void *word) {
  int32_t bits;
  memcpy(&bits, word, sizeof bits);
  return bits;
}

// The product that this processor does: in the avx512 form where it has FEATURE, else in the portable one.
#if defined(__x86_64__)
#define IF_AVX512(FEATURE, f, ...) \
  if (__builtin_cpu_supports(FEATURE)) { \
    f(__VA_ARGS__); \
    return; \
  }
#else
#define IF_AVX512(FEATURE, f, ...)
#endif
#define DISPATCHED_MULTIPLY(REAL, OPERAND, SUFFIX, FEATURE)                                                            \
  void ckernels_panel_multiply_##SUFFIX(CKERNELS_PRODUCT(REAL, OPERAND)) {                                             \
    IF_AVX512(FEATURE, ckernels_panel_multiply_##SUFFIX##_avx512, M, K, x, panels, firstGroup, lastGroup, columns,     \
              counts, bias, adding, backwards, out, N)                                                                 \
    ckernels_panel_multiply_##SUFFIX##_portable(M, K, x, panels, firstGroup, lastGroup, columns, counts, bias, adding, \
                                                backwards, out, N);                                                    \
  }

#endif
