#include "CKernels.h"
#include "clones.h"
#include "mathematics.h"

#define REAL float
#define OPERAND float
#define NAME(f) ckernels_##f##_f32
#define MATH(f) f##_f32
#define TO_OPERAND(x) (x)
#define FROM_OPERAND(x) (x)
#include "loops.inc.h"
#include "lstm.inc.h"
#include "gru.inc.h"
#include "rnn.inc.h"
#include "vectors.inc.h"
