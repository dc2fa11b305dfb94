#include "threads.h"

#include <omp.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "cpu.h"

namespace fastrnn {
namespace {

constexpr int kMostThreads = 4096;

std::atomic<int> chosen{0};

// 0 where the variable is not set. OMP_NUM_THREADS may be a list, one number per nesting level.
int from_environment(const char* name) {
  const char* text = std::getenv(name);
  if (!text || !*text) return 0;
  char* end = nullptr;
  const long n = std::strtol(text, &end, 10);
  while (std::isspace(static_cast<unsigned char>(*end))) ++end;
  if (n < 1 || n > kMostThreads || (*end != '\0' && *end != ',')) {
    throw std::invalid_argument(std::string(name) + " must be an integer in 1.." +
                                std::to_string(kMostThreads) + ". Received: '" + text + "'");
  }
  return int(n);
}

int default_threads() {
  if (const int n = from_environment("FASTRNN_NUM_THREADS")) return n;
  if (const int n = from_environment("OMP_NUM_THREADS")) return n;
  return usable_cpus();
}

// OpenMP's number of threads where nobody has set another. A number that is set holds for the
// thread that sets it, which may be the one that imports this module; so a new thread is asked.
int untouched_openmp_threads() {
  int n = 0;
  try {
    std::thread([&n] { n = omp_get_max_threads(); }).join();
  } catch (const std::system_error&) {  // no thread to be had
    n = omp_get_max_threads();
  }
  return n;
}

}  // namespace

int num_threads() {
  static const int by_default = default_threads(), untouched = untouched_openmp_threads();
  const int set = chosen.load(), n = set ? set : by_default;
  const int openmp = omp_get_max_threads();
  return openmp == untouched ? n : std::min(n, openmp);
}

void set_num_threads(int n) {
  if (n < 0 || n > kMostThreads) {
    throw std::invalid_argument("`n` must be an integer in 0.." + std::to_string(kMostThreads) +
                                ". Received: n=" + std::to_string(n));
  }
  chosen.store(n);
}

#if defined(FASTRNN_STD_THREADS)

void run_team(int threads, void (*body)(void*, int, int), void* context) {
  std::vector<std::thread> others;
  for (int thread = 1; thread < threads; ++thread)
    others.emplace_back(body, context, thread, threads);
  body(context, 0, threads);
  for (std::thread& other : others) other.join();
}

#else

void run_team(int threads, void (*body)(void*, int, int), void* context) {
#pragma omp parallel num_threads(threads)
  body(context, omp_get_thread_num(), omp_get_num_threads());
}

#endif

void register_fork_handler() {
  // GCC's OpenMP keeps its threads for the next parallel region; a child inherits the list of them
  // but not the threads, and would wait for them for ever. Before a fork they are let go; either
  // side starts new ones when it needs them.
  pthread_atfork([] { omp_pause_resource_all(omp_pause_hard); }, nullptr, nullptr);
}

}  // namespace fastrnn
