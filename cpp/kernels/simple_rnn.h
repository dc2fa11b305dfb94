// SimpleRNN (Elman, "Finding structure in time", 1990).
#pragma once

#include "cell_step.h"

namespace fastrnn {
namespace {

struct SimpleRnn {
  static constexpr Cell kCell = Cell::simple_rnn;
  static constexpr int kColumns = 1;
  static constexpr int kRecurrentColumn = 0;
  static constexpr int kKernelRotation = 0;
  static constexpr bool kCarriesH = false;

  // h = act(x W + h_prev U + b)
  template <class Activations, class V>
  static FASTRNN_INLINE void forward(const Activations& act, V gate[kColumns], State<V>& state) {
    state.h = act.activate(gate[0]);
  }

  template <class Activations, class V>
  static FASTRNN_INLINE void backward(const Activations& act, const V[kColumns], const State<V>&,
                                      const State<V>& state, V dgate[kColumns], State<V>& dstate) {
    dgate[0] = dstate.h * act.derivative(state.h);
  }
};

}  // namespace
}  // namespace fastrnn
