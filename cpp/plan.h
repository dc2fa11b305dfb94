// What can be found out about a batch before its numbers are touched.
#pragma once

#include "api.h"
#include "memory.h"

namespace fastrnn {

// What a plan is made of. All but batch and time may be left out.
struct PlanInput {
  int64_t batch, time;
  const int32_t* tokens = nullptr;  // [B, T]
  int64_t vocabulary = 0;
  const uint8_t* mask = nullptr;  // [B, T]: 0 where a step is not to be walked
  bool go_backwards = false;
  bool share_prefix = false;  // tokens only: nothing but the tokens tells one row from another
};

// Which positions of a batch [B, T] are walked, and in which order.
//
// Steps that a mask leaves out are not walked. Where nothing but the tokens tells one row from
// another, rows that begin with the same token again and again (padding) all go through the same
// states there: as long as several rows do, those steps are walked once, and each row starts from
// the state behind its own part of them. Rows are sorted by the number of steps that are left, so
// that those that still walk at a step are the first of those that walked at the step before.
//
// Reviews repeat their words: 64 x 200 positions of IMDB hold 2,222 distinct tokens. The plan
// numbers them.
class Plan {
 public:
  Plan() = default;
  explicit Plan(const PlanInput& input);

  // Pointers into this plan's memory; they stay valid when the plan is moved.
  const BatchPlan& view() const { return view_; }
  int64_t distinct() const { return distinct_count_; }
  const int32_t* distinct_tokens() const { return static_cast<const int32_t*>(distinct_.data()); }

 private:
  BatchPlan view_{};
  int64_t distinct_count_ = 0;
  Buffer rows_, begin_, slot_, token_, distinct_;
};

}  // namespace fastrnn
