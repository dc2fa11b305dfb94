// Matrix products of the kernels: packing, the register tile, and the two loops over it.
//
// Every element of a result is summed over the inner dimension in ascending order, in parts of
// kChain, whatever tile it falls into. So results do not depend on the batch size, on how rows are
// dealt to threads or on their number.
#pragma once

#include "parallel.h"
#include "vec.h"
#include "workspace.h"

namespace fastrnn {
namespace {

// Columns 0..N-1 cut into panels of up to kTileVectors vectors, as equal as can be: 7 vectors are
// 3+2+2, not 3+3+1, because a tile of one vector leaves the multipliers waiting for its short
// chains.
struct PanelGrid {
  explicit PanelGrid(int64_t columns)
      : columns(columns),
        vectors(divide_up(columns, kLanes)),
        panels(divide_up(vectors, kTileVectors)) {}
  int64_t columns, vectors, panels;

  int64_t first_vector(int64_t panel) const {
    return panel * (vectors / panels) + smaller(panel, vectors % panels);
  }
  int width(int64_t panel) const {
    return int(vectors / panels + (panel < vectors % panels));
  }  // vectors
  int64_t first_column(int64_t panel) const { return first_vector(panel) * kLanes; }
  // Columns of the panel's last vector that exist.
  int64_t tail(int64_t panel) const {
    return panel + 1 < panels ? kLanes : columns - (vectors - 1) * kLanes;
  }
};

// ---- the register tile

// Left factor as it lies in memory: element (row, k) at p[row * stride + k].
struct RowsInPlace {
  const float* p;
  int64_t stride;
  float at(int row, int64_t k) const { return p[row * stride + k]; }
};

// Left factor packed by LeftPack: kTileRows rows side by side for each k.
struct RowsPacked {
  const float* p;
  float at(int row, int64_t k) const { return p[k * kTileRows + row]; }
};

enum class Into { overwrite, accumulate };

// The longest chain of multiply-adds. Rounding errors grow with its length, so longer sums are made
// of parts. With 64 the gradients' errors stay within 1.5 times Keras's own on all 32 cases of
// tests/parity/test_error_beside_keras.py; with 128 they do on 23. It costs 2% at 256 units.
constexpr int64_t kChain = 64;

// c [R, V vectors] (+)= a [R, depth] * panel [depth, V vectors]; of the last vector only `tail`
// columns exist.
template <int R, int V, Into into, class Left>
void tile(int64_t depth, Left a, const float* panel, float* c, int64_t c_stride, int64_t tail) {
  for (int64_t begin = 0; begin < depth; begin += kChain) {
    const int64_t end = smaller(begin + kChain, depth);
    const bool add = into == Into::accumulate || begin > 0;
    Vec sum[R][V] = {};
    for (int64_t k = begin; k < end; ++k, panel += V * kLanes) {
      Vec b[V];
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) b[v] = load(panel + v * kLanes);
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) {
        const Vec x = splat(a.at(r, k));
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) sum[r][v] += x * b[v];
      }
    }
    float* row = c;
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r, row += c_stride) {
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) {
        float* out = row + v * kLanes;
        if (v + 1 < V || tail == kLanes) {
          store(out, add ? load(out) + sum[r][v] : sum[r][v]);
        } else {
          store_first(out, add ? load_first(out, tail) + sum[r][v] : sum[r][v], tail);
        }
      }
    }
  }
}

template <int R, Into into, class Left>
void tile_of_width(int width, int64_t depth, Left a, const float* panel, float* c, int64_t c_stride,
                   int64_t tail) {
  static_assert(kTileVectors == 3);
  switch (width) {
    case 1: return tile<R, 1, into>(depth, a, panel, c, c_stride, tail);
    case 2: return tile<R, 2, into>(depth, a, panel, c, c_stride, tail);
    case 3: return tile<R, 3, into>(depth, a, panel, c, c_stride, tail);
  }
}

