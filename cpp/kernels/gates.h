// The two products of a step and their gradients, over all gates: rows a [R, D] times weights
// [D, G*H], where dropout masks may have thinned the rows.
//
// Usually the columns of all gates are one block. Where each gate has a dropout mask of its own
// (Keras's way with recurrent_dropout), each is a block with its own left factor.
#pragma once

#include "../api.h"
#include "gemm.h"
#include "recurrence.h"

namespace fastrnn {
namespace {

constexpr int kMaxBlocks = 4;

struct GateBlocks {
  int64_t gates, units;
  int64_t count;     // 1, or `gates`
  int64_t rotation;  // by how many gates the columns are rotated against those of the source

  int64_t columns() const { return gates * units; }
  int64_t width() const { return columns() / count; }
  // The gate whose columns the block holds; 0 where it holds all.
  int64_t gate(int64_t block) const { return count == 1 ? 0 : (block + rotation) % gates; }
  // A rotation that is inside the one block.
  int64_t inner_rotation() const { return count == 1 ? rotation * units : 0; }
};

// A dropout mask [B, 1 or G, D] as the rows of a step see it.
struct RowMask {
  const float* mask;   // null: none
  const int32_t* row;  // batch row of each rank
  int64_t sets, width;

  const float* of(int64_t rank, int64_t gate) const {
    return mask + (row[rank] * sets + (sets == 1 ? 0 : gate)) * width;
  }
  // Row `rank` with the gate's mask: `x` itself, or the product in `scratch`.
  const float* apply(const float* x, int64_t rank, int64_t gate, float* scratch) const {
    if (!mask) return x;
    const float* m = of(rank, gate);
    for_vectors({0, width}, [&](int64_t i, auto lanes) {
      lanes.write(scratch + i, lanes.read(x + i) * lanes.read(m + i));
    });
    return scratch;
  }
};

// One RowMask's blocks: a single one without a mask of each gate's own.
inline int64_t block_count(bool masked, const RnnProblem& p) { return masked ? p.mask_sets : 1; }

class GateWeights {
 public:
  GateWeights(Workspace& workspace, Operands operands, int64_t depth, GateBlocks blocks)
      : operands_(operands), blocks_(blocks), depth_(depth) {
    for (int64_t b = 0; b < blocks.count; ++b)
      weights_[b] = Weights(workspace, operands, depth, blocks.width());
  }

  void pack(const Team& team, const float* source, int64_t stride) {
    for (int64_t b = 0; b < blocks_.count; ++b) {
      weights_[b].for_panels(team, [&](int64_t p) {
        weights_[b].pack(p, source + blocks_.gate(b) * blocks_.units, stride,
                         blocks_.inner_rotation());
      });
    }
  }

  // c [rows, G*H] = start + (a o mask) * this, for the rows of ranks first, first + 1, ...
  // `scratch` holds the rows where there is a mask or they are rounded (operand_columns). Without a
  // mask it may be `a` itself, but not where tiles multiply.
  template <class Start>
  void multiply(const Team& team, int64_t rows, const float* a, int64_t a_stride,
                const RowMask& mask, int64_t first, float* scratch, float* c, int64_t c_stride,
                Start start) const {
    const bool copies = mask.mask || is_rounded(operands_);
    const int64_t stride = copies ? operand_stride(operands_, depth_) : a_stride;
    for (int64_t b = 0; b < blocks_.count; ++b) {
      if (copies) {
        if (b > 0) team.barrier();  // nobody needs the scratch of the block before
        const Range mine = share(rows, team);
        for (int64_t r = mine.begin; r < mine.end; ++r) {
          const float* row = a + r * a_stride;
          float* copy = scratch + r * stride;
          if (is_rounded(operands_)) {
            round_row(operands_, row, mask.mask ? mask.of(first + r, blocks_.gate(b)) : nullptr,
                      depth_, copy);
          } else {
            mask.apply(row, first + r, blocks_.gate(b), copy);
          }
        }
        team.barrier();
      }
      const int64_t column = b * blocks_.width();
      weights_[b].multiply(team, rows, copies ? scratch : a, stride, c + column, c_stride,
                           start.tile(0, column));
    }
  }

