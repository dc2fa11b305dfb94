// SimpleRNN, LSTM and GRU over NumPy arrays; see python/fastrnn/kernels/.
#include <algorithm>
#include <limits>
#include <utility>

#include "../dispatch.h"
#include "../memory.h"
#include "../phases.h"
#include "../plan.h"
#include "../threads.h"
#include "arrays.h"
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

// What forward leaves for backward. It refers to the arrays that forward was given.
struct Tape {
  RnnProblem problem;
  bool return_sequences, has_initial_state;
  Floats x;      // [B, T, F], or with tokens
  Floats table;  // [vocabulary, F]
  Plan plan;
  StepMask steps;
  Bytes mask;  // [B, T] where steps.mask is not null
  Floats kernel, recurrent_kernel;
  OptionalFloats x_mask, h_mask;
  Shape bias_shape;  // empty without bias
  Buffer h, c, gates, prefix_h, prefix_c, prefix_gates;

  WalkTape rows() const { return {h.floats(), c.floats(), gates.floats()}; }
  WalkTape prefix() const { return {prefix_h.floats(), prefix_c.floats(), prefix_gates.floats()}; }
  TokenInput tokens() const { return {table.data(), table.shape(0), plan.distinct_tokens()}; }
  size_t bytes() const {
    size_t sum = 0;
    for (const Buffer* b : {&h, &c, &gates, &prefix_h, &prefix_c, &prefix_gates}) sum += b->bytes();
    return sum;
  }
};

Buffer floats_buffer(int64_t count) { return Buffer(size_t(count) * sizeof(float)); }

Shape bias_shape(const RnnProblem& p) {
  const py::ssize_t gates = traits_of(p.cell).gates * p.units;
  const py::ssize_t rows = traits_of(p.cell).bias_rows;
  return rows > 1 ? Shape{rows, gates} : Shape{gates};
}

Floats zeros(const Shape& shape) {
  Floats array = new_floats(shape);
  std::fill_n(array.mutable_data(), array.size(), 0.0f);
  return array;
}

// None, or one entry per state, each an array of this shape or None.
void take_states(py::handle value, const char* name, int states, const Shape& shape,
                 OptionalFloats taken[]) {
  if (value.is_none()) return;
  if (!py::isinstance<py::sequence>(value)) {
    throw py::type_error("`" + std::string(name) + "` must be a sequence of arrays. Received: " +
                         std::string(py::str(py::type::of(value))));
  }
  const auto given = py::cast<py::sequence>(value);
  if (py::ssize_t(given.size()) != states) {
    throw py::value_error("`" + std::string(name) + "` must hold " + std::to_string(states) +
                          " array(s). Received: " + std::to_string(given.size()));
  }
  for (int s = 0; s < states; ++s) taken[s] = as_optional_floats(given[s], name, shape);
}

// A dropout mask [B, width], or [B, G, width] with one for each gate.
OptionalFloats as_dropout_mask(py::handle value, const char* name, const RnnProblem& p,
                               int64_t width) {
  if (value.is_none()) return {};
  Floats mask = as_floats(value, name);
  const Shape shape = shape_of(mask);
  const int64_t gates = traits_of(p.cell).gates;
  if (shape == Shape{p.batch, width})
    mask = mask.reshape({p.batch, int64_t(1), width});
  else if (shape != Shape{p.batch, gates, width}) {
    throw py::value_error("`" + std::string(name) + "` must have shape " +
                          to_text({p.batch, width}) + " or, one for each gate, " +
                          to_text({p.batch, gates, width}) + ". Received: shape=" + to_text(shape));
  }
  return {mask, true};
}

// The mask of all gates once for each gate, where the other mask has one for each.
void repeat_for_gates(OptionalFloats& mask, int64_t gates) {
  if (!mask.given || mask.array.shape(1) == gates) return;
  const int64_t batch = mask.array.shape(0), width = mask.array.shape(2);
  Floats repeated({batch, gates, width});
  float* to = repeated.mutable_data();
  for (int64_t i = 0; i < batch * gates; ++i)
    std::copy_n(mask.array.data() + i / gates * width, width, to + i * width);
  mask.array = repeated;
}

void take_dropout_masks(py::handle x_mask, py::handle h_mask, RnnProblem& p, OptionalFloats& x_in,
                        OptionalFloats& h_in) {
  x_in = as_dropout_mask(x_mask, "dropout_mask", p, p.features);
  h_in = as_dropout_mask(h_mask, "recurrent_dropout_mask", p, p.units);
  p.masked_x = x_in.given, p.masked_h = h_in.given;
  p.mask_sets = 1;
  for (const OptionalFloats* mask : {&x_in, &h_in})
    if (mask->given) p.mask_sets = std::max<int64_t>(p.mask_sets, mask->array.shape(1));
  repeat_for_gates(x_in, p.mask_sets);
  repeat_for_gates(h_in, p.mask_sets);
}

