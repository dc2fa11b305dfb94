#include "barrier.h"

#include <atomic>

#include "phases.h"
#include "waiting.h"

namespace fastrnn {
namespace {

thread_local double given = 0;

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

void wait_here(const std::atomic_ref<uint32_t>& word, uint32_t old) {
  const WaitTimer timer;
  given += wait_for_change(word, old);
}

}  // namespace

double take_seconds_waited() {
  const double seconds = given;
  given = 0;
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
  wait_here(phase, now);
}

void Latch::count_down() {
  const std::atomic_ref<uint32_t> count(count_);
  if (count.fetch_sub(1, std::memory_order_acq_rel) == 1) count.notify_all();
}

void Latch::wait() {
  const std::atomic_ref<uint32_t> count(count_);
  for (uint32_t left; (left = count.load(std::memory_order_acquire)) > 0;) wait_here(count, left);
}

}  // namespace fastrnn
