// One binary for every processor: the loader picks the widest version that the processor runs. CKERNELS_ONE_VERSION
// leaves the choice to the compiler's flags, so that a wide processor can test what a narrow one would run.
#ifndef CKERNELS_CLONES_H
#define CKERNELS_CLONES_H

#if defined(__x86_64__) && defined(__linux__) && !defined(CKERNELS_ONE_VERSION)
#define CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define CLONES
#endif
#define INLINE static inline __attribute__((always_inline))

#endif
