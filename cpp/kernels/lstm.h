// LSTM with forget gate, without peepholes (Hochreiter & Schmidhuber 1997; Gers, Schmidhuber &
// Cummins 2000).
#pragma once

#include "cell_step.h"

namespace fastrnn {
namespace {

struct Lstm {
  static constexpr Cell kCell = Cell::lstm;
  static constexpr int kColumns = 4;  // i, f, candidate, o
  static constexpr int kRecurrentColumn = 0;
  static constexpr int kKernelRotation = 0;
  static constexpr bool kCarriesH = false;

  // i, f, o = gate(x W + h_prev U + b)    candidate = act(x W + h_prev U + b)
  // c = f c_prev + i candidate            h = o act(c)
  template <class Activations, class V>
  static FASTRNN_INLINE void forward(const Activations& act, V gate[kColumns], State<V>& state) {
    const V i = act.gate(gate[0]), f = act.gate(gate[1]), candidate = act.activate(gate[2]),
            o = act.gate(gate[3]);
    state.c = f * state.c + i * candidate;
    state.h = o * act.activate(state.c);
    gate[0] = i, gate[1] = f, gate[2] = candidate, gate[3] = o;
  }

  template <class Activations, class V>
  static FASTRNN_INLINE void backward(const Activations& act, const V gate[kColumns],
                                      const State<V>& prev, const State<V>& state,
                                      V dgate[kColumns], State<V>& dstate) {
    const V i = gate[0], f = gate[1], candidate = gate[2], o = gate[3];
    V dc;
    if constexpr (Activations::kDefault) {
      // tanh(c) = h / o. Where o is too small for the quotient, all that it is multiplied by is
      // zero.
      const V activated_c = state.h / at_least(o, splat(1e-36f));
      dc = dstate.c + dstate.h * (o - state.h * activated_c);
      dgate[3] = dstate.h * state.h * (1.0f - o);
    } else {
      const V activated_c = act.activate(state.c);  // faster to compute again than to keep
      dc = dstate.c + dstate.h * o * act.derivative(activated_c);
      dgate[3] = dstate.h * activated_c * act.gate_derivative(o);
    }
    dgate[0] = dc * candidate * act.gate_derivative(i);
    dgate[1] = dc * prev.c * act.gate_derivative(f);
    dgate[2] = dc * i * act.derivative(candidate);
    dstate.c = dc * f;
  }
};

}  // namespace
}  // namespace fastrnn
