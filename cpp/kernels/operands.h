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

// Calls visit with the operands as a value of their type.
template <class Visit>
FASTRNN_INLINE void with_operands(Operands operands, Visit visit) {
  switch (operands) {
    case Operands::float32: return visit(Float32());
    case Operands::bfloat16: return visit(Bfloat16());
    case Operands::emulated_bfloat16: return visit(EmulatedBfloat16());
  }
}

constexpr bool is_rounded(Operands operands) { return operands != Operands::float32; }

// Lanes that `count` operands take.
constexpr int64_t lanes_of(Operands operands, int64_t count) {
  return is_rounded(operands) ? divide_up(count, 2) : count;
}

// Lane k of each column, where read(i) is row i of `depth`.
template <class Operand, class Read>
FASTRNN_INLINE Vec operands_across(int64_t k, int64_t depth, Read read) {
  if constexpr (Operand::kPerLane == 1) {
    return read(k);
  } else {
    return Operand::pair(read(2 * k), 2 * k + 1 < depth ? read(2 * k + 1) : Vec{});
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

// A row of `count` floats as operands; `to` may be the row itself. Nothing for floats, which are
// operands already.
inline void round_row(Operands operands, const float* row, int64_t count, float* to) {
  with_operands(operands, [&](auto operand) {
    using Operand = decltype(operand);
    if constexpr (Operand::kPerLane == 2) {
      int64_t i = 0;
      for (; i + 2 * kLanes <= count; i += 2 * kLanes, to += kLanes)
        store(to, Operand::pair_neighbours(load(row + i), load(row + i + kLanes)));
      if (i == count) return;
      const int64_t first = smaller(count - i, kLanes), second = count - i - first;
      store_first(
          to,
          Operand::pair_neighbours(load_first(row + i, first),
                                   second > 0 ? load_first(row + i + kLanes, second) : Vec{}),
          divide_up(count - i, 2));
    }
  });
}

}  // namespace
}  // namespace fastrnn
