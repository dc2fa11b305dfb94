// The one translation unit that is compiled once per ISA level; FASTRNN_ISA is the level's name. It
// exports the table below and nothing else. If it exported an inline function too, the linker would
// keep one level's copy for all levels, and CPUs without that level would crash.
#include "../api.h"
#include "backward_pass.h"
#include "conv1d.h"
#include "dense.h"
#include "dropout.h"
#include "embedding.h"
#include "forward_pass.h"
#include "gru.h"
#include "loss.h"
#include "lstm.h"
#include "one_hot.h"
#include "optimizer.h"
#include "probe.h"
#include "simple_rnn.h"

namespace fastrnn {
namespace {

// The step classes of one cell, input and pair of activations, as a value to call a visitor with.
template <class ForwardStep, class BackwardStep>
struct StepClasses {
  using Forward = ForwardStep;
  using Backward = BackwardStep;
};

// Calls visit(StepClasses) for a cell.
template <class Activations, class Input, class InputGradient, class Visit>
void with_cell(Cell cell, Visit visit) {
  switch (cell) {
    case Cell::simple_rnn:
      return visit(StepClasses<CellForward<SimpleRnn, Activations, Input>,
                               CellBackward<SimpleRnn, Activations, InputGradient>>());
    case Cell::lstm:
      return visit(StepClasses<CellForward<Lstm, Activations, Input>,
                               CellBackward<Lstm, Activations, InputGradient>>());
    case Cell::gru:
      return visit(StepClasses<CellForward<Gru, Activations, Input>,
                               CellBackward<Gru, Activations, InputGradient>>());
    case Cell::gru_reset_before:
      return visit(StepClasses<GruResetBeforeForward<Activations, Input>,
                               GruResetBeforeBackward<Activations, InputGradient>>());
  }
}

// For a problem's cell and kind of input.
template <class Activations, class Visit>
void with_input(const RnnProblem& problem, Visit visit) {
  if (problem.distinct > 0 && !problem.masked_x) {
    with_cell<Activations, ProjectedInput, ProjectedInputGradients>(problem.cell, visit);
  } else {
    with_cell<Activations, PositionInput, PositionInputGradients>(problem.cell, visit);
  }
}

// For a problem's cell, kind of input and activations.
template <class Visit>
void with_steps(const RnnProblem& problem, Visit visit) {
  if (DefaultActivations::serves(problem)) {
    with_input<DefaultActivations>(problem, visit);
  } else {
    with_input<AnyActivations>(problem, visit);
  }
}

// Makes the passes one after the other, for each has a type of its own, then runs them.
void rnn_forward_beside(const RnnForward& a, StagedPass* first) {
  with_steps(a.problem, [&](auto steps) {
    Workspace workspace(a.workspace);
    ForwardPass<typename decltype(steps)::Forward> pass(a, workspace);
    if (a.beside) return rnn_forward_beside(*a.beside, &pass);
    first ? run_passes(*first, &pass) : run_passes(pass, nullptr);
  });
}

void rnn_backward_beside(const RnnBackward& a, StagedPass* first) {
  with_steps(a.problem, [&](auto steps) {
    Workspace workspace(a.workspace);
    BackwardPass<typename decltype(steps)::Backward> pass(a, workspace);
    if (a.beside) return rnn_backward_beside(*a.beside, &pass);
    first ? run_passes(*first, &pass) : run_passes(pass, nullptr);
  });
}

void rnn_forward(const RnnForward& a) { rnn_forward_beside(a, nullptr); }
void rnn_backward(const RnnBackward& a) { rnn_backward_beside(a, nullptr); }

// Over a null workspace a constructor only adds up the sizes that it needs.
int64_t rnn_forward_workspace(const RnnForward& a) {
  Workspace workspace(nullptr);
  with_steps(a.problem, [&](auto steps) {
    ForwardPass<typename decltype(steps)::Forward> pass(a, workspace);
  });
  return workspace.used();
}

int64_t rnn_backward_workspace(const RnnBackward& a) {
  Workspace workspace(nullptr);
  with_steps(a.problem, [&](auto steps) {
    BackwardPass<typename decltype(steps)::Backward> pass(a, workspace);
  });
  return workspace.used();
}

int64_t dense_forward_workspace(const Dense& problem) {
  Workspace workspace(nullptr);
  DenseForwardLayout layout(problem, workspace);
  return workspace.used();
}

int64_t dense_backward_workspace(const Dense& problem, bool input_gradient) {
  Workspace workspace(nullptr);
  DenseBackwardLayout layout(problem, input_gradient, workspace);
  return workspace.used();
}

int64_t conv1d_forward_workspace(const Conv1d& problem) {
  Workspace workspace(nullptr);
  Conv1dForwardLayout layout(problem, workspace);
  return workspace.used();
}

int64_t conv1d_backward_workspace(const Conv1d& problem, bool input_gradient) {
  Workspace workspace(nullptr);
  Conv1dBackwardLayout layout(problem, input_gradient, workspace);
  return workspace.used();
}

}  // namespace

#define FASTRNN_JOIN_(a, b) a##b
#define FASTRNN_JOIN(a, b) FASTRNN_JOIN_(a, b)
#define FASTRNN_TEXT_(a) #a
#define FASTRNN_TEXT(a) FASTRNN_TEXT_(a)

extern const KernelTable FASTRNN_JOIN(kernel_table_, FASTRNN_ISA);
const KernelTable FASTRNN_JOIN(kernel_table_, FASTRNN_ISA) = {
    FASTRNN_TEXT(FASTRNN_ISA),
    rnn_forward_workspace,
    rnn_backward_workspace,
    rnn_forward,
    rnn_backward,
    dense_forward_workspace,
    dense_backward_workspace,
    dense_forward,
    dense_backward,
    conv1d_forward_workspace,
    conv1d_backward_workspace,
    conv1d_forward,
    conv1d_backward,
    embedding_forward,
    embedding_backward,
    one_hot_tokens,
    activation_forward,
    activation_backward,
    dropout,
    batch_loss,
    sgd_update,
    rmsprop_update,
    adam_update,
    adagrad_update,
    adadelta_update,
    adamax_update,
    nadam_update,
    probe_multiply_adds,
    probe_read,
    probe_triad,
};

}  // namespace fastrnn
