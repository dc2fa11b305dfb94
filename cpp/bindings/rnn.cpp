// The recurrent cells on NumPy arrays. python/fastrnn/kernels/recurrent.py documents the
// arguments.
#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "../dispatch.h"
#include "../memory.h"
#include "../phases.h"
#include "../plan.h"
#include "../row_tokens.h"
#include "../threads.h"
#include "arguments.h"
#include "calls.h"
#include "module.h"

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

// ---- reading the arguments

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

// None, or one entry per state, each an array [B, H] or None.
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

// ---- forward

void make_plan(Tape& tape) {
  RnnProblem& p = tape.pass.problem;
  if (p.batch == 0) return;
  const double begin = now_seconds();
  PlanInput input{p.batch, p.time};
  input.mask = tape.pass.steps.mask;
  if (!tape.batch_sizes.empty()) input.batch_sizes = tape.batch_sizes.data();
  input.go_backwards = tape.pass.steps.go_backwards;
  if (tape.tokens && tape.table) {
    const bool of_rows = tape.row_tokens.count() > 0;
    input.tokens = of_rows ? tape.row_tokens.numbers() : tape.tokens->data();
    input.vocabulary = of_rows ? tape.row_tokens.count() : tape.table->shape(0);
    input.share_prefix = !tape.mask && !tape.has_initial_state && !tape.x_mask && !p.masked_h;
  }
  tape.plan = Plan(input);
  if (profiling()) add_phase_seconds(Phase::plan, now_seconds() - begin);
  tape.pass.plan = tape.plan.view();
  p.distinct = tape.plan.distinct();
  p.positions = tape.pass.plan.walk.positions();
  p.prefix = tape.pass.plan.prefix.steps;
  if (tape.tokens) {
    const float* const rows =
        tape.row_tokens.count() > 0 ? tape.row_tokens.masked_rows() : tape.table.data();
    tape.pass.tokens = {rows, input.vocabulary, tape.plan.distinct_tokens()};
    tape.tokens.reset();
  }
}

// Memory for what forward keeps.
void allocate(Tape& tape) {
  const RnnProblem& p = tape.pass.problem;
  const int states = tape.cell().states, lanes = tape.cell().cached_lanes;
  const auto reserve = [](Buffer& buffer, std::initializer_list<int64_t> sizes) {
    buffer = Buffer(size_t(checked_count(sizes)) * sizeof(float));
  };
  reserve(tape.h, {p.batch + p.positions, p.units});
  if (states == 2) reserve(tape.c, {p.batch + p.positions, p.units});
  if (lanes) reserve(tape.gates, {p.positions, gate_stride(lanes, p.units)});
  if (p.prefix > 0) {
    reserve(tape.prefix_h, {p.prefix + 1, p.units});
    if (states == 2) reserve(tape.prefix_c, {p.prefix + 1, p.units});
    if (lanes) reserve(tape.prefix_gates, {p.prefix, gate_stride(lanes, p.units)});
  }
  tape.pass.tape = {tape.h.floats(), tape.c.floats(), tape.gates.floats()};
  tape.pass.prefix_tape = {tape.prefix_h.floats(), tape.prefix_c.floats(),
                           tape.prefix_gates.floats()};
}

// The outputs and the last states.
std::pair<Floats, py::tuple> run_forward(const Tape& tape,
                                         const std::optional<States>& initial_state) {
  const RnnProblem& p = tape.pass.problem;
  RnnForward a{};
  static_cast<RnnPass&>(a) = tape.pass;
  a.bias = tape.bias.data();
  Floats outputs =
      new_floats(tape.return_sequences ? tape.sequence_shape(p.units) : tape.state_shape());
  OptionalFloats last_output;
  if (tape.return_sequences) {
    a.sequence = outputs.mutable_data();
    last_output = new_floats(tape.state_shape());
    a.last_output = last_output->mutable_data();
  } else {
    a.last_output = outputs.mutable_data();
  }
  py::tuple states(tape.cell().states);
  for (int s = 0; s < tape.cell().states; ++s) {
    Floats last = new_floats(tape.state_shape());
    if (initial_state) a.initial_state[s] = (*initial_state)[s].data();
    a.last_state[s] = last.mutable_data();
    states[s] = std::move(last);
  }
  if (p.batch > 0) {
    const KernelTable& table = kernels();
    const Buffer workspace(size_t(table.rnn_forward_workspace(a)));
    a.workspace = workspace.data();
    const py::gil_scoped_release release;
    table.rnn_forward(a);
  }
  return {std::move(outputs), std::move(states)};
}

