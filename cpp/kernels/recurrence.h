// The walk through time, forward and backward, written once for all cells.
//
// Forward: each thread takes its rows through all the steps; nobody waits for anybody.
// Backward: the same, but in blocks of steps. While a block's gate gradients are hot they are
// packed; then all threads meet, share out the tiles of the weight gradients, add the block and
// meet again: two barriers per block instead of one per step, no private copies of the gradients,
// and an order of summation that does not depend on the number of threads.
//
// What happens in one step is the step's matter (cell_step.h, gru.h). A forward step has
//   Step(const RnnForward&, Workspace&)   lays out its packed weights and scratch
//   pack(team)                 packs the weights
//   prepare(team)              what needs them all packed
//   run(team, ForwardRows)              one step of some rows
// and a backward step has
//   Step(const RnnBackward&, int64_t capacity, Workspace&)
//   pack(team)
//   run(team, BackwardRows)             one step of some rows, its gate gradients packed
//   add_weight_gradients(first, depth, team)   adds the packed rows 0..depth-1; the
//   first of them is
//                                                         number `first` of all T*B
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

inline int64_t steps_per_block(const RnnProblem& p) {
  const int64_t steps = kGradientBlock / p.batch;
  return smaller(larger(steps, 1), p.time);
}

// Multiply-adds that pay for waking one more thread, about 10 microseconds of work for one.
constexpr int64_t kProductsPerThread = 1 << 18;

inline int recurrence_threads(const RnnProblem& p) {
  const int64_t products = p.batch * p.time * gate_count(p.cell) * p.units * (p.features + p.units);
  return int(smaller(smaller(p.threads, p.batch), 1 + products / kProductsPerThread));
}

// One step of `count` neighbouring rows. Rows of x and of sequences lie T apart, rows of states and
// gates next to each other.
struct ForwardRows {
  int64_t count;
  const float* x;  // null where the input is tokens
  int64_t x_stride;
  const int32_t* tokens;  // numbers of the rows' distinct tokens; else null
  const float* h_prev;
  float* h;  // may be h_prev itself, as c may be c_prev
  const float* c_prev;
  float* c;
  float* gates;
  float* sequence;  // may be null
  int64_t sequence_stride;
};

struct BackwardRows {
  int64_t count;
  int64_t k;       // the first row's number in the gradient block
  const float* x;  // null where the input is tokens
  int64_t x_stride;
  const float* h_prev;
  const float* h;
  const float* c_prev;
  const float* c;
  const float* gates;
  const float* dsequence;  // may be null
  int64_t dsequence_stride;
  float* dh;  // in: gradient of h but for dsequence; out: gradient of h_prev
  float* dc;
  float* dx;  // may be null
  int64_t dx_stride;
};

inline void copy_or_zero(float* to, const float* from, int64_t count) {
  if (from) {
    __builtin_memcpy(to, from, sizeof(float) * count);
  } else {
    __builtin_memset(to, 0, sizeof(float) * count);
  }
}

// Pointer arithmetic on what may be null.
template <class T>
T* offset(T* p, int64_t by) {
  return p ? p + by : nullptr;
}

template <class Step>
void forward_rows(const RnnForward& a, Step& step, const Team& team, int64_t first, int64_t count) {
  const int64_t B = a.problem.batch, T = a.problem.time, F = a.problem.features,
                H = a.problem.units;
  // Without a tape the states are updated where they will be wanted at the end.
  const bool keep = a.tape.h != nullptr;
  const int64_t state_step = keep ? B * H : 0;
  float* h = (keep ? a.tape.h : a.last_state[0]) + first * H;
  float* c = offset(keep ? a.tape.c : a.last_state[1], first * H);
  copy_or_zero(h, offset(a.initial_state[0], first * H), count * H);
  if (c) copy_or_zero(c, offset(a.initial_state[1], first * H), count * H);

  const int64_t width = cached_lanes(a.problem.cell) * H;
  for (int64_t t = 0; t < T; ++t) {
    ForwardRows rows;
    rows.count = count;
    rows.x = offset(a.x, (first * T + t) * F);
    rows.x_stride = T * F;
    rows.tokens = offset(a.tokens.index, t * B + first);
    rows.h_prev = h;
    rows.c_prev = c;
    rows.h = h += state_step;
    rows.c = c = offset(c, state_step);
    rows.gates = offset(a.tape.gates, (t * B + first) * width);
    rows.sequence = offset(a.sequence, (first * T + t) * H);
    rows.sequence_stride = T * H;
    step.run(team, rows);
  }
  if (keep) {
    copy_or_zero(a.last_state[0] + first * H, h, count * H);
    if (c) copy_or_zero(a.last_state[1] + first * H, c, count * H);
  }
}

