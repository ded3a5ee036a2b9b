// Layer normalization of a row z [N] (Ba, Kiros & Hinton 2016): normal = (z − mean)·scale with the row's mean and
// scale = 1 / √(variance + ε). Included as loops.inc.h is, after it.

// As torch.nn.LayerNorm: a row of equal numbers becomes zeros.
#define NORM_EPSILON ((REAL)1e-5)

typedef REAL NAME(vector) __attribute__((vector_size(16 * sizeof(REAL))));

typedef struct {
  REAL mean, scale;
} NAME(Moments);

INLINE NAME(vector) NAME(load)(const REAL *a) {
  NAME(vector) v;
  memcpy(&v, a, sizeof v);
  return v;
}

INLINE REAL NAME(total)(NAME(vector) v) {
  REAL parts[16];
  memcpy(parts, &v, sizeof parts);
  for (int half = 8; half > 0; half /= 2)
    for (int k = 0; k < half; k++) parts[k] += parts[k + half];
  return parts[0];
}

// Four sums side by side, in an order that depends on N alone: additions need not wait for each other.
INLINE NAME(Moments) NAME(moments)(size_t N, const REAL *restrict z) {
  NAME(vector) a = {0}, b = {0}, c = {0}, d = {0};
  size_t j = 0;
  for (; j + 64 <= N; j += 64) {
    a += NAME(load)(z + j);
    b += NAME(load)(z + j + 16);
    c += NAME(load)(z + j + 32);
    d += NAME(load)(z + j + 48);
  }
  for (; j + 16 <= N; j += 16) a += NAME(load)(z + j);
  REAL sum = NAME(total)((a + b) + (c + d));
  for (; j < N; j++) sum += z[j];
  const REAL mean = sum / (REAL)N;
  a = b = c = d = (NAME(vector)){0};
  for (j = 0; j + 64 <= N; j += 64) {
    const NAME(vector) p = NAME(load)(z + j) - mean, q = NAME(load)(z + j + 16) - mean;
    const NAME(vector) r = NAME(load)(z + j + 32) - mean, s = NAME(load)(z + j + 48) - mean;
    a += p * p;
    b += q * q;
    c += r * r;
    d += s * s;
  }
  for (; j + 16 <= N; j += 16) a += (NAME(load)(z + j) - mean) * (NAME(load)(z + j) - mean);
  REAL squares = NAME(total)((a + b) + (c + d));
  for (; j < N; j++) squares += (z[j] - mean) * (z[j] - mean);
  return (NAME(Moments)){mean, (REAL)1 / MATH(sqrt)(squares / (REAL)N + NORM_EPSILON)};
}

// The means over a row of dNormal and of dNormal·normal, where dNormal = d·gain: what of a gradient would move the mean
// and the variance, which normalization holds.
typedef struct {
  REAL shift, stretch;
} NAME(Held);

INLINE NAME(Held) NAME(held)(size_t N, const REAL *restrict d, const REAL *restrict gain, const REAL *restrict z,
                             NAME(Moments) of) {
  NAME(vector) a = {0}, b = {0}, c = {0}, e = {0};
  size_t j = 0;
  for (; j + 32 <= N; j += 32) {
    const NAME(vector) p = NAME(load)(d + j) * NAME(load)(gain + j);
    const NAME(vector) q = NAME(load)(d + j + 16) * NAME(load)(gain + j + 16);
    a += p;
    b += q;
    c += p * ((NAME(load)(z + j) - of.mean) * of.scale);
    e += q * ((NAME(load)(z + j + 16) - of.mean) * of.scale);
  }
  REAL shift = NAME(total)(a + b), stretch = NAME(total)(c + e);
  for (; j < N; j++) {
    shift += d[j] * gain[j];
    stretch += d[j] * gain[j] * ((z[j] - of.mean) * of.scale);
  }
  return (NAME(Held)){shift / (REAL)N, stretch / (REAL)N};
}

// The gradient at z[j], from that at normal[j]·gain + bias.
INLINE REAL NAME(before_norm)(REAL d, REAL gain, REAL z, NAME(Moments) of, NAME(Held) held) {
  const REAL normal = (z - of.mean) * of.scale;
  return of.scale * (d * gain - held.shift - normal * held.stretch);
}

#undef NORM_EPSILON
