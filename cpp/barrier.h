// Where threads of one parallel call wait for each other.
#pragma once

#include <cstdint>

namespace fastrnn {

class Barrier {
 public:
  // Returns when `threads` threads have called it. All calls of one barrier must agree on the
  // number.
  void wait(int threads);

 private:
  // Not std::atomic: this header is compiled once per ISA level, and no inline function of a
  // library may be (see kernels/table.cpp).
  alignas(64) uint32_t arrived_ = 0;
  alignas(64) uint32_t phase_ = 0;
};

// Lets tasks wait for what other tasks of their call do. Those must be claimed first, or be able to
// run without them: a task that waits keeps its thread.
class Latch {
 public:
  explicit Latch(int64_t count) : count_(uint32_t(count)) {}
  void count_down();
  // Returns when count_down has been called `count` times.
  void wait();

 private:
  alignas(64) uint32_t count_;  // see Barrier
};

// How long the calling thread has waited at barriers, but for the first looks of each wait
// (waiting.h); since the last call.
double take_seconds_waited();

}  // namespace fastrnn
