#include "CKernels.h"
#include "clones.h"
#include "mathematics.h"

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
#include "gru.inc.h"
#include "rnn.inc.h"