template <class Step>
void recurrence_forward(const RnnForward& a) {
  Workspace workspace(a.workspace);
  Step step(a, workspace);
  in_parallel(recurrence_threads(a.problem), [&](const Team& team) {
    step.pack(team);
    team.meet();
    step.prepare(team);
    const Range mine = share(a.problem.batch, team);
    for (int64_t first = mine.begin; first < mine.end; first += kRowBlock) {
      const int64_t left = mine.end - first;
      forward_rows(a, step, team, first, smaller(left, kRowBlock));
    }
  });
}

// Steps t_end-1 down to t_begin of some rows.
template <class Step>
void backward_rows(const RnnBackward& a, Step& step, const Team& team, int64_t first, int64_t count,
                   int64_t t_begin, int64_t t_end) {
  const int64_t B = a.problem.batch, T = a.problem.time, F = a.problem.features,
                H = a.problem.units;
  const int64_t width = cached_lanes(a.problem.cell) * H;
  for (int64_t t = t_end - 1; t >= t_begin; --t) {
    const int64_t state = (t * B + first) * H, next_state = state + B * H;
    BackwardRows rows;
    rows.count = count;
    rows.k = (t - t_begin) * B + first;
    rows.x = offset(a.x, (first * T + t) * F);
    rows.x_stride = T * F;
    rows.h_prev = a.tape.h + state;
    rows.h = a.tape.h + next_state;
    rows.c_prev = offset(a.tape.c, state);
    rows.c = offset(a.tape.c, next_state);
    rows.gates = offset(a.tape.gates, (t * B + first) * width);
    rows.dsequence = offset(a.dsequence, (first * T + t) * H);
    rows.dsequence_stride = T * H;
    rows.dh = a.dinitial_state[0] + first * H;
    rows.dc = offset(a.dinitial_state[1], first * H);
    rows.dx = a.x ? offset(a.dx, (first * T + t) * F) : nullptr;
    rows.dx_stride = T * F;
    step.run(team, rows);
  }
}

template <class Step>
void recurrence_backward(const RnnBackward& a) {
  const int64_t B = a.problem.batch, T = a.problem.time, F = a.problem.features,
                H = a.problem.units;
  const Cell cell = a.problem.cell;
  const int64_t gates = gate_count(cell) * H, steps = steps_per_block(a.problem);
  const int64_t bias_size = gates * (cell == Cell::gru ? 2 : 1);
  Workspace workspace(a.workspace);
  Step step(a, steps * B, workspace);
  in_parallel(recurrence_threads(a.problem), [&](const Team& team) {
    const auto clear = [&](float* p, int64_t size) {
      const Range part = share(size, team);
      copy_or_zero(p + part.begin, nullptr, part.end - part.begin);
    };
    clear(a.dkernel, F * gates);
    clear(a.drecurrent_kernel, H * gates);
    if (a.dbias) clear(a.dbias, bias_size);
    step.pack(team);
    team.meet();

    // The gradients of the states walk back in the arrays of the initial states' gradients.
    const Range mine = share(B, team);
    const int64_t mine_size = (mine.end - mine.begin) * H;
    for (int s = 0; s < state_count(cell); ++s) {
      copy_or_zero(a.dinitial_state[s] + mine.begin * H, offset(a.dlast_state[s], mine.begin * H),
                   mine_size);
    }
    for (int64_t t_end = T; t_end > 0; t_end -= steps) {
      const int64_t t_begin = t_end > steps ? t_end - steps : 0;
      for (int64_t first = mine.begin; first < mine.end; first += kRowBlock) {
        const int64_t left = mine.end - first;
        backward_rows(a, step, team, first, smaller(left, kRowBlock), t_begin, t_end);
      }
      team.meet();
      step.add_weight_gradients(t_begin * B, (t_end - t_begin) * B, team);
      team.meet();
    }
    step.finish(team);
  });
}

}  // namespace
}  // namespace fastrnn
