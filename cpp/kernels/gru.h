// GRU (Cho et al., "Learning phrase representations using RNN encoder-decoder", 2014), in both
// variants: the reset gate after the recurrent product (Keras's default, as in cuDNN) or before it
// (as published).
#pragma once

#include "cell_step.h"

namespace fastrnn {
namespace {

// ---- reset_after=True

struct Gru {
  static constexpr Cell kCell = Cell::gru;
  // x W of the candidate, z, r, h_prev U of the candidate. In this order x W is columns 0..2 and
  // h_prev U is columns 1..3, and both are added in the columns of z and r.
  static constexpr int kColumns = 4;
  static constexpr int kRecurrentColumn = 1;
  static constexpr int kKernelRotation = 2;  // z, r, h -> h, z, r
  static constexpr bool kCarriesH = true;

  // z, r = gate(x W + b + h_prev U + b')       m = h_prev U_h + b'_h
  // candidate = act(x W_h + b_h + r m)         h = z h_prev + (1 - z) candidate
  template <class Activations, class V>
  static FASTRNN_INLINE void forward(const Activations& act, V gate[kColumns], State<V>& state) {
    const V z = act.gate(gate[1]), r = act.gate(gate[2]), m = gate[3];
    const V candidate = act.activate(gate[0] + r * m);
    state.h = z * state.h + (1.0f - z) * candidate;
    gate[0] = candidate, gate[1] = z, gate[2] = r;
  }

  template <class Activations, class V>
  static FASTRNN_INLINE void backward(const Activations& act, const V gate[kColumns],
                                      const State<V>& prev, const State<V>&, V dgate[kColumns],
                                      State<V>& dstate) {
    const V candidate = gate[0], z = gate[1], r = gate[2], m = gate[3];
    const V dcandidate = dstate.h * (1.0f - z) * act.derivative(candidate);
    dgate[0] = dcandidate;
    dgate[1] = dstate.h * (prev.h - candidate) * act.gate_derivative(z);
    dgate[2] = dcandidate * m * act.gate_derivative(r);
    dgate[3] = dcandidate * r;
    dstate.h = dstate.h * z;
  }
};

// ---- reset_after=False
//
// z, r = gate(x W + h_prev U + b)
// candidate = act(x W_h + (r h_prev) U_h + b_h)      h = z h_prev + (1 - z) candidate
//
// The candidate's product needs the reset gate, so a step has two recurrent products one after the
// other, and step classes of its own.

// The product for z and r.
inline GateBlocks reset_before_zr_blocks(const RnnProblem& p) {
  return {2, p.units, p.masked_h && p.mask_sets > 1 ? 2 : 1, 0};
}

template <class Activations, class Input>
class GruResetBeforeForward {
 public:
  GruResetBeforeForward(const RnnForward& a, Workspace& workspace)
      : a_(a),
        activations_(a.problem),
        units_(a.problem.units),
        mask_{a.h_mask, a.plan.row, a.problem.mask_sets, units_},
        input_(
            a,
            {{3, units_, block_count(a.problem.masked_x, a.problem), 0}, 0, gate_stride(3, units_)},
            workspace),
        recurrent_zr_(workspace, a.problem.operands, units_, reset_before_zr_blocks(a.problem)),
        recurrent_h_(workspace, a.problem.operands, units_, {1, units_, 1, 0}),
        masked_h_(workspace, a.problem, operand_columns(a.problem.operands, units_)),
        reset_h_(workspace, a.problem, units_),
        gates_(workspace, a.problem, gate_stride(3, units_)) {}

  void pack(const Team& team) {
    input_.pack(team);
    recurrent_zr_.pack(team, a_.recurrent_kernel, 3 * units_);
    recurrent_h_.pack(team, a_.recurrent_kernel + 2 * units_, 3 * units_);
  }

  void prepare(const Team& team) { input_.prepare(team); }

