// The walk backward.
#pragma once

#include "../api.h"
#include "gates.h"
#include "input.h"
#include "recurrence.h"
#include "staged_pass.h"
#include "workspace.h"

namespace fastrnn {
namespace {

// Positions that a group collects before it adds their weight gradients: as long as a chain of a
// sum may be (tile.h).
constexpr int64_t group_block(const RnnProblem& p) {
  return is_rounded(p.operands) ? 2 * kChain : kChain;
}

// A sum that is formed in parts. The first part is the result itself.
class Parts {
 public:
  Parts(Workspace& workspace, float* result, int64_t size, int64_t count)
      : result_(result),
        size_(result ? size : 0),
        count_(count),
        rest_(workspace.floats(larger(count - 1, 0) * size_)) {}

  // Null where the result is not wanted.
  float* part(int64_t i) const { return i == 0 ? result_ : offset(rest_, (i - 1) * size_); }
  float* cleared(int64_t i) const {
    if (size_ == 0) return nullptr;
    copy_or_zero(part(i), nullptr, size_);
    return part(i);
  }
  // Elements of the result, the parts added in their order.
  void add_up(Range range) const {
    for (int64_t i = 1; i < count_ && size_ > 0; ++i)
      add(result_ + range.begin, part(i) + range.begin, range.end - range.begin);
  }
  int64_t size() const { return size_; }

 private:
  float* result_;
  int64_t size_, count_;
  float* rest_;
};

// A walk and what its gradients start from.
struct WalkBack {
  const Walk& walk;
  const WalkTape& tape;
  float* dgates;          // [positions, dgate_stride] where they are kept; null: they are not
  float *dh, *dc;         // [rows, H]
  const float* dh_added;  // [positions, H]; may be null
  const int64_t* dh_added_index;  // [positions] its rows; null: as they are
  const float* dc_added;          // [positions, H]; may be null
  bool dh_wanted;                 // whether dh is, at the end
};

template <class Step>
class BackwardPass final : public StagedPass {
 public:
  BackwardPass(const RnnBackward& a, Workspace& workspace)
      : StagedPass(a.problem, row_groups(a.problem) > 0),
        a_(a),
        groups_(row_groups(a.problem)),
        capacity_(groups_ > 0 ? group_block(a.problem) : gradient_block(a.problem)),
        stride_(dgate_stride(a.problem)),
        step_(a, {groups_ == 0, groups_ > 0 ? a.problem.threads : 1, capacity_, a.problem.operands},
              workspace),
        dkernel_(workspace, a.dkernel, a.problem.features * columns(),
                 is_projected(a.problem) ? token_parts(a.problem) : groups_),
        drecurrent_kernel_(workspace, a.drecurrent_kernel, a.problem.units * columns(), sums()),
        dbias_(workspace, a.dbias, traits_of(a.problem.cell).bias_rows * columns(), sums()),
        dgates_(workspace.floats(dgate_rows() * stride_)),
        dh_(workspace.floats((a.problem.batch + 1) * a.problem.units)),
        dc_(has_c() ? workspace.floats((a.problem.batch + 1) * a.problem.units) : nullptr),
        repeated_(repeats() ? workspace.floats(a.problem.positions * a.problem.units) : nullptr),
        prefix_dh_(workspace.floats(a.problem.prefix * a.problem.units)),
        prefix_dc_(has_c() ? workspace.floats(a.problem.prefix * a.problem.units) : nullptr),
        before_prefix_(groups_before_prefix()),
        rows_walked_(groups_ - before_prefix_) {}

  enum Stage { kPack, kWalk, kFinish, kAddUp };
  Phase phase(int stage) const override {
    if (stage == kPack) return Phase::projection;
    return stage == kWalk ? Phase::backward : Phase::input_gradients;
  }

  int64_t begin(int stage) override {
    switch (stage) {
      case kWalk: return groups_ + (a_.problem.prefix > 0);
      case kFinish: return step_.input().parts();
      default: return threads();
    }
  }

