// Matrix products of the kernels: packing, and the loops over the register tile (tile.h).
#pragma once

#include "amx.h"
#include "parallel.h"
#include "tile.h"
#include "vec.h"
#include "workspace.h"

namespace fastrnn {
namespace {

// Columns 0..N-1 cut into panels of up to kTileVectors vectors, as equal as can be: 7 vectors are
// 3+2+2, not 3+3+1, because a tile of one vector leaves the multipliers waiting for its short
// chains. Where AMX multiplies, a panel is one vector, the width of its tiles.
struct PanelGrid {
  explicit PanelGrid(int64_t columns, Operands operands = Operands::float32)
      : columns(columns),
        vectors(divide_up(columns, kLanes)),
        panels(is_tiled(operands) ? vectors : divide_up(vectors, kTileVectors)),
        least_width(vectors / larger(panels, 1)),
        wider(vectors - panels * least_width) {}
  int64_t columns, vectors, panels;
  int64_t least_width, wider;  // of how many the first ones are one vector wider: no loop divides

  int64_t first_vector(int64_t panel) const { return panel * least_width + smaller(panel, wider); }
  int width(int64_t panel) const { return int(least_width + (panel < wider)); }  // vectors
  int64_t first_column(int64_t panel) const { return first_vector(panel) * kLanes; }
  // Columns of the panel's last vector that exist.
  int64_t tail(int64_t panel) const {
    return panel + 1 < panels ? kLanes : columns - (vectors - 1) * kLanes;
  }
};

// ---- weights as the right factor: packed once per pass, used at every step

// Elements n, n + 1, ... of a row of `count`, where element i is row[(i + rotate) % count]; zeros
// behind the last.
FASTRNN_INLINE Vec load_rotated(const float* row, int64_t n, int64_t count, int64_t rotate) {
  const int64_t seam = count - rotate;
  if (n + kLanes <= seam) return load(row + n + rotate);
  if (n >= seam && n + kLanes <= count) return load(row + n - seam);
  float lanes[kLanes];
  for (int64_t i = 0; i < kLanes; ++i)
    lanes[i] = n + i >= count ? 0.0f : row[n + i < seam ? n + i + rotate : n + i - seam];
  return load(lanes);
}

// A matrix [depth, columns] in panels, of operands (operands.h). Its columns may be rotated against
// those of the source: GRU's gates z, r, h are kept as h, z, r (see gru.h).
class Weights {
 public:
  Weights() : operands_(), rows_(0), depth_(0), grid_(0), data_(nullptr) {}
  Weights(Workspace& workspace, Operands operands, int64_t depth, int64_t columns)
      : operands_(operands),
        rows_(depth),
        depth_(operand_depth(operands, depth)),
        grid_(columns, operands),
        data_(workspace.floats(depth_ * grid_.vectors * kLanes)) {}

  int64_t panels() const { return grid_.panels; }

  // Panel number `panel` of b [depth, columns]; column n of the packed matrix is (n + rotate) %
  // columns of b.
  void pack(int64_t panel, const float* b, int64_t b_stride, int64_t rotate = 0) {
    const int64_t first = grid_.first_column(panel), last = first + grid_.width(panel) * kLanes;
    with_operands(operands_, [&](auto operand) {
      float* out = panel_data(panel);
      for (int64_t k = 0; k < depth_; ++k) {
        for (int64_t n = first; n < last; n += kLanes, out += kLanes) {
          store(out, operands_across<decltype(operand)>(k, rows_, [&](int64_t row) {
                  return load_rotated(b + row * b_stride, n, grid_.columns, rotate);
                }));
        }
      }
    });
  }

  // The same of the transpose of b [columns, depth]; here the rotation is that of the depth.
  void pack_transposed(int64_t panel, const float* b, int64_t b_stride, int64_t rotate = 0) {
    const int64_t first = grid_.first_column(panel), width = grid_.width(panel) * kLanes;
    float* out = panel_data(panel);
    for (int64_t n = 0; n < width; n += kLanes) {
      for (int64_t k = 0; k < depth_; k += kLanes) {
        Vec x[kLanes];
        for (int64_t i = 0; i < kLanes; ++i) {
          const int64_t column = first + n + i;
          x[i] = lanes_along(column < grid_.columns ? b + column * b_stride : nullptr, k, rotate);
        }
        transpose(x);
        for (int64_t i = 0; i < smaller(kLanes, depth_ - k); ++i)
          store(out + (k + i) * width + n, x[i]);
      }
    }
  }

