// Products of bfloat16 by tiles, as AMX has them: 16 rows of 16 lanes times 16 rows of a vector.
//
// An instruction sums the products of the first halves of 16 lanes, in ascending order, those of
// the second halves, then both, and adds this to what it had. Each sum is rounded to nearest even;
// denormals are flushed. Sums of any depth are chains of such parts: beside the rounding of the
// operands the error of long chains is nothing (2^-9 against 2^-24 times the root of their length).
//
// All tiles are whole. Operands are padded with zeros along the depth (operand_depth), and of rows
// that do not exist anything may be read (operand_slack), because no result depends on them.
#pragma once

#include "operands.h"
#include "parallel.h"
#include "tile.h"
#include "workspace.h"

namespace fastrnn {
namespace {

#if defined(FASTRNN_USE_AVX512)
// The eight tile registers. In assembler, as Bfloat16: the level's flags do not include AMX.
struct AmxTiles {
  template <int t>
  static FASTRNN_INLINE void clear() {
    asm volatile("tilezero %%tmm%c0" ::"i"(t));
  }
  // Rows that are `stride` floats apart; of the left factor `rows` exist.
  template <int t>
  static FASTRNN_INLINE void load_left(const float* p, int64_t stride, int64_t) {
    load<t>(p, stride);
  }
  template <int t>
  static FASTRNN_INLINE void load_right(const float* p) {
    load<t>(p, kLanes);
  }
  template <int sum, int left, int right>
  static FASTRNN_INLINE void add_product() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(sum), "i"(left), "i"(right));
  }
  template <int t>
  static FASTRNN_INLINE void write(float* p, int64_t stride) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(p), "r"(4 * stride), "i"(t) : "memory");
  }

  // A thread's registers are configured while this lives. Tiles in use would cost each context
  // switch.
  class Use {
   public:
    explicit Use(bool used) : used_(used) {
      if (!used_) return;
      alignas(64)
          uint8_t layout[64] = {1};  // palette 1; bytes in a row from 16 on, rows from 48 on
      for (int t = 0; t < 8; ++t) layout[16 + 2 * t] = 64, layout[48 + t] = kTileDepth;
      asm volatile("ldtilecfg %0" ::"m"(layout));
    }
    ~Use() {
      if (used_) asm volatile("tilerelease");
    }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    bool used_;
  };

 private:
  template <int t>
  static FASTRNN_INLINE void load(const float* p, int64_t stride) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(p), "r"(4 * stride), "i"(t) : "memory");
  }
};
#endif

// The same bits by plain instructions; the right factor has kLanes columns.
class EmulatedTiles {
 public:
  template <int t>
  void clear() {
    __builtin_memset(sums_[t], 0, sizeof sums_[t]);
  }
  template <int t>
  void load_left(const float* p, int64_t stride, int64_t rows) {
    loaded_[t] = p, stride_[t] = stride, rows_[t] = rows;
  }
  template <int t>
  void load_right(const float* p) {
    loaded_[t] = p;
  }
  template <int sum, int left, int right>
  void add_product() {
    for (int64_t row = 0; row < rows_[left]; ++row) {
      Vec first{}, second{};
      for (int64_t k = 0; k < kTileDepth; ++k) {
        const Vec x = splat(loaded_[left][row * stride_[left] + k]),
                  y = load(loaded_[right] + k * kLanes);
        first += EmulatedBfloat16::lower(x) * EmulatedBfloat16::lower(y);
        second += EmulatedBfloat16::upper(x) * EmulatedBfloat16::upper(y);
      }
      sums_[sum][row] += first + second;
    }
  }
  template <int t>
  void write(float* p, int64_t stride) {
    for (int64_t row = 0; row < kTileDepth; ++row) store(p + row * stride, sums_[t][row]);
  }
  struct Use {
    explicit Use(bool) {}
  };

 private:
  Vec sums_[8][kTileDepth];
  const float* loaded_[8];
  int64_t stride_[8], rows_[8];
};

#if !defined(FASTRNN_USE_AVX512)
using AmxTiles = EmulatedTiles;
#endif

// Whoever multiplies with these operands has one of these around the work.
struct TilesInUse : AmxTiles::Use {
  explicit TilesInUse(Operands operands) : Use(operands == Operands::amx) {}
};

template <class Body, int... i>
FASTRNN_INLINE void unrolled(Body body, std::integer_sequence<int, i...>) {
  (body(Count<i>()), ...);
}
template <int n, class Body>
FASTRNN_INLINE void unrolled(Body body) {
  unrolled(body, std::make_integer_sequence<int, n>());
}

