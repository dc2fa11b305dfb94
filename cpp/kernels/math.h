// Activations of a vector and their derivatives.
//
// Each function states, in this form:
//   what it computes
//   range: the arguments for which it does; what it returns for others
//   error: its largest distance in ULP from the correctly rounded value
// tests/kernels/test_activation_error.py holds the activations to their errors over all of float32.
// Denormals are zero.
//
// Each derivative is a function of the activation's *output* y, so that backward needs no
// pre-activation: tanh' = 1 - y^2, sigmoid' = y (1 - y), softplus' = 1 - exp(-y), ...
#pragma once

#include "../api.h"
#include "vec.h"

namespace fastrnn {
namespace {

// V below is Vec or Pair.

// exp(r) - 1
// range: |r| <= ln(2)/2
// error: 1 ULP, of which 0.12 is the polynomial's and the rest rounding
// A minimax polynomial r + r^2 p(r), its terms paired to keep the chain of operations short.
template <class V>
FASTRNN_INLINE V expm1_reduced(V r) {
  const V r2 = r * r;
  const V low = r * 0.16666543f + 0.49999997f;
  const V high = r * 8.366542e-3f + 4.1667506e-2f;
  const V p = (r2 * 1.3864223e-3f + high) * r2 + low;
  return p * r2 + r;
}

// r and scale = 2^n in x = n ln(2) + r, with |r| <= ln(2)/2; scale is 0 for n = -127
// range: |x| <= 88
// error: less than 2e-8 in r
template <class V>
FASTRNN_INLINE V reduce(V x, V& scale) {
  // Adding the magic number rounds to an integer and leaves it in the last bits.
  const V shifted = x * 1.44269504f + kExponentMagic;
  const V n = shifted - kExponentMagic;
  scale = exponential_of_bits(shifted);
  // ln(2) in two parts; the first has few enough bits that n * part is exact.
  return (x - n * 0.693359375f) - n * -2.12194440e-4f;
}

// exp(x) is infinite a little above, and denormal a little below its negative.
constexpr float kLargestLog = 88.0f;

template <class V>
FASTRNN_INLINE V within_logs(V x) {
  return at_most(at_least(x, splat(-kLargestLog)), splat(kLargestLog));
}

// exp(x)
// range: x <= 88; exp(88) above
// error: 1 ULP
template <class V>
FASTRNN_INLINE V exp_of(V x) {
  V scale;
  const V r = reduce(within_logs(x), scale);
  return scale * expm1_reduced(r) + scale;
}

// exp(x) - 1
// range: x <= 88; exp(88) - 1 above
// error: 2 ULP, near zero too; 1 for x <= 0
template <class V>
FASTRNN_INLINE V expm1_of(V x) {
  V scale;
  const V r = reduce(within_logs(x), scale);
  return scale * expm1_reduced(r) + (scale - 1.0f);
}

// log(1 + z) = 2 atanh(s) with s = z / (2 + z) <= 1/3
// range: 0 <= z <= 1
// error: 2 ULP
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

// tanh(x) = e / (e + 2) with e = exp(2x) - 1, which is exact near zero
// range: all
// error: 2 ULP
template <class V>
FASTRNN_INLINE V tanh_of(V x) {
  const V e = expm1_of(at_most(x + x, splat(40.0f)));
  return e / (e + 2.0f);
}

// A table of 2^(j/kLanes) in one register: what is left of the argument of an exponential is so
// small that three or four terms do.
constexpr bool kHasPowers = kLanes >= 8;
constexpr int kPowerBits = kLanes == 16 ? 4 : 3;
constexpr float kSixteenths[16] = {1.0f,        1.04427373f, 1.09050775f, 1.13878858f,
                                   1.18920708f, 1.24185777f, 1.29683959f, 1.35425556f,
                                   1.41421354f, 1.47682619f, 1.54221082f, 1.61049032f,
                                   1.68179286f, 1.75625217f, 1.8340081f,  1.91520655f};
struct Powers {
  alignas(kVectorBytes) uint32_t bits[kLanes];  // less those that power_of adds
};
constexpr Powers make_powers() {
  Powers powers{};
  for (uint32_t j = 0; j < kLanes; ++j) {
    powers.bits[j] =
        __builtin_bit_cast(uint32_t, kSixteenths[j * 16 / kLanes]) - (j << (23 - kPowerBits));
  }
  return powers;
}
constexpr Powers kPowers = make_powers();

// Adding it leaves n in steps of 1/kLanes in the last bits, and power_of makes 2^n of the sum.
constexpr float kPowersMagic = 1.5f * float(1 << (23 - kPowerBits));
FASTRNN_INLINE Vec power_of(Vec shifted) {
  const Vec table = load(reinterpret_cast<const float*>(kPowers.bits));
  return (Vec)((BitsVec)lookup(table, shifted) + ((BitsVec)shifted << (23 - kPowerBits)));
}
FASTRNN_INLINE Pair power_of(Pair shifted) { return {power_of(shifted.a), power_of(shifted.b)}; }

// sigmoid(x) = 1 / (1 + exp(-x))
// range: all
// error: 2 ULP, in the tail x << 0 too, as long as the result is not denormal
template <class V>
FASTRNN_INLINE V sigmoid_of(V x) {
  if constexpr (!kHasPowers) {
    return 1.0f / (exp_of(-x) + 1.0f);
  } else {
    // x = n ln(2) + r with n in steps of 1/kLanes; then it is s / (s + exp(-r)) with s = 2^n.
    x = within_logs(x);
    const V shifted = x * 1.44269504f + kPowersMagic;
    const V n = shifted - kPowersMagic;
    const V r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
    const V s = power_of(shifted);
    // exp(-r) - 1 by its series, to a term more where the steps are longer.
    const V half =
        kLanes == 8 ? (r * 4.1666667e-2f - 0.16666667f) * r + 0.5f : r * -0.16666667f + 0.5f;
    return s / ((half * r - 1.0f) * r + (s + 1.0f));
  }
}

// With these an input of mean 0 and variance 1 keeps both (Klambauer et al., 2017).
constexpr float kSeluScale = 1.0507009873554805f;
constexpr float kSeluScaledAlpha = 1.7580993408473766f;

// Keras's default.
constexpr float kLeakyReluSlope = 0.2f;

// activation(x)
// range: all
// error: linear, relu, relu6, hard_tanh 0 ULP;
//        hard_sigmoid, hard_sigmoid_keras2, softsign, elu, leaky_relu 1 ULP;
//        tanh, sigmoid, selu 2 ULP; softplus, log_sigmoid 3 ULP
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
    case Activation::hard_sigmoid_keras2:
      return at_most(at_least(x + 2.5f, Vec{}), splat(5.0f)) / 5.0f;
  }
  return x;
}

// activation'(x) from y = activation(x)
// range: every y that the activation returns
// error: a rounding of each operation below
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
    case Activation::hard_sigmoid_keras2:
      return select((y > 0.0f) & (y < 1.0f), splat(0.2f), Vec{});
  }
  return one;
}

inline Pair activate(Activation activation, Pair x) {
  return {activate(activation, x.a), activate(activation, x.b)};
}
inline Pair derivative(Activation activation, Pair y) {
  return {derivative(activation, y.a), derivative(activation, y.b)};
}

// The two activations of a cell: Keras's defaults are known at compile time; others are looked up
// for each vector, by a branch that the CPU predicts.
struct DefaultActivations {
  static constexpr bool kDefault = true;
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
  static constexpr bool kDefault = false;
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
