#include "pool.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

#include "barrier.h"
#include "parallel_times.h"
#include "phases.h"
#include "threads.h"
#include "waiting.h"

namespace fastrnn {
namespace {

// How long a team waits for its threads: longer than a thread that sleeps takes to wake up.
constexpr double kEnrolment = 100e-6;

// What the threads are asked to do. They read it while it may be replaced, and then claim: a claim
// succeeds only while the job is still the one that was read.
struct Job {
  std::atomic<void (*)(void*, int64_t, int)> task;
  std::atomic<void (*)(void*, int, int)> member;  // of a team; then there is one task per thread
  std::atomic<void*> context;
  std::atomic<ParallelTimes*> times;
  std::atomic<uint32_t> count;
  std::atomic<int> threads;
};

constexpr uint64_t kClosed = uint64_t(1) << 31;
constexpr uint64_t kClaims = kClosed - 1;  // their number; above it the number of the job

void run_alone(int64_t count, void (*body)(void*, int64_t, int), void* context,
               ParallelTimes& times) {
  const ParallelTimes::Task timed(times, 0);
  for (int64_t task = 0; task < count; ++task) body(context, task, 0);
}

void run_task(void (*body)(void*, int64_t, int), void* context, int64_t task, int thread,
              ParallelTimes& times) {
  const ParallelTimes::Task timed(times, thread);
  body(context, task, thread);
}

void run_member(void (*body)(void*, int, int), void* context, int thread, int threads,
                ParallelTimes& times) {
  const ParallelTimes::Task timed(times, thread);
  body(context, thread, threads);
}

// What threads write stands apart from what others read.
class Pool {  // NOLINT(clang-analyzer-optin.performance.Padding)
 public:
  // guests: whether the threads belong to someone else, who sends them to `work_as_guest`.
  explicit Pool(bool guests) : has_guests_(guests) {}

  bool try_lock() { return busy_.try_lock(); }
  void unlock() { busy_.unlock(); }

  // Before guests come.
  void let_guests_in() { leave_.store(false, std::memory_order_relaxed); }

  // How many guests there are at most, from now on.
  void expect_guests(int guests) { others_ = guests; }

  // Guests without a task leave as soon as they can.
  void send_guests_home() {
    leave_.store(true, std::memory_order_release);
    open(1, 0, nullptr, nullptr, nullptr, nullptr);
  }

  // What a guest does until he is sent home. thread: 1, 2, ...
  void work_as_guest(int thread) {
    for (uint32_t seen = 0; !leave_.load(std::memory_order_acquire);) {
      work_on_job(thread);
      seen = wait_for_job(seen);
    }
  }

  void run_tasks(int threads, uint32_t count, void (*body)(void*, int64_t, int), void* context,
                 ParallelTimes& times) {
    threads = start_threads(allowed(threads));
    if (threads == 1) return run_alone(count, body, context, times);
    const double begin = now_seconds();
    open(threads, count, body, nullptr, context, &times);
    uint32_t mine = 0;
    for (uint64_t claims; claim(0, claims); ++mine) {
      run_task(body, context, int64_t(claims & kClaims), 0, times);
      done_.fetch_add(1, std::memory_order_acq_rel);
    }
    const double end = now_seconds();
    wait_for_tasks(count);
    if (mine > 0) learn(threads, (end - begin) * count / mine, now_seconds() - begin);
  }

  void run_team(int threads, void (*body)(void*, int, int), void* context, ParallelTimes& times) {
    threads = start_threads(allowed(threads));
    if (threads == 1) return run_member(body, context, 0, 1, times);
    open(threads, uint32_t(threads - 1), nullptr, body, context, &times);
    const double begin = now_seconds(), latest = begin + kEnrolment;
    uint64_t claims = claims_.load(std::memory_order_relaxed);
    while ((claims & kClaims) < uint32_t(threads - 1) && now_seconds() < latest) {
      pause_cpu();
      claims = claims_.load(std::memory_order_relaxed);
    }
    claims = claims_.fetch_or(kClosed, std::memory_order_acq_rel);
    const uint32_t others = uint32_t(claims & kClaims);
    team_size_.store(others + 1, std::memory_order_release);
    team_size_.notify_all();
    take_seconds_waited();
    run_member(body, context, 0, int(others) + 1, times);
    double waited = take_seconds_waited();
    const double end = now_seconds();
    wait_for_tasks(others);
    const double now = now_seconds();
    waited += now - end;
    learn(threads, (now - begin - waited) * (others + 1), now - begin);
  }

 private:
  // ---- the caller

  // As many threads as there are; starts those that are missing. The system may refuse.
  int start_threads(int threads) {
    while (!has_guests_ && others_ < threads - 1 && start_one(others_ + 1)) ++others_;
    return std::min(threads, others_ + 1);
  }

