#include "waiting.h"

#include <sched.h>

namespace fastrnn {
namespace {

// Looks between two offers: some tens of microseconds, about what it costs to fall asleep and be
// woken.
constexpr int kLooks = 1000;
// What lies between two calls of a training step is shorter than this, in seconds.
constexpr double kPatience = 1000e-6;
// An offer that lasts longer was taken.
constexpr double kTaken = 50e-6;
// How long nothing is offered after that.
constexpr double kCrowded = 0.1;

std::atomic<double> crowded_until{0};

}  // namespace

void pause_cpu() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

bool Patience::lasts() {
  if (++looks_ % kLooks) {
    pause_cpu();
    return true;
  }
  const double now = now_seconds();
  if (begin_ == 0) begin_ = now;
  if (now - begin_ > kPatience || now < crowded_until.load(std::memory_order_relaxed)) return false;
  sched_yield();
  const double later = now_seconds();
  if (later - now < kTaken) return true;
  crowded_until.store(later + kCrowded, std::memory_order_relaxed);
  return false;
}

}  // namespace fastrnn
