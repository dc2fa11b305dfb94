// The distinct tokens of each row of a batch, for inputs with a dropout mask.
#pragma once

#include "memory.h"
#include "plan.h"

namespace fastrnn {

// A dropout mask is the same at all steps of a row, so equal tokens of one row have equal products
// with the kernel: those of the row of the table times the mask. These masked rows, numbered, are a
// table of tokens like any other, without a mask. Of 38,400 positions of IMDB (128 x 300) 14,675
// have a row and token of their own.
//
// Nothing is numbered where more than three quarters of the positions differ: it would save little.
class RowTokens {
 public:
  RowTokens() = default;
  // table [vocabulary, F], dropout [B, F]
  RowTokens(const PlanInput& input, const float* table, int64_t features, const float* dropout);

  int64_t count() const { return count_; }  // D; 0 where nothing is numbered
  // [B, T] which masked row each position has; 0 where a step is left out
  const int32_t* numbers() const { return static_cast<const int32_t*>(numbers_.data()); }
  const float* masked_rows() const { return masked_rows_.floats(); }  // [D, F]

  // The gradient of the table [vocabulary, F] from that of the masked rows [D, F].
  void unmask(const float* d_masked_rows, const float* dropout, float* d_table) const;

 private:
  struct Pair {
    int32_t row, token;
  };
  const Pair* pairs() const { return static_cast<const Pair*>(pairs_.data()); }

  int64_t count_ = 0, features_ = 0, vocabulary_ = 0;
  Buffer numbers_, pairs_, masked_rows_;
};

}  // namespace fastrnn
