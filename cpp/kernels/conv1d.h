// Conv1D over rows in place: a window of the input is a row of a matrix whose rows overlap, so the
// products are those of Dense, without a copy of the windows.
//
//   y[b, t] = activation(bias + sum_k x[b, t * stride + k * dilation] W_k),  t < out, k < taps
#pragma once

#include "dense.h"

namespace fastrnn {
namespace {

// Output positions that are packed together for the gradient of the kernel.
constexpr int64_t kConvBlock = 512;

inline int conv1d_threads(const Conv1d& p) {
  const int64_t positions = p.batch * p.out, window = p.taps * p.channels;
  return threads_for(positions * (p.channels + p.filters) + positions * window * p.filters / 16,
                     p.threads);
}

// Without dilation the taps of a window lie next to each other and are one product; else each is
// a product of its own.
struct Taps {
  explicit Taps(const Conv1d& p)
      : products(p.dilation == 1 ? 1 : p.taps), depth(p.taps * p.channels / products) {}
  int64_t products, depth;
};

// Calls visit(sample, first, end) for the parts of samples that a range of positions touches.
template <class Visit>
inline void for_samples(Range positions, int64_t out, Visit visit) {
  for (int64_t at = positions.begin, end; at < positions.end; at = end) {
    const int64_t sample = at / out;
    end = smaller(positions.end, (sample + 1) * out);
    visit(sample, at - sample * out, end - sample * out);
  }
}

// The packed weights of each product, one after another.
class TapWeights {
 public:
  TapWeights(Workspace& workspace, int64_t count, int64_t depth, int64_t columns)
      : depth_(depth),
        columns_(columns),
        spacing_(floats_of_one(depth, columns)),
        data_(workspace.floats(count * spacing_)) {}

  Weights operator[](int64_t k) const {
    Workspace piece(data_ + k * spacing_);
    return {piece, Operands::float32, depth_, columns_};
  }

 private:
  static int64_t floats_of_one(int64_t depth, int64_t columns) {
    Workspace counting(nullptr);
    const Weights one(counting, Operands::float32, depth, columns);
    return counting.used() / int64_t(sizeof(float));
  }

