// exp, sigmoid and tanh as loops can vectorise them (float), or as the library has them (double, the reference).
#ifndef CKERNELS_MATHEMATICS_H
#define CKERNELS_MATHEMATICS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "clones.h"

INLINE double exp_f64(double x) { return exp(x); }
INLINE double tanh_f64(double x) { return tanh(x); }
INLINE double sqrt_f64(double x) { return __builtin_elementwise_sqrt(x); }

// exp x = 2^n·exp r with n = round(x / ln 2), |r| ≤ ln 2 / 2; exp r by its Taylor series to r^7 / 7! (remainder below
// 6e-9). Below −87 the result is about 1e-38, above 88 about 1e38: finite on both sides. NaN stays NaN.
INLINE float exp_f32(float x) {
  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  const float shift = 12582912.0f;  // 1.5·2^23: adding it rounds to the nearest integer
  const float shifted = x * 1.44269504f + shift;
  const float n = shifted - shift;
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;  // ln 2 in two parts
  float p = 1.0f / 5040.0f;
  p = p * r + 1.0f / 720.0f;
  p = p * r + 1.0f / 120.0f;
  p = p * r + 1.0f / 24.0f;
  p = p * r + 1.0f / 6.0f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  uint32_t bits;  // the low bits of `shifted` hold n
  memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 127u) << 23;
  float power;
  memcpy(&power, &bits, sizeof power);
  return p * power;
}
INLINE float tanh_f32(float x) { return 1.0f - 2.0f / (exp_f32(2.0f * x) + 1.0f); }
INLINE float sqrt_f32(float x) { return __builtin_elementwise_sqrt(x); }  // the library's would set errno

#endif