  void run_task(int stage, int64_t task, int thread) override {
    const Team part{int(task), threads(), nullptr};
    switch (stage) {
      case kPack: return step_.pack(part);
      case kWalk: return walk_group_or_prefix(task, thread);
      case kFinish: return finish_part(task, thread);
      default: return add_up_groups(part);
    }
  }

  void run_by_team(const Team& team) override { run_blocks(team); }

 private:
  // ---- in groups of rows

  // The prefix gets its gradients from the rows that start behind it. Their groups come first, then
  // one for each other thread, so that nobody waits for them; then the prefix beside the rest.
  void walk_group_or_prefix(int64_t task, int thread) {
    const bool has_prefix = a_.problem.prefix > 0;
    const int64_t prefix_task = smaller(groups_ - before_prefix_ + threads() - 1, groups_);
    if (has_prefix && task == prefix_task) {
      rows_walked_.wait();
      gather_for_prefix(kAlone);
      start_prefix();
      const WeightGradients sums = cleared_sums(groups_);
      walk_back(prefix_walk(), alone(thread), {0, a_.problem.prefix}, 0, 1, &sums);
      return;
    }
    const int64_t group = groups_ - 1 - task + (has_prefix && task > prefix_task);
    walk_group(group, thread);
    if (group >= before_prefix_) rows_walked_.count_down();
  }

  // Groups before the first that starts behind the prefix.
  int64_t groups_before_prefix() const {
    int64_t before = groups_;
    while (a_.problem.prefix > 0 && before > 0 && starts_behind_prefix(before - 1)) --before;
    return before;
  }

  void finish_part(int64_t part, int thread) {
    const Dgates dgates{kept(a_.tape, 0), kept(a_.prefix_tape, a_.problem.positions),
                        a_.problem.positions, stride_};
    float* dkernel = is_projected(a_.problem) ? dkernel_.cleared(part) : nullptr;
    step_.input().finish_part(part, thread, dgates, dkernel);
  }

  // Rows of a group that walk a step.
  Range walking_rows(int64_t group) const {
    const Walk& walk = a_.plan.walk;
    if (walk.steps == 0) return {0, 0};
    return share_walk(a_.plan, walk, {0, walk.steps}, {int(group), int(groups_), nullptr});
  }

  // Ranks are in the order of rising starts. The last group has the rows without steps too.
  bool starts_behind_prefix(int64_t group) const {
    const int64_t end = group + 1 == groups_ ? a_.problem.batch : walking_rows(group).end;
    return end > 0 && a_.plan.start[end - 1] > 0;
  }

  void walk_group(int64_t group, int thread) {
    const Walk& walk = a_.plan.walk;
    const WeightGradients sums = cleared_sums(group);
    const WalkBack rows = rows_walk();
    for_row_blocks(walking_rows(group), kBackwardRowBlock, [&](int64_t first, int64_t count) {
      for (int64_t r = 0; r < count; ++r) start_row(first + r);
      walk_back(rows, alone(thread), {0, walk.steps}, first, count, &sums);
      for (int64_t r = 0; r < count; ++r) end_row(first + r);
    });
    // The last group has the rows without steps too.
    for (int64_t rank = walk.steps > 0 ? walk.rows_at(0) : 0;
         rank < a_.problem.batch && group + 1 == groups_; ++rank)
      start_row(rank), end_row(rank);
  }

  WeightGradients cleared_sums(int64_t part) const {
    return {is_projected(a_.problem) ? nullptr : dkernel_.cleared(part),
            drecurrent_kernel_.cleared(part), dbias_.cleared(part)};
  }

  void add_up_groups(const Team& team) {
    const Range features = share(a_.problem.features, team);
    dkernel_.add_up({features.begin * columns(), features.end * columns()});
    drecurrent_kernel_.add_up(share(drecurrent_kernel_.size(), team, kLanes));
    if (team.thread == 0) dbias_.add_up({0, dbias_.size()});
    step_.input().unrotate_kernel(team);
  }

