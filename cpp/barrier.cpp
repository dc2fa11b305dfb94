#include "barrier.h"

#include <atomic>

#include "phases.h"

namespace fastrnn {
namespace {

// Some tens of microseconds: as long as threads with equal shares of work may well differ, and
// about what it costs to fall asleep and be woken.
constexpr int kSpins = 1000;

thread_local double slept = 0;

// For the phases: all of a wait, the spinning too.
class WaitTimer {
 public:
  WaitTimer() : on_(profiling()), begin_(on_ ? now_seconds() : 0) {}
  ~WaitTimer() {
    if (on_) add_seconds_waited(now_seconds() - begin_);
  }
  WaitTimer(const WaitTimer&) = delete;
  WaitTimer& operator=(const WaitTimer&) = delete;

 private:
  bool on_;
  double begin_;
};

// Waits until the word is no longer `old`.
void wait_for_change(const std::atomic_ref<uint32_t>& word, uint32_t old) {
  const WaitTimer timer;
  for (int spin = 0; spin < kSpins; ++spin) {
    if (word.load(std::memory_order_acquire) != old) return;
    pause_cpu();
  }
  const double begin = now_seconds();
  word.wait(old, std::memory_order_acquire);
  slept += now_seconds() - begin;
}

}  // namespace

void pause_cpu() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

double take_seconds_waited() {
  const double seconds = slept;
  slept = 0;
  return seconds;
}

void Barrier::wait(int threads) {
  const std::atomic_ref<uint32_t> arrived(arrived_), phase(phase_);
  const uint32_t now = phase.load(std::memory_order_relaxed);
  if (arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == uint32_t(threads)) {
    arrived.store(0, std::memory_order_relaxed);
    phase.store(now + 1, std::memory_order_release);
    phase.notify_all();
    return;
  }
  wait_for_change(phase, now);
}

void Latch::count_down() {
  const std::atomic_ref<uint32_t> count(count_);
  if (count.fetch_sub(1, std::memory_order_acq_rel) == 1) count.notify_all();
}

void Latch::wait() {
  const std::atomic_ref<uint32_t> count(count_);
  for (uint32_t left; (left = count.load(std::memory_order_acquire)) > 0;)
    wait_for_change(count, left);
}

}  // namespace fastrnn
