// One-hot vectors as tokens.
#pragma once

#include "../api.h"
#include "parallel.h"

namespace fastrnn {
namespace {

// What the places of a vector's ones add up to, if it has only one: kOne above the place.
constexpr int32_t kOne = 1 << 16;

// The place of the one of a vector, `size` for zeros, -1 for any other vector. The bits are
// compared: denormals count, though kernels take them for zeros.
FASTRNN_INLINE int32_t place_of_one(const float* x, int64_t size) {
  constexpr int32_t kBitsOfOne = 0x3f800000;
  IntVec code{}, place{};
  for (int lane = 0; lane < kLanes; ++lane) place[lane] = kOne + lane;
  for_vectors({0, size}, [&](int64_t i, auto lanes) {
    const IntVec bits = (IntVec)lanes.read(x + i);
    const IntVec is_one = bits == kBitsOfOne, is_zero = (bits & 0x7fffffff) == 0;
    code += (is_one & (place + int32_t(i))) | (~(is_one | is_zero) & (2 * kOne));
  });
  int32_t sum = 0;
  for (int lane = 0; lane < kLanes; ++lane) sum += code[lane];
  return sum == 0 ? int32_t(size) : sum < 2 * kOne ? sum - kOne : -1;
}

// The tokens of `rows` vectors; false if one of them has another value than zeros and at most a
// single one. Sums of `size` codes must fit an int32.
inline bool one_hot_tokens(const OneHot& p, const float* x, int32_t* tokens) {
  bool all = true;
  deal(threads_for(p.rows * p.size, p.threads), [=, &all](const Team& team) {
    Laps laps;
    const Range mine = share(p.rows, team);
    for (int64_t row = mine.begin; row < mine.end; ++row) {
      tokens[row] = place_of_one(x + row * p.size, p.size);
      if (tokens[row] < 0) return __atomic_store_n(&all, false, __ATOMIC_RELAXED);
    }
    laps.end(Phase::plan);
  });
  return all;
}

}  // namespace
}  // namespace fastrnn
