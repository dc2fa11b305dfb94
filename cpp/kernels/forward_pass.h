// The walk forward.
#pragma once

#include "../api.h"
#include "recurrence.h"
#include "staged_pass.h"
#include "workspace.h"

namespace fastrnn {
namespace {

// All steps of `count` rows from rank `first` on; `from_zero`: their first state is zeros. With
// `keep`, states and gates go to the tape; else the tape has the rows' states alone, and they
// change in place.
template <class Step>
void forward_rows(Step& step, const Walkers& walkers, const RnnProblem& p, const Walk& walk,
                  const WalkTape& tape, bool keep, bool from_zero, int64_t first, int64_t count) {
  const int64_t H = p.units, width = gate_stride(traits_of(p.cell).cached_lanes, H);
  int64_t before = first;
  for (int64_t s = 0; s < walk.steps; ++s) {
    const int64_t position = walk.begin[s] + first;
    const int64_t after = keep ? walk.rows + position : first;
    ForwardRows rows;
    rows.walkers = walkers;
    rows.walkers.team.turned = s % 2 != 0;
    rows.count = smaller(count, walk.rows_at(s) - first);
    if (rows.count <= 0) break;
    rows.rank = first;
    rows.slot = walk.slot + position;
    rows.token = offset(walk.token, position);
    rows.h_prev = tape.h + before * H;
    rows.from_zero = from_zero && s == 0;
    rows.h = tape.h + after * H;
    rows.c_prev = offset(tape.c, before * H);
    rows.c = offset(tape.c, after * H);
    rows.gates = offset(tape.gates, position * width);
    step.run(rows);
    before = after;
  }
}

// The outputs of a row's steps that were not its own walk's.
inline void fill_sequence(const RnnForward& a, const WalkTape& prefix_tape, int64_t rank) {
  const int64_t T = a.problem.time, H = a.problem.units, row = a.plan.row[rank];
  const float* previous = nullptr;
  for (int64_t t = 0; t < T; ++t) {
    const int64_t slot = slot_of(a.steps, row, T, t);
    float* output = a.sequence + slot * H;
    if (t < a.plan.start[rank]) {
      copy_or_zero(output, prefix_tape.h + (1 + t) * H, H);
    } else if (a.steps.mask && !a.steps.mask[slot]) {
      copy_or_zero(output, a.steps.zero_output ? nullptr : previous, H);
    } else {
      previous = output;
    }
  }
}

// States where no tape keeps them: those of all rows, and those along the prefix.
inline WalkTape states_alone(const RnnProblem& p, int64_t count, Workspace& workspace) {
  WalkTape tape{};
  tape.h = workspace.floats(count * p.units);
  if (traits_of(p.cell).states == 2) tape.c = workspace.floats(count * p.units);
  return tape;
}

// Groups of the rows that walk forward: some for each thread, so that one who is late leaves work
// to the others; but each with rows enough for a tile. Where weights come from outside L2 for each
// group, and where AMX waits for them rather than for anything else, a group has more rows.
inline int forward_groups(const RnnProblem& p, int threads, int64_t rows) {
  if (threads == 1) return int(smaller(rows, 1));
  const bool far = traits_of(p.cell).gates * p.units * p.units > kWeightsInL2;
  const int64_t groups = far || is_tiled(p.operands) ? larger(threads, divide_up(rows, kRowBlock))
                                                     : divide_up(rows, kTileRows);
  return int(smaller(4 * threads, groups));
}

template <class Step>
class ForwardPass final : public StagedPass {
 public:
  ForwardPass(const RnnForward& a, Workspace& workspace)
      : StagedPass(a.problem, !walks_together(a.problem, a.problem.batch)),
        a_(a),
        step_(a, workspace),
        tape_(a.tape.h ? a.tape : states_alone(a.problem, a.problem.batch, workspace)),
        prefix_tape_(a.tape.h ? a.prefix_tape
                              : states_alone(a.problem, a.problem.prefix + 1, workspace)),
        groups_(forward_groups(a.problem, threads(), walking())),
        prefix_tasks_(a.problem.prefix > 0 && !walks_together(a.problem, 1)),
        prefix_walked_(prefix_tasks_) {}

  enum Stage { kPack, kPrepare, kWalk, kEnd };
  Phase phase(int stage) const override {
    return stage < kWalk ? Phase::projection : Phase::forward;
  }

  int64_t begin(int stage) override {
    switch (stage) {
      case kPack:
      case kPrepare: return threads();
      case kWalk:
        if (a_.problem.prefix > 0 && prefix_tasks_ == 0) {
          in_parallel(threads(), [&](const Team& team) {
            const TilesInUse tiles(a_.problem.operands);
            walk_prefix(together(team));
          });
        }
        return prefix_tasks_ + groups_;
      default: end_rows_without_steps(); return 0;
    }
  }

