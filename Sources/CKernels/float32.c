#include "CKernels.h"
#include "clones.h"
#include "mathematics.h"
#include "philox.h"
#include "vectors.h"

#define REAL float
#define OPERAND float
#define NAME(f) ckernels_##f##_f32
#define MATH(f) f##_f32
#define TO_OPERAND(x) (x)
#define FROM_OPERAND(x) (x)
#include "loops.inc.h"
#include "lstm.inc.h"
#include "layernorm.inc.h"
#include "lstm_norm.inc.h"
#include "gru.inc.h"
#include "rnn.inc.h"
#include "regularizers.inc.h"
#include "vectors.inc.h"
#include "dropout.inc.h"

// One weight a step.
#define FORM(f) ckernels_panel_##f##_f32
#define TARGET
#define CLONED CLONES
#define OPERANDS 1
#define SUMS f32x16
#define WEIGHTS f32x16
#define TRAILER 0
#define WEIGHT(x) (x)
#define SPREAD(word) ((word)[0])
#define FUSED(sum, w, x) ((sum) + (w) * (x))
#define FINISHED(sum, trailer, panel) (sum)
#include "packing.inc.h"
#include "panels.inc.h"
