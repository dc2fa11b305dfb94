// Plans a pass over a batch before anything is computed: which steps are walked, in which order.
#pragma once

#include "api.h"
#include "memory.h"

namespace fastrnn {

// What a plan is made from. Everything but batch and time is optional.
struct PlanInput {
  int64_t batch, time;
  const int32_t* tokens = nullptr;  // [B, T]
  int64_t vocabulary = 0;
  const uint8_t* mask = nullptr;  // [B, T]: 0 where a step is left out
  // [T], falling, the first one B: x and sequences hold the steps of all rows time after time, and
  // these are the rows of each time. Without tokens and mask.
  const int64_t* batch_sizes = nullptr;
  bool go_backwards = false;
  bool share_prefix = false;  // tokens only: rows differ in nothing but their tokens
};

// Which positions of a batch [B, T] are walked, and in which order.
//
// Steps that a mask leaves out are not walked. Rows that begin with the same padding token, again
// and again, all go through the same states, if they differ in nothing else. Such steps are the
// prefix: it is walked once, and each row starts from the state at the end of its own part of it.
// Rows are sorted by their number of other steps, so the rows of a step are the first of the rows
// of the step before.
//
// The plan also numbers the distinct tokens. Reviews repeat their words: 64 x 200 positions of IMDB
// hold 2,222 of them.
class Plan {
 public:
  Plan() = default;
  explicit Plan(const PlanInput& input);

  // Pointers into this plan's memory; they stay valid when the plan is moved.
  const BatchPlan& view() const { return view_; }
  int64_t distinct() const { return distinct_count_; }
  const int32_t* distinct_tokens() const { return static_cast<const int32_t*>(distinct_.data()); }

 private:
  struct RowSteps;
  void rank_rows(int64_t batch, const RowSteps& steps);
  void number_positions(const PlanInput& input, const RowSteps& steps);
  void number_times(const PlanInput& input, int64_t* slot);

  BatchPlan view_{};
  int64_t distinct_count_ = 0;
  Buffer rows_, begin_, slot_, token_, distinct_;
};

}  // namespace fastrnn
