// Losses of a batch, with their gradient and the figures of the metrics that go with them, in one
// pass over the predictions. python/fastrnn/losses has the same equations in NumPy.
#pragma once

#include "../api.h"
#include "math.h"
#include "parallel.h"

namespace fastrnn {
namespace {

// The lanes below n of a vector, zeros in the others.
FASTRNN_INLINE Vec first_lanes(Vec v, int64_t n) {
  if (n == kLanes) return v;
  float lanes[kLanes] = {};
  store_first(lanes, v, n);
  return load(lanes);
}

// A sum in short chains of float32 that are added up in float64: its error does not grow with the
// number of elements.
class Sum {
 public:
  FASTRNN_INLINE void add(Vec v) {
    chain_ += v;
    if (++length_ == 16) end_chain();
  }
  double total() {
    end_chain();
    return total_;
  }

 private:
  FASTRNN_INLINE void end_chain() {
    for (int lane = 0; lane < kLanes; ++lane) total_ += double(chain_[lane]);
    chain_ = Vec{};
    length_ = 0;
  }

  Vec chain_{};
  int length_ = 0;
  double total_ = 0;
};

// Elements that do not depend on each other. element(y_true, y_pred, value, other) sets what the
// two figures add up, and returns the derivative of `value` by y_pred.
template <class Element>
LossFigures of_elements(const LossBatch& a, Range range, Element element) {
  const Vec factor = splat(a.factor);
  Sum values, others;
  for_vectors(range, [&](int64_t i, auto lanes) {
    Vec value, other;
    const Vec d = element(lanes.read(a.y_true + i), lanes.read(a.y_pred + i), value, other);
    const int64_t n = smaller(kLanes, range.end - i);
    values.add(first_lanes(value, n));
    others.add(first_lanes(other, n));
    if (a.d_y_pred) lanes.write(a.d_y_pred + i, d * factor);
  });
  return {values.total(), others.total()};
}

// -t log(p) - (1 - t) log(1 - p) with p = sigmoid(z), and where p > threshold agrees with t.
inline LossFigures binary_crossentropy(const LossBatch& a, Range range) {
  const Vec one = splat(1.0f), threshold = splat(a.threshold);
  return of_elements(a, range, [&](Vec t, Vec z, Vec& value, Vec& agrees) {
    const Vec power = exp_of(-absolute(z));  // of a number below zero: it cannot overflow
    const Vec tail = power / (power + one);  // the smaller of p and 1 - p
    const Vec p = a.sigmoid ? sigmoid_of(z) : z;
    agrees = select(t == select(p > threshold, one, Vec{}), one, Vec{});
    value = at_least(z, Vec{}) - z * t + log1p_unit(power);
    // Not p - t: it would round the gradient of sure predictions to zero.
    return select(z >= 0.0f, (one - t) - tail, tail - t);
  });
}

// e^2 and |e| with e = y_pred - y_true; `squared` tells which of them is the loss.
inline LossFigures error_of(const LossBatch& a, Range range, bool squared) {
  const Vec one = splat(1.0f);
  return of_elements(a, range, [&](Vec t, Vec y, Vec& value, Vec& other) {
    const Vec e = y - t, magnitude = absolute(e);
    value = squared ? e * e : magnitude;
    other = squared ? magnitude : e * e;
    return squared ? e + e : select(e > 0.0f, one, select(e < 0.0f, -one, e));
  });
}

// The first of the largest elements of a row.
inline int64_t largest_of(const float* row, int64_t size) {
  int64_t best = 0;
  for (int64_t k = 1; k < size; ++k) {
    if (row[k] > row[best]) best = k;
  }
  return best;
}

// sum_k t_k (log(sum(exp(z))) - z_k), and where the largest z is that of the largest t. Class ids
// stand for t with a one at the id and zeros elsewhere.
inline LossFigures categorical_crossentropy(const LossBatch& a, Range rows, bool of_ids) {
  const int64_t classes = a.outputs;
  LossFigures figures{};
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    const float *z = a.y_pred + row * classes, *t = a.y_true + row * (of_ids ? 1 : classes);
    float* d = a.d_y_pred ? a.d_y_pred + row * classes : nullptr;
    const int64_t chosen = largest_of(z, classes);
    const Vec most = splat(z[chosen]);
    Sum powers, true_sum, products;
    for_vectors({0, classes}, [&](int64_t k, auto lanes) {
      const int64_t n = smaller(kLanes, classes - k);
      const Vec shifted = lanes.read(z + k) - most, power = exp_of(shifted);
      powers.add(first_lanes(power, n));
      if (d) lanes.write(d + k, power);
      if (of_ids) return;
      const Vec own = lanes.read(t + k);
      true_sum.add(own);
      products.add(first_lanes(own * shifted, n));
    });
    const double total = powers.total(), log_total = __builtin_log(total);
    const int64_t id = of_ids ? int64_t(t[0]) : largest_of(t, classes);
    figures.other += id == chosen;
    figures.loss += of_ids ? log_total - double(z[id] - z[chosen])
                           : true_sum.total() * log_total - products.total();
    if (!d) continue;
    const Vec scale = splat(float(1.0 / total)), factor = splat(a.factor);
    const float power = d[id];
    for_vectors({0, classes}, [&](int64_t k, auto lanes) {
      const Vec p = lanes.read(d + k) * scale;
      lanes.write(d + k, (of_ids ? p : p - lanes.read(t + k)) * factor);
    });
    if (of_ids) d[id] = (power * scale[0] - 1.0f) * a.factor;
  }
  return figures;
}

inline LossFigures loss_of(const LossBatch& a, Range rows) {
  const Range elements{rows.begin * a.outputs, rows.end * a.outputs};
  switch (a.loss) {
    case Loss::binary_crossentropy: return binary_crossentropy(a, elements);
    case Loss::categorical_crossentropy: return categorical_crossentropy(a, rows, false);
    case Loss::sparse_categorical_crossentropy: return categorical_crossentropy(a, rows, true);
    case Loss::mean_squared_error: return error_of(a, elements, true);
    case Loss::mean_absolute_error: return error_of(a, elements, false);
  }
  return {};
}

// The rows are cut by the size of the batch alone, and the parts added up in their order: the sums
// do not depend on the threads.
inline LossFigures batch_loss(const LossBatch& a) {
  constexpr int kMostParts = 64;
  const int parts = threads_for(a.rows * a.outputs, kMostParts);
  LossFigures figures[kMostParts], sum{};
  for_tasks(a.threads, parts, [&](int64_t part, int) {
    figures[part] = loss_of(a, share(a.rows, Team{int(part), parts, nullptr}));
  });
  for (int part = 0; part < parts; ++part) {
    sum.loss += figures[part].loss;
    sum.other += figures[part].other;
  }
  return sum;
}

}  // namespace
}  // namespace fastrnn
