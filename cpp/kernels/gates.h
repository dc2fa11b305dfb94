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
  GateWeights(Workspace& workspace, int64_t depth, GateBlocks blocks)
      : blocks_(blocks), depth_(depth) {
    for (int64_t b = 0; b < blocks.count; ++b)
      weights_[b] = Weights(workspace, depth, blocks.width());
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
  // `scratch` holds [rows, depth].
  template <class Start>
  void multiply(const Team& team, int64_t rows, const float* a, int64_t a_stride,
                const RowMask& mask, int64_t first, float* scratch, float* c, int64_t c_stride,
                Start start) const {
    for (int64_t b = 0; b < blocks_.count; ++b) {
      if (mask.mask) {
        if (b > 0) team.meet();  // nobody needs the scratch of the block before
        const Range mine = share(rows, team);
        for (int64_t r = mine.begin; r < mine.end; ++r)
          mask.apply(a + r * a_stride, first + r, blocks_.gate(b), scratch + r * depth_);
        team.meet();
      }
      const int64_t column = b * blocks_.width();
      weights_[b].multiply(team, rows, mask.mask ? scratch : a, mask.mask ? depth_ : a_stride,
                           c + column, c_stride, start.tile(0, column));
    }
  }

 private:
  GateBlocks blocks_;
  int64_t depth_;
  Weights weights_[kMaxBlocks];
};

// The same weights transposed, for the gradient of the rows.
class GateWeightsTransposed {
 public:
  // wanted: false where nobody asks for that gradient.
  GateWeightsTransposed(Workspace& workspace, int64_t depth, GateBlocks blocks, bool wanted = true)
      : blocks_(blocks), depth_(depth), wanted_(wanted) {
    for (int64_t b = 0; b < blocks.count && wanted; ++b)
      weights_[b] = Weights(workspace, blocks.width(), depth);
  }

  void pack(const Team& team, const float* source, int64_t stride) {
    for (int64_t b = 0; b < blocks_.count && wanted_; ++b) {
      weights_[b].for_panels(team, [&](int64_t p) {
        weights_[b].pack_transposed(p, source + blocks_.gate(b) * blocks_.units, stride,
                                    blocks_.inner_rotation());
      });
    }
  }

  // da [rows, D] += (dc * this^T) o mask. `scratch` holds [rows, depth].
  void add(const Team& team, int64_t rows, const float* dc, int64_t dc_stride, const RowMask& mask,
           int64_t first, float* scratch, float* da, int64_t da_stride) const {
    for (int64_t b = 0; b < blocks_.count; ++b) {
      const float* dblock = dc + b * blocks_.width();
      if (!mask.mask) {
        weights_[b].multiply(team, rows, dblock, dc_stride, da, da_stride, FromRows{da, da_stride});
        continue;
      }
      if (b > 0) team.meet();
      weights_[b].multiply(team, rows, dblock, dc_stride, scratch, depth_, FromZero{});
      team.meet();
      const Range mine = share(rows, team);
      for (int64_t r = mine.begin; r < mine.end; ++r) {
        const float *m = mask.of(first + r, blocks_.gate(b)), *from = scratch + r * depth_;
        float* to = da + r * da_stride;
        for_vectors({0, depth_}, [&](int64_t i, auto lanes) {
          lanes.write(to + i, lanes.read(to + i) + lanes.read(from + i) * lanes.read(m + i));
        });
      }
    }
  }

 private:
  GateBlocks blocks_;
  int64_t depth_;
  bool wanted_;
  Weights weights_[kMaxBlocks];
};

// The left factor of a weight gradient: rows collected once per dropout mask.
class MaskedRows {
 public:
  MaskedRows(Workspace& workspace, int64_t columns, int64_t capacity, int64_t sets) : sets_(sets) {
    for (int64_t s = 0; s < sets; ++s) packs_[s] = LeftPack(workspace, columns, capacity);
  }

  void put(int64_t k, const float* row, const RowMask& mask, int64_t rank, float* scratch) {
    for (int64_t s = 0; s < sets_; ++s) packs_[s].put(k, mask.apply(row, rank, s, scratch));
  }

  const LeftPack& of_gate(int64_t gate) const { return packs_[sets_ == 1 ? 0 : gate]; }

 private:
  int64_t sets_;
  LeftPack packs_[kMaxBlocks];
};

// The right factor: gate gradients [k, G*H], collected while they are hot.
class GateGradients {
 public:
  GateGradients(Workspace& workspace, GateBlocks blocks, int64_t capacity) : blocks_(blocks) {
    for (int64_t b = 0; b < blocks.count; ++b)
      packs_[b] = RightPack(workspace, blocks.width(), capacity);
  }

  void put(int64_t k, const float* dgates) {
    for (int64_t b = 0; b < blocks_.count; ++b) packs_[b].put(k, dgates + b * blocks_.width());
  }

  // dweights [D, G*H] += sum over k < depth of rows_k^T dgates_k
  void add_weight_gradients(const MaskedRows& rows, int64_t depth, float* dweights, int64_t stride,
                            const Team& team) const {
    for (int64_t b = 0; b < blocks_.count; ++b) {
      const int64_t gate = blocks_.gate(b);
      add_outer_product(rows.of_gate(gate), packs_[b], depth, dweights + gate * blocks_.units,
                        stride, team);
    }
  }

  void add_bias_gradients(int64_t depth, float* dbias, const Team& team) const {
    for (int64_t b = 0; b < blocks_.count; ++b)
      packs_[b].add_column_sums(depth, dbias + blocks_.gate(b) * blocks_.units, team);
  }

  // sums [number[k], G*H] += dgates_k, the columns as they are here.
  void add_to_rows(int64_t depth, const int32_t* number, float* sums, const Team& team) const {
    for (int64_t b = 0; b < blocks_.count; ++b) {
      packs_[b].add_to_rows(depth, number, sums + b * blocks_.width(), blocks_.columns(), team);
    }
  }

 private:
  GateBlocks blocks_;
  RightPack packs_[kMaxBlocks];
};

}  // namespace
}  // namespace fastrnn
