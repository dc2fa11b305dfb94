// Passes through time as stages of tasks, and how the threads run one of them or two side by side.
//
// Two passes, as those of both directions over the same sequences, have one list of tasks: who has
// done a group of rows of the one takes a group of the other, and there is one join for both. What
// a pass computes does not depend on who runs beside it.
#pragma once

#include "amx.h"
#include "parallel.h"
#include "recurrence.h"

namespace fastrnn {
namespace {

class StagedPass {
 public:
  // in_tasks: whether threads claim its rows; else a team goes through it together.
  StagedPass(const RnnProblem& problem, bool in_tasks)
      : problem_(problem), in_tasks_(in_tasks), threads_(recurrence_threads(problem)) {}
  StagedPass(const StagedPass&) = delete;
  StagedPass& operator=(const StagedPass&) = delete;
  StagedPass(StagedPass&&) = delete;
  StagedPass& operator=(StagedPass&&) = delete;

  static constexpr int kStages = 4;
  // Gets a stage ready, by the caller and any threads that he asks. Returns its number of tasks,
  // which know no barrier. They are claimed in order, so one may wait for those before it.
  virtual int64_t begin(int stage) = 0;
  void run(int stage, int64_t task, int thread) {
    const TilesInUse tiles(problem_.operands);
    run_task(stage, task, thread);
  }
  // What the time of a stage counts as.
  virtual Phase phase(int stage) const = 0;
  // All of it, where it is not in tasks.
  virtual void run_by_team(const Team& team) = 0;

  const RnnProblem& problem() const { return problem_; }
  bool in_tasks() const { return in_tasks_; }
  // That pay where it runs alone.
  int threads() const { return threads_; }

 protected:
  virtual void run_task(int stage, int64_t task, int thread) = 0;
  ~StagedPass() = default;

 private:
  const RnnProblem& problem_;
  const bool in_tasks_;
  const int threads_;
};

// Threads that pay for two passes.
inline int threads_of_both(const RnnProblem& a, const RnnProblem& b) {
  return int(smaller(smaller(smaller(a.threads, b.threads), a.batch + b.batch),
                     1 + (products_of(a) + products_of(b)) / kProductsPerThread));
}

// A stage of one pass or of two: tasks of both in turn, then the rest of the longer.
inline void run_stage(int threads, int stage, StagedPass& first, StagedPass* second) {
  const int64_t count = first.begin(stage), others = second ? second->begin(stage) : 0;
  const int64_t in_turn = 2 * smaller(count, others);
  for_tasks(threads, count + others, [&](int64_t task, int thread) {
    const bool of_second = task < in_turn ? task % 2 != 0 : others > count;
    StagedPass& pass = of_second ? *second : first;
    pass.run(stage, task < in_turn ? task / 2 : task - in_turn / 2, thread);
  });
}

inline void run_stages(int threads, StagedPass& first, StagedPass* second) {
  Laps laps;
  for (int stage = 0; stage < StagedPass::kStages; ++stage) {
    run_stage(threads, stage, first, second);
    laps.end(first.phase(stage));
  }
}

inline void run_one(StagedPass& pass) {
  if (pass.in_tasks()) return run_stages(pass.threads(), pass, nullptr);
  in_parallel(pass.threads(), [&](const Team& team) { pass.run_by_team(team); });
}

// All of a pass by the calling thread.
inline void run_by_one_thread(StagedPass& pass) {
  if (!pass.in_tasks()) return pass.run_by_team(kAlone);
  Laps laps;
  for (int stage = 0; stage < StagedPass::kStages; ++stage) {
    const int64_t tasks = pass.begin(stage);
    for (int64_t task = 0; task < tasks; ++task) pass.run(stage, task, 0);
    laps.end(pass.phase(stage));
  }
}

inline void run_both(int threads, StagedPass& first, StagedPass& second) {
  if (first.threads() == 1 && second.threads() == 1) {
    // One join for all of it.
    for_tasks(threads, 2,
              [&](int64_t task, int) { run_by_one_thread(task == 0 ? first : second); });
  } else if (first.in_tasks() && second.in_tasks()) {
    run_stages(threads, first, &second);
  } else {
    run_one(first), run_one(second);
  }
}

// second: may be null.
inline void run_passes(StagedPass& first, StagedPass* second) {
  const int threads =
      second ? threads_of_both(first.problem(), second->problem()) : first.threads();
  in_pass(threads, [&] { second ? run_both(threads, first, *second) : run_one(first); });
}

}  // namespace
}  // namespace fastrnn
