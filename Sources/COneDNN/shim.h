// A matrix product of oneDNN as one value: D = S·W (+ bias) (+ D), row-major, written against 2.x and 3.x.
// Every function returns 0, or oneDNN's status where it failed.
#ifndef UNROLL_ONEDNN_SHIM_H
#define UNROLL_ONEDNN_SHIM_H

#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <oneapi/dnnl/dnnl.h>

#if DNNL_CPU_RUNTIME == DNNL_RUNTIME_SYCL
#error "This oneDNN runs on SYCL, which computes later than it is asked to: use one that is built for OpenMP."
#endif

#if DNNL_VERSION_MAJOR >= 3
typedef dnnl_memory_desc_t unroll_layout;
typedef const_dnnl_memory_desc_t unroll_layout_view;
#else
typedef dnnl_memory_desc_t *unroll_layout;
typedef const dnnl_memory_desc_t *unroll_layout_view;
#endif

/// What a product looks like. Sizes in elements: S is [rows, inner], W is [inner, columns], D is [rows, columns].
typedef struct {
  int64_t rows, inner, columns;
  bool bfloat16;          // S and W are bfloat16 instead of float32; D is always float32
  bool sourceTransposed;  // S lies in memory as [inner, rows]
  bool accumulate;        // D += …
  bool bias;              // a row [columns] is added to each row of D
  bool weightsPlain;      // W lies in memory as [inner, columns], not in the packed layout
} unroll_product_shape;

typedef struct {
  dnnl_primitive_t primitive;
  dnnl_memory_t source, weights, bias, destination, scratchpad;
  void *scratch;
} unroll_product;

/// Our threads are the only threads: an OpenMP oneDNN must not make teams of its own under them.
static inline void unroll_single_threaded_products(void) {
  static void (*set)(int);
  if (!set) set = (void (*)(int))dlsym(RTLD_DEFAULT, "omp_set_num_threads");
  if (set) set(1);
}

/// Whether the processor multiplies bfloat16 in hardware (AVX512-BF16 or AMX), and oneDNN may use it.
static inline bool unroll_has_bfloat16(void) {
  return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16;
}

/// Whether products of bfloat16 run on matrix units.
static inline bool unroll_has_matrix_units(void) {
  return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core_amx) == dnnl_cpu_isa_avx512_core_amx;
}

/// Whether vectors of 16 floats are one instruction's work.
static inline bool unroll_has_wide_vectors(void) {
  return (dnnl_get_effective_cpu_isa() & dnnl_cpu_isa_avx512_core) == dnnl_cpu_isa_avx512_core;
}

static inline int unroll_layout_plain(unroll_layout *out, int64_t rows, int64_t columns, dnnl_data_type_t type,
                                      dnnl_format_tag_t tag) {
  dnnl_dims_t sizes = {rows, columns};
#if DNNL_VERSION_MAJOR >= 3
  return dnnl_memory_desc_create_with_tag(out, 2, sizes, type, tag);
#else
  *out = (unroll_layout)malloc(sizeof **out);
  return dnnl_memory_desc_init_by_tag(*out, 2, sizes, type, tag);
#endif
}

static inline int unroll_layout_copy(unroll_layout *out, unroll_layout_view from) {
#if DNNL_VERSION_MAJOR >= 3
  return dnnl_memory_desc_clone(out, from);
#else
  *out = (unroll_layout)malloc(sizeof **out);
  **out = *from;
  return 0;
#endif
}

static inline void unroll_layout_free(unroll_layout layout) {
#if DNNL_VERSION_MAJOR >= 3
  if (layout) dnnl_memory_desc_destroy(layout);
#else
  free(layout);
#endif
}

static inline size_t unroll_layout_bytes(unroll_layout layout) { return dnnl_memory_desc_get_size(layout); }

static inline int unroll_product_description(dnnl_primitive_desc_t *out, dnnl_engine_t engine,
                                             const unroll_product_shape *shape, unroll_layout source,
                                             unroll_layout weights, unroll_layout bias, unroll_layout destination) {
  dnnl_primitive_attr_t attributes = NULL;
  dnnl_post_ops_t after = NULL;
  int status = dnnl_primitive_attr_create(&attributes);
  if (!status) status = dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
  if (!status && shape->accumulate) {
    status = dnnl_post_ops_create(&after);
#if DNNL_VERSION_MAJOR >= 3
    if (!status) status = dnnl_post_ops_append_sum(after, 1.0f, 0, dnnl_data_type_undef);
#else
    if (!status) status = dnnl_post_ops_append_sum(after, 1.0f);
#endif
    if (!status) status = dnnl_primitive_attr_set_post_ops(attributes, after);
  }
  if (!status) {
#if DNNL_VERSION_MAJOR >= 3
    status = dnnl_matmul_primitive_desc_create(out, engine, source, weights, bias, destination, attributes);
#else
    dnnl_matmul_desc_t product;
    status = dnnl_matmul_desc_init(&product, source, weights, bias, destination);
    if (!status) status = dnnl_primitive_desc_create(out, &product, attributes, engine, NULL);
#endif
  }
  if (after) dnnl_post_ops_destroy(after);
  if (attributes) dnnl_primitive_attr_destroy(attributes);
  return status;
}

