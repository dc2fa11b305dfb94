// Optimizer updates, each one pass over memory. The equations are those of Keras 3's optimizers.
#pragma once

#include "../api.h"
#include "parallel.h"

namespace fastrnn {
namespace {

// Calls body(i, lanes) for vectors of elements. Each element's result is the same whichever thread
// computes it.
template <class Body>
void update_in_parallel(const Update& a, Body body) {
  in_parallel(threads_for(a.size, a.threads), [&](const Team& team) {
    Laps laps;
    for_vectors(share(a.size, team, kLanes), body);
    laps.end(Phase::optimizer);
  });
}

inline Vec splat(double x) { return splat(float(x)); }

// w -= learning_rate g, or with momentum:
// p = momentum p - learning_rate g;   w += p (nesterov: w += momentum p - learning_rate g)
inline void sgd_update(const SgdUpdate& a) {
  const Vec keep = splat(1 - a.decay), rate = splat(a.learning_rate), momentum = splat(a.momentum);
  update_in_parallel(a, [&](int64_t i, auto lanes) {
    const Vec w = lanes.read(a.variable + i) * keep, step = lanes.read(a.gradient + i) * rate;
    if (!a.momentum_buffer) return lanes.write(a.variable + i, w - step);
    const Vec p = lanes.read(a.momentum_buffer + i) * momentum - step;
    lanes.write(a.momentum_buffer + i, p);
    lanes.write(a.variable + i, w + (a.nesterov ? p * momentum - step : p));
  });
}

// v = rho v + (1 - rho) g^2;   step = learning_rate g / sqrt(v - mean^2 + epsilon), the mean of g
// only if centered;   w -= step, with momentum p = momentum p + step; w -= p
inline void rmsprop_update(const RmspropUpdate& a) {
  const Vec keep = splat(1 - a.decay), rate = splat(a.learning_rate), momentum = splat(a.momentum);
  const Vec rho = splat(a.rho), rest = splat(1 - a.rho), epsilon = splat(a.epsilon);
  update_in_parallel(a, [&](int64_t i, auto lanes) {
    const Vec w = lanes.read(a.variable + i) * keep, g = lanes.read(a.gradient + i);
    const Vec v = lanes.read(a.velocity + i) * rho + g * g * rest;
    lanes.write(a.velocity + i, v);
    Vec denominator = v + epsilon;
    if (a.average_gradient) {
      const Vec mean = lanes.read(a.average_gradient + i) * rho + g * rest;
      lanes.write(a.average_gradient + i, mean);
      denominator = v - mean * mean + epsilon;
    }
    Vec step = g * rate / square_root(denominator);
    if (a.momentum_buffer) {
      step += lanes.read(a.momentum_buffer + i) * momentum;
      lanes.write(a.momentum_buffer + i, step);
    }
    lanes.write(a.variable + i, w - step);
  });
}

// m += (1 - beta_1) (g - m);   v += (1 - beta_2) (g^2 - v);   w -= step_size m / (sqrt(v) +
// epsilon) (Kingma & Ba 2015; amsgrad: the largest v so far)
inline void adam_update(const AdamUpdate& a) {
  const Vec keep = splat(1 - a.decay), step_size = splat(a.step_size), epsilon = splat(a.epsilon);
  const Vec rest_1 = splat(1 - a.beta_1), rest_2 = splat(1 - a.beta_2);
  update_in_parallel(a, [&](int64_t i, auto lanes) {
    const Vec w = lanes.read(a.variable + i) * keep, g = lanes.read(a.gradient + i);
    Vec m = lanes.read(a.m + i), v = lanes.read(a.v + i);
    m += (g - m) * rest_1;
    v += (g * g - v) * rest_2;
    lanes.write(a.m + i, m);
    lanes.write(a.v + i, v);
    if (a.v_max) {
      v = at_least(v, lanes.read(a.v_max + i));
      lanes.write(a.v_max + i, v);
    }
    lanes.write(a.variable + i, w - m * step_size / (square_root(v) + epsilon));
  });
}

// a += g^2;   w -= learning_rate g / sqrt(a + epsilon) (Duchi et al. 2011)
inline void adagrad_update(const AdagradUpdate& a) {
  const Vec keep = splat(1 - a.decay), rate = splat(a.learning_rate), epsilon = splat(a.epsilon);
  update_in_parallel(a, [&](int64_t i, auto lanes) {
    const Vec w = lanes.read(a.variable + i) * keep, g = lanes.read(a.gradient + i);
    const Vec sum = lanes.read(a.accumulator + i) + g * g;
    lanes.write(a.accumulator + i, sum);
    lanes.write(a.variable + i, w - g * rate / square_root(sum + epsilon));
  });
}

// s = rho s + (1 - rho) g^2;   step = sqrt(d + epsilon) / sqrt(s + epsilon) g;
// d = rho d + (1 - rho) step^2;   w -= learning_rate step (Zeiler 2012)
inline void adadelta_update(const AdadeltaUpdate& a) {
  const Vec keep = splat(1 - a.decay), rate = splat(a.learning_rate), epsilon = splat(a.epsilon);
  const Vec rho = splat(a.rho), rest = splat(1 - a.rho);
  update_in_parallel(a, [&](int64_t i, auto lanes) {
    const Vec w = lanes.read(a.variable + i) * keep, g = lanes.read(a.gradient + i);
    const Vec s = lanes.read(a.squared_gradient + i) * rho + g * g * rest;
    const Vec d = lanes.read(a.squared_step + i);
    const Vec step = square_root(d + epsilon) * g / square_root(s + epsilon);
    lanes.write(a.squared_gradient + i, s);
    lanes.write(a.squared_step + i, d * rho + step * step * rest);
    lanes.write(a.variable + i, w - step * rate);
  });
}

// m += (1 - beta_1) (g - m);   u = max(beta_2 u, |g|);   w -= step_size m / (u + epsilon) (Kingma &
// Ba 2015, section 7.1)
inline void adamax_update(const AdamaxUpdate& a) {
  const Vec keep = splat(1 - a.decay), step_size = splat(a.step_size), epsilon = splat(a.epsilon);
  const Vec rest_1 = splat(1 - a.beta_1), beta_2 = splat(a.beta_2);
  update_in_parallel(a, [&](int64_t i, auto lanes) {
    const Vec w = lanes.read(a.variable + i) * keep, g = lanes.read(a.gradient + i);
    Vec m = lanes.read(a.m + i);
    m += (g - m) * rest_1;
    const Vec u = at_least(absolute(g), lanes.read(a.u + i) * beta_2);
    lanes.write(a.m + i, m);
    lanes.write(a.u + i, u);
    lanes.write(a.variable + i, w - m * step_size / (u + epsilon));
  });
}

// m += (1 - beta_1) (g - m);   v += (1 - beta_2) (g^2 - v);
// w -= (step_size m + gradient_step_size g) / (sqrt(v_correction v) + epsilon) (Dozat 2016)
inline void nadam_update(const NadamUpdate& a) {
  const Vec keep = splat(1 - a.decay), epsilon = splat(a.epsilon);
  const Vec step_size = splat(a.step_size), gradient_step_size = splat(a.gradient_step_size);
  const Vec v_correction = splat(a.v_correction);
  const Vec rest_1 = splat(1 - a.beta_1), rest_2 = splat(1 - a.beta_2);
  update_in_parallel(a, [&](int64_t i, auto lanes) {
    const Vec w = lanes.read(a.variable + i) * keep, g = lanes.read(a.gradient + i);
    Vec m = lanes.read(a.m + i), v = lanes.read(a.v + i);
    m += (g - m) * rest_1;
    v += (g * g - v) * rest_2;
    lanes.write(a.m + i, m);
    lanes.write(a.v + i, v);
    const Vec step = m * step_size + g * gradient_step_size;
    lanes.write(a.variable + i, w - step / (square_root(v * v_correction) + epsilon));
  });
}

}  // namespace
}  // namespace fastrnn