// Returns (outputs, last states, tape or None).
py::tuple rnn_forward(const py::kwargs& given) {
  Arguments arguments(given);
  const auto tape = std::make_shared<Tape>();
  read_cell(arguments, *tape);
  read_input(arguments, *tape);
  read_weights(arguments, *tape);
  read_masks(arguments, *tape);
  const auto initial_state = read_states(arguments, "initial_state", *tape);
  tape->has_initial_state = initial_state.has_value();
  tape->return_sequences = arguments.flag("return_sequences");
  const bool keep_tape = arguments.flag("keep_tape");
  arguments.done();

  tape->pass.problem.threads = num_threads();
  make_plan(*tape);
  if (keep_tape) allocate(*tape);
  auto [outputs, states] = run_forward(*tape, initial_state);
  return py::make_tuple(std::move(outputs), std::move(states),
                        keep_tape ? py::cast(tape) : py::none());
}

// ---- backward

Tape& read_tape(Arguments& arguments) {
  const py::handle tape = arguments.get("tape");
  if (!py::isinstance<Tape>(tape)) {
    throw py::type_error(
        "`tape` must be what rnn_forward returned with `keep_tape=True`. Received: " +
        std::string(py::str(py::type::of(tape))));
  }
  Tape& taken = py::cast<Tape&>(tape);
  if (taken.consumed) {
    throw py::value_error(
        "`tape` must not have been consumed. Received: a tape that served a backward pass with "
        "consume=True");
  }
  return taken;
}

// Returns the gradients of (x or table, kernel, recurrent_kernel, bias, initial states), None where
// there is none.
py::tuple rnn_backward(const py::kwargs& given) {
  Arguments arguments(given);
  Tape& tape = read_tape(arguments);
  const RnnProblem& p = tape.pass.problem;
  const OptionalFloats d_outputs = arguments.optional_floats(
      "d_outputs", tape.return_sequences ? tape.sequence_shape(p.units) : tape.state_shape());
  const auto d_states = read_states(arguments, "d_states", tape);
  const bool input_gradient = arguments.flag("input_gradient");
  const bool consume = arguments.flag("consume");
  arguments.done();

  RnnBackward a{};
  a.consume = consume;
  static_cast<RnnPass&>(a) = tape.pass;
  a.problem.threads = num_threads();
  (tape.return_sequences ? a.dsequence : a.dlast_output) = d_outputs.data();
  const auto gradient = [empty = p.batch == 0](const Shape& shape, float*& data) {
    Floats array = new_floats(shape);
    data = array.mutable_data();
    if (empty) std::fill_n(data, array.size(), 0.0f);  // no kernel runs
    return array;
  };
  const py::ssize_t columns = tape.cell().gates * p.units;
  py::object dx = py::none(), dbias = py::none(), dinitial_state = py::none();
  if (input_gradient)
    dx = gradient(tape.table ? shape_of(*tape.table) : tape.sequence_shape(p.features), a.dx);
  float* const dtable = a.dx;
  Buffer dmasked_rows;
  if (input_gradient && tape.row_tokens.count() > 0) {
    dmasked_rows =
        Buffer(size_t(checked_count({tape.row_tokens.count(), p.features})) * sizeof(float));
    a.dx = dmasked_rows.floats();
  }
  const Floats dkernel = gradient({p.features, columns}, a.dkernel);
  const Floats drecurrent_kernel = gradient({p.units, columns}, a.drecurrent_kernel);
  if (tape.bias) dbias = gradient(tape.bias_shape(), a.dbias);
  const int states = tape.cell().states;
  for (int s = 0; s < states && d_states; ++s) a.dlast_state[s] = (*d_states)[s].data();
  if (tape.has_initial_state) {
    py::tuple each(states);
    for (int s = 0; s < states; ++s) each[s] = gradient(tape.state_shape(), a.dinitial_state[s]);
    dinitial_state = std::move(each);
  }
  if (p.batch > 0) {
    const KernelTable& table = kernels();
    const Buffer workspace(size_t(table.rnn_backward_workspace(a)));
    a.workspace = workspace.data();
    tape.consumed = consume;
    const py::gil_scoped_release release;
    table.rnn_backward(a);
    if (a.dx != dtable) tape.row_tokens.unmask(a.dx, tape.x_mask.data(), dtable);
  }
  tape.consumed = consume;
  return py::make_tuple(dx, dkernel, drecurrent_kernel, dbias, dinitial_state);
}

}  // namespace

