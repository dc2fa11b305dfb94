// The walk through time, forward and backward, written once for all cells.
//
// Forward: each thread takes its rows through all the steps; nobody waits for anybody.
// Backward: the same, but in blocks of steps. While a block's gate gradients are hot they are
// packed; then all threads meet, share out the tiles of the weight gradients, add the block and
// meet again: two barriers per block instead of one per step, no private copies of the gradients,
// and an order of summation that does not depend on the number of threads.
//
// Wide layers, and few rows, are another matter: every thread would fetch all the weights at each
// step. There the team takes all rows through a step together, each thread with tiles of the
// products and then with rows of the gates, and meets in between (`walks_together`). Which of the
// two it is changes no result.
//
// Which positions are walked is the plan's matter (../plan.h): first the prefix that the rows
// share, as a walk of one row, then the walk of all rows from where each leaves the prefix;
// backward in the opposite order.
//
// What happens in one step is the step's matter (cell_step.h, gru.h). A forward step has
//   Step(const RnnForward&, Workspace&)   lays out its packed weights and scratch
//   pack(team)                            packs the weights
//   prepare(team)                         what needs them all packed
//   run(ForwardRows)                      one step of some rows
// and a backward step has
//   Step(const RnnBackward&, int64_t capacity, Workspace&)
//   pack(team)
//   run(BackwardRows)                     one step of some rows, its gate gradients packed
//   add_weight_gradients(depth, tokens, team)
//                                         adds the packed rows 0..depth-1; `tokens` are the numbers
//                                         of their tokens, or null
//   finish(team)
#pragma once

#include "../api.h"
#include "parallel.h"
#include "workspace.h"

