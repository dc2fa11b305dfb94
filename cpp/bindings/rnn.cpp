// The recurrent cells on NumPy arrays. python/fastrnn/kernels/recurrent.py documents the
// arguments.
#include <algorithm>
#include <initializer_list>
#include <memory>
#include <utility>

#include "../dispatch.h"
#include "../phases.h"
#include "../threads.h"
#include "calls.h"
#include "module.h"
#include "rnn_tape.h"

namespace fastrnn {
namespace {

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

// A call of the forward kernel, from its arguments to its results.
struct ForwardCall {
  explicit ForwardCall(const py::dict& given);
  void finish() const {}
  py::tuple result() const {
    return py::make_tuple(outputs, states, keep_tape ? py::cast(tape) : py::none());
  }

  std::shared_ptr<Tape> tape = std::make_shared<Tape>();
  bool keep_tape = false;
  std::optional<States> initial_state;
  Floats outputs;
  OptionalFloats last_output;
  py::tuple states;
  Buffer workspace;
  RnnForward a{};
};

ForwardCall::ForwardCall(const py::dict& given) {
  Arguments arguments(given);
  read_tape(arguments, *tape);
  initial_state = read_states(arguments, "initial_state", *tape);
  tape->has_initial_state = initial_state.has_value();
  tape->return_sequences = arguments.flag("return_sequences");
  keep_tape = arguments.flag("keep_tape");
  arguments.done();
}

void prepare(ForwardCall& call, const KernelTable& table, bool paired) {
  Tape& tape = *call.tape;
  const RnnProblem& p = tape.pass.problem;
  tape.pass.problem.threads = num_threads();
  tape.pass.problem.paired = paired;
  make_plan(tape);
  if (call.keep_tape) allocate(tape);
  RnnForward& a = call.a;
  static_cast<RnnPass&>(a) = tape.pass;
  a.bias = tape.bias.data();
  call.outputs =
      new_floats(tape.return_sequences ? tape.sequence_shape(p.units) : tape.state_shape());
  if (tape.return_sequences) {
    a.sequence = call.outputs.mutable_data();
    call.last_output = new_floats(tape.state_shape());
    a.last_output = call.last_output->mutable_data();
  } else {
    a.last_output = call.outputs.mutable_data();
  }
  call.states = py::tuple(tape.cell().states);
  for (int s = 0; s < tape.cell().states; ++s) {
    Floats last = new_floats(tape.state_shape());
    if (call.initial_state) a.initial_state[s] = (*call.initial_state)[s].data();
    a.last_state[s] = last.mutable_data();
    call.states[s] = std::move(last);
  }
  if (p.batch > 0) call.workspace = Buffer(size_t(table.rnn_forward_workspace(a)));
  a.workspace = call.workspace.data();
}

// Runs one call, or two side by side.
template <class Call, class Pass>
void run(std::initializer_list<Call*> calls, void (*KernelTable::*kernel)(const Pass&)) {
  const KernelTable& table = kernels();
  Pass *first = nullptr, *last = nullptr;
  for (Call* call : calls) {
    prepare(*call, table, calls.size() > 1);
    if (call->a.problem.batch == 0) continue;
    if (last) last->beside = &call->a;
    last = &call->a;
    if (!first) first = last;
  }
  if (!first) return;
  const py::gil_scoped_release release;
  (table.*kernel)(*first);
  for (const Call* call : calls) call->finish();
}

// Returns (outputs, last states, tape or None).
py::tuple rnn_forward(const py::kwargs& given) {
  ForwardCall call(given);
  run({&call}, &KernelTable::rnn_forward);
  return call.result();
}

// Returns what `rnn_forward` returns, of two calls.
py::tuple rnn_forward_both(const py::dict& first, const py::dict& second) {
  ForwardCall one(first), other(second);
  run({&one, &other}, &KernelTable::rnn_forward);
  return py::make_tuple(one.result(), other.result());
}

// ---- backward

Tape& taken_tape(Arguments& arguments) {
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

// A call of the backward kernel, from its arguments to its results.
struct BackwardCall {
  explicit BackwardCall(const py::dict& given);
  void finish() const {
    if (dtable) tape->row_tokens.unmask(a.dx, tape->x_mask.data(), dtable);
  }
  py::tuple result() const {
    return py::make_tuple(dx, dkernel, drecurrent_kernel, dbias, dinitial_state);
  }

  Tape* tape = nullptr;
  OptionalFloats d_outputs;
  std::optional<States> d_states;
  bool input_gradient = false;
  py::object dx = py::none(), dkernel, drecurrent_kernel, dbias = py::none(),
             dinitial_state = py::none();
  float* dtable = nullptr;  // where dx goes from the masked rows of each row's tokens
  Buffer dmasked_rows, workspace;
  RnnBackward a{};
};

BackwardCall::BackwardCall(const py::dict& given) {
  Arguments arguments(given);
  tape = &taken_tape(arguments);
  const int64_t units = tape->pass.problem.units;
  d_outputs = arguments.optional_floats(
      "d_outputs", tape->return_sequences ? tape->sequence_shape(units) : tape->state_shape());
  d_states = read_states(arguments, "d_states", *tape);
  input_gradient = arguments.flag("input_gradient");
  a.consume = arguments.flag("consume");
  arguments.done();
}

void prepare(BackwardCall& call, const KernelTable& table, bool paired) {
  Tape& tape = *call.tape;
  const RnnProblem& p = tape.pass.problem;
  RnnBackward& a = call.a;
  static_cast<RnnPass&>(a) = tape.pass;
  a.problem.threads = num_threads();
  a.problem.paired = paired;
  (tape.return_sequences ? a.dsequence : a.dlast_output) = call.d_outputs.data();
  const auto gradient = [empty = p.batch == 0](const Shape& shape, float*& data) {
    Floats array = new_floats(shape);
    data = array.mutable_data();
    if (empty) std::fill_n(data, array.size(), 0.0f);  // no kernel runs
    return array;
  };
  const py::ssize_t columns = tape.cell().gates * p.units;
  if (call.input_gradient)
    call.dx = gradient(tape.table ? shape_of(*tape.table) : tape.sequence_shape(p.features), a.dx);
  if (call.input_gradient && tape.row_tokens.count() > 0) {
    call.dtable = a.dx;
    call.dmasked_rows =
        Buffer(size_t(checked_count({tape.row_tokens.count(), p.features})) * sizeof(float));
    a.dx = call.dmasked_rows.floats();
  }
  call.dkernel = gradient({p.features, columns}, a.dkernel);
  call.drecurrent_kernel = gradient({p.units, columns}, a.drecurrent_kernel);
  if (tape.bias) call.dbias = gradient(tape.bias_shape(), a.dbias);
  const int states = std::min(tape.cell().states, int(std::size(a.dinitial_state)));
  for (int s = 0; s < states && call.d_states; ++s) a.dlast_state[s] = (*call.d_states)[s].data();
  if (tape.has_initial_state) {
    py::tuple each(states);
    for (int s = 0; s < states; ++s) each[s] = gradient(tape.state_shape(), a.dinitial_state[s]);
    call.dinitial_state = std::move(each);
  }
  if (p.batch > 0) call.workspace = Buffer(size_t(table.rnn_backward_workspace(a)));
  a.workspace = call.workspace.data();
  tape.consumed = a.consume;
}

// Returns the gradients of (x or table, kernel, recurrent_kernel, bias, initial states), None where
// there is none.
py::tuple rnn_backward(const py::kwargs& given) {
  BackwardCall call(given);
  run({&call}, &KernelTable::rnn_backward);
  return call.result();
}

// Returns what `rnn_backward` returns, of two calls.
py::tuple rnn_backward_both(const py::dict& first, const py::dict& second) {
  if (first.contains("tape") && second.contains("tape") && first["tape"].is(second["tape"]))
    throw py::value_error("`second` must have another `tape` than `first`");
  BackwardCall one(first), other(second);
  run({&one, &other}, &KernelTable::rnn_backward);
  return py::make_tuple(one.result(), other.result());
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
  m.def("rnn_forward_both", &rnn_forward_both, py::call_guard<Call>());
  m.def("rnn_backward_both", &rnn_backward_both, py::call_guard<Call>());
}

}  // namespace fastrnn