  void run(const ForwardRows& rows) const {
    const Team& team = rows.walkers.team;
    const int64_t width = gate_stride(3, units_);
    float* gates = rows.gates ? rows.gates : gates_.of(rows.walkers);
    float *masked_h = masked_h_.of(rows.walkers), *reset_h = reset_h_.of(rows.walkers);
    const Range mine = share(rows.count, team);
    input_.start(rows, gates);
    recurrent_zr_.multiply(team, rows.count, rows.h_prev, units_, mask_, rows.rank, masked_h, gates,
                           width, input_.sums(rows, gates, 0));
    team.barrier();
    for (int64_t r = mine.begin; r < mine.end; ++r) {
      float* z_row = gates + r * width;
      float* r_row = z_row + units_;
      const float* h_row =
          mask_.apply(rows.h_prev + r * units_, rows.rank + r, 2, masked_h + r * units_);
      for_vectors({0, units_}, [&](int64_t u, auto lanes) {
        const Vec reset = activations_.gate(lanes.read(r_row + u));
        lanes.write(z_row + u, activations_.gate(lanes.read(z_row + u)));
        lanes.write(r_row + u, reset);
        lanes.write(reset_h + r * units_ + u, reset * lanes.read(h_row + u));
      });
    }
    team.barrier();
    recurrent_h_.multiply(team, rows.count, reset_h, units_, RowMask{}, 0, masked_h,
                          gates + 2 * units_, width, input_.sums(rows, gates, 2 * units_));
    team.barrier();
    for (int64_t r = mine.begin; r < mine.end; ++r) {
      const float* z_row = gates + r * width;
      float* candidate_row = gates + r * width + 2 * units_;
      float* sequence = offset(a_.sequence, rows.slot[r] * units_);
      for_vectors({0, units_}, [&](int64_t u, auto lanes) {
        const Vec z = lanes.read(z_row + u);
        const Vec candidate = activations_.activate(lanes.read(candidate_row + u));
        const Vec h = z * lanes.read(rows.h_prev + r * units_ + u) + (1.0f - z) * candidate;
        lanes.write(candidate_row + u, candidate);
        lanes.write(rows.h + r * units_ + u, h);
        if (sequence) lanes.write(sequence + u, h);
      });
    }
    team.barrier();
  }

 private:
  const RnnForward& a_;
  Activations activations_;
  int64_t units_;
  RowMask mask_;
  Input input_;
  GateWeights recurrent_zr_, recurrent_h_;
  RowScratch masked_h_, reset_h_;
  RowScratch gates_;  // where no tape keeps them
};

template <class Activations, class Input>
class GruResetBeforeBackward {
 public:
  GruResetBeforeBackward(const RnnBackward& a, const Collecting& how, Workspace& workspace)
      : a_(a),
        activations_(a.problem),
        units_(a.problem.units),
        mask_{a.h_mask, a.plan.row, a.problem.mask_sets, units_},
        input_(a, how, {3, units_, a.problem.mask_sets, 0}, workspace),
        recurrent_zr_(workspace, a.problem.operands, units_, reset_before_zr_blocks(a.problem)),
        recurrent_h_(workspace, a.problem.operands, units_, {1, units_, 1, 0}),
        h_prev_(workspace, units_, how, reset_before_zr_blocks(a.problem).count,
                a.problem.masked_h),
        reset_h_(workspace, units_, how, 1, true),
        dgates_(workspace, {3, units_, a.problem.mask_sets, 0}, how),
        dzr_(workspace, reset_before_zr_blocks(a.problem), how),
        dcandidate_(workspace, {1, units_, 1, 0}, how),
        masked_h_scratch_(workspace, a.problem, units_),
        reset_h_scratch_(workspace, a.problem, units_),
        dreset_h_(workspace, a.problem, units_),
        rounded_(workspace, a.problem, operand_columns(a.problem.operands, 3 * units_),
                 is_rounded(a.problem.operands)) {}

  void pack(const Team& team) {
    input_.pack(team);
    recurrent_zr_.pack(team, a_.recurrent_kernel, 3 * units_);
    recurrent_h_.pack(team, a_.recurrent_kernel + 2 * units_, 3 * units_);
  }

