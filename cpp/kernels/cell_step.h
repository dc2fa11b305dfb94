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
//   kCarriesH         whether h_prev acts on h not through the product alone, so that backward
//                     leaves a part of its gradient in dstate.h
//   forward           for one or two vectors of units, from the sums and the states before the
//                     step to the activated gates and the states after it
//   backward          inverts forward
#pragma once

#include "gemm.h"
#include "input.h"
#include "math.h"
#include "recurrence.h"

namespace fastrnn {
namespace {

template <class V>
struct State {
  V h, c;  // c: LSTM only
};

template <class CellType, class Activations, class Input>
class CellForward {
 public:
  CellForward(const RnnForward& a, Workspace& workspace)
      : a_(a),
        activations_(a.problem),
        units_(a.problem.units),
        width_(CellType::kColumns * units_),
        stride_(gate_stride(CellType::kColumns, units_)),
        mask_{a.h_mask, a.plan.row, a.problem.mask_sets, units_},
        input_(a,
               {{kGates, units_, block_count(a.problem.masked_x, a.problem),
                 CellType::kKernelRotation},
                kFirst * units_,
                width_},
               workspace),
        recurrent_kernel_(workspace, a.problem.operands, units_,
                          {kGates, units_, block_count(a.problem.masked_h, a.problem), 0}),
        h_(workspace, a.problem, operand_columns(a.problem.operands, units_),
           a.h_mask || is_rounded(a.problem.operands)),
        sums_(workspace, a.problem, width_) {}

  void pack(const Team& team) {
    input_.pack(team);
    recurrent_kernel_.pack(team, a_.recurrent_kernel, kGates * units_);
  }

  void prepare(const Team& team) { input_.prepare(team); }

  void run(const ForwardRows& rows) const {
    const Team& team = rows.walkers.team;
    float* sums = sums_.of(rows.walkers);
    const Range mine = share(rows.count, team);
    input_.start(rows, sums);
    float* const recurrent_sums = sums + kFirst * units_;
    const auto start = input_.sums(rows, sums, kFirst * units_);
    if (rows.from_zero) {
      for (int64_t r = mine.begin; r < mine.end; ++r) {
        float* to = recurrent_sums + r * width_;
        if (start.at(r) != to) copy_or_zero(to, start.at(r), kGates * units_);
      }
    } else {
      recurrent_kernel_.multiply(team, rows.count, rows.h_prev, units_, mask_, rows.rank,
                                 h_.of(rows.walkers), recurrent_sums, width_, start);
    }
    team.barrier();
    // Where rows are all states, without gaps, they are one row: no vector is cut at its end.
    const bool joined = CellType::kColumns == 1 && !a_.sequence;
    const int64_t length = joined ? (mine.end - mine.begin) * units_ : units_;
    for (int64_t r = mine.begin; r < mine.end; r += joined ? mine.end - mine.begin : 1) {
      const int64_t row = r * units_;
      const float* sum_row = sums + r * width_;
      float* gate_row = offset(rows.gates, r * stride_);
      float* sequence = offset(a_.sequence, rows.slot[r] * units_);
      for_vector_pairs({0, length}, [&](int64_t u, auto lanes) {
        using V = decltype(lanes.read(sum_row));
        V gate[CellType::kColumns];
        for (int g = 0; g < CellType::kColumns; ++g) gate[g] = lanes.read(sum_row + g * units_ + u);
        State<V> state{lanes.read(rows.h_prev + row + u), {}};
        if constexpr (kHasC) state.c = lanes.read(rows.c_prev + row + u);
        CellType::forward(activations_, gate, state);
        if (gate_row) {
          for (int g = 0; g < CellType::kColumns; ++g)
            lanes.write(gate_row + g * units_ + u, gate[g]);
        }
        lanes.write(rows.h + row + u, state.h);
        if constexpr (kHasC) lanes.write(rows.c + row + u, state.c);
        if (sequence) lanes.write(sequence + u, state.h);
      });
    }
    team.barrier();
  }

 private:
  static constexpr int64_t kGates = traits_of(CellType::kCell).gates;
  static constexpr int64_t kFirst = CellType::kRecurrentColumn;
  static constexpr bool kHasC = traits_of(CellType::kCell).states == 2;

  const RnnForward& a_;
  Activations activations_;
  int64_t units_, width_, stride_;  // from one row to the next: of sums, of gates on the tape
  RowMask mask_;
  Input input_;
  GateWeights recurrent_kernel_;
  RowScratch h_;     // masked or rounded
  RowScratch sums_;  // what the tiles add up, so that it stays in cache
};

template <class CellType, class Activations, class Input>
class CellBackward {
 public:
  CellBackward(const RnnBackward& a, const Collecting& how, Workspace& workspace)
      : a_(a),
        activations_(a.problem),
        units_(a.problem.units),
        width_(gate_stride(CellType::kColumns, units_)),
        mask_{a.h_mask, a.plan.row, a.problem.mask_sets, units_},
        input_(a, how, input_blocks(), workspace),
        recurrent_kernel_(workspace, a.problem.operands, units_,
                          {kGates, units_, block_count(a.problem.masked_h, a.problem), 0}),
        h_prev_(workspace, units_, how, block_count(a.problem.masked_h, a.problem),
                a.problem.masked_h),
        dinput_(workspace, input_blocks(), how),
        drecurrent_(workspace, {kSplit ? kGates : 0, units_, a.problem.mask_sets, 0}, how),
        masked_h_(workspace, a.problem, units_, a.h_mask != nullptr),
        rounded_(workspace, a.problem, operand_columns(a.problem.operands, kGates * units_),
                 is_rounded(a.problem.operands)) {}