  // ---- in blocks of steps

  void run_blocks(const Team& team) {
    const TilesInUse tiles(a_.problem.operands);
    Laps laps;
    const auto clear = [&](const Parts& sum) {
      const Range mine = share(sum.size(), team);
      copy_or_zero(offset(sum.part(0), mine.begin), nullptr, mine.end - mine.begin);
    };
    clear(dkernel_), clear(drecurrent_kernel_), clear(dbias_);
    step_.pack(team);
    const Range mine = share(a_.problem.batch, team);
    for (int64_t rank = mine.begin; rank < mine.end; ++rank) start_row(rank);
    laps.end(Phase::projection);
    team.barrier();

    walk_blocks(team, rows_walk());
    for (int64_t rank = mine.begin; rank < mine.end; ++rank) end_row(rank);
    if (a_.problem.prefix > 0) {
      gather_for_prefix(team);
      team.barrier();
      if (team.thread == 0) start_prefix();
      team.barrier();
      walk_blocks(team, prefix_walk());
    }
    Laps end;
    step_.input().finish(team);
    end.end(Phase::input_gradients);
  }

  // All steps of a walk, last to first.
  void walk_blocks(const Team& team, const WalkBack& back) {
    Laps laps;
    const Walk& walk = back.walk;
    const bool all = walks_together(a_.problem, walk.rows);
    const Walkers walkers = all ? together(team) : alone(team.thread);
    for (int64_t end = walk.steps, begin; end > 0; end = begin) {
      begin = end - 1;
      while (begin > 0 && walk.begin[end] - walk.begin[begin - 1] <= capacity_) --begin;
      const auto walk_rows = [&](int64_t first, int64_t count) {
        walk_back(back, walkers, {begin, end}, first, count, nullptr);
      };
      if (all) {
        walk_rows(0, walk.rows_at(begin));
      } else {
        for_row_blocks(share_walk(a_.plan, walk, {begin, end}, team), kRowBlock, walk_rows);
      }
      laps.end(Phase::backward);
      team.barrier();
      step_.add_weight_gradients(0, walk.begin[end] - walk.begin[begin],
                                 offset(walk.token, walk.begin[begin]),
                                 {a_.dkernel, a_.drecurrent_kernel, a_.dbias}, team);
      team.barrier();
      laps.end(Phase::weight_gradients);
    }
  }

  // ---- in both

  // Some rows through some steps, last to first. `own`: where their group sums the weight
  // gradients; null: the rows are numbered by their positions in the block, which is added by all.
  void walk_back(const WalkBack& back, const Walkers& walkers, Range steps, int64_t first,
                 int64_t count, const WeightGradients* own) {
    const int64_t H = a_.problem.units;
    const int64_t width = gate_stride(traits_of(a_.problem.cell).cached_lanes, H);
    const Walk& walk = back.walk;
    const WalkTape& tape = back.tape;
    int64_t collected = 0;
    const auto add_own = [&] {
      step_.add_weight_gradients(walkers.thread, collected, nullptr, *own, kAlone);
      collected = 0;
    };
    for (int64_t s = steps.end - 1; s >= steps.begin; --s) {
      const int64_t position = walk.begin[s] + first;
      const int64_t after = walk.rows + position;
      const int64_t before = s > 0 ? walk.rows + walk.begin[s - 1] + first : first;
      BackwardRows rows{};
      rows.walkers = walkers;
      rows.count = smaller(count, walk.rows_at(s) - first);
      if (rows.count <= 0) continue;
      if (own && collected + rows.count > capacity_) add_own();
      rows.rank = first;
      rows.position = position;
      rows.collector = own ? walkers.thread : 0;
      rows.k = own ? collected : position - walk.begin[steps.begin];
      rows.slot = walk.slot + position;
      rows.token = offset(walk.token, position);
      rows.h_prev = tape.h + before * H;
      rows.h = tape.h + after * H;
      rows.c_prev = offset(tape.c, before * H);
      rows.c = offset(tape.c, after * H);
      rows.gates = offset(tape.gates, position * width);
      rows.dgates =
          back.dgates ? back.dgates + position * stride_
                      : dgates_ + (own ? walkers.thread * capacity_ + collected : walkers.scratch) *
                                      stride_;
      rows.dh_added = back.dh_added_index ? back.dh_added : offset(back.dh_added, position * H);
      rows.dh_added_index = offset(back.dh_added_index, position);
      rows.dh = back.dh + first * H;
      rows.dh_wanted = s > 0 || back.dh_wanted;
      rows.dc = offset(back.dc, first * H);
      if (back.dc_added) {
        const Range mine = share(rows.count, walkers.team);
        add(rows.dc + mine.begin * H, back.dc_added + (position + mine.begin) * H,
            (mine.end - mine.begin) * H);
      }
      if (own && s > 0) find_next(back, s - 1, first, rows.next);
      step_.run(rows);
      collected += rows.count;
    }
    if (own) add_own();
  }