 private:
  Operands operands_;
  GateBlocks blocks_;
  int64_t depth_;
  Weights weights_[kMaxBlocks];
};

// The same weights transposed, for the gradient of the rows.
class GateWeightsTransposed {
 public:
  // wanted: false where nobody asks for that gradient.
  GateWeightsTransposed(Workspace& workspace, Operands operands, int64_t depth, GateBlocks blocks,
                        bool wanted = true)
      : operands_(operands), blocks_(blocks), depth_(depth), wanted_(wanted) {
    for (int64_t b = 0; b < blocks.count && wanted; ++b)
      weights_[b] = TransposedWeights(workspace, operands, blocks.width(), depth);
  }

  void pack(const Team& team, const float* source, int64_t stride) {
    for (int64_t b = 0; b < blocks_.count && wanted_; ++b) {
      weights_[b].pack(team, source + blocks_.gate(b) * blocks_.units, stride,
                       blocks_.inner_rotation());
    }
  }

  // da [rows, D] = start + (dc * this^T) o mask, where start is da or zero. `scratch` holds [rows,
  // depth] where there is a mask, `rounded` the rows where they are rounded (operand_columns); that
  // may be `dc` itself if there is one block, and its stride a gate_stride.
  template <class Start>
  void multiply(const Team& team, int64_t rows, const float* dc, int64_t dc_stride,
                const RowMask& mask, int64_t first, float* scratch, float* rounded, float* da,
                int64_t da_stride, Start start) const {
    const int64_t width = blocks_.width(), rounded_stride = operand_stride(operands_, width);
    const Range mine = share(rows, team);
    for (int64_t b = 0; b < blocks_.count; ++b) {
      const float* dblock = dc + b * width;
      int64_t stride = dc_stride;
      if (b > 0) team.barrier();
      if (is_rounded(operands_)) {
        for (int64_t r = mine.begin; r < mine.end; ++r)
          round_row(operands_, dblock + r * dc_stride, nullptr, width,
                    rounded + r * rounded_stride);
        team.barrier();
        dblock = rounded, stride = rounded_stride;
      }
      if (!mask.mask) {
        weights_[b].multiply(team, rows, dblock, stride, da, da_stride, start);
        continue;
      }
      weights_[b].multiply(team, rows, dblock, stride, scratch, depth_, FromZero{});
      team.barrier();
      for (int64_t r = mine.begin; r < mine.end; ++r) {
        const float *m = mask.of(first + r, blocks_.gate(b)), *from = scratch + r * depth_;
        float* to = da + r * da_stride;
        const bool none = Start::kNothing && b == 0;
        for_vectors({0, depth_}, [&](int64_t i, auto lanes) {
          const Vec sum = none ? Vec{} : lanes.read(to + i);
          lanes.write(to + i, sum + lanes.read(from + i) * lanes.read(m + i));
        });
      }
    }
  }

 private:
  Operands operands_;
  GateBlocks blocks_;
  int64_t depth_;
  bool wanted_;
  TransposedWeights weights_[kMaxBlocks];
};

// How the factors of a block's weight gradients are collected: row k of a block is their row k.
struct Collecting {
  // For a team that shares out the tiles of the product: factors are packed, and there is one
  // collector for all. Else each thread has one, and rows are used where they lie.
  bool packed;
  int64_t collectors, capacity;
  Operands operands;

  // Of the packs of rounded rows.
  int64_t rounded_copies() const { return is_rounded(operands) ? collectors : 0; }
  int64_t rounded_capacity() const { return operand_depth(operands, capacity); }
  // Tiles take the left factor from rows where they lie in any case.
  Collecting of_left() const {
    return {packed && !is_tiled(operands), collectors, capacity, operands};
  }
};

// Where a row's part of a weight gradient goes.
struct Collected {
  int64_t collector, k;
};

// Pointers to the rows of all collectors, in `sets` versions.
class RowPointers {
 public:
  RowPointers(Workspace& workspace, const Collecting& how, int64_t sets)
      : sets_(sets),
        capacity_(how.capacity),
        operands_(how.operands),
        rows_(reinterpret_cast<const float**>(
            workspace.floats(how.packed ? 0 : 2 * how.collectors * sets * how.capacity))) {}

