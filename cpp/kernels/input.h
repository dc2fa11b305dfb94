// The input side of a step, b + x W, and its gradients: position by position, or by distinct token.
//
// A batch holds far fewer distinct tokens than positions, so where x is rows of a table each
// distinct row is multiplied by the kernel once, and a step starts its sums from the products.
// Backward adds up the gate gradients per distinct token first and forms the gradients of kernel
// and table from the sums. Nothing of size [B, T, F] exists, and the result is the same up to the
// order of summation. A dropout mask differs from row to row: there the distinct tokens of each row
// are multiplied once (row_tokens.h), or each position where they hardly repeat or each gate has a
// mask of its own.
//
// Both kinds have, in the forward pass,
//   pack(team), then prepare(team), then at each step
//   start(rows, gates)            writes the columns that the recurrent product does not add to
//   sums(rows, gates, column)     the values that its sums start from
// and in the backward pass
//   pack(team), then run(rows, width, rounded) at each step, round(collector, depth, team) and
//   add(collector, depth, tokens, dgates, dkernel, team) after a block of steps; at the end
//   finish(team), or where row groups have walked finish_part(part, thread, dgates, dkernel) for
//   each of parts(), then unrotate_kernel(team)
//
// Gate columns are in the order of the step: the kernel's, rotated by `rotation` gates (see
// cell_step.h).
#pragma once

#include "../api.h"
#include "gates.h"
#include "gemm.h"
#include "recurrence.h"
#include "token_positions.h"

namespace fastrnn {
namespace {

// ---- forward

// The columns of a step's row of gates: G*H of the input side from 0, G*H of the recurrent side
// from `recurrent_column`. If that is not 0, the recurrent side has a bias of its own.
struct GateRow {
  GateBlocks input;
  int64_t recurrent_column, width;
};

class InputWeights {
 public:
  InputWeights(const RnnForward& a, GateRow row, Workspace& workspace)
      : a_(a),
        row_(row),
        kernel_(workspace, a.problem.operands, a.problem.features, row.input),
        bias_(workspace.floats(row.width)) {}

  void pack(const Team& team) {
    kernel_.pack(team, a_.kernel, row_.input.columns());
    if (team.thread == 0) spread_bias();
  }

 protected:
  const RnnForward& a_;
  GateRow row_;
  GateWeights kernel_;
  float* bias_;  // [width]: the row from which all sums start

 private:
  void spread_bias() {
    copy_or_zero(bias_, nullptr, row_.width);
    if (!a_.bias) return;
    const int64_t columns = row_.input.columns(), rotation = row_.input.rotation * row_.input.units;
    for (int64_t n = 0; n < columns; ++n) bias_[n] = a_.bias[(n + rotation) % columns];
    if (row_.recurrent_column > 0) add(bias_ + row_.recurrent_column, a_.bias + columns, columns);
  }
};

// The x of a position.
template <class Pass>
const float* x_row(const Pass& a, const int64_t* slot, const int32_t* token, int64_t r) {
  const int64_t F = a.problem.features;
  return a.x ? a.x + slot[r] * F : a.tokens.table + a.tokens.distinct[token[r]] * F;
}

class PositionInput : public InputWeights {
 public:
  PositionInput(const RnnForward& a, GateRow row, Workspace& workspace)
      : InputWeights(a, row, workspace),
        mask_{a.x_mask, a.plan.row, a.problem.mask_sets, a.problem.features},
        x_(workspace, a.problem, a.problem.features),
        masked_x_(workspace, a.problem, operand_columns(a.problem.operands, a.problem.features),
                  copies()) {}

  void prepare(const Team&) {}

  void start(const ForwardRows& rows, float* gates) const {
    const Team& team = rows.walkers.team;
    const int64_t F = a_.problem.features, columns = row_.input.columns();
    float *x = x_.of(rows.walkers), *masked = copies() ? masked_x_.of(rows.walkers) : x;
    const Range mine = share(rows.count, team);
    for (int64_t r = mine.begin; r < mine.end; ++r)
      copy_or_zero(x + r * F, x_row(a_, rows.slot, rows.token, r), F);
    team.barrier();
    kernel_.multiply(team, rows.count, x, F, mask_, rows.rank, masked, gates, row_.width,
                     FromRows{bias_, 0});
    for (int64_t r = mine.begin; r < mine.end && columns < row_.width; ++r)
      copy_or_zero(gates + r * row_.width + columns, bias_ + columns, row_.width - columns);
    team.barrier();
  }

  FromRows sums(const ForwardRows&, const float* gates, int64_t column) const {
    return {gates + column, row_.width};
  }

 private:
  bool copies() const { return a_.x_mask || is_rounded(a_.problem.operands); }

