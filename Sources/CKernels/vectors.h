// What weights in panels are made of; see panels.inc.h.
#ifndef CKERNELS_VECTORS_H
#define CKERNELS_VECTORS_H

#include <stdint.h>

// Functions that hand over vectors are inlined: how a call would pass them does not matter.
#pragma clang diagnostic ignored "-Wpsabi"

enum { PANEL = 16, GROUP = 4 };

// Where the outputs of panels go: `counts[p]` columns from `columns[p]` on.
typedef struct {
  const int32_t *columns, *counts;
} Outputs;

typedef float f32x16 __attribute__((vector_size(64)));
typedef double f64x16 __attribute__((vector_size(128)));
typedef int32_t i32x16 __attribute__((vector_size(64)));
typedef uint32_t u32x16 __attribute__((vector_size(64)));
typedef int8_t i8x64 __attribute__((vector_size(64)));

#endif