  int64_t number(int64_t set, Collected at) const {
    return (at.collector * sets_ + set) * capacity_ + at.k;
  }
  const float*& operator()(int64_t set, Collected at) const { return rows_[number(set, at)]; }
  RowList list(int64_t set, int64_t collector, int64_t column, int64_t columns) const {
    return {rows_ + number(set, {collector, 0}), column, columns, operands_};
  }

 private:
  int64_t sets_, capacity_;
  Operands operands_;
  const float** rows_;
};
static_assert(sizeof(const float*) == 2 * sizeof(float));

// The left factor of a weight gradient: rows collected once per dropout mask.
class MaskedRows {
 public:
  // copied: whether rows do not stay where they are until the block's gradients are formed. Rows
  // with a mask are copied in any case.
  MaskedRows(Workspace& workspace, int64_t columns, const Collecting& all, int64_t sets,
             bool copied)
      : MaskedRows(workspace, columns, sets, copied, all.of_left()) {}

  MaskedRows(Workspace& workspace, int64_t columns, int64_t sets, bool copied,
             const Collecting& how)
      : packed_(how.packed),
        operands_(how.operands),
        copied_(copied),
        columns_(columns),
        sets_(sets),
        rows_(workspace, how, sets),
        copies_(workspace.floats(
            copied && !how.packed ? how.collectors * sets * how.capacity * columns : 0)) {
    for (int64_t s = 0; s < sets; ++s) {
      if (packed_) packs_[s] = LeftPack(workspace, columns, how.capacity);
      if (is_tiled(operands_)) {
        tiled_[s] =
            TransposedPack(workspace, columns, how.rounded_capacity(), how.rounded_copies());
      } else {
        rounded_[s] = LeftPack(workspace, columns, how.rounded_capacity(), how.rounded_copies());
      }
    }
  }

  void put(Collected at, const float* row, const RowMask& mask, int64_t rank, float* scratch) {
    for (int64_t s = 0; s < sets_; ++s) {
      if (packed_) {
        packs_[s].put(at.k, mask.apply(row, rank, s, scratch));
        continue;
      }
      float* copy = copies_ + (copied_ ? rows_.number(s, at) * columns_ : 0);
      const float* masked = mask.apply(row, rank, s, copy);
      if (copied_ && masked == row) copy_or_zero(copy, row, columns_);
      rows_(s, at) = copied_ ? copy : row;
    }
  }

  // Rounds the rows 0..depth-1, dealt to the team; nothing where operands are floats.
  void round(int64_t collector, int64_t depth, const Team& team) const {
    for (int64_t s = 0; s < sets_ && is_rounded(operands_); ++s) {
      LeftPack to = rounded_[s].copy(collector);
      if (is_tiled(operands_)) {
        tiled_[s].copy(collector).round(operands_, list(s, collector), depth, team);
      } else if (packed_) {
        to.round(operands_, packs_[s], depth, team);
      } else {
        to.round(operands_, list(s, collector), depth, team);
      }
    }
  }

  LeftPack rounded(int64_t gate, int64_t collector) const {
    return rounded_[set(gate)].copy(collector);
  }
  TransposedPack tiled(int64_t gate, int64_t collector) const {
    return tiled_[set(gate)].copy(collector);
  }
  const LeftPack& pack(int64_t gate) const { return packs_[set(gate)]; }
  RowList list(int64_t gate, int64_t collector) const {
    return rows_.list(set(gate), collector, 0, columns_);
  }

 private:
  int64_t set(int64_t gate) const { return sets_ == 1 ? 0 : gate; }