  RowMask mask_;
  RowScratch x_, masked_x_;  // masked or rounded
};

// Copies the rows of the table that the batch uses next to each other.
inline void gather(const TokenInput& tokens, int64_t features, Range range, float* rows) {
  for (int64_t d = range.begin; d < range.end; ++d) {
    copy_or_zero(rows + d * features, tokens.table + tokens.distinct[d] * features, features);
  }
}

class ProjectedInput : public InputWeights {
 public:
  ProjectedInput(const RnnForward& a, GateRow row, Workspace& workspace)
      : InputWeights(a, row, workspace),
        x_(workspace.floats(a.problem.distinct * a.problem.features)),
        rounded_x_(workspace.floats(
            is_rounded(a.problem.operands)
                ? a.problem.distinct * operand_stride(a.problem.operands, a.problem.features) +
                      operand_slack(a.problem.operands, a.problem.features)
                : 0)),
        products_(workspace.floats(a.problem.distinct * row.width)) {}

  void prepare(const Team& team) {
    const int64_t F = a_.problem.features, columns = row_.input.columns();
    const Range mine = share(a_.problem.distinct, team);
    // Not all at once, so that the sums stay in L2 while parts are added to them.
    for_row_blocks(mine, 2 * kRowBlock, [&](int64_t first, int64_t count) {
      gather(a_.tokens, F, {first, first + count}, x_);
      kernel_.multiply(kAlone, count, x_ + first * F, F, RowMask{}, 0,
                       rounded_x_ + first * operand_stride(a_.problem.operands, F),
                       products_ + first * row_.width, row_.width, FromRows{bias_, 0});
    });
    for (int64_t d = mine.begin; d < mine.end && columns < row_.width; ++d)
      copy_or_zero(products_ + d * row_.width + columns, bias_ + columns, row_.width - columns);
  }

  void start(const ForwardRows& rows, float* gates) const {
    const Range mine = share(rows.count, rows.walkers.team);
    for (int64_t r = mine.begin; r < mine.end && row_.recurrent_column > 0; ++r) {
      copy_or_zero(gates + r * row_.width, products_ + rows.token[r] * row_.width,
                   row_.recurrent_column);
    }
  }

  FromNumbered sums(const ForwardRows& rows, const float*, int64_t column) const {
    return {products_ + column, row_.width, rows.token};
  }

 private:
  float *x_, *rounded_x_;  // [D, F]
  float* products_;        // [D, width]
};

// ---- backward

// Where row groups leave the gate gradients of all positions: those of the rows, then those of the
// prefix.
struct Dgates {
  const float *rows, *prefix;
  int64_t positions, stride;

  const float* operator()(int64_t position) const {
    return position < positions ? rows + position * stride
                                : prefix + (position - positions) * stride;
  }
};

class InputGradients {
 public:
  // `blocks` describes the gate gradients that `add` takes.
  InputGradients(const RnnBackward& a, GateBlocks blocks, GateBlocks kernel_blocks,
                 Workspace& workspace)
      : a_(a),
        blocks_(blocks),
        kernel_(workspace, a.problem.operands, a.problem.features, kernel_blocks, a.dx != nullptr),
        row_(workspace.floats(a.problem.threads * blocks.columns())),
        token_positions_(a, workspace) {}

  // Brings the columns of the kernel's gradient back into the order of the kernel.
  void unrotate_kernel(const Team& team) {
    if (blocks_.inner_rotation() == 0) return;
    float* scratch = row_ + team.thread * blocks_.columns();
    const Range mine = share(a_.problem.features, team);
    for (int64_t f = mine.begin; f < mine.end; ++f)
      unrotate(a_.dkernel + f * blocks_.columns(), scratch);
    if (a_.dbias && team.thread == 0) unrotate(a_.dbias, scratch);
  }

 protected:
  void list_tokens(const Team& team) {
    if (team.thread + 1 == team.threads) token_positions_.list();
  }
  void pack_kernel(const Team& team) { kernel_.pack(team, a_.kernel, blocks_.columns()); }

  void clear_dx(const Team& team, int64_t rows) {
    const int64_t F = a_.problem.features;
    const Range mine = share(rows, team);
    copy_or_zero(a_.dx + mine.begin * F, nullptr, (mine.end - mine.begin) * F);
  }

  const RnnBackward& a_;
  GateBlocks blocks_;
  GateWeightsTransposed kernel_;

 private:
  void unrotate(float* row, float* scratch) const {
    const int64_t columns = blocks_.columns(), rotation = blocks_.inner_rotation();
    copy_or_zero(scratch, row, columns);
    copy_or_zero(row, scratch + columns - rotation, rotation);
    copy_or_zero(row + rotation, scratch, columns - rotation);
  }

  float* row_;  // [G*H] per thread

