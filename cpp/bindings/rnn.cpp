// SimpleRNN, LSTM and GRU over NumPy arrays. fastrnn/ops.py documents them.
#include <algorithm>
#include <utility>

#include "../dispatch.h"
#include "../memory.h"
#include "../plan.h"
#include "../threads.h"
#include "arrays.h"
#include "module.h"

namespace fastrnn {
namespace {

constexpr const char* kCellNames[] = {"simple_rnn", "lstm", "gru", "gru_reset_before"};

Cell as_cell(const std::string& name) {
  const auto found = std::find(std::begin(kCellNames), std::end(kCellNames), name);
  if (found == std::end(kCellNames)) throw py::value_error("Unknown cell: '" + name + "'");
  return static_cast<Cell>(found - std::begin(kCellNames));
}

// What forward leaves for backward. It refers to the arrays that forward was given.
struct Tape {
  RnnProblem problem;
  bool return_sequences;
  Floats x;      // [B, T, F], or with tokens
  Floats table;  // [vocabulary, F]
  TokenPlan plan;
  Floats kernel, recurrent_kernel;
  Shape bias_shape;  // empty without bias
  Buffer h, c, gates;

  RnnTape pointers() const { return {h.floats(), c.floats(), gates.floats()}; }
};

Buffer floats_buffer(int64_t count) { return Buffer(size_t(count) * sizeof(float)); }

Shape bias_shape(const RnnProblem& p) {
  const py::ssize_t gates = gate_count(p.cell) * p.units;
  return p.cell == Cell::gru ? Shape{2, gates} : Shape{gates};
}

Floats zeros(const Shape& shape) {
  Floats array = new_floats(shape);
  std::fill_n(array.mutable_data(), array.size(), 0.0f);
  return array;
}

// Where the input is tokens, x is None and `tokens` [B, T] and `table` [vocabulary, F] stand for
// it.
py::tuple rnn_forward(const std::string& cell, py::handle x, py::handle tokens, py::handle table,
                      py::handle kernel, py::handle recurrent_kernel, py::handle bias,
                      py::handle initial_state, const std::string& activation,
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
  if (tokens.is_none()) {
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
  const Floats recurrent_in = as_floats(recurrent_kernel, "recurrent_kernel", {kAnySize, kAnySize});
  p.units = recurrent_in.shape(0);
  const py::ssize_t gates = gate_count(p.cell) * p.units;
  if (p.units < 1 || recurrent_in.shape(1) != gates) {
    throw py::value_error(
        "`recurrent_kernel` must have shape (units, " + std::to_string(gate_count(p.cell)) +
        " * units) with units >= 1. Received: shape=" + to_text(shape_of(recurrent_in)));
  }
  const Floats kernel_in = as_floats(kernel, "kernel", {p.features, gates});
  const OptionalFloats bias_in = as_optional_floats(bias, "bias", bias_shape(p));

  const int states = state_count(p.cell);
  const Shape state_shape{p.batch, p.units};
  OptionalFloats initial[2];
  if (!initial_state.is_none()) {
    if (!py::isinstance<py::sequence>(initial_state)) {
      throw py::type_error("`initial_state` must be a sequence of arrays. Received: " +
                           std::string(py::str(py::type::of(initial_state))));
    }
    const auto given = py::cast<py::sequence>(initial_state);
    if (py::ssize_t(given.size()) != states) {
      throw py::value_error("`initial_state` must hold " + std::to_string(states) +
                            " array(s). Received: " + std::to_string(given.size()));
    }
    for (int s = 0; s < states; ++s)
      initial[s] = as_optional_floats(given[s], "initial_state", state_shape);
  }

  TokenPlan plan;
  if (!tokens.is_none() && p.batch > 0) {
    plan = TokenPlan(tokens_in.data(), p.batch, p.time, table_in.shape(0));
    p.distinct = plan.distinct();
    a.tokens = plan.input(table_in.data(), table_in.shape(0));
  } else if (tokens.is_none()) {
    a.x = x_in.data();
  }
  Floats last_state[2];
  for (int s = 0; s < states; ++s) last_state[s] = new_floats(state_shape);
  Floats sequence;
  if (return_sequences) sequence = new_floats({p.batch, p.time, p.units});
  std::shared_ptr<Tape> tape;
  if (keep_tape) {
    tape = std::make_shared<Tape>();
    tape->problem = p;
    tape->return_sequences = return_sequences;
    tape->x = x_in, tape->table = table_in;
    tape->kernel = kernel_in, tape->recurrent_kernel = recurrent_in;
    if (bias_in.given) tape->bias_shape = bias_shape(p);
    tape->h = floats_buffer(checked_count({p.time + 1, p.batch, p.units}));
    if (states == 2) tape->c = floats_buffer(checked_count({p.time + 1, p.batch, p.units}));
    if (const int lanes = cached_lanes(p.cell)) {
      tape->gates = floats_buffer(checked_count({p.time, p.batch, lanes, p.units}));
    }
    a.tape = tape->pointers();
  }
  if (p.batch > 0) {
    const KernelTable& table = kernels();
    const Buffer workspace(size_t(table.rnn_forward_workspace(p, keep_tape)));
    a.kernel = kernel_in.data(), a.recurrent_kernel = recurrent_in.data(), a.bias = bias_in.data();
    for (int s = 0; s < states; ++s) {
      a.initial_state[s] = initial[s].data();
      a.last_state[s] = last_state[s].mutable_data();
    }
    if (return_sequences) a.sequence = sequence.mutable_data();
    a.workspace = workspace.data();
    const py::gil_scoped_release release;
    table.rnn_forward(a);
  }
  if (tape) tape->plan = std::move(plan);  // its memory, and so a.tokens, stays where it is
  py::tuple state_tuple(states);
  for (int s = 0; s < states; ++s) state_tuple[s] = last_state[s];
  py::object outputs =
      return_sequences ? py::object(sequence) : py::object(last_state[0].attr("copy")());
  return py::make_tuple(outputs, state_tuple, tape ? py::cast(tape) : py::none());
}

// dlast_state: one entry per state, each an array or None.
py::tuple rnn_backward(const Tape& tape, py::handle dsequence, const py::sequence& dlast_state,
                       bool input_gradient) {
  RnnBackward a{};
  const RnnProblem& p = a.problem = tape.problem;
  a.problem.threads = num_threads();
  const int states = state_count(p.cell);
  const Shape state_shape{p.batch, p.units};
  const OptionalFloats dsequence_in =
      as_optional_floats(dsequence, "d_outputs", {p.batch, p.time, p.units});
  OptionalFloats dlast[2];
  if (py::ssize_t(dlast_state.size()) != states) {
    throw py::value_error("`d_states` must hold " + std::to_string(states) +
                          " array(s). Received: " + std::to_string(dlast_state.size()));
  }
  for (int s = 0; s < states; ++s)
    dlast[s] = as_optional_floats(dlast_state[s], "d_states", state_shape);

  Floats dx, dbias, dinitial[2];
  const py::ssize_t gates = gate_count(p.cell) * p.units;
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
  for (int s = 0; s < states; ++s) dinitial[s] = new_floats(state_shape);
  if (!empty) {
    const KernelTable& table = kernels();
    const Buffer workspace(size_t(table.rnn_backward_workspace(a.problem, input_gradient)));
    if (has_table) {
      a.tokens = tape.plan.input(tape.table.data(), tape.table.shape(0));
    } else {
      a.x = tape.x.data();
    }
    a.kernel = tape.kernel.data(), a.recurrent_kernel = tape.recurrent_kernel.data();
    a.tape = tape.pointers();
    a.dsequence = dsequence_in.data();
    a.dkernel = dkernel.mutable_data(), a.drecurrent_kernel = drecurrent.mutable_data();
    if (input_gradient) a.dx = dx.mutable_data();
    if (use_bias) a.dbias = dbias.mutable_data();
    for (int s = 0; s < states; ++s) {
      a.dlast_state[s] = dlast[s].data();
      a.dinitial_state[s] = dinitial[s].mutable_data();
    }
    a.workspace = workspace.data();
    const py::gil_scoped_release release;
    table.rnn_backward(a);
  }
  py::tuple dinitial_tuple(states);
  for (int s = 0; s < states; ++s) dinitial_tuple[s] = dinitial[s];
  return py::make_tuple(input_gradient ? py::object(dx) : py::none(), dkernel, drecurrent,
                        use_bias ? py::object(dbias) : py::none(), dinitial_tuple);
}

}  // namespace

void register_rnn(py::module_& m) {
  py::class_<Tape, std::shared_ptr<Tape>>(m, "Tape")
      .def_property_readonly(
          "cell", [](const Tape& t) { return kCellNames[static_cast<int>(t.problem.cell)]; })
      .def_readonly("return_sequences", &Tape::return_sequences)
      .def_property_readonly(
          "nbytes", [](const Tape& t) { return t.h.bytes() + t.c.bytes() + t.gates.bytes(); });
  m.def("rnn_forward", &rnn_forward, py::arg("cell"), py::arg("x"), py::arg("tokens"),
        py::arg("table"), py::arg("kernel"), py::arg("recurrent_kernel"), py::arg("bias"),
        py::arg("initial_state"), py::arg("activation"), py::arg("recurrent_activation"),
        py::arg("return_sequences"), py::arg("keep_tape"));
  m.def("rnn_backward", &rnn_backward, py::arg("tape"), py::arg("d_sequence"),
        py::arg("d_last_state"), py::arg("input_gradient"));
}

}  // namespace fastrnn
