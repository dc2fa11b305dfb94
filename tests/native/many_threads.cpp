// Uses what the threads of a free-threaded Python share, from several threads at once: memory, the
// pool of threads, the counters of phases, the number of threads. Built with ThreadSanitizer by the
// preset `tsan`. Returns 0 if all is well.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

#include "memory.h"
#include "phases.h"
#include "pool.h"
#include "threads.h"

namespace {

using namespace fastrnn;

constexpr int kTurns = 300, kTasks = 16, kForks = 20, kSeconds = 300000;

std::atomic<int> failures{0};

void expect(bool right, const char* what) {
  if (right) return;
  ++failures;
  std::fprintf(stderr, "wrong: %s\n", what);
}

// Two owners of one block would overwrite each other's bytes.
void use_memory(uint32_t seed) {
  struct Held {
    Buffer buffer;
    size_t bytes = 0;
    unsigned char value = 0;
  };
  std::vector<Held> held(8);
  for (int turn = 0; turn < kTurns; ++turn) {
    seed = seed * 1664525 + 1013904223;
    Held& one = held[seed >> 29];
    const auto* data = static_cast<const unsigned char*>(one.buffer.data());
    for (size_t i = 0; i < one.bytes; ++i) {
      if (data[i] != one.value) return expect(false, "memory with two owners");
    }
    one.bytes = 64 + (seed >> 8) % 20000;
    one.value = static_cast<unsigned char>(seed >> 3);
    one.buffer = Buffer(one.bytes);
    std::memset(one.buffer.data(), one.value, one.bytes);
  }
}

// Whoever else has the pool: each task runs once.
void share_tasks() {
  for (int turn = 0; turn < kTurns; ++turn) {
    std::vector<int> runs(kTasks);
    run_tasks(
        3, kTasks,
        [](void* context, int64_t task, int) {
          ++(*static_cast<std::vector<int>*>(context))[size_t(task)];
        },
        &runs);
    for (const int count : runs) expect(count == 1, "a task that did not run once");
  }
}

// An OpenMP that starts its threads anew for each region.
thread_local int openmp_thread = 0;

void openmp_parallel(void (*body)(void*), void* context, unsigned, unsigned) {
  std::thread other([=] {
    openmp_thread = 1;
    body(context);
  });
  body(context);
  other.join();
}

// Passes whose tasks run on borrowed threads, unless another pass has them.
void borrow_threads() {
  set_threads_of_call(2);
  for (int turn = 0; turn < kTurns; ++turn) {
    std::vector<int> runs(kTasks);
    const auto run_pass_of_tasks = [](void* context) {
      for (int half = 0; half < 2; ++half) {
        run_tasks(
            2, kTasks,
            [](void* context, int64_t task, int) {
              ++(*static_cast<std::vector<int>*>(context))[size_t(task)];
            },
            context);
      }
    };
    run_pass(2, run_pass_of_tasks, &runs);
    for (const int count : runs) expect(count == 2, "a borrowed task that did not run once a job");
    std::atomic<int> members{0}, threads{0};
    std::atomic<int>* both[] = {&members, &threads};
    const auto run_pass_of_a_team = [](void* context) {
      run_team(
          2,
          [](void* context, int, int threads) {
            auto** both = static_cast<std::atomic<int>**>(context);
            ++*both[0];
            *both[1] = threads;
          },
          context);
    };
    run_pass(2, run_pass_of_a_team, both);
    expect(members == threads, "a borrowed team");
  }
}

void count_seconds() {
  for (int second = 0; second < kSeconds; ++second) add_phase_seconds(Phase::embedding, 1);
}

void change_settings() {
  for (int turn = 0; turn < kTurns; ++turn) {
    set_num_threads(1 + turn % 4);
    expect(num_threads() >= 1, "number of threads");
    set_profiling(turn % 2 == 0);
  }
}

// A child has the memory of its parent as it was, perhaps while another thread was taking some.
void fork_children() {
  for (int turn = 0; turn < kForks; ++turn) {
    const pid_t child = fork();
    if (child == 0) {
      std::memset(Buffer(4096).data(), 1, 4096);
      _exit(0);
    }
    int status = 1;
    expect(waitpid(child, &status, 0) == child && status == 0, "a forked child");
  }
}

}  // namespace

int main() {
  register_fork_handler();
  keep_memory_usable_after_fork();
  lend_threads({openmp_parallel, [] { return openmp_thread; }, [] { return 2; }});
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < 3; ++i) threads.emplace_back(use_memory, i);
  for (int i = 0; i < 2; ++i) threads.emplace_back(share_tasks);
  for (int i = 0; i < 2; ++i) threads.emplace_back(borrow_threads);
  for (int i = 0; i < 2; ++i) threads.emplace_back(count_seconds);
  threads.emplace_back(change_settings);
  threads.emplace_back(fork_children);
  for (std::thread& thread : threads) thread.join();

  double seconds[kPhases];
  read_phase_seconds(true, seconds);
  expect(seconds[int(Phase::embedding)] == 2 * kSeconds, "a phase that lost seconds");
  return failures > 0;
}