// sums [R * 16, N vectors] = a [rows, depth] * N panels of a vector each.
template <int R, int N, class Tiles>
void multiply_tiles(int64_t rows, int64_t depth, const float* a, int64_t a_stride,
                    const float* panels, int64_t panel_stride, float* sums) {
  constexpr int kLeft = R * N, kRight = kLeft + R, kRights = smaller(8 - kRight, N);
  Tiles tiles;
  unrolled<R * N>([&](auto t) { tiles.template clear<t.value>(); });
  for (int64_t k = 0; k < depth; k += kTileDepth) {
    unrolled<R>([&](auto r) {
      const int64_t first = r.value * kTileDepth;
      tiles.template load_left<kLeft + r.value>(a + first * a_stride + k, a_stride,
                                                smaller(rows - first, kTileDepth));
    });
    unrolled<N>([&](auto n) {
      constexpr int kTile = kRight + n.value % kRights;
      tiles.template load_right<kTile>(panels + n.value * panel_stride + k * kLanes);
      unrolled<R>([&](auto r) {
        tiles.template add_product<r.value * N + n.value, kLeft + r.value, kTile>();
      });
    });
  }
  unrolled<R * N>([&](auto t) {
    tiles.template write<t.value>(
        sums + t.value / N * kTileDepth * N * kLanes + t.value % N * kLanes, N * kLanes);
  });
}

// c [rows, columns] = start + a [rows, depth] * panels, for a range of the panels, whose last
// vector may have a tail. The depth is padded.
template <class Start>
void multiply_by_tiles(Operands operands, int64_t rows, int64_t depth, const float* a,
                       int64_t a_stride, const float* panels, int64_t panel_stride, Range range,
                       int64_t columns, Start start, float* c, int64_t c_stride) {
  // Four tiles of sums hide the time from one product to the next that adds to it.
  alignas(64) float sums[4 * kTileDepth * kLanes];
  const int64_t most_rows = rows > kTileDepth ? 2 * kTileDepth : kTileDepth;
  const int64_t most_panels = 4 * kTileDepth / most_rows;
  if (rows == 1) a_stride = 0;  // sixteen times the same row, in place of fifteen others
  for (int64_t p = range.begin; p < range.end; p += most_panels) {
    const int64_t count = smaller(most_panels, range.end - p), width = count * kLanes;
    const int64_t column = p * kLanes, existing = smaller(width, columns - column);
    for (int64_t row = 0; row < rows; row += most_rows) {
      const int64_t here = smaller(most_rows, rows - row);
      const auto multiply = [&](auto r, auto n) {
        const auto by = [&](auto tiles) {
          multiply_tiles<r.value, n.value, decltype(tiles)>(
              smaller(here, kTileDepth * r.value), depth, a + row * a_stride, a_stride,
              panels + p * panel_stride, panel_stride, sums);
        };
        if (operands == Operands::amx) return by(AmxTiles());
        by(EmulatedTiles());
      };
      if (here > kTileDepth) {
        count == 1 ? multiply(Count<2>(), Count<1>()) : multiply(Count<2>(), Count<2>());
      } else {
        switch (count) {
          case 1: multiply(Count<1>(), Count<1>()); break;
          case 2: multiply(Count<1>(), Count<2>()); break;
          case 3: multiply(Count<1>(), Count<3>()); break;
          case 4: multiply(Count<1>(), Count<4>()); break;
        }
      }
      const Start from = start.tile(row, column);
      for (int64_t r = 0; r < here; ++r) {
        const float *sum = sums + r * width, *first = from.at(r);
        float* to = c + (row + r) * c_stride + column;
        for_vectors({0, existing}, [&](int64_t i, auto lanes) {
          const Vec s = load(sum + i);
          lanes.write(to + i, Start::kNothing ? s : lanes.read(first + i) + s);
        });
      }
    }
  }
}

// The left factor of a sum of outer products, rounded and transposed: lane k of column m at
// m * capacity + k, the capacity a multiple of kTileDepth.
class TransposedPack {
 public:
  TransposedPack() : columns_(0), capacity_(0), data_(nullptr) {}
  TransposedPack(Workspace& workspace, int64_t columns, int64_t capacity, int64_t copies)
      : columns_(columns), capacity_(capacity), data_(workspace.floats(copies * size())) {}

  int64_t columns() const { return columns_; }
  int64_t stride() const { return capacity_; }
  const float* data() const { return data_; }
  TransposedPack copy(int64_t number) const {
    TransposedPack pack(*this);
    pack.data_ += number * size();
    return pack;
  }

  // As LeftPack::round.
  template <class Left>
  void round(Operands operands, const Left& left, int64_t depth, const Team& team) {
    const int64_t blocks = divide_up(columns_, kLanes);
    with_operands(operands, [&](auto operand) {
      for (int64_t block = team.thread; block < blocks; block += team.threads) {
        const int64_t column = block * kLanes, count = smaller(kLanes, columns_ - column);
        for (int64_t k = 0; k < operand_depth(operands, depth); k += kLanes) {
          Vec x[kLanes];
          for (int i = 0; i < kLanes; ++i) {
            x[i] = operands_across<decltype(operand)>(k + i, depth, [&](int64_t row) {
              return load_first(left.tile_row(0, row) + column, count);
            });
          }
          transpose(x);
          for (int64_t m = 0; m < count; ++m) store(data_ + (column + m) * capacity_ + k, x[m]);
        }
      }
    });
  }

 private:
  int64_t size() const { return divide_up(columns_, kTileDepth) * kTileDepth * capacity_; }

  int64_t columns_, capacity_;
  float* data_;
};

}  // namespace
}  // namespace fastrnn
