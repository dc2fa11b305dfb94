// One step of a cell whose gates all depend on x W + h_prev U: SimpleRNN, LSTM, GRU with
// reset_after.
//
// The cell contract, all that is known here of a cell:
//   kCell             its name in api.h
//   kColumns          H-wide columns in a row of gates
//   kRecurrentColumn  the column at which h_prev U starts; x W starts at column 0. Not 0 only where
//                     the two products of a gate must be kept apart (GRU), and then the gradients
//                     of the two sides differ
//   kKernelRotation   by how many gates the columns of x W are rotated against those of the kernel
//   forward           for a vector of units, from the sums and the states before the step to the
//                     activated gates and the states after it
//   backward          inverts forward
// A row of gates holds the sums first and the activated gates after the step, in place.
#pragma once

#include "gemm.h"
#include "input.h"
#include "math.h"
#include "recurrence.h"

namespace fastrnn {
namespace {

struct State {
  Vec h, c;  // c: LSTM only
};

template <class CellType, class Activations, class Input>
class CellForward {
 public:
  CellForward(const RnnForward& a, Workspace& workspace)
      : a_(a),
        activations_(a.problem),
        units_(a.problem.units),
        gates_(gate_count(CellType::kCell) * units_),
        width_(CellType::kColumns * units_),
        input_(a, gates_, CellType::kKernelRotation * units_, CellType::kRecurrentColumn * units_,
               width_, workspace),
        recurrent_kernel_(workspace, units_, gates_),
        scratch_(a.tape.gates ? nullptr
                              : workspace.floats(a.problem.threads * kRowBlock * width_)) {}

  void pack(const Team& team) {
    input_.pack(team);
    for (int64_t p = team.thread; p < recurrent_kernel_.panels(); p += team.threads) {
      recurrent_kernel_.pack(p, a_.recurrent_kernel, gates_);
    }
  }

  void prepare(const Team& team) { input_.prepare(team); }

  void run(const Team& team, const ForwardRows& rows) const {
    float* gates = rows.gates ? rows.gates : scratch_ + team.thread * kRowBlock * width_;
    input_.start(rows, gates);
    recurrent_kernel_.multiply<Into::accumulate>(
        rows.count, rows.h_prev, units_, gates + CellType::kRecurrentColumn * units_, width_);
    for (int64_t r = 0; r < rows.count; ++r) {
      const int64_t row = r * units_;
      float* gate_row = gates + r * width_;
      float* sequence = offset(rows.sequence, r * rows.sequence_stride);
      for_vectors({0, units_}, [&](int64_t u, auto lanes) {
        Vec gate[CellType::kColumns];
        for (int g = 0; g < CellType::kColumns; ++g)
          gate[g] = lanes.read(gate_row + g * units_ + u);
        State state{lanes.read(rows.h_prev + row + u), {}};
        if constexpr (kHasC) state.c = lanes.read(rows.c_prev + row + u);
        CellType::forward(activations_, gate, state);
        if constexpr (cached_lanes(CellType::kCell) > 0) {
          for (int g = 0; g < CellType::kColumns; ++g)
            lanes.write(gate_row + g * units_ + u, gate[g]);
        }
        lanes.write(rows.h + row + u, state.h);
        if constexpr (kHasC) lanes.write(rows.c + row + u, state.c);
        if (sequence) lanes.write(sequence + u, state.h);
      });
    }
  }

 private:
  static constexpr bool kHasC = state_count(CellType::kCell) == 2;

  const RnnForward& a_;
  Activations activations_;
  int64_t units_, gates_, width_;
  Input input_;
  Weights recurrent_kernel_;
  float* scratch_;  // gates of kRowBlock rows per thread, where no tape keeps them
};

template <class CellType, class Activations, class Input>
class CellBackward {
 public:
  CellBackward(const RnnBackward& a, int64_t capacity, Workspace& workspace)
      : a_(a),
        activations_(a.problem),
        units_(a.problem.units),
        gates_(gate_count(CellType::kCell) * units_),
        width_(CellType::kColumns * units_),
        input_(a, capacity, gates_, CellType::kKernelRotation * units_, workspace),
        recurrent_kernel_(workspace, gates_, units_),
        h_prev_(workspace, units_, capacity),
        dinput_(workspace, gates_, capacity),
        drecurrent_(workspace, kSplit ? gates_ : 0, capacity),
        scratch_(workspace.floats(a.problem.threads * kRowBlock * width_)) {}

