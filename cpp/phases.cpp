#include "phases.h"

#include <atomic>
#include <chrono>

namespace fastrnn {
namespace {

std::atomic<bool> enabled{false};
std::atomic<double> seconds[kPhases];

}  // namespace

void set_profiling(bool on) { enabled.store(on, std::memory_order_relaxed); }

bool profiling() { return enabled.load(std::memory_order_relaxed); }

void read_phase_seconds(bool reset, double result[kPhases]) {
  for (int i = 0; i < kPhases; ++i) result[i] = reset ? seconds[i].exchange(0) : seconds[i].load();
}

void add_phase_seconds(Phase phase, double value) { seconds[int(phase)].fetch_add(value); }

double now_seconds() {
  using namespace std::chrono;
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}

}  // namespace fastrnn