  // What the next step of a group reads of the tape: to fetch it is worth 11% of the whole pass
  // where the tape comes from outside L2. And where it leaves its gate gradients, if that is
  // elsewhere.
  void find_next(const WalkBack& back, int64_t step, int64_t first, Far next[4]) const {
    const Walk& walk = back.walk;
    const WalkTape& tape = back.tape;
    const int64_t H = a_.problem.units;
    const int64_t width = gate_stride(traits_of(a_.problem.cell).cached_lanes, H);
    const int64_t position = walk.begin[step] + first;
    const int64_t before = step > 0 ? walk.rows + walk.begin[step - 1] + first : first;
    next[0] = {tape.h + before * H, H};
    next[1] = {offset(tape.c, before * H), H};
    next[2] = {offset(tape.gates, position * width), width};
    if (back.dgates != tape.gates) next[3] = {offset(back.dgates, position * stride_), stride_};
  }

  WalkBack rows_walk() const {
    return {a_.plan.walk,
            a_.tape,
            kept(a_.tape, 0),
            dh_,
            dc_,
            repeated_ ? repeated_ : a_.dsequence,
            repeated_ ? nullptr : a_.plan.walk.slot,
            nullptr,
            a_.problem.prefix > 0 || a_.dinitial_state[0]};
  }
  WalkBack prefix_walk() const {
    return {a_.plan.prefix,
            a_.prefix_tape,
            kept(a_.prefix_tape, a_.problem.positions),
            dh_ + a_.problem.batch * a_.problem.units,
            offset(dc_, a_.problem.batch * a_.problem.units),
            prefix_dh_,
            nullptr,
            prefix_dc_,
            false};
  }

  // Groups keep the gate gradients of all positions where their sums by token are formed at the
  // end: in place of the gates if the tape may be consumed.
  bool keeps() const { return groups_ > 0 && is_projected(a_.problem); }
  bool in_place() const { return a_.consume && traits_of(a_.problem.cell).cached_lanes > 0; }
  float* kept(const WalkTape& tape, int64_t first_position) const {
    if (!keeps()) return nullptr;
    return in_place() ? tape.gates : dgates_ + first_position * stride_;
  }
  int64_t dgate_rows() const {
    const RnnProblem& p = a_.problem;
    if (keeps()) return in_place() ? 0 : p.positions + p.prefix;
    return groups_ > 0 ? p.threads * capacity_ : scratch_rows(p);
  }

  int64_t columns() const { return traits_of(a_.problem.cell).gates * a_.problem.units; }
  // Of weight gradients: one of each group, one of the prefix.
  int64_t sums() const { return groups_ + (a_.problem.prefix > 0); }
  bool has_c() const { return traits_of(a_.problem.cell).states == 2; }
  // Whether outputs repeat earlier ones, so that a position's output has the gradients of several.
  bool repeats() const { return a_.steps.mask && a_.dsequence && !a_.steps.zero_output; }

