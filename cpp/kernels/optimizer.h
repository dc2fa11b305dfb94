// Optimizer updates, each one pass over memory. The equations are those of Keras 3's optimizers.
#pragma once

#include "dense.h"

namespace fastrnn {
namespace {

// Calls body(i, n) for vectors of elements; the element-wise result does not depend on how they are
// dealt.
template <class Body>
void update_in_parallel(const Update& a, Body body) {
  in_parallel(threads_for(a.size, a.threads),
              [&](const Team& team) { for_vectors(share(a.size, team, kLanes), body); });
}

// w -= learning_rate g, or with momentum: v = momentum v - learning_rate g; w += v
// (nesterov: w += momentum v - learning_rate g).
inline void sgd_update(const SgdUpdate& a) {
  update_in_parallel(a, [&](int64_t i, int64_t n) {
    const Vec w = load_first(a.variable + i, n) * (1.0f - a.decay);
    const Vec step = load_first(a.gradient + i, n) * a.learning_rate;
    if (!a.momentum_buffer) return store_first(a.variable + i, w - step, n);
    const Vec v = load_first(a.momentum_buffer + i, n) * a.momentum - step;
    store_first(a.momentum_buffer + i, v, n);
    store_first(a.variable + i, w + (a.nesterov ? v * a.momentum - step : v), n);
  });
}

// v = rho v + (1 - rho) g^2;   step = learning_rate g / sqrt(v - mean^2 + epsilon), mean of g only
// if centered; with momentum: p = momentum p + step, w -= p.
inline void rmsprop_update(const RmspropUpdate& a) {
  update_in_parallel(a, [&](int64_t i, int64_t n) {
    const Vec w = load_first(a.variable + i, n) * (1.0f - a.decay),
              g = load_first(a.gradient + i, n);
    const Vec v = load_first(a.velocity + i, n) * a.rho + g * g * (1.0f - a.rho);
    store_first(a.velocity + i, v, n);
    Vec denominator = v + a.epsilon;
    if (a.average_gradient) {
      const Vec mean = load_first(a.average_gradient + i, n) * a.rho + g * (1.0f - a.rho);
      store_first(a.average_gradient + i, mean, n);
      denominator = v - mean * mean + a.epsilon;
    }
    Vec step = g * a.learning_rate / square_root(denominator);
    if (a.momentum_buffer) {
      step += load_first(a.momentum_buffer + i, n) * a.momentum;
      store_first(a.momentum_buffer + i, step, n);
    }
    store_first(a.variable + i, w - step, n);
  });
}

// m += (1 - beta_1) (g - m);   v += (1 - beta_2) (g^2 - v);   w -= step_size m / (sqrt(v) +
// epsilon) (Kingma & Ba 2015; amsgrad: the largest v so far).
inline void adam_update(const AdamUpdate& a) {
  update_in_parallel(a, [&](int64_t i, int64_t n) {
    const Vec w = load_first(a.variable + i, n) * (1.0f - a.decay),
              g = load_first(a.gradient + i, n);
    Vec m = load_first(a.m + i, n), v = load_first(a.v + i, n);
    m += (g - m) * (1.0f - a.beta_1);
    v += (g * g - v) * (1.0f - a.beta_2);
    store_first(a.m + i, m, n);
    store_first(a.v + i, v, n);
    if (a.v_max) {
      v = at_least(v, load_first(a.v_max + i, n));
      store_first(a.v_max + i, v, n);
    }
    store_first(a.variable + i, w - m * a.step_size / (square_root(v) + a.epsilon), n);
  });
}

}  // namespace
}  // namespace fastrnn
