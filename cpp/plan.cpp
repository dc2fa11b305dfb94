#include "plan.h"

#include <algorithm>

namespace fastrnn {

TokenPlan::TokenPlan(const int32_t* tokens, int64_t batch, int64_t time, int64_t vocabulary)
    : distinct_(size_t(checked_count({std::min(batch * time, vocabulary)})) * sizeof(int32_t)),
      index_(size_t(checked_count({batch, time})) * sizeof(int32_t)) {
  const Buffer numbers_memory(size_t(checked_count({vocabulary})) * sizeof(int32_t));
  int32_t* numbers = static_cast<int32_t*>(numbers_memory.data());
  std::fill_n(numbers, vocabulary, -1);
  int32_t* distinct = static_cast<int32_t*>(distinct_.data());
  int32_t* index = static_cast<int32_t*>(index_.data());
  for (int64_t b = 0; b < batch; ++b) {
    for (int64_t t = 0; t < time; ++t) {
      int32_t& number = numbers[*tokens];
      if (number < 0) {
        number = int32_t(distinct_count_);
        distinct[distinct_count_++] = *tokens;
      }
      index[t * batch + b] = number;
      ++tokens;
    }
  }
}

TokenInput TokenPlan::input(const float* table, int64_t vocabulary) const {
  return {table, vocabulary, static_cast<const int32_t*>(distinct_.data()),
          static_cast<const int32_t*>(index_.data())};
}

}  // namespace fastrnn
