// Philox-4×32-10 (Salmon et al. 2011) on 16 counters at once; CounterRandom.philox is the same on one.
#ifndef CKERNELS_PHILOX_H
#define CKERNELS_PHILOX_H

#include "CKernels.h"
#include "vectors.h"

typedef uint64_t u64x16 __attribute__((vector_size(128)));

INLINE u32x16 low_halves(u64x16 x) { return __builtin_convertvector(x, u32x16); }
INLINE u32x16 high_halves(u64x16 x) { return __builtin_convertvector(x >> 32, u32x16); }

// The four words of the blocks `first` ..< `first` + 16 of a stream: words[w][k] is word w of block `first` + k.
INLINE void philox_tile(const CKernelsStream *stream, uint32_t first, uint32_t words[4][16]) {
  const u32x16 places = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, zero = {0};
  u32x16 a = places + first, b = zero + stream->counter1, c = zero + stream->counter2, d = zero + stream->counter3;
  uint32_t k0 = stream->key0, k1 = stream->key1;
  for (int round = 0; round < 10; round++) {
    const u64x16 p = __builtin_convertvector(a, u64x16) * 0xD2511F53u;
    const u64x16 q = __builtin_convertvector(c, u64x16) * 0xCD9E8D57u;
    a = high_halves(q) ^ b ^ k0;
    c = high_halves(p) ^ d ^ k1;
    b = low_halves(q);
    d = low_halves(p);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  memcpy(words[0], &a, sizeof a);
  memcpy(words[1], &b, sizeof b);
  memcpy(words[2], &c, sizeof c);
  memcpy(words[3], &d, sizeof d);
}

#endif