template <Into into, class Left>
void tile_of(int rows, int width, int64_t depth, Left a, const float* panel, float* c,
             int64_t c_stride, int64_t tail) {
  switch (rows) {
    case 1: return tile_of_width<1, into>(width, depth, a, panel, c, c_stride, tail);
    case 2: return tile_of_width<2, into>(width, depth, a, panel, c, c_stride, tail);
    case 3: return tile_of_width<3, into>(width, depth, a, panel, c, c_stride, tail);
    case 4: return tile_of_width<4, into>(width, depth, a, panel, c, c_stride, tail);
  }
  if constexpr (kTileRows == 8) {
    switch (rows) {
      case 5: return tile_of_width<5, into>(width, depth, a, panel, c, c_stride, tail);
      case 6: return tile_of_width<6, into>(width, depth, a, panel, c, c_stride, tail);
      case 7: return tile_of_width<7, into>(width, depth, a, panel, c, c_stride, tail);
      case 8: return tile_of_width<8, into>(width, depth, a, panel, c, c_stride, tail);
    }
  }
}

// ---- weights as the right factor: packed once per pass, used at every step

// A matrix [depth, columns] in panels. Its columns may be rotated against those of the source:
// GRU's gates z, r, h are kept as h, z, r (see gru.h).
class Weights {
 public:
  Weights(Workspace& workspace, int64_t depth, int64_t columns)
      : depth_(depth), grid_(columns), data_(workspace.floats(depth * grid_.vectors * kLanes)) {}

  int64_t panels() const { return grid_.panels; }

  // Panel number `panel` of b [depth, columns]; column n of the packed matrix is (n + rotate) %
  // columns of b.
  void pack(int64_t panel, const float* b, int64_t b_stride, int64_t rotate = 0) {
    const int64_t columns = grid_.columns, seam = columns - rotate;
    const int64_t first = grid_.first_column(panel), last = first + grid_.width(panel) * kLanes;
    float* out = panel_data(panel);
    for (int64_t k = 0; k < depth_; ++k, b += b_stride) {
      for (int64_t n = first; n < last; n += kLanes, out += kLanes) {
        if (n + kLanes <= seam) {
          store(out, load(b + n + rotate));
        } else if (n >= seam && n + kLanes <= columns) {
          store(out, load(b + n - seam));
        } else {
          for (int64_t i = 0; i < kLanes; ++i) {
            out[i] = n + i >= columns ? 0.0f : b[n + i < seam ? n + i + rotate : n + i - seam];
          }
        }
      }
    }
  }

  // The same of the transpose of b [columns, depth]; here the rotation is that of the depth.
  void pack_transposed(int64_t panel, const float* b, int64_t b_stride, int64_t rotate = 0) {
    const int64_t first = grid_.first_column(panel), width = grid_.width(panel) * kLanes;
    const int64_t seam = depth_ - rotate;
    float* out = panel_data(panel);
    for (int64_t n = 0; n < width; ++n) {
      const bool exists = first + n < grid_.columns;
      const float* row = b + (exists ? (first + n) * b_stride : 0);
      for (int64_t k = 0; k < depth_; ++k) {
        out[k * width + n] = exists ? row[k < seam ? k + rotate : k - seam] : 0.0f;
      }
    }
  }

  // c [rows, columns] (+)= a [rows, depth] * this. Panel by panel, so that a panel stays in L1 for
  // all rows.
  template <Into into>
  void multiply(int64_t rows, const float* a, int64_t a_stride, float* c, int64_t c_stride) const {
    for (int64_t p = 0; p < grid_.panels; ++p) {
      const float* panel = panel_data(p);
      float* out = c + grid_.first_column(p);
      for (int64_t r = 0; r < rows; r += kTileRows) {
        tile_of<into>(int(smaller(kTileRows, rows - r)), grid_.width(p), depth_,
                      RowsInPlace{a + r * a_stride, a_stride}, panel, out + r * c_stride, c_stride,
                      grid_.tail(p));
      }
    }
  }

 private:
  float* panel_data(int64_t panel) const { return data_ + depth_ * grid_.first_column(panel); }

  int64_t depth_;
  PanelGrid grid_;
  float* data_;
};

// ---- sums of outer products: the gradients of weights

// Both factors of sum_k a_k^T b_k are collected row by row while they are hot, up to `capacity`
// rows, and multiplied by OuterProduct::add. A line between neighbouring tiles keeps them off the
// same cache sets.
constexpr int64_t kSetSpacing = 16;

class LeftPack {
 public:
  LeftPack(Workspace& workspace, int64_t columns, int64_t capacity)
      : columns_(columns),
        stride_(capacity * kTileRows + kSetSpacing),
        data_(workspace.floats(tiles() * stride_)) {}

  int64_t columns() const { return columns_; }
  int64_t tiles() const { return divide_up(columns_, kTileRows); }
  const float* tile_data(int64_t i) const { return data_ + i * stride_; }

