#include "rnn_tape.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "../dispatch.h"

namespace fastrnn {
namespace {

Cell as_cell(const std::string& name) {
  const auto found = std::find_if(std::begin(kCells), std::end(kCells),
                                  [&](const CellTraits& cell) { return cell.name == name; });
  if (found == std::end(kCells)) throw py::value_error("Unknown cell: '" + name + "'");
  return static_cast<Cell>(found - std::begin(kCells));
}

Operands as_operands(const std::string& compute_dtype) {
  if (compute_dtype == "float32") return Operands::float32;
  if (compute_dtype == "bfloat16") return bfloat16_operands();
  throw py::value_error("`compute_dtype` must be 'float32' or 'bfloat16'. Received: '" +
                        compute_dtype + "'");
}

void read_cell(Arguments& arguments, Tape& tape) {
  RnnProblem& p = tape.pass.problem;
  p.cell = as_cell(arguments.text("cell"));
  p.activation = arguments.activation("activation");
  const auto recurrent = arguments.optional_activation("recurrent_activation");
  if (recurrent && tape.cell().gates == 1) {
    throw py::value_error(std::string("`recurrent_activation` must be None: ") + tape.cell().name +
                          " has no gates. Received: '" + kActivationNames[int(*recurrent)] + "'");
  }
  p.recurrent_activation = recurrent.value_or(Activation::sigmoid);
  p.operands = as_operands(arguments.text("compute_dtype"));
}

// The rows of each time. Empty for None.
std::vector<int64_t> read_batch_sizes(Arguments& arguments) {
  const py::handle value = arguments.get_or_none("batch_sizes");
  if (value.is_none()) return {};
  const py::array_t<int64_t, py::array::c_style | py::array::forcecast> given(
      py::reinterpret_borrow<py::object>(value));
  std::vector<int64_t> sizes(given.data(), given.data() + given.size());
  if (given.ndim() != 1 || sizes.empty() || sizes.back() < 1 ||
      !std::is_sorted(sizes.rbegin(), sizes.rend())) {
    throw py::value_error(
        "`batch_sizes` must be positive numbers of rows, one for each step, none greater than the "
        "one before. Received: " +
        std::string(py::str(value)));
  }
  return sizes;
}

// The input is `x` [B, T, F], or [N, F] with `batch_sizes` [T], or `tokens` [B, T] and their
// `table` [vocabulary, F].
void read_input(Arguments& arguments, Tape& tape) {
  RnnProblem& p = tape.pass.problem;
  const py::handle tokens = arguments.get_or_none("tokens");
  tape.batch_sizes = read_batch_sizes(arguments);
  if (!tape.batch_sizes.empty()) {
    tape.x = arguments.floats("x", {tape.sequence_shape(0)[0], kAnySize});
    p.batch = tape.batch_sizes.front(), p.time = int64_t(tape.batch_sizes.size());
    p.features = tape.x->shape(1);
    tape.pass.x = tape.x.data();
  } else if (tokens.is_none()) {
    tape.x = arguments.floats("x", {kAnySize, kAnySize, kAnySize});
    p.batch = tape.x->shape(0), p.time = tape.x->shape(1), p.features = tape.x->shape(2);
    tape.pass.x = tape.x.data();
  } else {
    tape.table = arguments.floats("table", {kAnySize, kAnySize});
    tape.tokens = as_tokens(tokens, tape.table->shape(0));
    if (tape.tokens->ndim() != 2) {
      throw py::value_error("`tokens` must have shape (None, None). Received: shape=" +
                            to_text(shape_of(*tape.tokens)));
    }
    p.batch = tape.tokens->shape(0), p.time = tape.tokens->shape(1);
    p.features = tape.table->shape(1);
  }
  const auto received = [&] {
    return ". Received: shape=" + to_text({p.batch, p.time, p.features});
  };
  if (p.time < 1 || p.features < 1)
    throw py::value_error("`x` must have at least one time step and one feature" + received());
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();  // what a plan counts in
  if (p.batch > kMost || p.time > kMost) {
    throw py::value_error("`x` must have at most " + std::to_string(kMost) +
                          " rows and as many time steps" + received());
  }
}

void read_weights(Arguments& arguments, Tape& tape) {
  RnnProblem& p = tape.pass.problem;
  tape.recurrent_kernel = arguments.floats("recurrent_kernel", {kAnySize, kAnySize});
  p.units = tape.recurrent_kernel->shape(0);
  const int gates = tape.cell().gates;
  if (p.units < 1 || tape.recurrent_kernel->shape(1) != gates * p.units) {
    throw py::value_error(
        "`recurrent_kernel` must have shape (units, " + std::to_string(gates) +
        " * units) with units >= 1. Received: shape=" + to_text(shape_of(*tape.recurrent_kernel)));
  }
  tape.kernel = arguments.floats("kernel", {p.features, gates * p.units});
  tape.bias = arguments.optional_floats("bias", tape.bias_shape());
  tape.pass.kernel = tape.kernel.data();
  tape.pass.recurrent_kernel = tape.recurrent_kernel.data();
}

// A dropout mask [B, width], or [B, G, width] with one for each gate.
OptionalFloats read_dropout_mask(Arguments& arguments, const char* name, const Tape& tape,
                                 int64_t width) {
  const py::handle value = arguments.get(name);
  if (value.is_none()) return {};
  Floats mask = as_floats(value, name);
  const Shape shape = shape_of(mask);
  const int64_t batch = tape.pass.problem.batch, gates = tape.cell().gates;
  if (shape == Shape{batch, width}) return mask.reshape({batch, int64_t(1), width});
  if (shape != Shape{batch, gates, width}) {
    throw py::value_error("`" + std::string(name) + "` must have shape " + to_text({batch, width}) +
                          " or, one for each gate, " + to_text({batch, gates, width}) +
                          ". Received: shape=" + to_text(shape));
  }
  return mask;
}

// One mask for all gates becomes one for each, where the other dropout mask has one for each.
void repeat_for_gates(OptionalFloats& mask, int64_t gates) {
  if (!mask || mask->shape(1) == gates) return;
  const int64_t batch = mask->shape(0), width = mask->shape(2);
  Floats repeated({batch, gates, width});
  float* to = repeated.mutable_data();
  for (int64_t i = 0; i < batch * gates; ++i)
    std::copy_n(mask->data() + i / gates * width, width, to + i * width);
  mask = repeated;
}

void read_masks(Arguments& arguments, Tape& tape) {
  RnnProblem& p = tape.pass.problem;
  const py::handle mask = arguments.get("mask");
  if (!mask.is_none() && !tape.batch_sizes.empty())
    throw py::value_error("`mask` must be None where there are `batch_sizes`");
  if (!mask.is_none()) tape.mask = as_step_mask(mask, {p.batch, p.time});
  tape.pass.steps.mask = tape.mask ? tape.mask->data() : nullptr;
  tape.pass.steps.zero_output = arguments.flag("zero_output_for_mask");
  tape.pass.steps.go_backwards = arguments.flag("go_backwards");

  tape.x_mask = read_dropout_mask(arguments, "dropout_mask", tape, p.features);
  tape.h_mask = read_dropout_mask(arguments, "recurrent_dropout_mask", tape, p.units);
  if (tape.tokens && tape.table && tape.x_mask && tape.x_mask->shape(1) == 1) {
    PlanInput input{p.batch, p.time, tape.tokens->data(), tape.table->shape(0)};
    input.mask = tape.pass.steps.mask;
    tape.row_tokens = RowTokens(input, tape.table.data(), p.features, tape.x_mask.data());
  }
  // Where the tokens of each row are numbered, the mask is part of their rows.
  p.masked_x = tape.x_mask.has_value() && tape.row_tokens.count() == 0;
  p.masked_h = tape.h_mask.has_value();
  p.mask_sets = 1;
  for (const OptionalFloats* dropout : {&tape.x_mask, &tape.h_mask})
    if (*dropout) p.mask_sets = std::max<int64_t>(p.mask_sets, (*dropout)->shape(1));
  if (p.masked_x) repeat_for_gates(tape.x_mask, p.mask_sets);
  repeat_for_gates(tape.h_mask, p.mask_sets);
  tape.pass.x_mask = p.masked_x ? tape.x_mask.data() : nullptr;
  tape.pass.h_mask = tape.h_mask.data();
}

}  // namespace

void read_tape(Arguments& arguments, Tape& tape) {
  read_cell(arguments, tape);
  read_input(arguments, tape);
  read_weights(arguments, tape);
  read_masks(arguments, tape);
}

std::optional<States> read_states(Arguments& arguments, const char* name, const Tape& tape) {
  const py::handle value = arguments.get(name);
  if (value.is_none()) return std::nullopt;
  if (!py::isinstance<py::sequence>(value)) {
    throw py::type_error("`" + std::string(name) + "` must be a sequence of arrays. Received: " +
                         std::string(py::str(py::type::of(value))));
  }
  const auto given = py::reinterpret_borrow<py::sequence>(value);
  if (py::ssize_t(given.size()) != tape.cell().states) {
    throw py::value_error("`" + std::string(name) + "` must hold " +
                          std::to_string(tape.cell().states) +
                          " array(s). Received: " + std::to_string(given.size()));
  }
  States states;
  for (int s = 0; s < tape.cell().states; ++s)
    states[s] = as_optional_floats(given[s], name, tape.state_shape());
  return states;
}

}  // namespace fastrnn
