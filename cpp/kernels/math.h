// Activations of a vector and their derivatives. Errors are in ULP, the distance from the correctly
// rounded value; tests/kernels/test_activation_error.py holds the activations to them.
//
// Each derivative is written as a function of the activation's *output* y, so that backward needs
// no pre-activation: tanh' = 1 - y^2, sigmoid' = y (1 - y), softplus' = 1 - exp(-y), ...
#pragma once

#include "../api.h"
#include "vec.h"

namespace fastrnn {
namespace {

// exp(r) - 1 for |r| <= ln(2)/2 by Taylor's series up to r^7; the remainder is below 1.5e-8 of the
// result, a quarter of a ULP.
inline Vec expm1_reduced(Vec r) {
  Vec p = splat(1.0f / 5040);
  p = p * r + splat(1.0f / 720);
  p = p * r + splat(1.0f / 120);
  p = p * r + splat(1.0f / 24);
  p = p * r + splat(1.0f / 6);
  p = p * r + splat(0.5f);
  return p * r * r + r;
}

// x = n ln(2) + r with |r| <= ln(2)/2. Returns r; scale = 2^n. For -87.3 <= x <= 0.
inline Vec reduce(Vec x, Vec& scale) {
  // Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
  const Vec magic = splat(12582912.0f);
  const Vec shifted = x * splat(1.44269504f) + magic;
  const Vec n = shifted - magic;
  scale = (Vec)((((IntVec)shifted - (IntVec)magic) + 127) << 23);
  // ln(2) in two parts; the first has few enough bits that n * part is exact.
  return (x - n * splat(0.693359375f)) - n * splat(-2.12194440e-4f);
}

constexpr float kSmallestLog = -87.3f;  // exp of less is denormal: flushed to zero

// exp(x) for x <= 0, about 1 ULP.
inline Vec exp_negative(Vec x) {
  Vec scale;
  const Vec r = reduce(at_least(x, splat(kSmallestLog)), scale);
  return select(x < splat(kSmallestLog), Vec{}, scale * expm1_reduced(r) + scale);
}

// exp(x) - 1 for x <= 0, about 1 ULP, also near zero.
inline Vec expm1_negative(Vec x) {
  Vec scale;
  const Vec r = reduce(at_least(x, splat(kSmallestLog)), scale);
  return scale * expm1_reduced(r) + (scale - 1.0f);
}

// log(1 + z) for 0 <= z <= 1 by 2 atanh(s), s = z / (2 + z) <= 1/3, about 2 ULP.
inline Vec log1p_unit(Vec z) {
  const Vec s = z / (z + 2.0f);
  const Vec q = s * s;
  Vec p = splat(2.0f / 15);
  p = p * q + splat(2.0f / 13);
  p = p * q + splat(2.0f / 11);
  p = p * q + splat(2.0f / 9);
  p = p * q + splat(2.0f / 7);
  p = p * q + splat(2.0f / 5);
  p = p * q + splat(2.0f / 3);
  return p * q * s + (s + s);
}

// 2 ULP. By -expm1(-2|x|), which keeps the relative error near zero.
inline Vec tanh_of(Vec x) {
  const Vec e = expm1_negative(absolute(x) * -2.0f);
  const Vec magnitude = -e / (e + 2.0f);
  return (Vec)((IntVec)magnitude | ((IntVec)x & (int32_t)0x80000000));
}

// 2 ULP, also in the tail x << 0, where 1 / (1 + exp(-x)) would overflow.
inline Vec sigmoid_of(Vec x) {
  const Vec e = exp_negative(-absolute(x));
  return select(x < 0.0f, e, splat(1.0f)) / (e + 1.0f);
}

inline Vec activate(Activation activation, Vec x) {
  switch (activation) {
    case Activation::linear: return x;
    case Activation::tanh: return tanh_of(x);
    case Activation::sigmoid: return sigmoid_of(x);
    case Activation::relu: return at_least(x, Vec{});
    case Activation::hard_sigmoid: return at_most(at_least(x + 3.0f, Vec{}), splat(6.0f)) / 6.0f;
    case Activation::softsign: return x / (absolute(x) + 1.0f);
    case Activation::softplus: return at_least(x, Vec{}) + log1p_unit(exp_negative(-absolute(x)));
    case Activation::elu: return select(x > 0.0f, x, expm1_negative(at_most(x, Vec{})));
  }
  return x;
}

inline Vec derivative(Activation activation, Vec y) {
  const Vec one = splat(1.0f);
  switch (activation) {
    case Activation::linear: return one;
    case Activation::tanh: return one - y * y;
    case Activation::sigmoid: return y * (one - y);
    case Activation::relu: return select(y > 0.0f, one, Vec{});
    case Activation::hard_sigmoid: return select((y > 0.0f) & (y < 1.0f), one / 6.0f, Vec{});
    case Activation::softsign: return (one - absolute(y)) * (one - absolute(y));
    case Activation::softplus: return -expm1_negative(-y);
    case Activation::elu: return select(y > 0.0f, one, y + one);
  }
  return one;
}

// The pair of activations of a cell. The defaults of Keras are known at compile time; any other
// pair is looked up per vector, a predictable branch.
struct DefaultActivations {
  explicit DefaultActivations(const RnnProblem&) {}
  static bool serves(const RnnProblem& problem) {
    const bool gated = problem.cell != Cell::simple_rnn;
    return problem.activation == Activation::tanh &&
           (!gated || problem.recurrent_activation == Activation::sigmoid);
  }
  Vec activate(Vec x) const { return tanh_of(x); }
  Vec derivative(Vec y) const { return 1.0f - y * y; }
  Vec gate(Vec x) const { return sigmoid_of(x); }
  Vec gate_derivative(Vec y) const { return y * (1.0f - y); }
};

struct AnyActivations {
  explicit AnyActivations(const RnnProblem& problem)
      : activation(problem.activation), recurrent_activation(problem.recurrent_activation) {}
  Activation activation, recurrent_activation;
  Vec activate(Vec x) const { return fastrnn::activate(activation, x); }
  Vec derivative(Vec y) const { return fastrnn::derivative(activation, y); }
  Vec gate(Vec x) const { return fastrnn::activate(recurrent_activation, x); }
  Vec gate_derivative(Vec y) const { return fastrnn::derivative(recurrent_activation, y); }
};

}  // namespace
}  // namespace fastrnn