namespace fastrnn {
namespace {

// Rows that go through time together: few enough that their gates stay in L1 and L2, enough that a
// panel of weights is used several times for each load into L1.
constexpr int64_t kRowBlock = 32;

// Rows (time steps x batch rows) of gate gradients collected before the weight gradients are
// brought up to date: the packs of a block, 4 * 512 * (F + H + G*H) bytes, fit L2 up to about 128
// units.
constexpr int64_t kGradientBlock = 512;

inline int64_t gradient_block(const RnnProblem& p) {
  return smaller(larger(kGradientBlock, p.batch), larger(p.positions, p.prefix));
}

// Multiply-adds that pay for waking one more thread, about 10 microseconds of work for one.
constexpr int64_t kProductsPerThread = 1 << 18;

// When the team walks together. A step must have enough multiply-adds for each thread to pay for
// its meetings, each about a microsecond. Then it pays where threads would have no row, where a few
// rows would each time fetch weights that L2 does not hold, and where weights come from so far that
// they had better be fetched once for all rows. Measured with LSTMs on AVX2, 2 threads: 1.4 to 1.9
// times as fast for one row of 128 to 512 units, 1.2 for 2 and 4 rows of 256 and 512 units, 1.08 to
// 1.25 for up to 64 rows of 1,024 units; elsewhere 2 to 10% slower than apart.
constexpr int64_t kProductsPerMeeting = 1 << 15;
constexpr int64_t kFewRows = 4;                                        // per thread
constexpr int64_t kWeightsOutsideL2 = 1 << 18, kFarWeights = 1 << 21;  // floats

// Whether the team walks `rows` rows together.
inline bool walks_together(const RnnProblem& p, int64_t rows) {
  const int64_t weights = traits_of(p.cell).gates * p.units * p.units;
  if (p.threads == 1 || rows * weights < p.threads * kProductsPerMeeting) return false;
  return rows < p.threads || weights >= kFarWeights ||
         (rows <= p.threads * kFewRows && weights >= kWeightsOutsideL2);
}

inline int recurrence_threads(const RnnProblem& p) {
  const int64_t products = p.positions * traits_of(p.cell).gates * p.units * (p.features + p.units);
  const int64_t parts = walks_together(p, p.batch) ? p.threads : p.batch;
  return int(smaller(smaller(p.threads, parts), 1 + products / kProductsPerThread));
}

// Rows of scratch memory that a pass needs for what its walkers have in work.
inline int64_t scratch_rows(const RnnProblem& p) {
  const int64_t apart = p.threads * kRowBlock;  // any thread may walk the prefix
  return walks_together(p, p.batch) ? larger(p.batch, apart) : apart;
}

// Who walks some rows, and where their scratch rows begin.
struct Walkers {
  Team team;  // all threads, or this one alone
  int64_t scratch;
};

inline Walkers together(const Team& team) { return {team, 0}; }
inline Walkers alone(const Team& team) { return {kAlone, team.thread * kRowBlock}; }

// One step of `count` rows of neighbouring ranks; states and gates of rows lie next to each other.
struct ForwardRows {
  Walkers walkers;
  int64_t count;
  int64_t rank;          // of the first row
  const int64_t* slot;   // [count]
  const int32_t* token;  // [count] or null
  const float* h_prev;
  float* h;  // may be h_prev itself, as c may be c_prev
  const float* c_prev;
  float* c;
  float* gates;
};

struct BackwardRows {
  Walkers walkers;
  int64_t count;
  int64_t rank;
  int64_t k;  // the first row's number in the gradient block
  const int64_t* slot;
  const int32_t* token;
  const float* h_prev;
  const float* h;
  const float* c_prev;
  const float* c;
  const float* gates;
  const float* dh_added;          // what comes to dh from the step's output; may be null
  const int64_t* dh_added_index;  // [count] its rows; null: they are next to each other
  float* dh;                      // in: gradient of h but for dh_added; out: gradient of h_prev
  float* dc;
};

inline void copy_or_zero(float* to, const float* from, int64_t count) {
  if (from) {
    __builtin_memcpy(to, from, sizeof(float) * count);
  } else {
    __builtin_memset(to, 0, sizeof(float) * count);
  }
}

inline void add(float* to, const float* from, int64_t count) {
  for_vectors({0, count}, [=](int64_t i, auto lanes) {
    lanes.write(to + i, lanes.read(to + i) + lanes.read(from + i));
  });
}

// Where step number t of a row's walk stands in x, in sequences and in a mask.
inline int64_t slot_of(const StepMask& steps, int64_t row, int64_t time, int64_t t) {
  return row * time + (steps.go_backwards ? time - 1 - t : t);
}

// Pointer arithmetic on what may be null.
template <class T>
T* offset(T* p, int64_t by) {
  return p ? p + by : nullptr;
}

// The rows' steps in begin..end-1, cut into equal shares of neighbouring ranks.
inline Range share_walk(const BatchPlan& plan, const Walk& walk, Range steps, const Team& team) {
  const int64_t rows = walk.rows_at(steps.begin);
  const auto steps_of = [&](int64_t rank) {
    const int64_t own = walk.rows == 1 ? walk.steps : plan.length[rank];
    return smaller(own, steps.end) - steps.begin;
  };
  const int64_t total = walk.begin[steps.end] - walk.begin[steps.begin];
  Range mine{0, 0};
  int64_t sum = 0;
  for (int64_t rank = 0; rank < rows; ++rank) {
    // A row belongs to the thread into whose share its middle falls.
    const int64_t own = steps_of(rank);
    const int64_t owner = (2 * sum + own) * team.threads / (2 * total);
    if (owner < team.thread) mine.begin = rank + 1;
    if (owner <= team.thread) mine.end = rank + 1;
    sum += own;
  }
  return mine;
}

// Calls body(first, count) for equal blocks of at most kRowBlock rows.
template <class Body>
void for_row_blocks(Range rows, Body body) {
  const int64_t count = rows.end - rows.begin;
  if (count <= 0) return;
  const int64_t size =
      divide_up(divide_up(count, divide_up(count, kRowBlock)), kTileRows) * kTileRows;
  for (int64_t first = rows.begin; first < rows.end; first += size)
    body(first, smaller(size, rows.end - first));
}

// ---- forward

// All steps of `count` rows from rank `first` on. With `keep`, states and gates go to the tape;
// else the tape has the rows' states alone, and they change in place.
template <class Step>
void forward_rows(Step& step, const Walkers& walkers, const RnnProblem& p, const Walk& walk,
                  const WalkTape& tape, bool keep, int64_t first, int64_t count) {
  const int64_t H = p.units, width = traits_of(p.cell).cached_lanes * H;
  int64_t before = first;
  for (int64_t s = 0; s < walk.steps; ++s) {
    const int64_t position = walk.begin[s] + first;
    const int64_t after = keep ? walk.rows + position : first;
    ForwardRows rows;
    rows.walkers = walkers;
    rows.count = smaller(count, walk.rows_at(s) - first);
    if (rows.count <= 0) break;
    rows.rank = first;
    rows.slot = walk.slot + position;
    rows.token = offset(walk.token, position);
    rows.h_prev = tape.h + before * H;
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

// Whether the walk's last output of a row is zeros in place of its last state.
inline bool last_output_is_zero(const StepMask& steps, const BatchPlan& plan, int64_t time,
                                int64_t rank) {
  if (!steps.mask) return false;
  const int64_t last = slot_of(steps, plan.row[rank], time, time - 1);
  return plan.length[rank] == 0 || (steps.zero_output && !steps.mask[last]);
}

// States where no tape keeps them: those of all rows, and those along the prefix.
inline WalkTape states_alone(const RnnProblem& p, int64_t count, Workspace& workspace) {
  WalkTape tape{};
  tape.h = workspace.floats(count * p.units);
  if (traits_of(p.cell).states == 2) tape.c = workspace.floats(count * p.units);
  return tape;
}

template <class Step>
class ForwardPass {
 public:
  ForwardPass(const RnnForward& a, Workspace& workspace)
      : a_(a),
        step_(a, workspace),
        tape_(a.tape.h ? a.tape : states_alone(a.problem, a.problem.batch, workspace)),
        prefix_tape_(a.tape.h ? a.prefix_tape
                              : states_alone(a.problem, a.problem.prefix + 1, workspace)) {}

  void run(const Team& team) {
    Laps laps(team);
    step_.pack(team);
    team.meet();
    step_.prepare(team);
    laps.end(Phase::projection);
    if (a_.problem.prefix > 0) {
      walk_prefix(team);
      team.meet();
    }
    walk(team);
    laps.end(Phase::forward);
  }

 private:
  bool keep() const { return a_.tape.h != nullptr; }

  void walk_prefix(const Team& team) {
    const int64_t H = a_.problem.units;
    if (team.thread == 0) {
      copy_or_zero(prefix_tape_.h, nullptr, H);
      if (prefix_tape_.c) copy_or_zero(prefix_tape_.c, nullptr, H);
    }
    const bool all = walks_together(a_.problem, 1);
    if (all) team.meet();
    if (all || team.thread == 0) {
      forward_rows(step_, all ? together(team) : alone(team), a_.problem, a_.plan.prefix,
                   prefix_tape_, true, 0, 1);
    }
  }

  void walk(const Team& team) {
    const Walk& walk = a_.plan.walk;
    const int64_t walking = walk.steps > 0 ? walk.rows_at(0) : 0;
    const auto walk_rows = [&](const Walkers& walkers, int64_t first, int64_t count) {
      const Range mine = share(count, walkers.team);
      for (int64_t r = mine.begin; r < mine.end; ++r) start_row(first + r);
      walkers.team.meet();
      forward_rows(step_, walkers, a_.problem, walk, tape_, keep(), first, count);
      for (int64_t r = mine.begin; r < mine.end; ++r) end_row(first + r);
    };
    if (walks_together(a_.problem, a_.problem.batch)) {
      walk_rows(together(team), 0, walking);
    } else if (walking > 0) {
      for_row_blocks(share_walk(a_.plan, walk, {0, walk.steps}, team),
                     [&](int64_t first, int64_t count) { walk_rows(alone(team), first, count); });
    }
    // Rows that walk no step at all belong to somebody too.
    for (int64_t rank = walking; rank < a_.problem.batch && team.thread == 0; ++rank)
      start_row(rank), end_row(rank);
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
};

template <class Step>
void recurrence_forward(const RnnForward& a) {
  Workspace workspace(a.workspace);
  ForwardPass<Step> pass(a, workspace);
  in_parallel(recurrence_threads(a.problem), [&](const Team& team) { pass.run(team); });
}

// ---- backward

template <class Step>
class BackwardPass {
 public:
  BackwardPass(const RnnBackward& a, Workspace& workspace)
      : a_(a),
        capacity_(gradient_block(a.problem)),
        step_(a, capacity_, workspace),
        dh_(workspace.floats(a.problem.batch * a.problem.units)),
        dc_(has_c() ? workspace.floats(a.problem.batch * a.problem.units) : nullptr),
        repeated_(repeats() ? workspace.floats(a.problem.positions * a.problem.units) : nullptr),
        prefix_dh_(workspace.floats(a.problem.prefix * a.problem.units)),
        prefix_dc_(has_c() ? workspace.floats(a.problem.prefix * a.problem.units) : nullptr) {}

  void run(const Team& team) {
    const int64_t F = a_.problem.features, H = a_.problem.units;
    const Cell cell = a_.problem.cell;
    const int64_t gates = traits_of(cell).gates * H;
    Laps laps(team);
    const auto clear = [&](float* p, int64_t size) {
      const Range part = share(size, team);
      copy_or_zero(p + part.begin, nullptr, part.end - part.begin);
    };
    clear(a_.dkernel, F * gates);
    clear(a_.drecurrent_kernel, H * gates);
    if (a_.dbias) clear(a_.dbias, gates * traits_of(cell).bias_rows);
    step_.pack(team);
    const Range mine = share(a_.problem.batch, team);
    for (int64_t rank = mine.begin; rank < mine.end; ++rank) start_row(rank);
    laps.end(Phase::projection);
    team.meet();

    const float* outputs = repeated_ ? repeated_ : a_.dsequence;
    const int64_t* index = repeated_ ? nullptr : a_.plan.walk.slot;
    walk(team, a_.plan.walk, a_.tape, dh_, dc_, outputs, index, nullptr);
    for (int64_t rank = mine.begin; rank < mine.end; ++rank) end_row(rank);
    if (a_.problem.prefix > 0) {
      gather_for_prefix(team);
      team.meet();
      // The state's gradient starts as nothing: all that the prefix gets comes from its rows.
      if (team.thread == 0) {
        copy_or_zero(dh_, nullptr, H);
        if (dc_) copy_or_zero(dc_, nullptr, H);
      }
      team.meet();
      walk(team, a_.plan.prefix, a_.prefix_tape, dh_, dc_, prefix_dh_, nullptr, prefix_dc_);
    }
    Laps end(team);
    step_.finish(team);
    end.end(Phase::input_gradients);
  }

 private:
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

  // All steps of a walk, last to first. dc_added [positions, H] may be null.
  void walk(const Team& team, const Walk& walk, const WalkTape& tape, float* dh, float* dc,
            const float* dh_added, const int64_t* index, const float* dc_added) {
    Laps laps(team);
    const bool all = walks_together(a_.problem, walk.rows);
    const Walkers walkers = all ? together(team) : alone(team);
    for (int64_t end = walk.steps, begin; end > 0; end = begin) {
      begin = end - 1;
      while (begin > 0 && walk.begin[end] - walk.begin[begin - 1] <= capacity_) --begin;
      const auto walk_rows = [&](int64_t first, int64_t count) {
        backward_rows(walkers, walk, tape, dh, dc, dh_added, index, dc_added, {begin, end}, first,
                      count);
      };
      if (all) {
        walk_rows(0, walk.rows_at(begin));
      } else {
        for_row_blocks(share_walk(a_.plan, walk, {begin, end}, team), walk_rows);
      }
      laps.end(Phase::backward);
      team.meet();
      step_.add_weight_gradients(walk.begin[end] - walk.begin[begin],
                                 offset(walk.token, walk.begin[begin]), team);
      team.meet();
      laps.end(Phase::weight_gradients);
    }
  }

  void backward_rows(const Walkers& walkers, const Walk& walk, const WalkTape& tape, float* dh,
                     float* dc, const float* dh_added, const int64_t* index, const float* dc_added,
                     Range steps, int64_t first, int64_t count) {
    const int64_t H = a_.problem.units, width = traits_of(a_.problem.cell).cached_lanes * H;
    for (int64_t s = steps.end - 1; s >= steps.begin; --s) {
      const int64_t position = walk.begin[s] + first;
      const int64_t after = walk.rows + position;
      const int64_t before = s > 0 ? walk.rows + walk.begin[s - 1] + first : first;
      BackwardRows rows;
      rows.walkers = walkers;
      rows.count = smaller(count, walk.rows_at(s) - first);
      if (rows.count <= 0) continue;
      rows.rank = first;
      rows.k = position - walk.begin[steps.begin];
      rows.slot = walk.slot + position;
      rows.token = offset(walk.token, position);
      rows.h_prev = tape.h + before * H;
      rows.h = tape.h + after * H;
      rows.c_prev = offset(tape.c, before * H);
      rows.c = offset(tape.c, after * H);
      rows.gates = offset(tape.gates, position * width);
      rows.dh_added = index ? dh_added : offset(dh_added, position * H);
      rows.dh_added_index = offset(index, position);
      rows.dh = dh + first * H;
      rows.dc = offset(dc, first * H);
      if (dc_added) {
        const Range mine = share(rows.count, walkers.team);
        add(rows.dc + mine.begin * H, dc_added + (position + mine.begin) * H,
            (mine.end - mine.begin) * H);
      }
      step_.run(rows);
    }
  }

  const RnnBackward& a_;
  int64_t capacity_;
  Step step_;
  float *dh_, *dc_;                // [B, H]: the states' gradients, walking back
  float* repeated_;                // [positions, H]
  float *prefix_dh_, *prefix_dc_;  // [P, H]: what the prefix's steps get
};

template <class Step>
void recurrence_backward(const RnnBackward& a) {
  Workspace workspace(a.workspace);
  BackwardPass<Step> pass(a, workspace);
  in_parallel(recurrence_threads(a.problem), [&](const Team& team) { pass.run(team); });
}

}  // namespace
}  // namespace fastrnn
