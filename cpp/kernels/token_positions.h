// The distinct tokens of a batch in backward: where each stands, and sums over its positions.
#pragma once

#include "../api.h"
#include "recurrence.h"
#include "tile.h"
#include "workspace.h"

namespace fastrnn {
namespace {

// Row groups, at the end: the distinct tokens are cut into parts, fixed by the problem.
constexpr int64_t kTokenParts = 8, kTokensInWork = kChain;
inline int64_t token_parts(const RnnProblem& p) {
  if (row_groups(p) == 0 || p.distinct == 0) return 0;
  return larger(1, smaller(kTokenParts, p.distinct / kTokensInWork));
}

// The positions of each distinct token, in ascending order; the prefix's follow the rows'.
class TokenPositions {
 public:
  TokenPositions(const RnnBackward& a, Workspace& workspace)
      : distinct_(token_parts(a.problem) > 0 ? a.problem.distinct : 0),
        positions_(distinct_ > 0 ? a.problem.positions + a.problem.prefix : 0),
        token_(a.plan.walk.token),
        first_(reinterpret_cast<int64_t*>(workspace.floats(2 * (distinct_ + 1)))),
        position_(reinterpret_cast<int32_t*>(workspace.floats(positions_ + kAhead))) {}

  // Sorts by counting.
  void list() {
    if (distinct_ == 0) return;
    for (int64_t d = 0; d <= distinct_; ++d) first_[d] = 0;
    for (int64_t k = 0; k < positions_; ++k) ++first_[token_[k] + 1];
    for (int64_t d = 0; d < distinct_; ++d) first_[d + 1] += first_[d];
    for (int64_t k = 0; k < positions_; ++k) position_[first_[token_[k]]++] = int32_t(k);
    for (int64_t d = distinct_; d > 0; --d) first_[d] = first_[d - 1];
    first_[0] = 0;
    for (int64_t k = 0; k < kAhead; ++k) position_[positions_ + k] = 0;
  }

  // sum [columns] = the rows of a token's positions; row(position) is one of them.
  template <class Row>
  void sum_rows(int64_t d, int64_t columns, Row row, float* sum) const {
    const int32_t *begin = position_ + first_[d], *end = position_ + first_[d + 1];
    const auto sum_strip = [&](int64_t u, auto count, auto last) {
      constexpr int kVectors = count.value;  // sums stay in registers
      Vec strip[kVectors] = {};
      for (const int32_t* k = begin; k < end; ++k) {
        const float *from = row(*k) + u, *later = row(k[kAhead]) + u;
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) __builtin_prefetch(later + v * kLanes);
#pragma GCC unroll 8
        for (int v = 0; v < kVectors - 1; ++v) strip[v] += load(from + v * kLanes);
        strip[kVectors - 1] += last.read(from + (kVectors - 1) * kLanes);
      }
#pragma GCC unroll 8
      for (int v = 0; v < kVectors - 1; ++v) store(sum + u + v * kLanes, strip[v]);
      last.write(sum + u + (kVectors - 1) * kLanes, strip[kVectors - 1]);
    };
    int64_t u = 0;
    for (; u + 4 * kLanes <= columns; u += 4 * kLanes) sum_strip(u, Count<4>(), Whole{});
    const First last{(columns - u - 1) % kLanes + 1};
    switch (divide_up(columns - u, kLanes)) {
      case 1: return sum_strip(u, Count<1>(), last);
      case 2: return sum_strip(u, Count<2>(), last);
      case 3: return sum_strip(u, Count<3>(), last);
      case 4: return sum_strip(u, Count<4>(), last);
    }
  }

 private:
  // So many positions after the one in work are fetched, a token and a half. One token after
  // another would wait for memory, because a CPU does not foresee where its positions end.
  static constexpr int64_t kAhead = 8;
  int64_t distinct_, positions_;
  const int32_t* token_;
  int64_t* first_;     // [D + 1]
  int32_t* position_;  // [positions + kAhead]
};

}  // namespace
}  // namespace fastrnn
