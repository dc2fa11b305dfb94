// What the bindings of the recurrent cells read from their arguments.
#pragma once

#include <array>
#include <memory>
#include <numeric>
#include <optional>
#include <vector>

#include "../memory.h"
#include "../plan.h"
#include "../row_tokens.h"
#include "arguments.h"

namespace fastrnn {

using States = std::array<OptionalFloats, 2>;  // h and c

// What forward leaves for backward. It refers to the arrays that forward was given.
struct Tape {
  RnnPass pass{};  // points into the members below
  bool return_sequences = false, has_initial_state = false;
  OptionalFloats x;                  // [B, T, F], or with tokens
  OptionalFloats table;              // [vocabulary, F]
  std::optional<Tokens> tokens;      // [B, T], until there is a plan
  std::optional<Bytes> mask;         // [B, T]
  std::vector<int64_t> batch_sizes;  // [T] where x and outputs hold the steps time after time
  OptionalFloats kernel, recurrent_kernel, bias, x_mask, h_mask;
  RowTokens row_tokens;
  Plan plan;
  Buffer h, c, gates, prefix_h, prefix_c, prefix_gates;
  bool consumed = false;  // by a backward pass that may have overwritten it

  const CellTraits& cell() const { return traits_of(pass.problem.cell); }
  // Of x and of the outputs of all steps.
  Shape sequence_shape(int64_t columns) const {
    const RnnProblem& p = pass.problem;
    if (batch_sizes.empty()) return {p.batch, p.time, columns};
    return {std::accumulate(batch_sizes.begin(), batch_sizes.end(), int64_t(0)), columns};
  }
  Shape state_shape() const { return {pass.problem.batch, pass.problem.units}; }
  Shape bias_shape() const {
    const py::ssize_t rows = cell().bias_rows, columns = cell().gates * pass.problem.units;
    return rows > 1 ? Shape{rows, columns} : Shape{columns};
  }
  size_t bytes() const {
    size_t sum = 0;
    for (const Buffer* b : {&h, &c, &gates, &prefix_h, &prefix_c, &prefix_gates}) sum += b->bytes();
    return sum;
  }
};

// Reads the arguments that say what a forward pass computes from.
void read_tape(Arguments& arguments, Tape& tape);

// None, or one entry per state, each an array [B, H] or None.
std::optional<States> read_states(Arguments& arguments, const char* name, const Tape& tape);

}  // namespace fastrnn