/// Makes a product. Without `packed`, W is plain or, with `chosen`, in the layout that oneDNN prefers for this
/// shape, which is handed back there; with `packed`, W is in that layout.
static inline int unroll_product_make(unroll_product *out, dnnl_engine_t engine, const unroll_product_shape *shape,
                                      unroll_layout packed, unroll_layout *chosen) {
  memset(out, 0, sizeof *out);
  const dnnl_data_type_t operand = shape->bfloat16 ? dnnl_bf16 : dnnl_f32;
  unroll_layout source = NULL, weights = NULL, bias = NULL, destination = NULL;
  dnnl_primitive_desc_t description = NULL;
  int status = unroll_layout_plain(&source, shape->rows, shape->inner, operand,
                                   shape->sourceTransposed ? dnnl_ba : dnnl_ab);
  if (!status && packed) status = unroll_layout_copy(&weights, packed);
  if (!status && !packed)
    status = unroll_layout_plain(&weights, shape->inner, shape->columns, operand,
                                 shape->weightsPlain ? dnnl_ab : dnnl_format_tag_any);
  if (!status && shape->bias) status = unroll_layout_plain(&bias, 1, shape->columns, dnnl_f32, dnnl_ab);
  if (!status) status = unroll_layout_plain(&destination, shape->rows, shape->columns, dnnl_f32, dnnl_ab);
  if (!status) status = unroll_product_description(&description, engine, shape, source, weights, bias, destination);
  if (!status) {
    unroll_layout_view real = dnnl_primitive_desc_query_md(description, dnnl_query_weights_md, 0);
    unroll_layout_view scratch = dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0);
    const size_t bytes = scratch ? dnnl_memory_desc_get_size(scratch) : 0;
    if (bytes && posix_memalign(&out->scratch, 64, bytes)) status = dnnl_out_of_memory;
    if (!status) status = dnnl_primitive_create(&out->primitive, description);
    if (!status) status = dnnl_memory_create(&out->source, source, engine, DNNL_MEMORY_NONE);
    if (!status) status = dnnl_memory_create(&out->weights, real, engine, DNNL_MEMORY_NONE);
    if (!status && bias) status = dnnl_memory_create(&out->bias, bias, engine, DNNL_MEMORY_NONE);
    if (!status) status = dnnl_memory_create(&out->destination, destination, engine, DNNL_MEMORY_NONE);
    if (!status && bytes) status = dnnl_memory_create(&out->scratchpad, scratch, engine, out->scratch);
    if (!status && chosen) status = unroll_layout_copy(chosen, real);
  }
  if (description) dnnl_primitive_desc_destroy(description);
  unroll_layout_free(source);
  unroll_layout_free(weights);
  unroll_layout_free(bias);
  unroll_layout_free(destination);
  return status;
}

static inline void unroll_product_free(unroll_product *product) {
  if (product->primitive) dnnl_primitive_destroy(product->primitive);
  dnnl_memory_t memories[] = {product->source, product->weights, product->bias, product->destination,
                              product->scratchpad};
  for (int i = 0; i < 5; i++)
    if (memories[i]) dnnl_memory_destroy(memories[i]);
  free(product->scratch);
  memset(product, 0, sizeof *product);
}

static inline int unroll_product_run(const unroll_product *product, dnnl_stream_t stream, const void *source,
                                     const void *weights, const void *bias, void *destination) {
  int status = dnnl_memory_set_data_handle(product->source, (void *)source);
  if (!status) status = dnnl_memory_set_data_handle(product->weights, (void *)weights);
  if (!status && product->bias) status = dnnl_memory_set_data_handle(product->bias, (void *)bias);
  if (!status) status = dnnl_memory_set_data_handle(product->destination, destination);
  if (status) return status;
  dnnl_exec_arg_t arguments[5] = {
      {DNNL_ARG_SRC, product->source}, {DNNL_ARG_WEIGHTS, product->weights}, {DNNL_ARG_DST, product->destination}};
  int count = 3;
  if (product->bias) arguments[count++] = (dnnl_exec_arg_t){DNNL_ARG_BIAS, product->bias};
  if (product->scratchpad) arguments[count++] = (dnnl_exec_arg_t){DNNL_ARG_SCRATCHPAD, product->scratchpad};
  return dnnl_primitive_execute(product->primitive, stream, count, arguments);
}

/// A float32 matrix [inner, columns] (lying as [columns, inner] where `transposed`) rewritten into a packed layout.
static inline int unroll_pack(dnnl_engine_t engine, dnnl_stream_t stream, int64_t inner, int64_t columns,
                              bool transposed, const float *plain, unroll_layout packed, void *out) {
  unroll_layout from = NULL;
  dnnl_memory_t source = NULL, destination = NULL;
  dnnl_primitive_desc_t description = NULL;
  dnnl_primitive_t reorder = NULL;
  int status = unroll_layout_plain(&from, inner, columns, dnnl_f32, transposed ? dnnl_ba : dnnl_ab);
  if (!status) status = dnnl_memory_create(&source, from, engine, (void *)plain);
  if (!status) status = dnnl_memory_create(&destination, packed, engine, out);
  if (!status) status = dnnl_reorder_primitive_desc_create(&description, from, engine, packed, engine, NULL);
  if (!status) status = dnnl_primitive_create(&reorder, description);
  if (!status) {
    dnnl_exec_arg_t arguments[2] = {{DNNL_ARG_FROM, source}, {DNNL_ARG_TO, destination}};
    status = dnnl_primitive_execute(reorder, stream, 2, arguments);
  }
  if (reorder) dnnl_primitive_destroy(reorder);
  if (description) dnnl_primitive_desc_destroy(description);
  if (source) dnnl_memory_destroy(source);
  if (destination) dnnl_memory_destroy(destination);
  unroll_layout_free(from);
  return status;
}

#endif
