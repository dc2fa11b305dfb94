#include "barrier.h"

#include <atomic>

namespace fastrnn {
namespace {

// Some tens of microseconds: as long as threads with equal shares of work may well differ, and
// about what it costs to fall asleep and be woken.
constexpr int kSpins = 1000;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

void Barrier::meet(int threads) {
  const std::atomic_ref<uint32_t> arrived(arrived_), phase(phase_);
  const uint32_t now = phase.load(std::memory_order_relaxed);
  if (arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == uint32_t(threads)) {
    arrived.store(0, std::memory_order_relaxed);
    phase.store(now + 1, std::memory_order_release);
    phase.notify_all();
    return;
  }
  for (int spin = 0; spin < kSpins; ++spin) {
    if (phase.load(std::memory_order_acquire) != now) return;
    pause();
  }
  phase.wait(now, std::memory_order_acquire);
}

}  // namespace fastrnn
