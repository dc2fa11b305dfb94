// What the machine can do, for bench/roofline.py: multiply-adds per second, bytes per second. Each
// probe returns its results, so that the compiler cannot leave the work out.
#pragma once

#include "parallel.h"

namespace fastrnn {
namespace {

// Chains of multiply-adds that do not wait for each other: as many as the register tile of the
// matrix product has sums. Two units of latency 4 need 8.
constexpr int kProbeChains = kTileRows * kTileVectors;

// With these no chain ever comes near zero or infinity.
constexpr float kProbeFactor = 0.5f, kProbeTerm = 1.0f;

// Walks `steps` steps of x = x * factor + term in every lane of every chain, on each of `threads`
// threads. Returns the floating-point operations of all threads, two for a multiply-add. `sums`
// [threads] receives each thread's sum over chains and lanes. All chains differ, or the compiler
// would compute equal ones once.
inline int64_t probe_multiply_adds(int64_t steps, int threads, float* sums) {
  int64_t operations = 0;
  in_parallel(threads, [&](const Team& team) {
    const Vec factor = splat(kProbeFactor), term = splat(kProbeTerm);
    Vec chain[kProbeChains];
#pragma GCC unroll 32
    for (int i = 0; i < kProbeChains; ++i) chain[i] = splat(float(team.thread + i));
    for (int64_t step = 0; step < steps; ++step) {
#pragma GCC unroll 32
      for (int i = 0; i < kProbeChains; ++i) chain[i] = chain[i] * factor + term;
    }
    Vec total{};
#pragma GCC unroll 32
    for (int i = 0; i < kProbeChains; ++i) total += chain[i];
    float sum = 0.0f;
    for (int lane = 0; lane < kLanes; ++lane) sum += total[lane];
    sums[team.thread] = sum;
    if (team.thread == 0) operations = 2 * steps * kProbeChains * kLanes * team.threads;
  });
  return operations;
}

// Reads x [size] once; `sums` [threads] receives the sum of each thread's share, zero for a thread
// that did not run.
inline void probe_read(int64_t size, int threads, const float* x, float* sums) {
  for (int thread = 0; thread < threads; ++thread) sums[thread] = 0.0f;
  in_parallel(threads, [&](const Team& team) {
    constexpr int kStreams = 8;
    const Range mine = share(size, team, kStreams * kLanes);
    Vec stream[kStreams] = {};
    int64_t i = mine.begin;
    for (; i + kStreams * kLanes <= mine.end; i += kStreams * kLanes) {
#pragma GCC unroll 8
      for (int s = 0; s < kStreams; ++s) stream[s] += load(x + i + s * kLanes);
    }
    for_vectors({i, mine.end}, [&](int64_t n, auto lanes) { stream[0] += lanes.read(x + n); });
    Vec total{};
    for (int s = 0; s < kStreams; ++s) total += stream[s];
    float sum = 0.0f;
    for (int lane = 0; lane < kLanes; ++lane) sum += total[lane];
    sums[team.thread] = sum;
  });
}

// The triad of the STREAM benchmark (McCalpin 1995): out [size] = x + factor * y.
inline void probe_triad(int64_t size, int threads, float factor, const float* x, const float* y,
                        float* out) {
  in_parallel(threads, [&](const Team& team) {
    const Vec splatted = splat(factor);
    for_vectors(share(size, team, kLanes), [&](int64_t i, auto lanes) {
      lanes.write(out + i, lanes.read(x + i) + splatted * lanes.read(y + i));
    });
  });
}

}  // namespace
}  // namespace fastrnn