// Where the input is tokens, x is None and `tokens` [B, T] and `table` [vocabulary, F] stand for
// it.
py::tuple rnn_forward(const std::string& cell, py::handle x, py::handle tokens, py::handle table,
                      py::handle kernel, py::handle recurrent_kernel, py::handle bias,
                      py::handle initial_state, py::handle mask, py::handle dropout_mask,
                      py::handle recurrent_dropout_mask, bool go_backwards,
                      bool zero_output_for_mask, const std::string& activation,
                      const std::string& recurrent_activation, bool return_sequences,
                      bool keep_tape) {
  RnnForward a{};
  RnnProblem& p = a.problem;
  p.cell = as_cell(cell);
  p.activation = as_activation(activation, "activation");
  p.recurrent_activation = as_activation(recurrent_activation, "recurrent_activation");
  p.threads = num_threads();
  Floats x_in, table_in;
  Tokens tokens_in;
  const bool has_tokens = !tokens.is_none();
  if (!has_tokens) {
    x_in = as_floats(x, "x", {kAnySize, kAnySize, kAnySize});
    p.batch = x_in.shape(0), p.time = x_in.shape(1), p.features = x_in.shape(2);
  } else {
    table_in = as_floats(table, "table", {kAnySize, kAnySize});
    tokens_in = as_tokens(tokens, table_in.shape(0));
    if (tokens_in.ndim() != 2) {
      throw py::value_error("`tokens` must have shape (None, None). Received: shape=" +
                            to_text(shape_of(tokens_in)));
    }
    p.batch = tokens_in.shape(0), p.time = tokens_in.shape(1), p.features = table_in.shape(1);
  }
  if (p.time < 1 || p.features < 1) {
    throw py::value_error("`x` must have at least one time step and one feature. Received: shape=" +
                          to_text({p.batch, p.time, p.features}));
  }
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();  // what a plan counts in
  if (p.batch > kMost || p.time > kMost) {
    throw py::value_error(
        "`x` must have at most " + std::to_string(kMost) +
        " rows and as many time steps. Received: shape=" + to_text({p.batch, p.time, p.features}));
  }
  const Floats recurrent_in = as_floats(recurrent_kernel, "recurrent_kernel", {kAnySize, kAnySize});
  p.units = recurrent_in.shape(0);
  const py::ssize_t gates = traits_of(p.cell).gates * p.units;
  if (p.units < 1 || recurrent_in.shape(1) != gates) {
    throw py::value_error(
        "`recurrent_kernel` must have shape (units, " + std::to_string(traits_of(p.cell).gates) +
        " * units) with units >= 1. Received: shape=" + to_text(shape_of(recurrent_in)));
  }
  const Floats kernel_in = as_floats(kernel, "kernel", {p.features, gates});
  const OptionalFloats bias_in = as_optional_floats(bias, "bias", bias_shape(p));

  const int states = traits_of(p.cell).states;
  const Shape state_shape{p.batch, p.units};
  OptionalFloats initial[2];
  take_states(initial_state, "initial_state", states, state_shape, initial);
  const bool has_initial_state = !initial_state.is_none();
  Bytes mask_in;
  if (!mask.is_none()) mask_in = as_step_mask(mask, {p.batch, p.time});
  OptionalFloats x_mask, h_mask;
  take_dropout_masks(dropout_mask, recurrent_dropout_mask, p, x_mask, h_mask);

  const double begin = now_seconds();
  PlanInput plan_input{p.batch, p.time};
  if (has_tokens) {
    plan_input.tokens = tokens_in.data();
    plan_input.vocabulary = table_in.shape(0);
    plan_input.share_prefix = mask.is_none() && !has_initial_state && !p.masked_x && !p.masked_h;
  }
  if (!mask.is_none()) plan_input.mask = mask_in.data();
  plan_input.go_backwards = go_backwards;
  Plan plan;
  if (p.batch > 0) plan = Plan(plan_input);
  if (profiling()) add_phase_seconds(Phase::plan, now_seconds() - begin);
  p.distinct = plan.distinct();
  p.positions = p.batch > 0 ? plan.view().walk.positions() : 0;
  p.prefix = plan.view().prefix.steps;

  a.plan = plan.view();
  a.steps = {plan_input.mask, zero_output_for_mask, go_backwards};
  if (has_tokens) {
    a.tokens = {table_in.data(), table_in.shape(0), plan.distinct_tokens()};
  } else {
    a.x = x_in.data();
  }
  a.x_mask = x_mask.data(), a.h_mask = h_mask.data();
  Floats last_state[2];
  for (int s = 0; s < states; ++s) last_state[s] = new_floats(state_shape);
  Floats last_output = new_floats(state_shape), sequence;
  if (return_sequences) sequence = new_floats({p.batch, p.time, p.units});
  std::shared_ptr<Tape> tape;
  if (keep_tape) {
    tape = std::make_shared<Tape>();
    tape->problem = p;
    tape->return_sequences = return_sequences;
    tape->has_initial_state = has_initial_state;
    tape->x = x_in, tape->table = table_in;
    tape->steps = a.steps, tape->mask = mask_in;
    tape->kernel = kernel_in, tape->recurrent_kernel = recurrent_in;
    tape->x_mask = x_mask, tape->h_mask = h_mask;
    if (bias_in.given) tape->bias_shape = bias_shape(p);
    const int64_t rows = p.batch + p.positions;
    const int lanes = traits_of(p.cell).cached_lanes;
    tape->h = floats_buffer(checked_count({rows, p.units}));
    if (states == 2) tape->c = floats_buffer(checked_count({rows, p.units}));
    if (lanes) tape->gates = floats_buffer(checked_count({p.positions, lanes, p.units}));
    if (p.prefix > 0) {
      tape->prefix_h = floats_buffer(checked_count({p.prefix + 1, p.units}));
      if (states == 2) tape->prefix_c = floats_buffer(checked_count({p.prefix + 1, p.units}));
      if (lanes) tape->prefix_gates = floats_buffer(checked_count({p.prefix, lanes, p.units}));
    }
    a.tape = tape->rows(), a.prefix_tape = tape->prefix();
  }
  if (p.batch > 0) {
    const KernelTable& table = kernels();
    a.kernel = kernel_in.data(), a.recurrent_kernel = recurrent_in.data(), a.bias = bias_in.data();
    for (int s = 0; s < states; ++s) {
      a.initial_state[s] = initial[s].data();
      a.last_state[s] = last_state[s].mutable_data();
    }
    a.last_output = last_output.mutable_data();
    if (return_sequences) a.sequence = sequence.mutable_data();
    const Buffer workspace(size_t(table.rnn_forward_workspace(a)));
    a.workspace = workspace.data();
    const py::gil_scoped_release release;
    table.rnn_forward(a);
  }
  if (tape) tape->plan = std::move(plan);  // its memory, and so a.plan, stays where it is
  py::tuple state_tuple(states);
  for (int s = 0; s < states; ++s) state_tuple[s] = last_state[s];
  return py::make_tuple(return_sequences ? sequence : last_output, state_tuple,
                        tape ? py::cast(tape) : py::none());
}