  // Lanes k, k + 1, ... of a row of the transpose's source; zeros where it is null.
  Vec lanes_along(const float* row, int64_t k, int64_t rotate) const {
    Vec lanes{};
    with_operands(operands_, [&](auto operand) {
      lanes = operands_along<decltype(operand)>(
          k, [&](int64_t i) { return row ? load_rotated(row, i, rows_, rotate) : Vec{}; });
    });
    return lanes;
  }

  // Deals the panels to the team.
  template <class Pack>
  void for_panels(const Team& team, Pack pack) {
    for (int64_t p = team.thread; p < grid_.panels; p += team.threads) pack(p);
  }

  // c [rows, columns] = start + a [rows, depth] * this, where a holds operands; the tiles of c are
  // dealt to the team. A part of a panel stays in L1 for all rows.
  template <class Start>
  void multiply(const Team& team, int64_t rows, const float* a, int64_t a_stride, float* c,
                int64_t c_stride, Start start) const {
    if (is_tiled(operands_)) {
      return multiply_by_tiles(operands_, rows, depth_, a, a_stride, data_, depth_ * kLanes,
                               share(grid_.panels, team), grid_.columns, start, c, c_stride);
    }
    with_operands(operands_, [&](auto operand) {
      using Operand = decltype(operand);
      if (rows == 1) {
        multiply_row<Operand>(team, a, c, start);
      } else {
        multiply_rows<Operand>(team, rows, a, a_stride, c, c_stride, start);
      }
    });
  }

 private:
  float* panel_data(int64_t panel) const { return data_ + depth_ * grid_.first_column(panel); }

  template <class Operand, class Start>
  void multiply_rows(const Team& team, int64_t rows, const float* a, int64_t a_stride, float* c,
                     int64_t c_stride, Start start) const {
    const int64_t part = chain_length(depth_), tiles = divide_up(rows, kTileRows);
    const Range mine = share(grid_.panels * tiles, team);
    for (int64_t p = mine.begin / larger(tiles, 1); p * tiles < mine.end; ++p) {
      const int64_t column = grid_.first_column(p),
                    first = larger(mine.begin - p * tiles, 0) * kTileRows,
                    end = smaller(smaller(mine.end - p * tiles, tiles) * kTileRows, rows);
      const auto add_part = [&](int64_t k, auto from) {
        const int64_t width = grid_.width(p) * kLanes, depth = smaller(part, depth_ - k);
        const float* panel = panel_data(p) + k * width;
        const auto multiply = [&](auto packed) {
          tiles_of_width(grid_.width(p), end - first, depth,
                         RowsInPlace{a + first * a_stride + k, a_stride}, packed,
                         from.tile(first, column), c + first * c_stride + column, c_stride,
                         grid_.tail(p));
        };
        const bool far = depth_ * grid_.columns > kWeightsInL2;
        far ? multiply(PanelPacked<Operand, true>{panel})
            : multiply(PanelPacked<Operand, false>{panel});
      };
      add_part(0, start);
      for (int64_t k = part; k < depth_; k += part) add_part(k, FromRows{c, c_stride});
    }
  }

  // A row uses each weight once. Every other step takes the panels in reverse order, because
  // those that were used last are still in L1: 12% of a step of an LSTM with 50 units.
  template <class Operand, class Start>
  void multiply_row(const Team& team, const float* a, float* c, Start start) const {
    const int64_t part = chain_length(depth_);
    Range rest = share(grid_.panels, team);
    while (rest.begin < rest.end) {
      const auto width_of = [&](int64_t i) {
        return grid_.width(team.turned ? rest.end - 1 - i : rest.begin + i);
      };
      const int width = width_of(0);
      static_assert(kRowPanels == 2);
      const int64_t count = rest.end - rest.begin > 1 && width_of(1) == width ? 2 : 1;
      const int64_t first = team.turned ? rest.end - count : rest.begin;
      team.turned ? rest.end -= count : rest.begin += count;
      const int64_t column = grid_.first_column(first), stride = depth_ * width * kLanes;
      const auto add_part = [&](int64_t k, auto from) {
        row_tile_of<Operand>(int(count), width, smaller(part, depth_ - k), a + k,
                             panel_data(first) + k * width * kLanes, stride, from.tile(0, column),
                             c + column, grid_.tail(first + count - 1));
      };
      add_part(0, start);
      for (int64_t k = part; k < depth_; k += part) add_part(k, FromRows{c, 0});
    }
  }

