// How work is dealt to threads.
#pragma once

#include <omp.h>

#include "vec.h"

namespace fastrnn {
namespace {

struct Range {
  int64_t begin, end;
};

// The share of `thread` among `threads` of 0..count-1, cut at multiples of `grain`.
inline Range share(int64_t count, int thread, int threads, int64_t grain = 1) {
  const int64_t grains = (count + grain - 1) / grain;
  const int64_t begin = grains * thread / threads * grain,
                end = grains * (thread + 1) / threads * grain;
  return {begin < count ? begin : count, end < count ? end : count};
}

// Runs body(thread, threads) on up to `threads` threads, denormals flushed. OpenMP may give fewer
// threads than asked for, so a body must ask how many there are.
template <class Body>
void in_parallel(int threads, Body body) {
#pragma omp parallel num_threads(threads)
  {
    FlushDenormals flush;
    body(omp_get_thread_num(), omp_get_num_threads());
  }
}

inline void barrier() {
#pragma omp barrier
}

}  // namespace
}  // namespace fastrnn