  int64_t depth_, columns_, spacing_;
  float* data_;
};

struct Conv1dForwardLayout {
  Conv1dForwardLayout(const Conv1d& p, Workspace& workspace)
      : kernels(workspace, Taps(p).products, Taps(p).depth, p.filters) {}
  TapWeights kernels;
};

inline void conv1d_forward(const Conv1dForward& a) {
  const Conv1d& p = a.problem;
  const int64_t C = p.channels, H = p.filters;
  const Taps taps(p);
  Workspace workspace(a.workspace);
  Conv1dForwardLayout layout(p, workspace);
  in_parallel(conv1d_threads(p), [&](const Team& team) {
    Laps laps;
    for (int64_t k = 0; k < taps.products; ++k) {
      layout.kernels[k].for_panels(team, [&](int64_t panel) {
        layout.kernels[k].pack(panel, a.kernel + k * taps.depth * H, H);
      });
    }
    team.barrier();
    const Range mine = share(p.batch * p.out, team);
    for_samples(mine, p.out, [&](int64_t sample, int64_t first, int64_t end) {
      float* y = a.y + (sample * p.out + first) * H;
      const float* x = a.x + (sample * p.steps + first * p.stride) * C;
      const int64_t rows = end - first;
      if (a.bias) {
        layout.kernels[0].multiply(kAlone, rows, x, p.stride * C, y, H, FromRows{a.bias, 0});
      } else {
        layout.kernels[0].multiply(kAlone, rows, x, p.stride * C, y, H, FromZero{});
      }
      for (int64_t k = 1; k < taps.products; ++k) {
        layout.kernels[k].multiply(kAlone, rows, x + k * p.dilation * C, p.stride * C, y, H,
                                   FromRows{y, H});
      }
    });
    for_vectors({mine.begin * H, mine.end * H}, [&](int64_t i, auto lanes) {
      lanes.write(a.y + i, activate(p.activation, lanes.read(a.y + i)));
    });
    laps.end(Phase::dense);
  });
}

struct Conv1dBackwardLayout {
  Conv1dBackwardLayout(const Conv1d& p, bool input_gradient, Workspace& workspace)
      : block(smaller(kConvBlock, p.batch * p.out)),
        window(p.taps * p.channels),
        x(workspace, window, block),
        dz(workspace, p.filters, block),
        dz_rows(workspace.floats(p.batch * p.out * p.filters)),
        windows(workspace.floats(p.dilation == 1 ? 0 : block * window)),
        kernels(workspace, input_gradient ? p.taps : 0, p.filters, p.channels) {}
  int64_t block, window;
  LeftPack x;
  RightPack dz;
  float* dz_rows;  // gradient before the activation, [batch * out, H]
  float* windows;  // those of the block's positions where a dilation tears them, [block, window]
  TapWeights kernels;  // each tap's, transposed
};

// dx of one sample: each tap adds its product to the steps that it has seen.
inline void conv1d_input_gradient(const Conv1dBackward& a, const TapWeights& kernels,
                                  const float* dz_rows, int64_t sample) {
  const Conv1d& p = a.problem;
  const int64_t C = p.channels;
  const float* dz = dz_rows + sample * p.out * p.filters;
  float* dx = a.dx + sample * p.steps * C;
  __builtin_memset(dx, 0, sizeof(float) * p.steps * C);
  for (int64_t k = 0; k < p.taps; ++k) {
    float* to = dx + k * p.dilation * C;
    kernels[k].multiply(kAlone, p.out, dz, p.filters, to, p.stride * C, FromRows{to, p.stride * C});
  }
}

inline void conv1d_backward(const Conv1dBackward& a) {
  const Conv1d& p = a.problem;
  const int64_t C = p.channels, H = p.filters, positions = p.batch * p.out;
  Workspace workspace(a.workspace);
  Conv1dBackwardLayout layout(p, a.dx != nullptr, workspace);
  __builtin_memset(a.dkernel, 0, sizeof(float) * layout.window * H);
  if (a.dbias) __builtin_memset(a.dbias, 0, sizeof(float) * H);
  in_parallel(conv1d_threads(p), [&](const Team& team) {
    Laps laps;
    if (a.dx) {
      for (int64_t k = team.thread; k < p.taps; k += team.threads) {
        layout.kernels[k].for_panels(kAlone, [&](int64_t panel) {
          layout.kernels[k].pack_transposed(panel, a.kernel + k * C * H, H);
        });
      }
    }
    const Range all = share(positions, team);
    float* dz = layout.dz_rows;
    for_vectors({all.begin * H, all.end * H}, [&](int64_t i, auto lanes) {
      lanes.write(dz + i, lanes.read(a.dy + i) * derivative(p.activation, lanes.read(a.y + i)));
    });
    team.barrier();
    if (a.dx) {
      const Range samples = share(p.batch, team);
      for (int64_t sample = samples.begin; sample < samples.end; ++sample) {
        conv1d_input_gradient(a, layout.kernels, dz, sample);
      }
    }
    for (int64_t first = 0; first < positions; first += layout.block) {
      const int64_t depth = smaller(layout.block, positions - first);
      const Range mine = share(depth, team);
      for (int64_t k = mine.begin; k < mine.end; ++k) {
        const int64_t sample = (first + k) / p.out, t = (first + k) % p.out;
        const float* window = a.x + (sample * p.steps + t * p.stride) * C;
        if (p.dilation > 1) {
          float* row = layout.windows + k * layout.window;
          for (int64_t tap = 0; tap < p.taps; ++tap) {
            __builtin_memcpy(row + tap * C, window + tap * p.dilation * C, sizeof(float) * C);
          }
          window = row;
        }
        layout.x.put(k, window);
        layout.dz.put(k, dz + (first + k) * H);
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
