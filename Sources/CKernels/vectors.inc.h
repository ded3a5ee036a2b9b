// Loops over vectors of parameters. The including file defines REAL, NAME(f) and MATH(f).

CLONES double NAME(sum_of_squares)(size_t count, const REAL *a) {
  double parts[16] = {0};  // a fixed order that vectorises
  size_t j = 0;
  for (; j + 16 <= count; j += 16)
    for (int k = 0; k < 16; k++) parts[k] += (double)a[j + k] * (double)a[j + k];
  for (int k = 0; j < count; j++, k++) parts[k] += (double)a[j] * (double)a[j];
  for (int half = 8; half > 0; half /= 2)
    for (int k = 0; k < half; k++) parts[k] += parts[k + half];
  return parts[0];
}

CLONES void NAME(scale)(size_t count, REAL factor, REAL *a) {
  for (size_t j = 0; j < count; j++) a[j] *= factor;
}

CLONES size_t NAME(clamp)(size_t count, REAL bound, REAL *a) {
  size_t outside = 0;
  for (size_t j = 0; j < count; j++) {
    const REAL x = a[j];
    outside += x > bound || x < -bound;
    a[j] = x > bound ? bound : x < -bound ? -bound : x;
  }
  return outside;
}

CLONES void NAME(add)(size_t count, const REAL *restrict a, REAL *restrict to) {
  for (size_t j = 0; j < count; j++) to[j] += a[j];
}

CLONES void NAME(approach)(size_t count, REAL share, const REAL *restrict target, REAL *restrict a) {
  for (size_t j = 0; j < count; j++) a[j] += share * (target[j] - a[j]);
}

CLONES void NAME(adam)(size_t count, REAL beta1, REAL rest1, REAL beta2, REAL rest2, REAL rate, REAL epsilon, REAL decay,
                       REAL penalty, const REAL *restrict gradient, REAL *restrict m, REAL *restrict v,
                       REAL *restrict weights) {
  for (size_t j = 0; j < count; j++) {
    const REAL g = gradient[j] + penalty * weights[j];
    const REAL first = beta1 * m[j] + rest1 * g;
    const REAL second = beta2 * v[j] + rest2 * g * g;
    m[j] = first;
    v[j] = second;
    weights[j] = weights[j] * decay - rate * first / (MATH(sqrt)(second) + epsilon);
  }
}

CLONES void NAME(sgd)(size_t count, REAL rate, REAL penalty, const REAL *restrict gradient, REAL *restrict weights) {
  for (size_t j = 0; j < count; j++) weights[j] -= rate * (gradient[j] + penalty * weights[j]);
}

// `own` and `past` weigh the gradient and the buffer in the step: 0 and 1, or with Nesterov 1 and the momentum.
CLONES void NAME(momentum)(size_t count, REAL rate, REAL penalty, REAL momentum, REAL own, REAL past,
                           const REAL *restrict gradient, REAL *restrict buffer, REAL *restrict weights) {
  for (size_t j = 0; j < count; j++) {
    const REAL g = gradient[j] + penalty * weights[j];
    const REAL next = momentum * buffer[j] + g;
    buffer[j] = next;
    weights[j] -= rate * (own * g + past * next);
  }
}

CLONES void NAME(rmsprop)(size_t count, REAL rate, REAL penalty, REAL alpha, REAL rest, REAL epsilon, REAL momentum,
                          const REAL *restrict gradient, REAL *restrict v, REAL *restrict buffer,
                          REAL *restrict weights) {
  for (size_t j = 0; j < count; j++) {
    const REAL g = gradient[j] + penalty * weights[j];
    const REAL second = alpha * v[j] + rest * g * g;
    const REAL next = momentum * buffer[j] + g / (MATH(sqrt)(second) + epsilon);
    v[j] = second;
    buffer[j] = next;
    weights[j] -= rate * next;
  }
}

CLONES void NAME(adagrad)(size_t count, REAL rate, REAL penalty, REAL epsilon, const REAL *restrict gradient,
                          REAL *restrict sum, REAL *restrict weights) {
  for (size_t j = 0; j < count; j++) {
    const REAL g = gradient[j] + penalty * weights[j];
    const REAL next = sum[j] + g * g;
    sum[j] = next;
    weights[j] -= rate * g / (MATH(sqrt)(next) + epsilon);
  }
}

