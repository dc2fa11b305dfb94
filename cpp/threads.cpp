#include "threads.h"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>

#include "cpu.h"

namespace fastrnn {
namespace {

constexpr int kMostThreads = 4096;

std::atomic<int> chosen{0};
thread_local int of_call = 0;

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
  if (of_call) return of_call;
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

int threads_of_call() { return of_call; }

void set_threads_of_call(int n) { of_call = std::clamp(n, 0, kMostThreads); }

}  // namespace fastrnn
