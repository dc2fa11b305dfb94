// Where the threads of one parallel region meet.
#pragma once

#include <cstdint>

namespace fastrnn {

// OpenMP's own barrier spins for milliseconds before it sleeps. That is fine while each thread has
// a CPU to itself; where CPUs are shared, the spinning takes the time slices that the late thread
// would need (a backward pass of 15 ms took 560 ms beside two busy processes, and 25 ms with this).
class Barrier {
 public:
  // Returns when `threads` threads have called it. All calls of one barrier must agree on the
  // number.
  void meet(int threads);

 private:
  // Not std::atomic: this header is compiled once per ISA level, and no inline function of a
  // library may be (see kernels/table.cpp).
  alignas(64) uint32_t arrived_ = 0;
  alignas(64) uint32_t phase_ = 0;
};

}  // namespace fastrnn