 protected:
  TokenPositions token_positions_;
};

class PositionInputGradients : public InputGradients {
 public:
  PositionInputGradients(const RnnBackward& a, const Collecting& how, GateBlocks blocks,
                         Workspace& workspace)
      : InputGradients(a, blocks,
                       {blocks.gates, blocks.units, block_count(a.problem.masked_x, a.problem),
                        blocks.rotation},
                       workspace),
        mask_{a.x_mask, a.plan.row, a.problem.mask_sets, a.problem.features},
        x_(workspace, a.problem.features, how, block_count(a.problem.masked_x, a.problem),
           a.problem.masked_x),
        masked_x_(workspace, a.problem, a.problem.features, a.x_mask != nullptr),
        dx_(workspace, a.problem, a.problem.features, a.dx && a.x),
        grouped_(!how.packed),
        dx_rows_(workspace.floats(a.dx && !a.x ? (grouped_ ? a.problem.positions : how.capacity) *
                                                     a.problem.features
                                               : 0)) {}

  void pack(const Team& team) {
    const RnnProblem& p = a_.problem;
    pack_kernel(team);
    if (a_.dx) list_tokens(team);
    // The gradient is zero for steps that are not walked and tokens that do not occur.
    if (a_.dx && !a_.x) clear_dx(team, a_.tokens.vocabulary);
    if (a_.dx && a_.x && a_.steps.mask && p.positions < p.batch * p.time)
      clear_dx(team, p.batch * p.time);
  }

  static constexpr bool kProjected = false;

  // rounded: scratch for the rows' gate gradients as operands.
  void run(const BackwardRows& rows, int64_t width, float* rounded) {
    const Team& team = rows.walkers.team;
    const int64_t F = a_.problem.features;
    float* masked = masked_x_.of(rows.walkers);
    const Range mine = share(rows.count, team);
    for (int64_t r = mine.begin; r < mine.end; ++r) {
      x_.put({rows.collector, rows.k + r}, x_row(a_, rows.slot, rows.token, r), mask_,
             rows.rank + r, masked + (a_.x_mask ? r * F : 0));
    }
    if (!a_.dx) return;
    float* dx = a_.x ? dx_.of(rows.walkers) : dx_rows_ + (grouped_ ? rows.position : rows.k) * F;
    team.barrier();
    kernel_.multiply(team, rows.count, rows.dgates, width, mask_, rows.rank, masked, rounded, dx, F,
                     FromZero{});
    if (!a_.x) return;
    team.barrier();
    for (int64_t r = mine.begin; r < mine.end; ++r)
      copy_or_zero(a_.dx + rows.slot[r] * F, dx + r * F, F);
  }

  void round(int64_t collector, int64_t depth, const Team& team) const {
    x_.round(collector, depth, team);
  }

  void add(int64_t collector, int64_t depth, const int32_t* tokens, const GateGradients& dgates,
           float* dkernel, const Team& team) {
    const int64_t F = a_.problem.features;
    dgates.add_weight_gradients(x_, collector, depth, dkernel, blocks_.columns(), team);
    if (!a_.dx || a_.x || grouped_) return;
    // Each thread adds some columns, row after row, so the order is the same for any number of
    // them.
    const Range mine = share(F, team, kLanes);
    for (int64_t k = 0; k < depth; ++k) {
      fastrnn::add(a_.dx + a_.tokens.distinct[tokens[k]] * F + mine.begin,
                   dx_rows_ + k * F + mine.begin, mine.end - mine.begin);
    }
  }

  void finish(const Team& team) { unrotate_kernel(team); }

  int64_t parts() const { return a_.dx && !a_.x ? token_parts(a_.problem) : 0; }

  void finish_part(int64_t part, int, const Dgates&, float*) {
    const int64_t F = a_.problem.features;
    const Range tokens = share(a_.problem.distinct, {int(part), int(parts()), nullptr});
    for (int64_t d = tokens.begin; d < tokens.end; ++d) {
      token_positions_.sum_rows(
          d, F, [&](int64_t position) { return dx_rows_ + position * F; },
          a_.dx + a_.tokens.distinct[d] * F);
    }
  }

 private:
  RowMask mask_;
  MaskedRows x_;
  RowScratch masked_x_, dx_;
  bool grouped_;
  // dx for a table, whose rows several threads may add to: [capacity, F], in groups [positions, F]
  float* dx_rows_;
};

class ProjectedInputGradients : public InputGradients {
 public:
  ProjectedInputGradients(const RnnBackward& a, const Collecting& walking, GateBlocks blocks,
                          Workspace& workspace)
      : InputGradients(a, blocks, {blocks.gates, blocks.units, 1, blocks.rotation}, workspace),
        grouped_(!walking.packed),
        block_(smaller(grouped_ ? kTokensInWork : kGradientBlock, a.problem.distinct)),
        stride_(gate_stride(blocks.gates, blocks.units)),
        rows_(grouped_ ? a.problem.threads * block_ : a.problem.distinct),
        x_rows_(workspace.floats(grouped_ ? 0 : a.problem.distinct * a.problem.features)),
        sums_(workspace.floats(rows_ * stride_ +
                               operand_slack(a.problem.operands, blocks.columns()))),
        x_(workspace, a.problem.features, of_tokens(walking), 1, false),
        dproducts_(workspace, blocks, of_tokens(walking)),
        dx_rows_(workspace.floats(a.dx ? rows_ * a.problem.features : 0)) {}

