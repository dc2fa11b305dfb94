// How work is dealt to threads and to vectors.
#pragma once

#include <omp.h>

#include "../barrier.h"
#include "vec.h"

namespace fastrnn {
namespace {

constexpr int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
constexpr int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

// The threads of a parallel region, as one of them sees them.
struct Team {
  int thread, threads;
  Barrier* barrier;

  void meet() const {
    if (threads > 1) barrier->meet(threads);
  }
};

struct Range {
  int64_t begin, end;
};

// This thread's share of 0..count-1, cut at multiples of `grain`.
inline Range share(int64_t count, const Team& team, int64_t grain = 1) {
  const int64_t grains = divide_up(count, grain);
  const int64_t begin = grains * team.thread / team.threads * grain;
  const int64_t end = grains * (team.thread + 1) / team.threads * grain;
  return {smaller(begin, count), smaller(end, count)};
}

// Below this many floats a pass over memory is done before a second thread has woken up (some
// microseconds).
constexpr int64_t kFloatsPerThread = 16384;

inline int threads_for(int64_t floats, int threads) {
  return int(smaller(threads, 1 + floats / kFloatsPerThread));
}

// How a vector of elements is read and written: whole, or its first n at the end of a row.
struct Whole {
  Vec read(const float* p) const { return load(p); }
  void write(float* p, Vec v) const { store(p, v); }
};
struct First {
  int64_t n;
  Vec read(const float* p) const { return load_first(p, n); }
  void write(float* p, Vec v) const { store_first(p, v, n); }
};

// Calls body(i, lanes) for the vectors that start at i = begin, begin + kLanes, ...
template <class Body>
void for_vectors(Range range, Body body) {
  int64_t i = range.begin;
  for (; i + kLanes <= range.end; i += kLanes) body(i, Whole{});
  if (i < range.end) body(i, First{range.end - i});
}

// Runs body(team) on up to `threads` threads, denormals flushed. OpenMP may give fewer threads than
// asked for, so a body must ask its team.
template <class Body>
void in_parallel(int threads, Body body) {
  Barrier barrier;
#pragma omp parallel num_threads(threads)
  {
    FlushDenormals flush;
    body(Team{omp_get_thread_num(), omp_get_num_threads(), &barrier});
  }
}

}  // namespace
}  // namespace fastrnn
