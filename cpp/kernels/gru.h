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
  // candidate h (its x W), z, r, recurrent product of h. In this order the columns of x W are one
  // piece, 0..2, and those of h_prev U are one piece, 1..3, and z and r lie where both add up.
  static constexpr int kColumns = 4;
  static constexpr int kRecurrentColumn = 1;
  static constexpr int kKernelRotation = 2;  // z, r, h -> h, z, r

  // z, r = gate(x W + b + h_prev U + b')       m = h_prev U_h + b'_h
  // candidate = act(x W_h + b_h + r m)         h = z h_prev + (1 - z) candidate
  template <class Activations>
  static void forward(const Activations& act, Vec gate[kColumns], State& state) {
    const Vec z = act.gate(gate[1]), r = act.gate(gate[2]), m = gate[3];
    const Vec candidate = act.activate(gate[0] + r * m);
    state.h = z * state.h + (1.0f - z) * candidate;
    gate[0] = candidate, gate[1] = z, gate[2] = r;
  }

  template <class Activations>
  static void backward(const Activations& act, const Vec gate[kColumns], const State& prev,
                       const State&, Vec dgate[kColumns], State& dstate) {
    const Vec candidate = gate[0], z = gate[1], r = gate[2], m = gate[3];
    const Vec dcandidate = dstate.h * (1.0f - z) * act.derivative(candidate);
    dgate[0] = dcandidate;
    dgate[1] = dstate.h * (prev.h - candidate) * act.gate_derivative(z);
    dgate[2] = dcandidate * m * act.gate_derivative(r);
    dgate[3] = dcandidate * r;
    dstate.h = dstate.h * z;
  }
};

// ---- reset_after=False: the second product waits for the reset gate, so the step is its own

// z, r = gate(x W + h_prev U + b)
// candidate = act(x W_h + (r h_prev) U_h + b_h)      h = z h_prev + (1 - z) candidate
template <class Activations, class Input>
class GruResetBeforeForward {
 public:
  GruResetBeforeForward(const RnnForward& a, Workspace& workspace)
      : a_(a),
        activations_(a.problem),
        units_(a.problem.units),
        input_(a, 3 * units_, 0, 0, 3 * units_, workspace),
        recurrent_zr_(workspace, units_, 2 * units_),
        recurrent_h_(workspace, units_, units_),
        reset_h_(workspace.floats(a.problem.threads * kRowBlock * units_)),
        scratch_(a.tape.gates ? nullptr
                              : workspace.floats(a.problem.threads * kRowBlock * 3 * units_)) {}

  void pack(const Team& team) {
    const int64_t stride = 3 * units_;
    input_.pack(team);
    for (int64_t p = team.thread; p < recurrent_zr_.panels(); p += team.threads) {
      recurrent_zr_.pack(p, a_.recurrent_kernel, stride);
    }
    for (int64_t p = team.thread; p < recurrent_h_.panels(); p += team.threads) {
      recurrent_h_.pack(p, a_.recurrent_kernel + 2 * units_, stride);
    }
  }

  void prepare(const Team& team) { input_.prepare(team); }

  void run(const Team& team, const ForwardRows& rows) const {
    const int64_t width = 3 * units_;
    float* gates = rows.gates ? rows.gates : scratch_ + team.thread * kRowBlock * width;
    float* reset_h = reset_h_ + team.thread * kRowBlock * units_;
    input_.start(rows, gates);
    recurrent_zr_.multiply<Into::accumulate>(rows.count, rows.h_prev, units_, gates, width);
    for (int64_t r = 0; r < rows.count; ++r) {
      float* z_row = gates + r * width;
      float* r_row = z_row + units_;
      for_vectors({0, units_}, [&](int64_t u, auto lanes) {
        const Vec reset = activations_.gate(lanes.read(r_row + u));
        lanes.write(z_row + u, activations_.gate(lanes.read(z_row + u)));
        lanes.write(r_row + u, reset);
        lanes.write(reset_h + r * units_ + u, reset * lanes.read(rows.h_prev + r * units_ + u));
      });
    }
    recurrent_h_.multiply<Into::accumulate>(rows.count, reset_h, units_, gates + 2 * units_, width);
    for (int64_t r = 0; r < rows.count; ++r) {
      const float* z_row = gates + r * width;
      float* candidate_row = gates + r * width + 2 * units_;
      float* sequence = offset(rows.sequence, r * rows.sequence_stride);
      for_vectors({0, units_}, [&](int64_t u, auto lanes) {
        const Vec z = lanes.read(z_row + u);
        const Vec candidate = activations_.activate(lanes.read(candidate_row + u));
        const Vec h = z * lanes.read(rows.h_prev + r * units_ + u) + (1.0f - z) * candidate;
        lanes.write(candidate_row + u, candidate);
        lanes.write(rows.h + r * units_ + u, h);
        if (sequence) lanes.write(sequence + u, h);
      });
    }
  }

 private:
  const RnnForward& a_;
  Activations activations_;
  int64_t units_;
  Input input_;
  Weights recurrent_zr_, recurrent_h_;
  float* reset_h_;
  float* scratch_;
};

