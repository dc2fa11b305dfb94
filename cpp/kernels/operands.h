// What the products multiply, in lanes of 32 bits: one float, or two bfloat16 that are neighbours
// along the inner dimension of the product. So a product of bfloat16 is half as deep, and its tiles
// are those of floats.
#pragma once

#include "../api.h"
#include "parallel.h"
#include "vec.h"

namespace fastrnn {
namespace {

struct Float32 {
  static constexpr int kPerLane = 1;
  static FASTRNN_INLINE Vec add_product(Vec sum, Vec x, Vec y) { return sum + x * y; }
};

// Calls visit with the operands as a value of the type that rounds them.
template <class Visit>
FASTRNN_INLINE void with_operands(Operands operands, Visit visit) {
  switch (operands) {
    case Operands::float32: return visit(Float32());
    case Operands::bfloat16:
    case Operands::amx: return visit(Bfloat16());
    case Operands::emulated_bfloat16:
    case Operands::emulated_amx: return visit(EmulatedBfloat16());
  }
}

constexpr bool is_rounded(Operands operands) { return operands != Operands::float32; }

// Whether tiles multiply them (amx.h), and the rows of a tile and the lanes of a row.
constexpr bool is_tiled(Operands operands) {
  return operands == Operands::amx || operands == Operands::emulated_amx;
}
constexpr int64_t kTileDepth = 16;

// Lanes that `count` operands take.
constexpr int64_t lanes_of(Operands operands, int64_t count) {
  return is_rounded(operands) ? divide_up(count, 2) : count;
}

// The same with the zeros that the products read behind them.
constexpr int64_t operand_depth(Operands operands, int64_t count) {
  const int64_t lanes = lanes_of(operands, count);
  return is_tiled(operands) ? divide_up(lanes, kTileDepth) * kTileDepth : lanes;
}

// Lanes from one row of rounded operands to the next. Of tiles an odd number, lest rows lie on the
// same cache sets; not more than `count` up to a multiple of 16.
constexpr int64_t operand_stride(Operands operands, int64_t count) {
  return is_tiled(operands) ? (operand_depth(operands, count) / kTileDepth | 1) * kTileDepth
                            : count;
}

// Floats that rows of `count` take which are rounded apart from each other or where they lie.
constexpr int64_t operand_columns(Operands operands, int64_t count) {
  return larger(count, operand_stride(operands, count));
}

// Floats behind the last row that tiles may read.
constexpr int64_t operand_slack(Operands operands, int64_t count) {
  return is_tiled(operands) ? (kTileDepth - 1) * operand_stride(operands, count) : 0;
}

// Lane k of each column, where read(i) is row i of `depth`; zeros behind the last.
template <class Operand, class Read>
FASTRNN_INLINE Vec operands_across(int64_t k, int64_t depth, Read read) {
  if constexpr (Operand::kPerLane == 1) {
    return read(k);
  } else {
    return Operand::pair(2 * k < depth ? read(2 * k) : Vec{},
                         2 * k + 1 < depth ? read(2 * k + 1) : Vec{});
  }
}

// Lanes k, k + 1, ... of a row, where read(i) is its elements from number i on, zeros behind the
// last.
template <class Operand, class Read>
FASTRNN_INLINE Vec operands_along(int64_t k, Read read) {
  if constexpr (Operand::kPerLane == 1) {
    return read(k);
  } else {
    return Operand::pair_neighbours(read(2 * k), read(2 * k + kLanes));
  }
}

// A row of `count` floats, times those of a mask if there is one, as operands with the zeros behind
// them; `to` may be the row itself. Not for floats, which are operands already.
inline void round_row(Operands operands, const float* row, const float* mask, int64_t count,
                      float* to) {
  const auto read = [&](int64_t i, auto lanes) {
    return mask ? lanes.read(row + i) * lanes.read(mask + i) : lanes.read(row + i);
  };
  with_operands(operands, [&](auto operand) {
    using Operand = decltype(operand);
    if constexpr (Operand::kPerLane == 2) {
      int64_t i = 0;
      for (; i + 2 * kLanes <= count; i += 2 * kLanes) {
        store(to + i / 2, Operand::pair_neighbours(read(i, Whole{}), read(i + kLanes, Whole{})));
      }
      if (i < count) {
        const int64_t first = smaller(count - i, kLanes), second = count - i - first;
        store_first(to + i / 2,
                    Operand::pair_neighbours(read(i, First{first}),
                                             second > 0 ? read(i + kLanes, First{second}) : Vec{}),
                    divide_up(count - i, 2));
      }
      for (int64_t k = divide_up(count, 2); k < operand_depth(operands, count); ++k) to[k] = 0;
    }
  });
}

}  // namespace
}  // namespace fastrnn
