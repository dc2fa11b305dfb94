#include "row_tokens.h"

#include <algorithm>
#include <vector>

namespace fastrnn {

RowTokens::RowTokens(const PlanInput& input, const float* table, int64_t features,
                     const float* dropout)
    : features_(features), vocabulary_(input.vocabulary) {
  Buffer numbers(size_t(checked_count({input.batch, input.time})) * sizeof(int32_t));
  Buffer all_pairs(size_t(checked_count({input.batch, input.time})) * sizeof(Pair));
  auto* const number = static_cast<int32_t*>(numbers.data());
  auto* const pair = static_cast<Pair*>(all_pairs.data());
  struct Seen {
    int32_t row = -1, number = 0;
  };
  std::vector<Seen> seen(size_t(input.vocabulary));
  int64_t count = 0, positions = 0;
  for (int64_t b = 0; b < input.batch; ++b) {
    for (int64_t i = b * input.time; i < (b + 1) * input.time; ++i) {
      number[i] = 0;
      if (input.mask && !input.mask[i]) continue;
      ++positions;
      const int32_t token = input.tokens[i];
      Seen& last = seen[size_t(token)];
      if (last.row != b) {
        last = {int32_t(b), int32_t(count)};
        pair[count++] = {int32_t(b), token};
      }
      number[i] = last.number;
    }
  }
  if (count * 4 > positions * 3) return;
  masked_rows_ = Buffer(size_t(checked_count({count, features})) * sizeof(float));
  for (int64_t d = 0; d < count; ++d) {
    const float* const x = table + pair[d].token * features;
    const float* const factors = dropout + pair[d].row * features;
    float* const masked = masked_rows_.floats() + d * features;
    for (int64_t f = 0; f < features; ++f) masked[f] = x[f] * factors[f];
  }
  count_ = count;
  numbers_ = std::move(numbers), pairs_ = std::move(all_pairs);
}

void RowTokens::unmask(const float* d_masked_rows, const float* dropout, float* d_table) const {
  std::fill_n(d_table, vocabulary_ * features_, 0.0f);
  for (int64_t d = 0; d < count_; ++d) {
    const float* const d_masked = d_masked_rows + d * features_;
    const float* const factors = dropout + pairs()[d].row * features_;
    float* const to = d_table + pairs()[d].token * features_;
    for (int64_t f = 0; f < features_; ++f) to[f] += d_masked[f] * factors[f];
  }
}

}  // namespace fastrnn
