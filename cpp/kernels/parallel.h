// How work is dealt to threads and to vectors.
#pragma once

#include "../barrier.h"
#include "../phases.h"
#include "../pool.h"
#include "vec.h"

namespace fastrnn {
namespace {

constexpr int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
// In place of std::min and std::max: a copy of those compiled here for one ISA level could be the
// one that the linker keeps for all levels, and a CPU without that level would crash in it.
constexpr int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
constexpr int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

// The threads of a parallel region, as one of them sees them.
struct Team {
  int thread, threads;
  Barrier* shared;
  bool turned = false;  // whether it takes the panels of weights from the last to the first

  // Waits for all threads of the team.
  void barrier() const {
    if (threads > 1) shared->wait(threads);
  }
};

// One thread on its own: a share of its work is all of it, and it waits for nobody.
constexpr Team kAlone{0, 1, nullptr};

// Tells how long one phase after another took the calling thread, without the time for which it
// waited for others, while profiling is on.
class Laps {
 public:
  Laps() : on_(profiling()), last_(on_ ? working_seconds() : 0) {}
  void end(Phase phase) {
    if (!on_) return;
    const double now = working_seconds();
    add_phase_seconds(phase, now - last_);
    last_ = now;
  }

 private:
  static double working_seconds() { return now_seconds() - seconds_waited(); }

  bool on_;
  double last_;
};

struct Range {
  int64_t begin, end;
};

// This thread's share of 0..count-1, cut at multiples of `grain`.
inline Range share(int64_t count, const Team& team, int64_t grain = 1) {
  if (team.threads == 1) return {0, count};
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

// More floats of weights do not stay in L2 from one step to the next.
constexpr int64_t kWeightsInL2 = 1 << 18;

// How a vector of elements is read and written: whole, two together, or its first n at the end of
// a row.
struct Whole {
  FASTRNN_INLINE Vec read(const float* p) const { return load(p); }
  FASTRNN_INLINE void write(float* p, Vec v) const { store(p, v); }
};
struct Paired {
  FASTRNN_INLINE Pair read(const float* p) const { return {load(p), load(p + kLanes)}; }
  FASTRNN_INLINE void write(float* p, Pair v) const { store(p, v.a), store(p + kLanes, v.b); }
};
struct First {
  int64_t n;
  FASTRNN_INLINE Vec read(const float* p) const { return load_first(p, n); }
  FASTRNN_INLINE void write(float* p, Vec v) const { store_first(p, v, n); }
};

// Calls body(i, lanes) for the vectors that start at i = begin, begin + kLanes, ...
template <class Body>
FASTRNN_INLINE void for_vectors(Range range, Body body) {
  int64_t i = range.begin;
  for (; i + kLanes <= range.end; i += kLanes) body(i, Whole{});
  if (i < range.end) body(i, First{range.end - i});
}

// The same, two vectors at a time where there are two.
template <class Body>
FASTRNN_INLINE void for_vector_pairs(Range range, Body body) {
  int64_t i = range.begin;
  for (; i + 2 * kLanes <= range.end; i += 2 * kLanes) body(i, Paired{});
  for_vectors({i, range.end}, body);
}

// Runs body(team) on up to `threads` threads, denormals flushed. They may be fewer than asked for,
// so a body must ask its team.
template <class Body>
void in_parallel(int threads, Body body) {
  struct Shared {
    Body& body;
    Barrier barrier;
  } shared{body, {}};
  const auto run = [](void* context, int thread, int threads) {
    Shared& mine = *static_cast<Shared*>(context);
    const FlushDenormals flush;
    mine.body(Team{thread, threads, &mine.barrier});
  };
  run_team(threads, run, &shared);
}

// Calls body(task, thread) for each task in 0..count-1, once. Up to `threads` threads claim one
// after another, denormals flushed; `thread` is the number of the one at work.
template <class Body>
void for_tasks(int threads, int64_t count, Body body) {
  const auto run = [](void* context, int64_t task, int thread) {
    const FlushDenormals flush;
    (*static_cast<Body*>(context))(task, thread);
  };
  run_tasks(threads, count, run, &body);
}

// Calls body(), a whole pass with all its parallel regions and tasks; see `run_pass`.
template <class Body>
void in_pass(int threads, Body body) {
  run_pass(threads, [](void* context) { (*static_cast<Body*>(context))(); }, &body);
}

// Calls body(team) for each of `parts` shares of some work; the teams know no barrier.
template <class Body>
void deal(int parts, Body body) {
  for_tasks(parts, parts, [&](int64_t part, int) { body(Team{int(part), parts, nullptr}); });
}

}  // namespace
}  // namespace fastrnn