  void pack(const Team& team) {
    input_.pack(team);
    for (int64_t p = team.thread; p < recurrent_kernel_.panels(); p += team.threads) {
      recurrent_kernel_.pack_transposed(p, a_.recurrent_kernel, gates_);
    }
  }

  void run(const Team& team, const BackwardRows& rows) {
    float* dgates = scratch_ + team.thread * kRowBlock * width_;
    const float* drecurrent = dgates + CellType::kRecurrentColumn * units_;
    for (int64_t r = 0; r < rows.count; ++r) {
      const int64_t row = r * units_;
      const float* gate_row = offset(rows.gates, r * width_);
      const float* dsequence = offset(rows.dsequence, r * rows.dsequence_stride);
      float* dgate_row = dgates + r * width_;
      for_vectors({0, units_}, [&](int64_t u, auto lanes) {
        Vec gate[CellType::kColumns], dgate[CellType::kColumns];
        if constexpr (cached_lanes(CellType::kCell) > 0) {
          for (int g = 0; g < CellType::kColumns; ++g)
            gate[g] = lanes.read(gate_row + g * units_ + u);
        }
        const State prev{lanes.read(rows.h_prev + row + u),
                         kHasC ? lanes.read(rows.c_prev + row + u) : Vec{}};
        const State state{lanes.read(rows.h + row + u),
                          kHasC ? lanes.read(rows.c + row + u) : Vec{}};
        State dstate{lanes.read(rows.dh + row + u), kHasC ? lanes.read(rows.dc + row + u) : Vec{}};
        if (dsequence) dstate.h += lanes.read(dsequence + u);
        CellType::backward(activations_, gate, prev, state, dgate, dstate);
        for (int g = 0; g < CellType::kColumns; ++g)
          lanes.write(dgate_row + g * units_ + u, dgate[g]);
        lanes.write(rows.dh + row + u, dstate.h);
        if constexpr (kHasC) lanes.write(rows.dc + row + u, dstate.c);
      });
      h_prev_.put(rows.k + r, rows.h_prev + row);
      dinput_.put(rows.k + r, dgate_row);
      if constexpr (kSplit) drecurrent_.put(rows.k + r, drecurrent + r * width_);
    }
    recurrent_kernel_.multiply<Into::accumulate>(rows.count, drecurrent, width_, rows.dh, units_);
    input_.run(rows, dgates, width_);
  }

  void add_weight_gradients(int64_t first, int64_t depth, const Team& team) {
    const RightPack& drecurrent = kSplit ? drecurrent_ : dinput_;
    input_.add(first, depth, dinput_, team);
    add_outer_product(h_prev_, drecurrent, depth, a_.drecurrent_kernel, gates_, team);
    if (a_.dbias) {
      dinput_.add_column_sums(depth, a_.dbias, team);
      if constexpr (kSplit) drecurrent_.add_column_sums(depth, a_.dbias + gates_, team);
    }
  }

  void finish(const Team& team) { input_.finish(team); }

 private:
  static constexpr bool kHasC = state_count(CellType::kCell) == 2;
  static constexpr bool kSplit = CellType::kRecurrentColumn > 0;

  const RnnBackward& a_;
  Activations activations_;
  int64_t units_, gates_, width_;
  Input input_;
  Weights recurrent_kernel_;  // transposed
  LeftPack h_prev_;
  RightPack dinput_, drecurrent_;  // drecurrent_ only where it differs
  float* scratch_;                 // gate gradients of kRowBlock rows per thread
};

}  // namespace
}  // namespace fastrnn