// d_states: None, or one entry per state, each an array or None.
py::tuple rnn_backward(const Tape& tape, py::handle d_outputs, py::handle d_states,
                       bool input_gradient) {
  RnnBackward a{};
  const RnnProblem& p = a.problem = tape.problem;
  a.problem.threads = num_threads();
  const int states = traits_of(p.cell).states;
  const Shape state_shape{p.batch, p.units};
  const OptionalFloats doutputs =
      as_optional_floats(d_outputs, "d_outputs",
                         tape.return_sequences ? Shape{p.batch, p.time, p.units} : state_shape);
  OptionalFloats dlast[2];
  take_states(d_states, "d_states", states, state_shape, dlast);

  Floats dx, dbias, dinitial[2];
  const py::ssize_t gates = traits_of(p.cell).gates * p.units;
  const bool empty = p.batch == 0;
  const auto weight_like = [empty](const Shape& shape) {
    return empty ? zeros(shape) : new_floats(shape);
  };
  const bool has_table = tape.table.ndim() == 2;
  if (input_gradient) {
    dx = has_table ? weight_like(shape_of(tape.table)) : new_floats({p.batch, p.time, p.features});
  }
  Floats dkernel = weight_like({p.features, gates}), drecurrent = weight_like({p.units, gates});
  const bool use_bias = !tape.bias_shape.empty();
  if (use_bias) dbias = weight_like(tape.bias_shape);
  for (int s = 0; s < states && tape.has_initial_state; ++s) dinitial[s] = new_floats(state_shape);
  if (!empty) {
    const KernelTable& table = kernels();
    if (has_table) {
      a.tokens = tape.tokens();
    } else {
      a.x = tape.x.data();
    }
    a.plan = tape.plan.view();
    a.steps = tape.steps;
    a.kernel = tape.kernel.data(), a.recurrent_kernel = tape.recurrent_kernel.data();
    a.x_mask = tape.x_mask.data(), a.h_mask = tape.h_mask.data();
    a.tape = tape.rows(), a.prefix_tape = tape.prefix();
    (tape.return_sequences ? a.dsequence : a.dlast_output) = doutputs.data();
    a.dkernel = dkernel.mutable_data(), a.drecurrent_kernel = drecurrent.mutable_data();
    if (input_gradient) a.dx = dx.mutable_data();
    if (use_bias) a.dbias = dbias.mutable_data();
    for (int s = 0; s < states; ++s) {
      a.dlast_state[s] = dlast[s].data();
      if (tape.has_initial_state) a.dinitial_state[s] = dinitial[s].mutable_data();
    }
    const Buffer workspace(size_t(table.rnn_backward_workspace(a)));
    a.workspace = workspace.data();
    const py::gil_scoped_release release;
    table.rnn_backward(a);
  }
  py::tuple dinitial_tuple(tape.has_initial_state ? states : 0);
  for (size_t s = 0; s < dinitial_tuple.size(); ++s) dinitial_tuple[s] = dinitial[s];
  return py::make_tuple(input_gradient ? py::object(dx) : py::none(), dkernel, drecurrent,
                        use_bias ? py::object(dbias) : py::none(),
                        tape.has_initial_state ? py::object(dinitial_tuple) : py::none());
}

}  // namespace