  void pack(const Team& team) {
    input_.pack(team);
    recurrent_kernel_.pack(team, a_.recurrent_kernel, kGates * units_);
  }

  void run(const BackwardRows& rows) {
    const Team& team = rows.walkers.team;
    float* masked_h = masked_h_.of(rows.walkers);
    float* rounded = rounded_.of(rows.walkers);
    const float* drecurrent = rows.dgates + CellType::kRecurrentColumn * units_;
    const Range mine = share(rows.count, team);
    // Memory answers slowly: what is asked of it at once makes all else wait. So the next step is
    // fetched row by row where there is enough to compute meanwhile, else before the product.
    constexpr bool kLong = CellType::kColumns > 1;
    for (int64_t r = mine.begin; r < mine.end; ++r) {
      const int64_t row = r * units_;
      const float* gate_row = offset(rows.gates, r * width_);
      const float* dh_added =
          offset(rows.dh_added, (rows.dh_added_index ? rows.dh_added_index[r] : r) * units_);
      float* dgate_row = rows.dgates + r * width_;
      for_vector_pairs({0, units_}, [&](int64_t u, auto lanes) {
        using V = decltype(lanes.read(rows.dh));
        V gate[CellType::kColumns], dgate[CellType::kColumns];
        if constexpr (traits_of(CellType::kCell).cached_lanes > 0) {
          for (int g = 0; g < CellType::kColumns; ++g)
            gate[g] = lanes.read(gate_row + g * units_ + u);
        }
        const State<V> prev{lanes.read(rows.h_prev + row + u),
                            kHasC ? lanes.read(rows.c_prev + row + u) : V{}};
        const State<V> state{lanes.read(rows.h + row + u),
                             kHasC ? lanes.read(rows.c + row + u) : V{}};
        State<V> dstate{lanes.read(rows.dh + row + u), kHasC ? lanes.read(rows.dc + row + u) : V{}};
        if (dh_added) dstate.h += lanes.read(dh_added + u);
        CellType::backward(activations_, gate, prev, state, dgate, dstate);
        for (int g = 0; g < CellType::kColumns; ++g)
          lanes.write(dgate_row + g * units_ + u, dgate[g]);
        if constexpr (CellType::kCarriesH) lanes.write(rows.dh + row + u, dstate.h);
        if constexpr (kHasC) lanes.write(rows.dc + row + u, dstate.c);
      });
      if (kLong) rows.fetch_next({r, r + 1});
      const Collected at{rows.collector, rows.k + r};
      h_prev_.put(at, rows.h_prev + row, mask_, rows.rank + r, masked_h + (a_.h_mask ? row : 0));
      dinput_.put(at, dgate_row);
      if constexpr (kSplit) drecurrent_.put(at, drecurrent + r * width_);
    }
    if (!kLong) rows.fetch_next(mine);
    team.barrier();
    if (rows.dh_wanted) {
      const auto multiply = [&](auto start) {
        recurrent_kernel_.multiply(team, rows.count, drecurrent, width_, mask_, rows.rank, masked_h,
                                   rounded, rows.dh, units_, start);
      };
      if constexpr (CellType::kCarriesH) {
        multiply(FromRows{rows.dh, units_});
      } else {
        multiply(FromZero{});
      }
    }
    input_.run(rows, width_, rounded);
    team.barrier();
  }

  void add_weight_gradients(int64_t collector, int64_t depth, const int32_t* tokens,
                            const WeightGradients& sums, const Team& team) {
    const GateGradients& drecurrent = kSplit ? drecurrent_ : dinput_;
    const int64_t columns = kGates * units_;
    if (is_rounded(a_.problem.operands)) {
      input_.round(collector, depth, team);
      h_prev_.round(collector, depth, team);
      drecurrent.round(collector, depth, team);
      if constexpr (kSplit && !Input::kProjected) dinput_.round(collector, depth, team);
      team.barrier();
    }
    input_.add(collector, depth, tokens, dinput_, sums.dkernel, team);
    drecurrent.add_weight_gradients(h_prev_, collector, depth, sums.drecurrent_kernel, columns,
                                    team);
    if (sums.dbias) {
      dinput_.add_bias_gradients(collector, depth, sums.dbias, team);
      if constexpr (kSplit)
        drecurrent_.add_bias_gradients(collector, depth, sums.dbias + columns, team);
    }
  }

  Input& input() { return input_; }

 private:
  static constexpr int64_t kGates = traits_of(CellType::kCell).gates;
  static constexpr bool kHasC = traits_of(CellType::kCell).states == 2;
  static constexpr bool kSplit = CellType::kRecurrentColumn > 0;

  GateBlocks input_blocks() const {
    return {kGates, units_, a_.problem.mask_sets, CellType::kKernelRotation};
  }

  const RnnBackward& a_;
  Activations activations_;
  int64_t units_, width_;  // width: from one row of gates to the next
  RowMask mask_;
  Input input_;
  GateWeightsTransposed recurrent_kernel_;
  MaskedRows h_prev_;
  GateGradients dinput_, drecurrent_;  // drecurrent_ only where it differs
  RowScratch masked_h_, rounded_;
};

}  // namespace
}  // namespace fastrnn