  void put(int64_t k, const float* row) {
    float* out = data_ + k * kTileRows;
    int64_t m = 0;
    for (; m + kTileRows <= columns_; m += kTileRows, out += stride_) {
      __builtin_memcpy(out, row + m, sizeof(float) * kTileRows);
    }
    for (int64_t i = 0; m + i < columns_; ++i) out[i] = row[m + i];
  }

 private:
  int64_t columns_, stride_;
  float* data_;
};

class RightPack {
 public:
  RightPack(Workspace& workspace, int64_t columns, int64_t capacity)
      : grid_(columns),
        capacity_(capacity),
        data_(workspace.floats(grid_.vectors * capacity * kLanes + grid_.panels * kSetSpacing)) {}

  const PanelGrid& grid() const { return grid_; }
  const float* panel_data(int64_t panel) const {
    return data_ + capacity_ * grid_.first_column(panel) + panel * kSetSpacing;
  }

  void put(int64_t k, const float* row) {
    for (int64_t p = 0; p < grid_.panels; ++p) {
      const int width = grid_.width(p);
      float* out = const_cast<float*>(panel_data(p)) + k * width * kLanes;
      const float* in = row + grid_.first_column(p);
      for (int v = 0; v + 1 < width; ++v) store(out + v * kLanes, load(in + v * kLanes));
      const int64_t last = (width - 1) * kLanes, tail = grid_.tail(p);
      store(out + last, tail == kLanes ? load(in + last) : load_first(in + last, tail));
    }
  }

  // out [columns] += the sum over k of the rows 0..depth-1; the panels are dealt to the team.
  void add_column_sums(int64_t depth, float* out, const Team& team) const {
    for (int64_t p = team.thread; p < grid_.panels; p += team.threads) {
      const int width = grid_.width(p);
      for (int v = 0; v < width; ++v) {
        const float* in = panel_data(p) + v * kLanes;
        Vec sum{};
        for (int64_t begin = 0; begin < depth; begin += kChain) {
          Vec part{};
          for (int64_t k = begin; k < smaller(begin + kChain, depth); ++k, in += width * kLanes) {
            part += load(in);
          }
          sum += part;
        }
        float* to = out + grid_.first_column(p) + v * kLanes;
        const int64_t n = v + 1 < width ? kLanes : grid_.tail(p);
        store_first(to, load_first(to, n) + sum, n);
      }
    }
  }

  // out [index[k], columns] += row k for each k < depth in ascending order. Each thread adds a part
  // of the columns, row after row: the rows of `out` lie anywhere, and outside L2.
  void add_to_rows(int64_t depth, const int32_t* index, float* out, int64_t out_stride,
                   const Team& team) const {
    const Range panels = share(grid_.panels, team);
    for (int64_t k = 0; k < depth; ++k) {
      float* row = out + index[k] * out_stride;
      for (int64_t p = panels.begin; p < panels.end; ++p) {
        const int64_t width = grid_.width(p) * kLanes;
        const float* in = panel_data(p) + k * width;
        float* to = row + grid_.first_column(p);
        for_vectors({0, width - kLanes + grid_.tail(p)}, [&](int64_t i, auto lanes) {
          lanes.write(to + i, lanes.read(to + i) + lanes.read(in + i));
        });
      }
    }
  }

 private:
  PanelGrid grid_;
  int64_t capacity_;
  float* data_;
};

// c [left columns, right columns] += sum over k < depth of left_k^T right_k. The tiles of c are
// dealt to the team; each is summed by one thread in the order of k, block after block, which
// bounds the rounding error as pairwise summation does.
inline void add_outer_product(const LeftPack& left, const RightPack& right, int64_t depth, float* c,
                              int64_t c_stride, const Team& team) {
  const PanelGrid& grid = right.grid();
  const int64_t tasks = grid.panels * left.tiles();
  const int64_t end = tasks * (team.thread + 1) / team.threads;
  for (int64_t task = tasks * team.thread / team.threads; task < end; ++task) {
    const int64_t p = task / left.tiles(), i = task % left.tiles(), row = i * kTileRows;
    tile_of<Into::accumulate>(int(smaller(kTileRows, left.columns() - row)), grid.width(p), depth,
                              RowsPacked{left.tile_data(i)}, right.panel_data(p),
                              c + row * c_stride + grid.first_column(p), c_stride, grid.tail(p));
  }
}

}  // namespace
}  // namespace fastrnn