  void run_task(int stage, int64_t task, int thread) override {
    const Team part{int(task), threads(), nullptr};
    if (stage == kPack) return step_.pack(part);
    if (stage == kPrepare) return step_.prepare(part);
    // One thread walks the prefix while others begin with rows that do not start behind it.
    if (task >= prefix_tasks_) return walk_group(int(task) - prefix_tasks_, thread);
    walk_prefix(alone(thread));
    prefix_walked_.count_down();
  }

  // Takes all rows through each step.
  void run_by_team(const Team& team) override {
    const TilesInUse tiles(a_.problem.operands);
    Laps laps;
    step_.pack(team);
    team.barrier();
    step_.prepare(team);
    team.barrier();
    laps.end(Phase::projection);
    if (a_.problem.prefix > 0) {
      const bool all = walks_together(a_.problem, 1);
      if (all || team.thread == 0) walk_prefix(all ? together(team) : alone(0));
      team.barrier();
    }
    walk_rows(together(team), 0, walking());
    if (team.thread == 0) end_rows_without_steps();
    laps.end(Phase::forward);
  }

 private:
  bool keep() const { return a_.tape.h != nullptr; }

  // How the rows are grouped changes no result.
  void walk_group(int group, int thread) {
    const Walk& walk = a_.plan.walk;
    for_row_blocks(share_walk(a_.plan, walk, {0, walk.steps}, {group, groups_, nullptr}), kRowBlock,
                   [&](int64_t first, int64_t count) {
                     if (a_.plan.start[first + count - 1] > 0) prefix_walked_.wait();
                     walk_rows(alone(thread), first, count);
                   });
  }

  // Rows that walk a step.
  int64_t walking() const { return a_.plan.walk.steps > 0 ? a_.plan.walk.rows_at(0) : 0; }

  void walk_prefix(const Walkers& walkers) {
    const int64_t H = a_.problem.units;
    if (walkers.team.thread == 0) {
      copy_or_zero(prefix_tape_.h, nullptr, H);
      if (prefix_tape_.c) copy_or_zero(prefix_tape_.c, nullptr, H);
    }
    walkers.team.barrier();
    forward_rows(step_, walkers, a_.problem, a_.plan.prefix, prefix_tape_, true, true, 0, 1);
  }

  void walk_rows(const Walkers& walkers, int64_t first, int64_t count) {
    const Range mine = share(count, walkers.team);
    for (int64_t r = mine.begin; r < mine.end; ++r) start_row(first + r);
    walkers.team.barrier();
    const bool from_zero = a_.problem.prefix == 0 && !a_.initial_state[0];
    forward_rows(step_, walkers, a_.problem, a_.plan.walk, tape_, keep(), from_zero, first, count);
    for (int64_t r = mine.begin; r < mine.end; ++r) end_row(first + r);
  }

  void end_rows_without_steps() {
    for (int64_t rank = walking(); rank < a_.problem.batch; ++rank) start_row(rank), end_row(rank);
  }

  void start_row(int64_t rank) {
    const int64_t H = a_.problem.units, start = a_.plan.start[rank];
    float* state[2] = {tape_.h, tape_.c};
    const float* prefix[2] = {prefix_tape_.h, prefix_tape_.c};
    for (int s = 0; s < traits_of(a_.problem.cell).states; ++s) {
      copy_or_zero(
          state[s] + rank * H,
          start > 0 ? prefix[s] + start * H : offset(a_.initial_state[s], a_.plan.row[rank] * H),
          H);
    }
  }

  void end_row(int64_t rank) {
    const int64_t H = a_.problem.units, row = a_.plan.row[rank], length = a_.plan.length[rank];
    const int64_t last =
        keep() && length > 0 ? a_.problem.batch + a_.plan.walk.begin[length - 1] + rank : rank;
    copy_or_zero(a_.last_state[0] + row * H, tape_.h + last * H, H);
    if (tape_.c) copy_or_zero(a_.last_state[1] + row * H, tape_.c + last * H, H);
    const bool zero = last_output_is_zero(a_.steps, a_.plan, a_.problem.time, rank);
    copy_or_zero(a_.last_output + row * H, zero ? nullptr : tape_.h + last * H, H);
    if (a_.sequence) fill_sequence(a_, prefix_tape_, rank);
  }

  const RnnForward& a_;
  Step step_;
  WalkTape tape_, prefix_tape_;
  const int groups_, prefix_tasks_;
  Latch prefix_walked_;
};

}  // namespace
}  // namespace fastrnn