  Operands operands_;
  int64_t rows_, depth_;  // operands, and lanes of them, along the inner dimension
  PanelGrid grid_;
  float* data_;
};

// ---- the same where the last columns are few: a vector of them would be mostly empty

// c [rows, T] = start + a [rows, depth] * w^T, w [T, w_stride] with zeros behind the depth; of the
// T columns the first `columns` exist. Dot products, kLanes of them at once.
template <class Operand, int T, class Start>
void add_dot_products(int64_t rows, int64_t depth, const float* a, int64_t a_stride, const float* w,
                      int64_t w_stride, Start start, float* c, int64_t c_stride, int64_t columns) {
  constexpr int kRows = kLanes / T;
  for (int64_t first = 0; first < rows; first += kRows) {
    const float* row[kRows];
    for (int r = 0; r < kRows; ++r) row[r] = a + smaller(first + r, rows - 1) * a_stride;
    Vec sum[kLanes] = {};
    for_vectors({0, depth}, [&](int64_t k, auto lanes) {
      Vec b[T];
#pragma GCC unroll 16
      for (int t = 0; t < T; ++t) b[t] = load(w + t * w_stride + k);
#pragma GCC unroll 16
      for (int r = 0; r < kRows; ++r) {
        const Vec x = lanes.read(row[r] + k);
#pragma GCC unroll 16
        for (int t = 0; t < T; ++t) sum[r * T + t] = Operand::add_product(sum[r * T + t], x, b[t]);
      }
    });
#pragma GCC unroll 16
    for (int n = kLanes; n > 1; n /= 2) {
#pragma GCC unroll 16
      for (int i = 0; i < n / 2; ++i) sum[i] = sums_of_neighbours(sum[2 * i], sum[2 * i + 1]);
    }
    float out[kLanes];
    store(out, sum[0]);
    for (int64_t r = 0; r < kRows && first + r < rows; ++r) {
      const float* from = start.at(first + r);
      float* to = c + (first + r) * c_stride;
      for (int64_t t = 0; t < columns; ++t) to[t] = (from ? from[t] : 0.0f) + out[r * T + t];
    }
  }
}

// Weights whose transpose is the right factor of a product.
class TransposedWeights {
 public:
  TransposedWeights() : operands_(), depth_(0), tail_(0), main_(0), stride_(0), rows_(nullptr) {}
  TransposedWeights(Workspace& workspace, Operands operands, int64_t depth, int64_t columns)
      : operands_(operands),
        depth_(operand_depth(operands, depth)),
        tail_(!is_tiled(operands) && columns > kLanes && columns % kLanes <= kLanes / 4
                  ? columns % kLanes
                  : 0),
        main_(columns - tail_),
        stride_(divide_up(depth_, kLanes) * kLanes),
        weights_(workspace, operands, depth, main_),
        rows_(workspace.floats(kMostTail * (tail_ > 0) * stride_)) {}

  // The transpose of b [columns, depth], its depth rotated.
  void pack(const Team& team, const float* b, int64_t b_stride, int64_t rotate) {
    weights_.for_panels(team, [&](int64_t p) { weights_.pack_transposed(p, b, b_stride, rotate); });
    if (team.thread > 0 || tail_ == 0) return;
    for (int64_t t = 0; t < kMostTail; ++t) {
      const float* row = t < tail_ ? b + (main_ + t) * b_stride : nullptr;
      for (int64_t k = 0; k < depth_; k += kLanes)
        store(rows_ + t * stride_ + k, weights_.lanes_along(row, k, rotate));
    }
  }

  // c [rows, columns] = start + a [rows, depth] * this, where a holds operands, dealt to the team.
  template <class Start>
  void multiply(const Team& team, int64_t rows, const float* a, int64_t a_stride, float* c,
                int64_t c_stride, Start start) const {
    weights_.multiply(team, rows, a, a_stride, c, c_stride, start);
    if (tail_ == 0) return;
    const Range mine = share(rows, team);
    const auto add = [&](auto most) {
      with_operands(operands_, [&](auto operand) {
        add_dot_products<decltype(operand), most.value>(
            mine.end - mine.begin, depth_, a + mine.begin * a_stride, a_stride, rows_, stride_,
            start.tile(mine.begin, main_), c + mine.begin * c_stride + main_, c_stride, tail_);
      });
    };
    if (tail_ == 1) return add(Count<1>());
    if constexpr (kMostTail >= 2) {
      if (tail_ == 2) return add(Count<2>());
    }
    add(Count<kMostTail>());
  }