  void run(const BackwardRows& rows) {
    const Team& team = rows.walkers.team;
    const int64_t width = gate_stride(3, units_);
    float* masked_h = masked_h_scratch_.of(rows.walkers);
    float* reset_h = reset_h_scratch_.of(rows.walkers);
    float *dreset_h = dreset_h_.of(rows.walkers), *rounded = rounded_.of(rows.walkers);
    float* dgates = rows.dgates;
    const Range mine = share(rows.count, team);
    for (int64_t r = mine.begin; r < mine.end; ++r) {
      const float* gate_row = rows.gates + r * width;
      const float* h_row = rows.h_prev + r * units_;
      float* masked = masked_h + r * units_;
      const float* masked_row = mask_.apply(h_row, rows.rank + r, 2, masked);
      const float* dh_added =
          offset(rows.dh_added, (rows.dh_added_index ? rows.dh_added_index[r] : r) * units_);
      float* dgate_row = dgates + r * width;
      for_vectors({0, units_}, [&](int64_t u, auto lanes) {
        const Vec z = lanes.read(gate_row + u), reset = lanes.read(gate_row + units_ + u);
        const Vec candidate = lanes.read(gate_row + 2 * units_ + u);
        Vec dh = lanes.read(rows.dh + r * units_ + u);
        if (dh_added) dh += lanes.read(dh_added + u);
        lanes.write(dgate_row + u,
                    dh * (lanes.read(h_row + u) - candidate) * activations_.gate_derivative(z));
        lanes.write(dgate_row + 2 * units_ + u,
                    dh * (1.0f - z) * activations_.derivative(candidate));
        lanes.write(reset_h + r * units_ + u, reset * lanes.read(masked_row + u));
        lanes.write(rows.dh + r * units_ + u, dh * z);
      });
    }
    rows.fetch_next(mine);
    team.barrier();
    recurrent_h_.multiply(team, rows.count, dgates + 2 * units_, width, RowMask{}, 0, nullptr,
                          rounded, dreset_h, units_, FromZero{});
    team.barrier();
    for (int64_t r = mine.begin; r < mine.end; ++r) {
      const float* reset_row = rows.gates + r * width + units_;
      const float* h_row = rows.h_prev + r * units_;
      float* masked = masked_h + r * units_;
      const float* masked_row = mask_.apply(h_row, rows.rank + r, 2, masked);
      float *dgate_row = dgates + r * width, *dreset_row = dreset_h + r * units_;
      for_vectors({0, units_}, [&](int64_t u, auto lanes) {
        const Vec reset = lanes.read(reset_row + u), dreset = lanes.read(dreset_row + u);
        lanes.write(dgate_row + units_ + u,
                    dreset * lanes.read(masked_row + u) * activations_.gate_derivative(reset));
        lanes.write(dreset_row + u, dreset * reset);
      });
      add(rows.dh + r * units_, mask_.apply(dreset_row, rows.rank + r, 2, masked), units_);
      const Collected at{rows.collector, rows.k + r};
      h_prev_.put(at, h_row, mask_, rows.rank + r, masked);
      reset_h_.put(at, reset_h + r * units_, RowMask{}, 0, nullptr);
      dgates_.put(at, dgate_row);
      dzr_.put(at, dgate_row);
      dcandidate_.put(at, dgate_row + 2 * units_);
    }
    team.barrier();
    recurrent_zr_.multiply(team, rows.count, dgates, width, mask_, rows.rank, masked_h, rounded,
                           rows.dh, units_, FromRows{rows.dh, units_});
    input_.run(rows, width, rounded);
    team.barrier();
  }

  void add_weight_gradients(int64_t collector, int64_t depth, const int32_t* tokens,
                            const WeightGradients& sums, const Team& team) {
    const int64_t stride = 3 * units_;
    if (is_rounded(a_.problem.operands)) {
      input_.round(collector, depth, team);
      h_prev_.round(collector, depth, team);
      reset_h_.round(collector, depth, team);
      dzr_.round(collector, depth, team);
      dcandidate_.round(collector, depth, team);
      if constexpr (!Input::kProjected) dgates_.round(collector, depth, team);
      team.barrier();
    }
    input_.add(collector, depth, tokens, dgates_, sums.dkernel, team);
    dzr_.add_weight_gradients(h_prev_, collector, depth, sums.drecurrent_kernel, stride, team);
    dcandidate_.add_weight_gradients(reset_h_, collector, depth,
                                     sums.drecurrent_kernel + 2 * units_, stride, team);
    if (sums.dbias) dgates_.add_bias_gradients(collector, depth, sums.dbias, team);
  }

  Input& input() { return input_; }

 private:
  const RnnBackward& a_;
  Activations activations_;
  int64_t units_;
  RowMask mask_;
  Input input_;
  GateWeightsTransposed recurrent_zr_, recurrent_h_;
  MaskedRows h_prev_, reset_h_;
  // dzr_ and dcandidate_ are columns of dgates_, packed again as panels of their own.
  GateGradients dgates_, dzr_, dcandidate_;
  RowScratch masked_h_scratch_, reset_h_scratch_, dreset_h_, rounded_;
};

}  // namespace
}  // namespace fastrnn
