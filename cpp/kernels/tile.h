// The register tile of the matrix products: a few rows times a panel of columns.
//
// Every element of a result is summed over the inner dimension in ascending order, in parts of at
// most kChain, whatever tile it falls into. So results do not depend on the batch size, on how rows
// are dealt to threads or on their number.
#pragma once

#include "operands.h"
#include "parallel.h"
#include "vec.h"

namespace fastrnn {
namespace {

// Left factor as it lies in memory: element (row, k) at p[row * stride + k]. tile(row) is the same
// from that row on, a multiple of kTileRows.
struct RowsInPlace {
  const float* p;
  int64_t stride;
  RowsInPlace tile(int64_t row) const { return {p + row * stride, stride}; }
  FASTRNN_INLINE float at(int row, int64_t k) const { return p[row * stride + k]; }
};

// Left factor packed by LeftPack: kTileRows rows side by side for each k, tiles `stride` apart.
struct RowsPacked {
  const float* p;
  int64_t stride;
  RowsPacked tile(int64_t row) const { return {p + row / kTileRows * stride, stride}; }
  FASTRNN_INLINE float at(int row, int64_t k) const { return p[k * kTileRows + row]; }
};

// The right factor of a product: row(k) are the V vectors of row k, Operand the type of its
// elements and of those of the left factor. tile(number, depth) is the same for the tile of rows
// of that number, which reads `depth` rows; fetch(k) fetches what is read later.
//
// A packed panel has the rows one behind the other. kOutsideL2: the first tiles each fetch one
// vector of each row of the part that comes next, with AVX-512. On Sapphire Rapids a product alone
// of 32 rows is 7 to 27% faster by that. Where nothing has to be fetched, the instruction costs 3
// to 6% of a step; on AVX2 it costs everywhere, since a tile has half as many multiply-adds to a
// load.
template <class OperandType, bool kOutsideL2>
struct PanelPacked {
  using Operand = OperandType;
  const float* p;
  int64_t ahead = 0;
  template <int V>
  PanelPacked tile(int64_t number, int64_t depth) const {
    return {p, (smaller(number, V - 1) + V * depth) * kLanes};
  }
  template <int V>
  FASTRNN_INLINE void fetch(int64_t k) const {
    if constexpr (kOutsideL2 && kVectorBytes == 64) __builtin_prefetch(row<V>(k) + ahead, 0, 2);
  }
  template <int V>
  FASTRNN_INLINE const float* row(int64_t k) const {
    return p + k * V * kLanes;
  }
};

// Either factor of a sum of outer products where its rows lie, from a column on. What is read as
// the right factor must be readable up to a whole vector.
struct RowsAnywhere {
  using Operand = Float32;
  const float* const* rows;
  int64_t column;
  RowsAnywhere tile(int64_t row) const { return {rows, column + row}; }
  template <int V>
  RowsAnywhere tile(int64_t, int64_t) const {
    return *this;
  }
  template <int V>
  FASTRNN_INLINE void fetch(int64_t) const {}
  FASTRNN_INLINE float at(int row, int64_t k) const { return rows[k][column + row]; }
  template <int V>
  FASTRNN_INLINE const float* row(int64_t k) const {
    return rows[k] + column;
  }
};

// What the sums of a product start from: nothing, rows at a distance (the result itself, or one
// row for all with a stride of 0), or numbered rows. at(row) is a row of the result. kFar: whether
// the rows come from outside L2, so that a tile had better fetch them before it begins.
struct FromZero {
  static constexpr bool kNothing = true, kFar = false;
  FromZero tile(int64_t, int64_t) const { return {}; }
  const float* at(int64_t) const { return nullptr; }
};
struct FromRows {
  static constexpr bool kNothing = false, kFar = false;
  const float* p;
  int64_t stride;
  FromRows tile(int64_t row, int64_t column) const { return {p + row * stride + column, stride}; }
  const float* at(int64_t row) const { return p + row * stride; }
};
struct FromNumbered {
  static constexpr bool kNothing = false, kFar = true;
  const float* p;
  int64_t stride;
  const int32_t* number;  // [rows]
  FromNumbered tile(int64_t row, int64_t column) const {
    return {p + column, stride, number + row};
  }
  const float* at(int64_t row) const { return p + number[row] * stride; }
};

// The longest chain of multiply-adds, in lanes of operands. Rounding errors grow with its length,
// so longer sums are made of parts. With 64 the gradients' errors stay within 1.5 times Keras's own
// on all 32 cases of tests/parity/test_error_vs_keras.py; with 128 they do on 23. It costs 2% at
// 256 units.
constexpr int64_t kChain = 64;

// The parts of a sum of `depth` products: equal, because a short last one would spend its time on
// loading and storing the result.
constexpr int64_t chain_length(int64_t depth) {
  return divide_up(depth, larger(1, divide_up(depth, kChain)));
}

template <int N>
struct Count {
  static constexpr int value = N;
};

// c [R, V vectors] = start + a [R, depth] * panel [depth, V vectors], one part of a sum; of the
// last vector only `tail` columns exist.
template <int R, int V, class Left, class Right, class Start>
FASTRNN_INLINE void tile(int64_t depth, Left a, Right panel, Start start, float* c,
                         int64_t c_stride, int64_t tail) {
  for (int r = 0; r < R && Start::kFar; ++r) {
    for (int v = 0; v < V; ++v) __builtin_prefetch(start.at(r) + v * kLanes);
  }
  Vec sum[R][V] = {};
  for (int64_t k = 0; k < depth; ++k) {
    const float* row = panel.template row<V>(k);
    panel.template fetch<V>(k);
    Vec b[V];
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) b[v] = load(row + v * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const Vec x = splat(a.at(r, k));
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) sum[r][v] = Right::Operand::add_product(sum[r][v], x, b[v]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r, c += c_stride) {
    const float* from = start.at(r);
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) {
      const int64_t i = v * kLanes;
      if (v + 1 < V || tail == kLanes) {
        store(c + i, Start::kNothing ? sum[r][v] : load(from + i) + sum[r][v]);
      } else {
        store_first(c + i, Start::kNothing ? sum[r][v] : load_first(from + i, tail) + sum[r][v],
                    tail);
      }
    }
  }
}

// The same for any number of rows.
template <int V, class Left, class Right, class Start>
void tiles(int64_t rows, int64_t depth, Left a, Right panel, Start start, float* c,
           int64_t c_stride, int64_t tail) {
  int64_t r = 0;
  for (; r + kTileRows <= rows; r += kTileRows) {
    tile<kTileRows, V>(depth, a.tile(r), panel.template tile<V>(r / kTileRows, depth),
                       start.tile(r, 0), c + r * c_stride, c_stride, tail);
  }
  const auto rest = [&](auto count) {
    tile<count.value, V>(depth, a.tile(r), panel, start.tile(r, 0), c + r * c_stride, c_stride,
                         tail);
  };
  switch (rows - r) {
    case 1: return rest(Count<1>());
    case 2: return rest(Count<2>());
    case 3: return rest(Count<3>());
  }
  if constexpr (kTileRows == 8) {
    switch (rows - r) {
      case 4: return rest(Count<4>());
      case 5: return rest(Count<5>());
      case 6: return rest(Count<6>());
      case 7: return rest(Count<7>());
    }
  }
}

template <class Left, class Right, class Start>
void tiles_of_width(int width, int64_t rows, int64_t depth, Left a, Right panel, Start start,
                    float* c, int64_t c_stride, int64_t tail) {
  static_assert(kTileVectors == 3);
  switch (width) {
    case 1: return tiles<1>(rows, depth, a, panel, start, c, c_stride, tail);
    case 2: return tiles<2>(rows, depth, a, panel, start, c, c_stride, tail);
    case 3: return tiles<3>(rows, depth, a, panel, start, c, c_stride, tail);
  }
}

// One row times P panels of V vectors that lie one after another: a single panel's chains are too
// few to keep the multipliers busy. The last vector has `tail` columns.
template <class Operand, int P, int V, class Start>
void row_tile(int64_t depth, const float* a, const float* panels, int64_t panel_stride, Start start,
              float* c, int64_t tail) {
  Vec sum[P][V] = {};
  for (int64_t k = 0; k < depth; ++k) {
    const Vec x = splat(a[k]);
#pragma GCC unroll 8
    for (int p = 0; p < P; ++p) {
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) {
        sum[p][v] = Operand::add_product(sum[p][v], x,
                                         load(panels + p * panel_stride + (k * V + v) * kLanes));
      }
    }
  }
  const float* from = start.at(0);
#pragma GCC unroll 16
  for (int i = 0; i < P * V; ++i) {
    const Vec s = sum[i / V][i % V];
    const int64_t n = i + 1 < P * V ? kLanes : tail;
    float* to = c + i * kLanes;
    store_first(to, Start::kNothing ? s : load_first(from + i * kLanes, n) + s, n);
  }
}

template <class Operand, int P, class Start>
void row_tile_of_width(int width, int64_t depth, const float* a, const float* panels,
                       int64_t panel_stride, Start start, float* c, int64_t tail) {
  switch (width) {
    case 1: return row_tile<Operand, P, 1>(depth, a, panels, panel_stride, start, c, tail);
    case 2: return row_tile<Operand, P, 2>(depth, a, panels, panel_stride, start, c, tail);
    case 3: return row_tile<Operand, P, 3>(depth, a, panels, panel_stride, start, c, tail);
  }
}

constexpr int kRowPanels = 2;

template <class Operand, class Start>
void row_tile_of(int panel_count, int width, int64_t depth, const float* a, const float* panels,
                 int64_t panel_stride, Start start, float* c, int64_t tail) {
  switch (panel_count) {
    case 1:
      return row_tile_of_width<Operand, 1>(width, depth, a, panels, panel_stride, start, c, tail);
    case 2:
      return row_tile_of_width<Operand, 2>(width, depth, a, panels, panel_stride, start, c, tail);
  }
}

}  // namespace
}  // namespace fastrnn