 private:
  static constexpr int kMostTail = kLanes / 4;
  Operands operands_;
  int64_t depth_, tail_, main_, stride_;
  Weights weights_;  // all columns but the last `tail`
  float* rows_;      // [kMostTail, stride]: those, as rows
};

// ---- sums of outer products: the gradients of weights

// Both factors of sum_k a_k^T b_k are collected row by row while they are hot, up to `capacity`
// rows, and multiplied by OuterProduct::add. A line between neighbouring tiles keeps them off the
// same cache sets.
constexpr int64_t kSetSpacing = 16;

// The longest chain of additions in a sum of rows.
constexpr int64_t kSumChain = 16;

class LeftPack {
 public:
  LeftPack() : columns_(0), stride_(0), data_(nullptr) {}
  LeftPack(Workspace& workspace, int64_t columns, int64_t capacity, int64_t copies = 1)
      : columns_(columns),
        stride_(capacity * kTileRows + kSetSpacing),
        data_(workspace.floats(copies * tiles() * stride_)) {}

  int64_t columns() const { return columns_; }
  int64_t tiles() const { return divide_up(columns_, kTileRows); }
  // The tiles from number `tile` on, from row k on.
  RowsPacked left_rows(int64_t tile, int64_t k) const { return {tile_row(tile, k), stride_}; }

  void put(int64_t k, const float* row) {
    float* out = data_ + k * kTileRows;
    int64_t m = 0;
    for (; m + kTileRows <= columns_; m += kTileRows, out += stride_) {
      __builtin_memcpy(out, row + m, sizeof(float) * kTileRows);
    }
    for (int64_t i = 0; m + i < columns_; ++i) out[i] = row[m + i];
  }

  // One of several packs alike.
  LeftPack copy(int64_t number) const {
    LeftPack pack(*this);
    pack.data_ += number * tiles() * stride_;
    return pack;
  }
  // The kTileRows elements of row k that belong to a tile.
  const float* tile_row(int64_t tile, int64_t k) const {
    return data_ + tile * stride_ + k * kTileRows;
  }
  // Takes over the rows 0..depth-1 of another left factor as operands, but not for tiles; the tiles
  // are dealt to the team.
  template <class Left>
  void round(Operands operands, const Left& left, int64_t depth, const Team& team) {
    with_operands(operands, [&](auto operand) {
      for (int64_t tile = team.thread; tile < tiles(); tile += team.threads) {
        const int64_t count = smaller(kTileRows, columns_ - tile * kTileRows);
        for (int64_t k = 0; k < lanes_of(operands, depth); ++k) {
          float* out = data_ + tile * stride_ + k * kTileRows;
          for_vectors({0, count}, [&](int64_t i, auto lanes) {
            lanes.write(out + i, operands_across<decltype(operand)>(k, depth, [&](int64_t row) {
                          return lanes.read(left.tile_row(tile, row) + i);
                        }));
          });
        }
      }
    });
  }

 private:
  int64_t columns_, stride_;
  float* data_;
};

class RightPack {
 public:
  RightPack() : grid_(0), capacity_(0), data_(nullptr) {}
  RightPack(Workspace& workspace, int64_t columns, int64_t capacity, int64_t copies = 1,
            Operands operands = Operands::float32)
      : grid_(columns, operands), capacity_(capacity), data_(workspace.floats(copies * size())) {}

  const PanelGrid& grid() const { return grid_; }
  int64_t panel_stride() const { return panel_data(1) - panel_data(0); }  // where all are equal
  const float* panel_data(int64_t panel) const {
    return data_ + capacity_ * grid_.first_column(panel) + panel * kSetSpacing;
  }
  // A panel from row k on, and one row of it.
  template <class Operand>
  PanelPacked<Operand, true> rows(int64_t panel, int64_t k) const {
    return {row(panel, k)};
  }
  const float* row(int64_t panel, int64_t k) const {
    return panel_data(panel) + k * grid_.width(panel) * kLanes;
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

  // As LeftPack.
  RightPack copy(int64_t number) const {
    RightPack pack(*this);
    pack.data_ += number * size();
    return pack;
  }
  template <class Right>
  void round(Operands operands, const Right& right, int64_t depth, const Team& team) {
    with_operands(operands, [&](auto operand) {
      for (int64_t p = team.thread; p < grid_.panels; p += team.threads) {
        const int64_t width = grid_.width(p) * kLanes;
        float* out = const_cast<float*>(panel_data(p));
        for (int64_t k = 0; k < operand_depth(operands, depth); ++k, out += width) {
          for (int64_t i = 0; i < width; i += kLanes) {
            store(out + i, operands_across<decltype(operand)>(
                               k, depth, [&](int64_t row) { return load(right.row(p, row) + i); }));
          }
        }
      }
    });
  }

 private:
  int64_t size() const { return grid_.vectors * capacity_ * kLanes + grid_.panels * kSetSpacing; }

  PanelGrid grid_;
  int64_t capacity_;
  float* data_;
};

// Either factor where its rows lie: `columns` of them from a column on (see RowsAnywhere).
class RowList {
 public:
  RowList(const float* const* rows, int64_t column, int64_t columns, Operands operands)
      : rows_(rows), column_(column), columns_(columns), grid_(columns, operands) {}