  bool start_one(int thread) {
    try {
      std::thread(&Pool::work, this, thread).detach();
      return true;
    } catch (const std::system_error&) {
      return false;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }

  void open(int threads, uint32_t count, void (*task)(void*, int64_t, int),
            void (*member)(void*, int, int), void* context, ParallelTimes* times) {
    // Nobody claims while the job is replaced; all claims of the last one have been made.
    const uint64_t next = (claims_.fetch_or(kClosed, std::memory_order_acq_rel) >> 32) + 1;
    job_.task.store(task, std::memory_order_release);
    job_.member.store(member, std::memory_order_release);
    job_.context.store(context, std::memory_order_release);
    job_.times.store(times, std::memory_order_release);
    job_.count.store(count, std::memory_order_release);
    job_.threads.store(threads, std::memory_order_release);
    done_.store(0, std::memory_order_relaxed);
    team_size_.store(0, std::memory_order_relaxed);
    claims_.store(next << 32, std::memory_order_release);
    opened_.store(uint32_t(next), std::memory_order_release);
    opened_.notify_all();
  }

  void wait_for_tasks(uint32_t count) {
    for (uint32_t done; (done = done_.load(std::memory_order_acquire)) < count;)
      wait_for_change(done_, done);
  }

  // ---- all threads

  // Claims the next task for a thread: its number is in the last bits of `claims`.
  bool claim(int thread, uint64_t& claims) {
    claims = claims_.load(std::memory_order_acquire);
    do {
      if ((claims & kClosed) || (claims & kClaims) >= job_.count.load(std::memory_order_acquire) ||
          thread >= job_.threads.load(std::memory_order_acquire))
        return false;
    } while (!claims_.compare_exchange_weak(claims, claims + 1, std::memory_order_acq_rel,
                                            std::memory_order_acquire));
    return true;
  }

  void work(int thread) {
    for (uint32_t seen = 0;;) {
      seen = wait_for_job(seen);
      work_on_job(thread);
    }
  }

  // Waits for another job than the one with number `seen`; returns its number.
  uint32_t wait_for_job(uint32_t seen) {
    wait_for_change(opened_, seen);
    return opened_.load(std::memory_order_acquire);
  }

  void work_on_job(int thread) {
    for (uint64_t claims; claim(thread, claims);) work_on(uint32_t(claims & kClaims), thread);
  }

  // The job cannot be replaced before its claimed tasks are done.
  void work_on(uint32_t task, int thread) {
    void* context = job_.context.load(std::memory_order_acquire);
    ParallelTimes& times = *job_.times.load(std::memory_order_acquire);
    if (const auto member = job_.member.load(std::memory_order_acquire)) {
      wait_for_change(team_size_, 0);
      const int threads = int(team_size_.load(std::memory_order_acquire));
      run_member(member, context, int(task) + 1, threads, times);
    } else {
      run_task(job_.task.load(std::memory_order_acquire), context, task, thread, times);
    }
    done_.fetch_add(1, std::memory_order_acq_rel);
    done_.notify_all();
  }

  // ---- how many threads pay

  int allowed(int threads) {
    if (pause_ > 0) {
      --pause_;
      if (pause_ == 0) limit_ = std::min(2 * limit_, kNoLimit);
    }
    return std::min(threads, limit_);
  }

  // taken: seconds of a call; alone: what the caller would have taken by himself.
  void learn(int threads, double alone, double taken) {
    alone_ = alone_ * kMemory + alone;
    taken_ = taken_ * kMemory + taken;
    ++calls_;
    if (taken_ < alone_) {
      next_pause_ = kFirstPause;
    } else if (taken_ > alone_ * kLoss && (calls_ >= kEnough || taken_ > alone_ + kSlice)) {
      limit_ = std::max(1, threads / 2);
      pause_ = next_pause_;
      next_pause_ = std::min(2 * next_pause_, kLongestPause);
      alone_ = taken_ = 0, calls_ = 0;
    }
  }

  static constexpr double kMemory = 0.9, kLoss = 1.1;
  // A thread that has slept is late once, by some tens of microseconds, and that says nothing of
  // the calls that follow. One whose CPU is taken is late by a time slice.
  static constexpr int kEnough = 16;         // calls
  static constexpr double kSlice = 1000e-6;  // seconds, less than one
  static constexpr int kNoLimit = 1 << 20;
  static constexpr int kFirstPause = 64, kLongestPause = 1024;  // calls

  const bool has_guests_;
  std::mutex busy_;
  int others_ = 0;  // threads beside the caller
  int limit_ = kNoLimit, pause_ = 0, next_pause_ = kFirstPause;
  double alone_ = 0, taken_ = 0;  // sums that fade
  int calls_ = 0;                 // that they are of
  Job job_{};
  std::atomic<bool> leave_{false};
  alignas(64) std::atomic<uint64_t> claims_{kClosed};
  alignas(64) std::atomic<uint32_t> opened_{0};
  alignas(64) std::atomic<uint32_t> done_{0};
  alignas(64) std::atomic<uint32_t> team_size_{0};
};

// Never destroyed: its threads run until the process ends.
alignas(64) unsigned char memory[sizeof(Pool)], guest_memory[sizeof(Pool)];
Pool& own_pool() { return *reinterpret_cast<Pool*>(memory); }
Pool& guest_pool() { return *reinterpret_cast<Pool*>(guest_memory); }
void make_pools() noexcept {
  new (memory) Pool(false);
  new (guest_memory) Pool(true);
}
[[maybe_unused]] const bool made = (make_pools(), true);

// Whether the calling thread has the guests: it holds the lock of their pool.
thread_local bool has_guests = false;

// ---- threads of OpenMP

std::atomic<const OpenMp*> lender{nullptr};
std::atomic<bool> forked{false};

// Whether it pays to borrow threads. OpenMP's region ends when each of its threads has been there,
// so a thread whose CPU is taken holds up the caller.
class Joins {
 public:
  bool worth_it() {
    const int left = pause_.load(std::memory_order_relaxed);
    if (left == 0) return true;
    pause_.store(left - 1, std::memory_order_relaxed);
    return false;
  }

