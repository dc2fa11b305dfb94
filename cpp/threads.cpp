#include "threads.h"

#include <omp.h>
#include <pthread.h>

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "cpu.h"

namespace fastrnn {
namespace {

std::atomic<int> chosen{0};

// 0 where the variable is not set. OMP_NUM_THREADS may be a list, one number per nesting level.
int from_environment(const char* name) {
  const char* text = std::getenv(name);
  if (!text || !*text) return 0;
  char* end = nullptr;
  const long n = std::strtol(text, &end, 10);
  if (n < 1 || n > 4096 || (*end != '\0' && *end != ',')) {
    throw std::invalid_argument(std::string(name) + " must be a positive integer. Received: '" +
                                text + "'");
  }
  return int(n);
}

int default_threads() {
  if (const int n = from_environment("FASTRNN_NUM_THREADS")) return n;
  if (const int n = from_environment("OMP_NUM_THREADS")) return n;
  return usable_cpus();
}

}  // namespace

int num_threads() {
  if (const int n = chosen.load()) return n;
  static const int n = default_threads();
  return n;
}

void set_num_threads(int n) { chosen.store(n); }

void register_fork_handler() {
  // GCC's OpenMP keeps its threads for the next parallel region; a child inherits the list of them
  // but not the threads, and would wait for them for ever. Before a fork they are let go; either
  // side starts new ones when it needs them.
  pthread_atfork([] { omp_pause_resource_all(omp_pause_hard); }, nullptr, nullptr);
}

}  // namespace fastrnn