  void pack(const Team& team) {
    pack_kernel(team);
    list_tokens(team);
    if (a_.dx) clear_dx(team, a_.tokens.vocabulary);
    if (grouped_) return;
    const Range mine = share(a_.problem.distinct, team);
    gather(a_.tokens, a_.problem.features, mine, x_rows_);
    copy_or_zero(sums_ + mine.begin * stride_, nullptr, (mine.end - mine.begin) * stride_);
  }

  static constexpr bool kProjected = true;

  void run(const BackwardRows&, int64_t, float*) {}
  void round(int64_t, int64_t, const Team&) const {}

  void add(int64_t, int64_t depth, const int32_t* tokens, const GateGradients& dgates, float*,
           const Team& team) {
    if (!grouped_) dgates.add_to_rows(depth, tokens, sums_, stride_, team);
  }

  int64_t parts() const { return token_parts(a_.problem); }

  // The products that PositionInputGradients computes at each step, once, from the sums of a part
  // of the tokens.
  void finish_part(int64_t part, int thread, const Dgates& dgates, float* dkernel) {
    const int64_t columns = blocks_.columns(), F = a_.problem.features;
    const Range tokens = share(a_.problem.distinct, {int(part), int(parts()), nullptr});
    float* sums = sums_ + thread * block_ * stride_;
    for (int64_t first = tokens.begin; first < tokens.end; first += block_) {
      const int64_t depth = smaller(block_, tokens.end - first);
      for (int64_t k = 0; k < depth; ++k) {
        token_positions_.sum_rows(first + k, columns, dgates, sums + k * stride_);
        x_.put({thread, k}, a_.tokens.table + a_.tokens.distinct[first + k] * F, RowMask{}, 0,
               nullptr);
        dproducts_.put({thread, k}, sums + k * stride_);
      }
      x_.round(thread, depth, kAlone);
      dproducts_.round(thread, depth, kAlone);
      dproducts_.add_weight_gradients(x_, thread, depth, dkernel, columns, kAlone);
      if (a_.dx) add_dx(first, depth, sums, dx_rows_ + thread * block_ * F);
    }
  }

  // The same by the whole team.
  void finish(const Team& team) {
    const int64_t D = a_.problem.distinct, F = a_.problem.features, columns = blocks_.columns();
    for (int64_t first = 0; first < D; first += block_) {
      const int64_t depth = smaller(block_, D - first);
      const Range mine = share(depth, team);
      for (int64_t k = mine.begin; k < mine.end; ++k) {
        x_.put({0, k}, x_rows_ + (first + k) * F, RowMask{}, 0, nullptr);
        dproducts_.put({0, k}, sums_ + (first + k) * stride_);
      }
      if (a_.dx) {
        const int64_t begin = first + mine.begin;
        add_dx(begin, mine.end - mine.begin, sums_ + begin * stride_, dx_rows_ + begin * F);
      }
      team.barrier();
      if (is_rounded(a_.problem.operands)) {
        x_.round(0, depth, team);
        dproducts_.round(0, depth, team);
        team.barrier();
      }
      dproducts_.add_weight_gradients(x_, 0, depth, a_.dkernel, columns, team);
      team.barrier();
    }
    unrotate_kernel(team);
  }

 private:
  Collecting of_tokens(const Collecting& walking) const {
    return {walking.packed, walking.collectors, block_, walking.operands};
  }

  // The rows of dx of tokens first, first + 1, ... Their sums may be overwritten.
  void add_dx(int64_t first, int64_t count, float* sums, float* scratch) {
    const int64_t F = a_.problem.features;
    kernel_.multiply(kAlone, count, sums, stride_, RowMask{}, 0, nullptr, sums, scratch, F,
                     FromZero{});
    for (int64_t r = 0; r < count; ++r)
      copy_or_zero(a_.dx + a_.tokens.distinct[first + r] * F, scratch + r * F, F);
  }

  bool grouped_;
  int64_t block_, stride_;
  int64_t rows_;   // [R]: the distinct tokens, or of each thread those that it has in work
  float* x_rows_;  // [D, F]
  float* sums_;    // [R, stride]: gate gradients summed per distinct token
  MaskedRows x_;
  GateGradients dproducts_;
  float* dx_rows_;  // [R, F]
};

}  // namespace
}  // namespace fastrnn
