// The input side of a step, b + x W, and its gradients: from a tensor x, or from tokens and a
// table.
//
// A batch holds far fewer distinct tokens than positions, so with tokens each distinct row of the
// table is multiplied by the kernel once, and a step only fetches the product. Backward adds up the
// gate gradients per distinct token first and forms the gradients of kernel and table from the
// sums. Nothing of size [B, T, F] exists, and the result is the same up to the order of summation.
//
// Both kinds have, in the forward pass,
//   pack(team), then prepare(team), then start(rows, gates) at each step
// and in the backward pass
//   pack(team), then run(rows, dgates) at each step, add(first, depth, ...) after a block of steps,
//   finish(team) at the end
//
// Gate columns are those of the step, rotated against the kernel's by `rotation` (see cell_step.h).
#pragma once

#include "../api.h"
#include "gemm.h"
#include "recurrence.h"

namespace fastrnn {
namespace {

// ---- forward

// The kernel in panels, and the row of gates from which the sums start.
class InputWeights {
 public:
  // `width` floats in a row of gates; the columns 0..gates-1 are the input side, the columns from
  // `recurrent_column` on are the recurrent side, which has a bias of its own where that is not 0.
  InputWeights(const RnnForward& a, int64_t gates, int64_t rotation, int64_t recurrent_column,
               int64_t width, Workspace& workspace)
      : a_(a),
        gates_(gates),
        rotation_(rotation),
        recurrent_column_(recurrent_column),
        width_(width),
        kernel_(workspace, a.problem.features, gates),
        bias_(workspace.floats(width)) {}

  void pack(const Team& team) {
    for (int64_t p = team.thread; p < kernel_.panels(); p += team.threads)
      kernel_.pack(p, a_.kernel, gates_, rotation_);
    if (team.thread == 0) spread_bias();
  }

 protected:
  const RnnForward& a_;
  int64_t gates_, rotation_, recurrent_column_, width_;
  Weights kernel_;
  float* bias_;  // [width]

 private:
  void spread_bias() {
    copy_or_zero(bias_, nullptr, width_);
    if (!a_.bias) return;
    for (int64_t n = 0; n < gates_; ++n) bias_[n] = a_.bias[(n + rotation_) % gates_];
    if (recurrent_column_ > 0) {
      for (int64_t n = 0; n < gates_; ++n) bias_[recurrent_column_ + n] += a_.bias[gates_ + n];
    }
  }
};

class TensorInput : public InputWeights {
 public:
  using InputWeights::InputWeights;

  void prepare(const Team&) {}

  void start(const ForwardRows& rows, float* gates) const {
    for (int64_t r = 0; r < rows.count; ++r) copy_or_zero(gates + r * width_, bias_, width_);
    kernel_.multiply<Into::accumulate>(rows.count, rows.x, rows.x_stride, gates, width_);
  }
};

// Rows of the table that the batch uses, next to each other.
inline void gather(const TokenInput& tokens, int64_t features, Range range, float* rows) {
  for (int64_t d = range.begin; d < range.end; ++d) {
    copy_or_zero(rows + d * features, tokens.table + tokens.distinct[d] * features, features);
  }
}

class TokenizedInput : public InputWeights {
 public:
  TokenizedInput(const RnnForward& a, int64_t gates, int64_t rotation, int64_t recurrent_column,
                 int64_t width, Workspace& workspace)
      : InputWeights(a, gates, rotation, recurrent_column, width, workspace),
        x_(workspace.floats(a.problem.distinct * a.problem.features)),
        products_(workspace.floats(a.problem.distinct * gates)) {}

  void prepare(const Team& team) {
    const int64_t F = a_.problem.features;
    const Range mine = share(a_.problem.distinct, team);
    gather(a_.tokens, F, mine, x_);
    for (int64_t d = mine.begin; d < mine.end; ++d)
      copy_or_zero(products_ + d * gates_, bias_, gates_);
    kernel_.multiply<Into::accumulate>(mine.end - mine.begin, x_ + mine.begin * F, F,
                                       products_ + mine.begin * gates_, gates_);
    team.meet();  // a row of the batch may need any product
  }

  void start(const ForwardRows& rows, float* gates) const {
    for (int64_t r = 0; r < rows.count; ++r, gates += width_) {
      copy_or_zero(gates, products_ + rows.tokens[r] * gates_, gates_);
      copy_or_zero(gates + gates_, bias_ + gates_, width_ - gates_);
    }
  }

 private:
  float* x_;         // [D, F]
  float* products_;  // [D, gates]
};

// ---- backward

// The kernel's columns back in their own order.
inline void unrotate(float* row, int64_t columns, int64_t rotation, float* scratch) {
  copy_or_zero(scratch, row, columns);
  copy_or_zero(row, scratch + columns - rotation, rotation);
  copy_or_zero(row + rotation, scratch, columns - rotation);
}

class InputGradients {
 public:
  InputGradients(const RnnBackward& a, int64_t gates, int64_t rotation, Workspace& workspace)
      : a_(a),
        gates_(gates),
        rotation_(rotation),
        kernel_(workspace, a.dx ? gates : 0, a.problem.features),
        row_(workspace.floats(a.problem.threads * gates)) {}