constexpr const char* kTapeDoc =
    R"(What the forward pass of a recurrent layer keeps for its backward pass.

Made by `lstm_forward` and its kin; it serves any number of backward passes and cannot be changed.

Attributes:
    cell: Name of the cell.
    return_sequences: Whether backward takes a gradient for each step.
    positions: Steps that were walked, of all rows, without the shared prefix.
    prefix: Steps of the padding that rows share, walked once for all.
    distinct: Different tokens of the batch; 0 where the input was a tensor.
    nbytes: Memory that the tape holds.

Example:
    >>> import numpy as np
    >>> from fastrnn import kernels
    >>> x, kernel, recurrent_kernel = np.zeros((2, 5, 3)), np.zeros((3, 4)), np.zeros((4, 4))
    >>> kernels.simple_rnn_forward(x, kernel, recurrent_kernel).tape.positions
    10
)";

void register_rnn(py::module_& m) {
  py::class_<CellTraits>(m, "CellTraits", "One cell of the kernels; see cpp/api.h.")
      .def_readonly("gates", &CellTraits::gates, "G.")
      .def_readonly("states", &CellTraits::states, "1: h; 2: h and c.")
      .def_readonly("cached_lanes", &CellTraits::cached_lanes,
                    "Floats per position and unit that the tape keeps beside the states.")
      .def_readonly("bias_rows", &CellTraits::bias_rows,
                    "2: one of the input side, one of the recurrent side.");
  py::dict cells;
  for (const CellTraits& cell : kCells)
    cells[cell.name] = py::cast(cell, py::return_value_policy::reference);
  m.attr("CELLS") = py::module_::import("types").attr("MappingProxyType")(cells);
  py::class_<Tape, std::shared_ptr<Tape>>(m, "Tape", kTapeDoc)
      .def_property_readonly(
          "cell", [](const Tape& t) { return traits_of(t.problem.cell).name; }, "Name of the cell.")
      .def_readonly("return_sequences", &Tape::return_sequences,
                    "Whether backward takes a gradient for each step.")
      .def_property_readonly(
          "positions", [](const Tape& t) { return t.problem.positions; },
          "Steps that were walked, of all rows, without the shared prefix.")
      .def_property_readonly(
          "prefix", [](const Tape& t) { return t.problem.prefix; },
          "Steps of the padding that rows share, walked once for all.")
      .def_property_readonly(
          "distinct", [](const Tape& t) { return t.problem.distinct; },
          "Different tokens of the batch; 0 where the input was a tensor.")
      .def_property_readonly("nbytes", &Tape::bytes, "Memory that the tape holds.");
  m.def("rnn_forward", &rnn_forward, py::call_guard<Call>(), py::arg("cell"), py::arg("x"),
        py::arg("tokens"), py::arg("table"), py::arg("kernel"), py::arg("recurrent_kernel"),
        py::arg("bias"), py::arg("initial_state"), py::arg("mask"), py::arg("dropout_mask"),
        py::arg("recurrent_dropout_mask"), py::arg("go_backwards"), py::arg("zero_output_for_mask"),
        py::arg("activation"), py::arg("recurrent_activation"), py::arg("return_sequences"),
        py::arg("keep_tape"));
  m.def("rnn_backward", &rnn_backward, py::call_guard<Call>(), py::arg("tape"),
        py::arg("d_outputs"), py::arg("d_states"), py::arg("input_gradient"));
}

}  // namespace fastrnn