  void start_row(int64_t rank) {
    const int64_t H = a_.problem.units, row = a_.plan.row[rank] * H;
    copy_or_zero(dh_ + rank * H, offset(a_.dlast_state[0], row), H);
    if (dc_) copy_or_zero(dc_ + rank * H, offset(a_.dlast_state[1], row), H);
    if (a_.dlast_output && !last_output_is_zero(a_.steps, a_.plan, a_.problem.time, rank))
      add(dh_ + rank * H, a_.dlast_output + row, H);
    if (repeated_) sum_repeated(rank);
  }

  // The gradients of an output and of its repetitions.
  void sum_repeated(int64_t rank) {
    const int64_t T = a_.problem.time, H = a_.problem.units, row = a_.plan.row[rank];
    int64_t s = 0;
    float* sum = nullptr;  // none before the first step: those outputs are zeros
    for (int64_t t = 0; t < T; ++t) {
      const int64_t slot = slot_of(a_.steps, row, T, t);
      const float* d = a_.dsequence + slot * H;
      if (a_.steps.mask[slot]) {
        sum = repeated_ + (a_.plan.walk.begin[s++] + rank) * H;
        copy_or_zero(sum, d, H);
      } else if (sum) {
        add(sum, d, H);
      }
    }
  }

  void end_row(int64_t rank) {
    const int64_t H = a_.problem.units, row = a_.plan.row[rank] * H;
    if (a_.dinitial_state[0]) copy_or_zero(a_.dinitial_state[0] + row, dh_ + rank * H, H);
    if (dc_ && a_.dinitial_state[1]) copy_or_zero(a_.dinitial_state[1] + row, dc_ + rank * H, H);
  }

  // What each step of the prefix gets from the rows that start behind it, and from the outputs of
  // the rows that go on in it. Ranks are in the order of rising starts.
  void gather_for_prefix(const Team& team) {
    const int64_t B = a_.problem.batch, T = a_.problem.time, H = a_.problem.units;
    const Range mine = share(a_.problem.prefix, team);
    for (int64_t t = mine.begin; t < mine.end; ++t) {
      float *dh = prefix_dh_ + t * H, *dc = offset(prefix_dc_, t * H);
      copy_or_zero(dh, nullptr, H);
      if (dc) copy_or_zero(dc, nullptr, H);
      for (int64_t rank = 0; rank < B; ++rank) {
        const int64_t start = a_.plan.start[rank];
        if (start <= t) continue;
        if (start == t + 1) {
          add(dh, dh_ + rank * H, H);
          if (dc) add(dc, dc_ + rank * H, H);
        } else if (!a_.dsequence) {
          break;
        }
        if (a_.dsequence) {
          const int64_t slot = slot_of(a_.steps, a_.plan.row[rank], T, t);
          add(dh, a_.dsequence + slot * H, H);
        }
      }
    }
  }

  // The state's gradient starts as nothing: all that the prefix gets comes from its rows.
  void start_prefix() {
    const WalkBack back = prefix_walk();
    copy_or_zero(back.dh, nullptr, a_.problem.units);
    if (back.dc) copy_or_zero(back.dc, nullptr, a_.problem.units);
  }

  const RnnBackward& a_;
  int64_t groups_, capacity_, stride_;
  Step step_;
  Parts dkernel_, drecurrent_kernel_, dbias_;
  float* dgates_;    // [dgate_rows, dgate_stride]
  float *dh_, *dc_;  // [B + 1, H]: the states' gradients, walking back; last the prefix's
  float* repeated_;  // [positions, H]
  float *prefix_dh_, *prefix_dc_;  // [P, H]: what the prefix's steps get
  const int64_t before_prefix_;
  Latch rows_walked_;
};

}  // namespace
}  // namespace fastrnn