  // waited: seconds from the end of the caller's work, which took `worked`, to the end of the
  // region.
  void learn(double worked, double waited) {
    if (waited > std::max(kLate, kLoss * worked)) {
      pause_.store(next_pause_, std::memory_order_relaxed);
      next_pause_ = std::min(2 * next_pause_, kLongestPause);
    } else {
      next_pause_ = std::max(next_pause_ - 1, kFirstPause);
    }
  }

 private:
  // A thread that sleeps is awake in a tenth of it; one whose CPU is taken needs a time slice.
  static constexpr double kLate = 500e-6;
  // What threads of our own lose beside those that spin is more than this part of a pass.
  static constexpr double kLoss = 0.2;
  static constexpr int kFirstPause = 4, kLongestPause = 512;  // calls
  std::atomic<int> pause_{0};
  int next_pause_ = kFirstPause;  // changed by who has the guests
};

Joins joins;

struct Region {
  const OpenMp& openmp;
  void (*body)(void*);
  void* context;
  double begin = 0, end = 0;  // of the body
};

// What each thread of OpenMP runs.
void enter_region(void* context) {
  Region& region = *static_cast<Region*>(context);
  if (const int thread = region.openmp.thread()) return guest_pool().work_as_guest(thread);
  guest_pool().expect_guests(region.openmp.threads() - 1);
  has_guests = true;
  region.begin = now_seconds();
  region.body(region.context);
  has_guests = false;
  guest_pool().send_guests_home();
  region.end = now_seconds();
}

}  // namespace

void lend_threads(const OpenMp& openmp) {
  static OpenMp known;
  if (forked) return;
  known = openmp;
  lender.store(openmp.parallel ? &known : nullptr, std::memory_order_release);
}

void run_pass(int threads, void (*body)(void*), void* context) {
  const OpenMp* openmp = lender.load(std::memory_order_acquire);
  if (threads < 2 || threads_of_call() == 0 || !openmp || has_guests || !joins.worth_it() ||
      !guest_pool().try_lock())
    return body(context);
  guest_pool().let_guests_in();
  Region region{*openmp, body, context};
  openmp->parallel(enter_region, &region, 0, 0);
  joins.learn(region.end - region.begin, now_seconds() - region.end);
  guest_pool().unlock();
}

void run_tasks(int threads, int64_t count, void (*body)(void*, int64_t, int), void* context) {
  threads = int(std::min<int64_t>(threads, count));
  ParallelTimes times(std::max(threads, 1));
  if (threads > 1 && uint64_t(count) < kClaims) {
    if (has_guests) return guest_pool().run_tasks(threads, uint32_t(count), body, context, times);
    if (own_pool().try_lock()) {
      own_pool().run_tasks(threads, uint32_t(count), body, context, times);
      return own_pool().unlock();
    }
  }
  run_alone(count, body, context, times);
}

void run_team(int threads, void (*body)(void*, int, int), void* context) {
  ParallelTimes times(std::max(threads, 1));
  if (threads > 1) {
    if (has_guests) return guest_pool().run_team(threads, body, context, times);
    if (own_pool().try_lock()) {
      own_pool().run_team(threads, body, context, times);
      return own_pool().unlock();
    }
  }
  run_member(body, context, 0, 1, times);
}

void register_fork_handler() {
  // A child inherits the memory of the pools but not their threads, and perhaps a job in the
  // middle. OpenMP's threads are gone as well, and it does not know.
  pthread_atfork(nullptr, nullptr, [] {
    make_pools();
    lender = nullptr, forked = true;
  });
}

}  // namespace fastrnn
