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

// V below is Vec or Pair.

// exp(r) - 1 for |r| <= ln(2)/2 by a polynomial with the smallest largest error, 1.4e-8 of the
// result (0.12 ULP); r + r^2 p(r), the terms paired to keep the chain short.
template <class V>
FASTRNN_INLINE V expm1_reduced(V r) {
  const V r2 = r * r;
  const V low = r * 0.16666543f + 0.49999997f;
  const V high = r * 8.366542e-3f + 4.1667506e-2f;
  const V p = (r2 * 1.3864223e-3f + high) * r2 + low;
  return p * r2 + r;
}

// x = n ln(2) + r with |r| <= ln(2)/2. Returns r; scale = 2^n, and 0 for n = -127. For |x| <= 88.
template <class V>
FASTRNN_INLINE V reduce(V x, V& scale) {
  // Adding the magic number rounds to an integer and leaves it in the last bits.
  const V shifted = x * 1.44269504f + kExponentMagic;
  const V n = shifted - kExponentMagic;
  scale = exponential_of_bits(shifted);
  // ln(2) in two parts; the first has few enough bits that n * part is exact.
  return (x - n * 0.693359375f) - n * -2.12194440e-4f;
}

// exp of more is infinite, of less denormal: flushed to zero.
constexpr float kLargestLog = 88.0f;

template <class V>
FASTRNN_INLINE V within_logs(V x) {
  return at_most(at_least(x, splat(-kLargestLog)), splat(kLargestLog));
}

// exp(x), about 1 ULP, for x <= 88; exp(88) above.
template <class V>
FASTRNN_INLINE V exp_of(V x) {
  V scale;
  const V r = reduce(within_logs(x), scale);
  return scale * expm1_reduced(r) + scale;
}

// exp(x) - 1, about 1 ULP, also near zero; as above.
template <class V>
FASTRNN_INLINE V expm1_of(V x) {
  V scale;
  const V r = reduce(within_logs(x), scale);
  return scale * expm1_reduced(r) + (scale - 1.0f);
}

// log(1 + z) for 0 <= z <= 1 by 2 atanh(s), s = z / (2 + z) <= 1/3, about 2 ULP.
FASTRNN_INLINE Vec log1p_unit(Vec z) {
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

// 2 ULP. By expm1(2x), which keeps the relative error near zero; from |x| = 20 on it is 1.
template <class V>
FASTRNN_INLINE V tanh_of(V x) {
  const V e = expm1_of(at_most(x + x, splat(40.0f)));
  return e / (e + 2.0f);
}

// 2 ULP, also in the tail x << 0: exp(-x) stays finite up to 88, and what comes out for less is
// denormal, so zero.
template <class V>
FASTRNN_INLINE V sigmoid_of(V x) {
  return 1.0f / (exp_of(-x) + 1.0f);
}

// Inputs of mean 0 and variance 1 keep both (Klambauer et al., 2017).
constexpr float kSeluScale = 1.0507009873554805f;
constexpr float kSeluScaledAlpha = 1.7580993408473766f;

// Slope of Keras's default.
constexpr float kLeakyReluSlope = 0.2f;

inline Vec activate(Activation activation, Vec x) {
  switch (activation) {
    case Activation::linear: return x;
    case Activation::tanh: return tanh_of(x);
    case Activation::sigmoid: return sigmoid_of(x);
    case Activation::relu: return at_least(x, Vec{});
    case Activation::hard_sigmoid: return at_most(at_least(x + 3.0f, Vec{}), splat(6.0f)) / 6.0f;
    case Activation::softsign: return x / (absolute(x) + 1.0f);
    case Activation::softplus: return at_least(x, Vec{}) + log1p_unit(exp_of(-absolute(x)));
    case Activation::elu: return select(x > 0.0f, x, expm1_of(at_most(x, Vec{})));
    case Activation::selu:
      return select(x > 0.0f, kSeluScale * x, kSeluScaledAlpha * expm1_of(at_most(x, Vec{})));
    case Activation::leaky_relu: return select(x > 0.0f, x, kLeakyReluSlope * x);
    case Activation::relu6: return at_most(at_least(x, Vec{}), splat(6.0f));
    case Activation::hard_tanh: return at_most(at_least(x, splat(-1.0f)), splat(1.0f));
    case Activation::log_sigmoid: return at_most(x, Vec{}) - log1p_unit(exp_of(-absolute(x)));
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
    case Activation::softplus: return -expm1_of(-y);
    case Activation::elu: return select(y > 0.0f, one, y + one);
    case Activation::selu: return select(y < 0.0f, y + kSeluScaledAlpha, splat(kSeluScale));
    case Activation::leaky_relu: return select(y > 0.0f, one, splat(kLeakyReluSlope));
    case Activation::relu6: return select((y > 0.0f) & (y < 6.0f), one, Vec{});
    case Activation::hard_tanh: return select(absolute(y) < 1.0f, one, Vec{});
    case Activation::log_sigmoid: return -expm1_of(y);
  }
  return one;
}

inline Pair activate(Activation activation, Pair x) {
  return {activate(activation, x.a), activate(activation, x.b)};
}
inline Pair derivative(Activation activation, Pair y) {
  return {derivative(activation, y.a), derivative(activation, y.b)};
}

// The two activations of a cell. The defaults of Keras are known at compile time; any others are
// looked up per vector, a predictable branch.
struct DefaultActivations {
  explicit DefaultActivations(const RnnProblem&) {}
  static bool serves(const RnnProblem& problem) {
    const bool gated = traits_of(problem.cell).gates > 1;
    return problem.activation == Activation::tanh &&
           (!gated || problem.recurrent_activation == Activation::sigmoid);
  }
  template <class V>
  FASTRNN_INLINE V activate(V x) const {
    return tanh_of(x);
  }
  template <class V>
  FASTRNN_INLINE V derivative(V y) const {
    return 1.0f - y * y;
  }
  template <class V>
  FASTRNN_INLINE V gate(V x) const {
    return sigmoid_of(x);
  }
  template <class V>
  FASTRNN_INLINE V gate_derivative(V y) const {
    return y * (1.0f - y);
  }
};

struct AnyActivations {
  explicit AnyActivations(const RnnProblem& problem)
      : activation(problem.activation), recurrent_activation(problem.recurrent_activation) {}
  Activation activation, recurrent_activation;
  template <class V>
  FASTRNN_INLINE V activate(V x) const {
    return fastrnn::activate(activation, x);
  }
  template <class V>
  FASTRNN_INLINE V derivative(V y) const {
    return fastrnn::derivative(activation, y);
  }
  template <class V>
  FASTRNN_INLINE V gate(V x) const {
    return fastrnn::activate(recurrent_activation, x);
  }
  template <class V>
  FASTRNN_INLINE V gate_derivative(V y) const {
    return fastrnn::derivative(recurrent_activation, y);
  }
};

}  // namespace
}  // namespace fastrnn
