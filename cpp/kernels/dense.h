// Dense: y = activation(x W + b) over rows, and element-wise activations on their own.
#pragma once

#include "gemm.h"
#include "math.h"
#include "parallel.h"

namespace fastrnn {
namespace {

// Rows that are packed together for the gradient of the kernel.
constexpr int64_t kDenseBlock = 512;

inline int dense_threads(const Dense& p) {
  return threads_for(p.rows * (p.features + p.units) + p.rows * p.features * p.units / 16,
                     p.threads);
}

inline void activation_forward(Activation activation, int64_t size, int threads, const float* x,
                               float* y) {
  in_parallel(threads_for(size, threads), [=](const Team& team) {
    for_vectors(share(size, team, kLanes), [=](int64_t i, auto lanes) {
      lanes.write(y + i, activate(activation, lanes.read(x + i)));
    });
  });
}

inline void activation_backward(Activation activation, int64_t size, int threads, const float* y,
                                const float* dy, float* dx) {
  in_parallel(threads_for(size, threads), [=](const Team& team) {
    for_vectors(share(size, team, kLanes), [=](int64_t i, auto lanes) {
      lanes.write(dx + i, lanes.read(dy + i) * derivative(activation, lanes.read(y + i)));
    });
  });
}

struct DenseForwardLayout {
  DenseForwardLayout(const Dense& p, Workspace& workspace)
      : kernel(workspace, Operands::float32, p.features, p.units) {}
  Weights kernel;
};

inline void dense_forward(const DenseForward& a) {
  const int64_t F = a.problem.features, H = a.problem.units;
  Workspace workspace(a.workspace);
  DenseForwardLayout layout(a.problem, workspace);
  in_parallel(dense_threads(a.problem), [&](const Team& team) {
    Laps laps;
    layout.kernel.for_panels(team, [&](int64_t p) { layout.kernel.pack(p, a.kernel, H); });
    team.barrier();
    const Range mine = share(a.problem.rows, team);
    float* y = a.y + mine.begin * H;
    const int64_t count = mine.end - mine.begin;
    const float* x = a.x + mine.begin * F;
    if (a.bias) {
      layout.kernel.multiply(kAlone, count, x, F, y, H, FromRows{a.bias, 0});
    } else {
      layout.kernel.multiply(kAlone, count, x, F, y, H, FromZero{});
    }
    for_vectors({0, count * H}, [&](int64_t i, auto lanes) {
      lanes.write(y + i, activate(a.problem.activation, lanes.read(y + i)));
    });
    laps.end(Phase::dense);
  });
}

struct DenseBackwardLayout {
  DenseBackwardLayout(const Dense& p, bool input_gradient, Workspace& workspace)
      : block(smaller(kDenseBlock, p.rows)),
        kernel(workspace, Operands::float32, input_gradient ? p.units : 0, p.features),
        x(workspace, p.features, block),
        dz(workspace, p.units, block),
        scratch(workspace.floats(block * p.units)) {}
  int64_t block;
  Weights kernel;  // transposed
  LeftPack x;
  RightPack dz;
  float* scratch;  // dz of the block's rows, [block, H]
};

inline void dense_backward(const DenseBackward& a) {
  const int64_t rows = a.problem.rows, F = a.problem.features, H = a.problem.units;
  Workspace workspace(a.workspace);
  DenseBackwardLayout layout(a.problem, a.dx != nullptr, workspace);
  __builtin_memset(a.dkernel, 0, sizeof(float) * F * H);
  if (a.dbias) __builtin_memset(a.dbias, 0, sizeof(float) * H);
  in_parallel(dense_threads(a.problem), [&](const Team& team) {
    Laps laps;
    if (a.dx) {
      layout.kernel.for_panels(team,
                               [&](int64_t p) { layout.kernel.pack_transposed(p, a.kernel, H); });
    }
    team.barrier();
    for (int64_t first = 0; first < rows; first += layout.block) {
      const int64_t depth = smaller(layout.block, rows - first);
      const Range mine = share(depth, team);
      float* dz = layout.scratch;
      for_vectors({mine.begin * H, mine.end * H}, [&](int64_t i, auto lanes) {
        const Vec y = lanes.read(a.y + first * H + i), dy = lanes.read(a.dy + first * H + i);
        lanes.write(dz + i, dy * derivative(a.problem.activation, y));
      });
      for (int64_t k = mine.begin; k < mine.end; ++k) {
        layout.x.put(k, a.x + (first + k) * F);
        layout.dz.put(k, dz + k * H);
      }
      if (a.dx) {
        layout.kernel.multiply(kAlone, mine.end - mine.begin, dz + mine.begin * H, H,
                               a.dx + (first + mine.begin) * F, F, FromZero{});
      }
      team.barrier();
      add_outer_product<Float32>(layout.x, layout.dz, depth, a.dkernel, H, team);
      if (a.dbias) add_column_sums(layout.dz, depth, a.dbias, team);
      team.barrier();
    }
    laps.end(Phase::dense);
  });
}

}  // namespace
}  // namespace fastrnn