  bool packed_;
  Operands operands_;
  bool copied_;
  int64_t columns_, sets_;
  RowPointers rows_;
  float* copies_;  // [collectors, sets, capacity, columns]
  LeftPack packs_[kMaxBlocks], rounded_[kMaxBlocks];
  TransposedPack tiled_[kMaxBlocks];  // in place of rounded_
};

// The right factor: gate gradients [k, G*H], collected while they are hot.
class GateGradients {
 public:
  GateGradients(Workspace& workspace, GateBlocks blocks, const Collecting& how)
      : packed_(how.packed),
        operands_(how.operands),
        blocks_(blocks),
        rows_(workspace, how, blocks.gates > 0) {
    for (int64_t b = 0; b < blocks.count; ++b) {
      if (packed_) packs_[b] = RightPack(workspace, blocks.width(), how.capacity, 1, operands_);
      rounded_[b] = RightPack(workspace, blocks.width(), how.rounded_capacity(),
                              how.rounded_copies(), operands_);
    }
  }

  void put(Collected at, const float* dgates) {
    if (!packed_) rows_(0, at) = dgates;
    for (int64_t b = 0; b < blocks_.count && packed_; ++b)
      packs_[b].put(at.k, dgates + b * blocks_.width());
  }

  // As MaskedRows.
  void round(int64_t collector, int64_t depth, const Team& team) const {
    for (int64_t b = 0; b < blocks_.count && is_rounded(operands_); ++b) {
      RightPack to = rounded_[b].copy(collector);
      if (packed_) {
        to.round(operands_, packs_[b], depth, team);
      } else {
        to.round(operands_, list(b, collector), depth, team);
      }
    }
  }

  // dweights [D, G*H] += sum over k < depth of rows_k^T dgates_k; both have been rounded.
  void add_weight_gradients(const MaskedRows& rows, int64_t collector, int64_t depth,
                            float* dweights, int64_t stride, const Team& team) const {
    for (int64_t b = 0; b < blocks_.count; ++b) {
      const int64_t gate = blocks_.gate(b);
      float* to = dweights + gate * blocks_.units;
      if (is_tiled(operands_)) {
        add_outer_product_by_tiles(operands_, rows.tiled(gate, collector),
                                   rounded_[b].copy(collector), operand_depth(operands_, depth), to,
                                   stride, team);
        continue;
      }
      with_operands(operands_, [&](auto operand) {
        using Operand = decltype(operand);
        if constexpr (Operand::kPerLane == 2) {
          add_outer_product<Operand>(rows.rounded(gate, collector), rounded_[b].copy(collector),
                                     lanes_of(operands_, depth), to, stride, team);
        } else if (packed_) {
          add_outer_product<Operand>(rows.pack(gate), packs_[b], depth, to, stride, team);
        } else {
          add_outer_product<Operand>(rows.list(gate, collector), list(b, collector), depth, to,
                                     stride, team);
        }
      });
    }
  }

  void add_bias_gradients(int64_t collector, int64_t depth, float* dbias, const Team& team) const {
    for (int64_t b = 0; b < blocks_.count; ++b) {
      float* to = dbias + blocks_.gate(b) * blocks_.units;
      if (packed_) {
        add_column_sums(packs_[b], depth, to, team);
      } else {
        add_column_sums(list(b, collector), depth, to, team);
      }
    }
  }

  // sums [number[k], G*H] += dgates_k, the columns as they are here. Packed rows only.
  void add_to_rows(int64_t depth, const int32_t* number, float* sums, int64_t stride,
                   const Team& team) const {
    for (int64_t b = 0; b < blocks_.count; ++b) {
      packs_[b].add_to_rows(depth, number, sums + b * blocks_.width(), stride, team);
    }
  }

 private:
  RowList list(int64_t block, int64_t collector) const {
    return rows_.list(0, collector, block * blocks_.width(), blocks_.width());
  }

  bool packed_;
  Operands operands_;
  GateBlocks blocks_;
  RowPointers rows_;
  RightPack packs_[kMaxBlocks], rounded_[kMaxBlocks];
};

}  // namespace
}  // namespace fastrnn