  int64_t columns() const { return columns_; }
  int64_t tiles() const { return divide_up(columns_, kTileRows); }
  const PanelGrid& grid() const { return grid_; }
  // As LeftPack::left_rows where it is the left factor, as RightPack::rows where it is the right
  // one.
  RowsAnywhere left_rows(int64_t tile, int64_t k) const {
    return {rows_ + k, column_ + tile * kTileRows};
  }
  const float* tile_row(int64_t tile, int64_t k) const {
    return rows_[k] + column_ + tile * kTileRows;
  }
  template <class Operand>
  RowsAnywhere rows(int64_t panel, int64_t k) const {
    return {rows_ + k, column_ + grid_.first_column(panel)};
  }
  const float* row(int64_t panel, int64_t k) const {
    return rows_[k] + column_ + grid_.first_column(panel);
  }

 private:
  const float* const* rows_;
  int64_t column_, columns_;
  PanelGrid grid_;
};

// out [columns] += the sum over k of the right factor's rows 0..depth-1; the panels are dealt to
// the team. In short chains: no product hides their rounding errors, and they cost nothing here.
template <class Right>
void add_column_sums(const Right& right, int64_t depth, float* out, const Team& team) {
  const PanelGrid& grid = right.grid();
  for (int64_t p = team.thread; p < grid.panels; p += team.threads) {
    for (int v = 0; v < grid.width(p); ++v) {
      Vec sum{};
      for (int64_t begin = 0; begin < depth; begin += kSumChain) {
        Vec part{};
        for (int64_t k = begin; k < smaller(begin + kSumChain, depth); ++k)
          part += load(right.row(p, k) + v * kLanes);
        sum += part;
      }
      float* to = out + grid.first_column(p) + v * kLanes;
      const int64_t n = v + 1 < grid.width(p) ? kLanes : grid.tail(p);
      store_first(to, load_first(to, n) + sum, n);
    }
  }
}

// Tiles of a result that stay in L1 with a part of the panel while all parts are added to them: 3
// to 5% of the backward pass from 512 units on.
constexpr int64_t kTilesInL1 = 16;

// c [left columns, right columns] += sum over k < depth of left_k^T right_k, both of operands,
// depth counted in lanes of them. The tiles of c are dealt to the team; each is summed by one
// thread in the order of k, block after block, which bounds the rounding error as pairwise
// summation does.
template <class Operand, class Left, class Right>
void add_outer_product(const Left& left, const Right& right, int64_t depth, float* c,
                       int64_t c_stride, const Team& team) {
  const PanelGrid& grid = right.grid();
  const int64_t tiles = left.tiles(), part = chain_length(depth);
  const Range mine = share(grid.panels * tiles, team);
  for (int64_t p = mine.begin / larger(tiles, 1); p * tiles < mine.end; ++p) {
    const int64_t begin = larger(mine.begin - p * tiles, 0),
                  end = smaller(mine.end - p * tiles, tiles);
    for (int64_t i = begin; i < end; i += kTilesInL1) {
      const int64_t row = i * kTileRows;
      const int64_t rows = smaller(smaller(i + kTilesInL1, end) * kTileRows, left.columns()) - row;
      float* to = c + row * c_stride + grid.first_column(p);
      for (int64_t k = 0; k < depth; k += part) {
        tiles_of_width(grid.width(p), rows, smaller(part, depth - k), left.left_rows(i, k),
                       right.template rows<Operand>(p, k), FromRows{to, c_stride}, to, c_stride,
                       grid.tail(p));
      }
    }
  }
}

// The same by tiles (amx.h).
inline void add_outer_product_by_tiles(Operands operands, const TransposedPack& left,
                                       const RightPack& right, int64_t depth, float* c,
                                       int64_t c_stride, const Team& team) {
  const PanelGrid& grid = right.grid();
  multiply_by_tiles(operands, left.columns(), depth, left.data(), left.stride(),
                    right.panel_data(0), right.panel_stride(), share(grid.panels, team),
                    grid.columns, FromRows{c, c_stride}, c, c_stride);
}

}  // namespace
}  // namespace fastrnn
