#include "phases.h"

#include <algorithm>
#include <atomic>
#include <chrono>

#include "parallel_times.h"

namespace fastrnn {
namespace {

std::atomic<bool> enabled{false};
std::atomic<double> seconds[kPhases];

// What the calling thread works for; null outside of parallel calls and without profiling.
thread_local ParallelTimes::Thread* current = nullptr;
thread_local double waited = 0;

}  // namespace

void set_profiling(bool on) { enabled.store(on, std::memory_order_relaxed); }

bool profiling() { return enabled.load(std::memory_order_relaxed); }

void read_phase_seconds(bool reset, double result[kPhases]) {
  for (int i = 0; i < kPhases; ++i) result[i] = reset ? seconds[i].exchange(0) : seconds[i].load();
}

double now_seconds() {
  using namespace std::chrono;
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}

void add_phase_seconds(Phase phase, double value) {
  if (current)
    current->phases[int(phase)] += value;
  else
    seconds[int(phase)].fetch_add(value);
}

void add_seconds_waited(double value) { waited += value; }

double seconds_waited() { return waited; }

ParallelTimes::ParallelTimes(int threads) {
  if (!profiling()) return;
  threads_.resize(size_t(threads));
  begin_ = now_seconds();
}

ParallelTimes::~ParallelTimes() {
  if (threads_.empty()) return;
  const auto less = [](const Thread& a, const Thread& b) { return a.worked < b.worked; };
  const Thread& slowest = *std::max_element(threads_.begin(), threads_.end(), less);
  for (int i = 0; i < kPhases; ++i) seconds[i].fetch_add(slowest.phases[i]);
  const double waiting = now_seconds() - begin_ - slowest.worked;
  seconds[int(Phase::waiting)].fetch_add(waiting);
  add_seconds_waited(waiting);  // a phase of the caller may go on
}

ParallelTimes::Task::Task(ParallelTimes& times, int thread)
    : thread_(times.threads_.empty() ? nullptr : &times.threads_[size_t(thread)]) {
  if (!thread_) return;
  current = thread_;
  begin_ = now_seconds() - waited;
}

ParallelTimes::Task::~Task() {
  if (!thread_) return;
  thread_->worked += now_seconds() - waited - begin_;
  current = nullptr;
}

}  // namespace fastrnn