CLONES void NAME(add_squares)(size_t count, const REAL *restrict a, REAL *restrict sums) {
  for (size_t j = 0; j < count; j++) sums[j] += a[j] * a[j];
}

CLONES double NAME(sum_of_roots)(size_t count, REAL factor, const REAL *a) {
  double parts[16] = {0};  // a fixed order that vectorises
  size_t j = 0;
  for (; j + 16 <= count; j += 16)
    for (int k = 0; k < 16; k++) parts[k] += (double)MATH(sqrt)(factor * a[j + k]);
  for (int k = 0; j < count; j++, k++) parts[k] += (double)MATH(sqrt)(factor * a[j]);
  for (int half = 8; half > 0; half /= 2)
    for (int k = 0; k < half; k++) parts[k] += parts[k + half];
  return parts[0];
}

CLONES void NAME(pulled_sgd)(size_t count, REAL rate, REAL pull, const REAL *restrict gradient,
                             const REAL *restrict base, REAL *restrict weights) {
  for (size_t j = 0; j < count; j++) weights[j] += pull * (base[j] - weights[j]) - rate * gradient[j];
}

CLONES void NAME(pulled_rms)(size_t count, REAL rate, REAL pull, REAL factor, REAL epsilon,
                             const REAL *restrict gradient, const REAL *restrict squares, const REAL *restrict base,
                             REAL *restrict weights) {
  for (size_t j = 0; j < count; j++) {
    const REAL root = MATH(sqrt)(factor * squares[j]);
    const REAL share = pull * root < (REAL)1 ? pull * root : (REAL)1;
    weights[j] += share * (base[j] - weights[j]) - rate * gradient[j] / (root + epsilon);
  }
}

// flatness·key·query for Q queries side by side, so that every key is read once for all of them.
INLINE void NAME(score_keys)(const int Q, size_t keys, size_t columns, const REAL *key, const REAL *query, REAL flatness,
                             size_t width, REAL *restrict scores) {
  for (size_t i = 0; i < keys; i++) {
    const REAL *restrict k = key + i * columns;
    REAL parts[4][16] = {{0}};  // a fixed order that vectorises
    size_t j = 0;
    for (; j + 16 <= columns; j += 16)
      for (int q = 0; q < Q; q++)
        for (int p = 0; p < 16; p++) parts[q][p] += k[j + p] * query[(size_t)q * columns + j + p];
    for (int q = 0; q < Q; q++) {
      for (size_t t = j, p = 0; t < columns; t++, p++) parts[q][p] += k[t] * query[(size_t)q * columns + t];
      for (int half = 8; half > 0; half /= 2)
        for (int p = 0; p < half; p++) parts[q][p] += parts[q][p + half];
      scores[(size_t)q * width + i] = flatness * parts[q][0];
    }
  }
}

CLONES void NAME(cache_scores)(size_t queries, size_t keys, size_t columns, const REAL *key, const REAL *query,
                               REAL flatness, size_t width, REAL *restrict scores) {
  size_t q = 0;
  for (; q + 4 <= queries; q += 4)
    NAME(score_keys)(4, keys, columns, key, query + q * columns, flatness, width, scores + q * width);
  for (; q < queries; q++)
    NAME(score_keys)(1, keys, columns, key, query + q * columns, flatness, width, scores + q * width);
}

// The softmax of the scores, summed over the keys whose symbol is the wanted one. The scores are overwritten.
CLONES double NAME(cache_share)(size_t keys, const int32_t *symbols, int32_t symbol, REAL *restrict scores) {
  REAL largest = 0;
  for (size_t i = 0; i < keys; i++) largest = i == 0 || scores[i] > largest ? scores[i] : largest;
  for (size_t i = 0; i < keys; i++) scores[i] = MATH(exp)(scores[i] - largest);
  double all = 0, wanted = 0;
  for (size_t i = 0; i < keys; i++) {
    all += (double)scores[i];
    wanted += symbols[i] == symbol ? (double)scores[i] : 0;
  }
  return keys > 0 ? wanted / all : 0;
}