constexpr const char* kCellTraitsDoc =
    R"(Sizes of a recurrent cell. `CELLS` has one for each.

Example:
    >>> from fastrnn import kernels
    >>> kernels.CELLS["lstm"].gates, kernels.CELLS["gru"].bias_rows
    (4, 2)
)";

constexpr const char* kTapeDoc =
    R"(What the forward pass of a recurrent layer keeps for its backward pass.

Made by `rnn_forward`. It serves any number of backward passes, of which the last may consume it.

Attributes:
    cell: Name of the cell.
    return_sequences: Whether backward takes a gradient for each step.
    positions: Steps that were walked, of all rows, without the shared prefix.
    prefix: Steps of the padding that rows share, walked once for all.
    distinct: Different tokens of the batch, with a dropout mask of each row where its tokens
        repeat; 0 where the input was a tensor.
    nbytes: Memory that the tape holds.

Example:
    >>> import numpy as np
    >>> from fastrnn import kernels
    >>> x, kernel, recurrent_kernel = np.zeros((2, 5, 3)), np.zeros((3, 4)), np.zeros((4, 4))
    >>> kernels.rnn_forward("simple_rnn", x, kernel, recurrent_kernel).tape.positions
    10
)";

void register_rnn(py::module_& m) {
  py::class_<CellTraits>(m, "CellTraits", kCellTraitsDoc)
      .def_readonly(
          "gates", &CellTraits::gates,
          "Blocks of H columns in the weights. More than one: there is a recurrent activation.")
      .def_readonly("states", &CellTraits::states, "1 (h) or 2 (h and c).")
      .def_readonly("cached_lanes", &CellTraits::cached_lanes,
                    "Values for each unit and step that a tape keeps beside the states.")
      .def_readonly("bias_rows", &CellTraits::bias_rows,
                    "2 where the input side and the recurrent side have a bias each, else 1.");
  py::dict cells;
  for (const CellTraits& cell : kCells)
    cells[cell.name] = py::cast(cell, py::return_value_policy::reference);
  m.attr("CELLS") = py::module_::import("types").attr("MappingProxyType")(cells);
  py::class_<Tape, std::shared_ptr<Tape>>(m, "Tape", kTapeDoc)
      .def_property_readonly(
          "cell", [](const Tape& t) { return traits_of(t.pass.problem.cell).name; },
          "Name of the cell.")
      .def_readonly("return_sequences", &Tape::return_sequences,
                    "Whether backward takes a gradient for each step.")
      .def_property_readonly(
          "positions", [](const Tape& t) { return t.pass.problem.positions; },
          "Steps that were walked, of all rows, without the shared prefix.")
      .def_property_readonly(
          "prefix", [](const Tape& t) { return t.pass.problem.prefix; },
          "Steps of the padding that rows share, walked once for all.")
      .def_property_readonly(
          "distinct", [](const Tape& t) { return t.pass.problem.distinct; },
          "Different tokens of the batch, or of its rows; 0 where the input was a tensor.")
      .def_property_readonly("nbytes", &Tape::bytes, "Memory that the tape holds.");
  m.def("rnn_forward", &rnn_forward, py::call_guard<Call>());
  m.def("rnn_backward", &rnn_backward, py::call_guard<Call>());
}

}  // namespace fastrnn