template <class Activations, class Input>
class GruResetBeforeBackward {
 public:
  GruResetBeforeBackward(const RnnBackward& a, int64_t capacity, Workspace& workspace)
      : a_(a),
        activations_(a.problem),
        units_(a.problem.units),
        input_(a, capacity, 3 * units_, 0, workspace),
        recurrent_zr_(workspace, 2 * units_, units_),
        recurrent_h_(workspace, units_, units_),
        h_prev_(workspace, units_, capacity),
        reset_h_(workspace, units_, capacity),
        dgates_(workspace, 3 * units_, capacity),
        dzr_(workspace, 2 * units_, capacity),
        dcandidate_(workspace, units_, capacity),
        scratch_(workspace.floats(a.problem.threads * kRowBlock * 5 * units_)) {}

  void pack(const Team& team) {
    const int64_t stride = 3 * units_;
    input_.pack(team);
    for (int64_t p = team.thread; p < recurrent_zr_.panels(); p += team.threads) {
      recurrent_zr_.pack_transposed(p, a_.recurrent_kernel, stride);
      recurrent_h_.pack_transposed(p, a_.recurrent_kernel + 2 * units_, stride);
    }
  }

  void run(const Team& team, const BackwardRows& rows) {
    const int64_t width = 3 * units_;
    float* dgates =
        scratch_ + team.thread * kRowBlock * 5 * units_;  // [rows, 3*H]: z, r, candidate
    float* reset_h = dgates + kRowBlock * width;          // [rows, H]
    float* dreset_h = reset_h + kRowBlock * units_;       // [rows, H]
    for (int64_t r = 0; r < rows.count; ++r) {
      const float* gate_row = rows.gates + r * width;
      const float* dsequence = offset(rows.dsequence, r * rows.dsequence_stride);
      float* dgate_row = dgates + r * width;
      for_vectors({0, units_}, [&](int64_t u, auto lanes) {
        const Vec z = lanes.read(gate_row + u), reset = lanes.read(gate_row + units_ + u);
        const Vec candidate = lanes.read(gate_row + 2 * units_ + u);
        const Vec h_prev = lanes.read(rows.h_prev + r * units_ + u);
        Vec dh = lanes.read(rows.dh + r * units_ + u);
        if (dsequence) dh += lanes.read(dsequence + u);
        lanes.write(dgate_row + u, dh * (h_prev - candidate) * activations_.gate_derivative(z));
        lanes.write(dgate_row + 2 * units_ + u,
                    dh * (1.0f - z) * activations_.derivative(candidate));
        lanes.write(reset_h + r * units_ + u, reset * h_prev);
        lanes.write(rows.dh + r * units_ + u, dh * z);
      });
    }
    recurrent_h_.multiply<Into::overwrite>(rows.count, dgates + 2 * units_, width, dreset_h,
                                           units_);
    for (int64_t r = 0; r < rows.count; ++r) {
      const float* reset_row = rows.gates + r * width + units_;
      float* dgate_row = dgates + r * width;
      for_vectors({0, units_}, [&](int64_t u, auto lanes) {
        const Vec reset = lanes.read(reset_row + u),
                  h_prev = lanes.read(rows.h_prev + r * units_ + u);
        const Vec dreset = lanes.read(dreset_h + r * units_ + u);
        lanes.write(dgate_row + units_ + u, dreset * h_prev * activations_.gate_derivative(reset));
        lanes.write(rows.dh + r * units_ + u,
                    lanes.read(rows.dh + r * units_ + u) + dreset * reset);
      });
      h_prev_.put(rows.k + r, rows.h_prev + r * units_);
      reset_h_.put(rows.k + r, reset_h + r * units_);
      dgates_.put(rows.k + r, dgate_row);
      dzr_.put(rows.k + r, dgate_row);
      dcandidate_.put(rows.k + r, dgate_row + 2 * units_);
    }
    recurrent_zr_.multiply<Into::accumulate>(rows.count, dgates, width, rows.dh, units_);
    input_.run(rows, dgates, width);
  }

  void add_weight_gradients(int64_t first, int64_t depth, const Team& team) {
    const int64_t stride = 3 * units_;
    input_.add(first, depth, dgates_, team);
    add_outer_product(h_prev_, dzr_, depth, a_.drecurrent_kernel, stride, team);
    add_outer_product(reset_h_, dcandidate_, depth, a_.drecurrent_kernel + 2 * units_, stride,
                      team);
    if (a_.dbias) dgates_.add_column_sums(depth, a_.dbias, team);
  }

  void finish(const Team& team) { input_.finish(team); }

 private:
  const RnnBackward& a_;
  Activations activations_;
  int64_t units_;
  Input input_;
  Weights recurrent_zr_, recurrent_h_;  // transposed
  LeftPack h_prev_, reset_h_;
  RightPack dgates_, dzr_,
      dcandidate_;  // dzr_ and dcandidate_ are parts of dgates_, in panels of their own
  float* scratch_;
};

}  // namespace
}  // namespace fastrnn