 protected:
  void pack_kernel(const Team& team) {
    for (int64_t p = team.thread; a_.dx && p < kernel_.panels(); p += team.threads) {
      kernel_.pack_transposed(p, a_.kernel, gates_, rotation_);
    }
  }

  void unrotate_kernel(const Team& team) {
    if (rotation_ == 0) return;
    float* scratch = row_ + team.thread * gates_;
    const Range mine = share(a_.problem.features, team);
    for (int64_t f = mine.begin; f < mine.end; ++f)
      unrotate(a_.dkernel + f * gates_, gates_, rotation_, scratch);
    if (a_.dbias && team.thread == 0) unrotate(a_.dbias, gates_, rotation_, scratch);
  }

  const RnnBackward& a_;
  int64_t gates_, rotation_;
  Weights kernel_;  // transposed
  float* row_;      // one per thread
};

class TensorInputGradients : public InputGradients {
 public:
  TensorInputGradients(const RnnBackward& a, int64_t capacity, int64_t gates, int64_t rotation,
                       Workspace& workspace)
      : InputGradients(a, gates, rotation, workspace),
        x_(workspace, a.problem.features, capacity) {}

  void pack(const Team& team) { pack_kernel(team); }

  void run(const BackwardRows& rows, const float* dgates, int64_t width) {
    for (int64_t r = 0; r < rows.count; ++r) x_.put(rows.k + r, rows.x + r * rows.x_stride);
    if (rows.dx)
      kernel_.multiply<Into::overwrite>(rows.count, dgates, width, rows.dx, rows.dx_stride);
  }

  void add(int64_t, int64_t depth, const RightPack& dgates, const Team& team) {
    add_outer_product(x_, dgates, depth, a_.dkernel, gates_, team);
  }

  void finish(const Team& team) { unrotate_kernel(team); }

 private:
  LeftPack x_;
};

class TokenizedInputGradients : public InputGradients {
 public:
  TokenizedInputGradients(const RnnBackward& a, int64_t, int64_t gates, int64_t rotation,
                          Workspace& workspace)
      : InputGradients(a, gates, rotation, workspace),
        x_rows_(workspace.floats(a.problem.distinct * a.problem.features)),
        sums_(workspace.floats(a.problem.distinct * gates)),
        block_(smaller(kGradientBlock, a.problem.distinct)),
        x_(workspace, a.problem.features, block_),
        dproducts_(workspace, gates, block_),
        dx_rows_(workspace.floats(a.dx ? a.problem.distinct * a.problem.features : 0)) {}

  void pack(const Team& team) {
    const int64_t F = a_.problem.features;
    pack_kernel(team);
    const Range mine = share(a_.problem.distinct, team);
    gather(a_.tokens, F, mine, x_rows_);
    copy_or_zero(sums_ + mine.begin * gates_, nullptr, (mine.end - mine.begin) * gates_);
    if (a_.dx) {
      const Range table = share(a_.tokens.vocabulary, team);
      copy_or_zero(a_.dx + table.begin * F, nullptr, (table.end - table.begin) * F);
    }
  }

  void run(const BackwardRows&, const float*, int64_t) {}

  void add(int64_t first, int64_t depth, const RightPack& dgates, const Team& team) {
    dgates.add_to_rows(depth, a_.tokens.index + first, sums_, gates_, team);
  }

  // What the tensor kind does at every step, once for the sums.
  void finish(const Team& team) {
    const int64_t D = a_.problem.distinct, F = a_.problem.features;
    for (int64_t first = 0; first < D; first += block_) {
      const int64_t depth = smaller(block_, D - first);
      const Range mine = share(depth, team);
      for (int64_t k = mine.begin; k < mine.end; ++k) {
        x_.put(k, x_rows_ + (first + k) * F);
        dproducts_.put(k, sums_ + (first + k) * gates_);
      }
      if (a_.dx) {
        const int64_t begin = first + mine.begin;
        kernel_.multiply<Into::overwrite>(mine.end - mine.begin, sums_ + begin * gates_, gates_,
                                          dx_rows_ + begin * F, F);
        for (int64_t d = begin; d < first + mine.end; ++d) {
          copy_or_zero(a_.dx + a_.tokens.distinct[d] * F, dx_rows_ + d * F, F);
        }
      }
      team.meet();
      add_outer_product(x_, dproducts_, depth, a_.dkernel, gates_, team);
      team.meet();
    }
    unrotate_kernel(team);
  }

 private:
  float* x_rows_;  // [D, F]
  float* sums_;    // [D, gates]: gate gradients summed per distinct token
  int64_t block_;
  LeftPack x_;
  RightPack dproducts_;
  float* dx_rows_;  // [D, F]
};

}  // namespace
}  // namespace fastrnn
