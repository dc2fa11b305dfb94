#include "cpu.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace fastrnn {
namespace {

int affinity_cpus() {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  return std::max(1, int(std::thread::hardware_concurrency()));
}

// How many CPUs' time a period allows; 0 for no limit.
double quota_v2(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 0;
  return std::strtod(quota.c_str(), nullptr) / period;
}

double quota_v1(const std::string& folder) {
  std::ifstream quota_file(folder + "/cpu.cfs_quota_us"),
      period_file(folder + "/cpu.cfs_period_us");
  double quota = 0, period = 0;
  if (!(quota_file >> quota) || !(period_file >> period) || quota <= 0 || period <= 0) return 0;
  return quota / period;
}

}  // namespace

double cpu_quota(const std::string& groups, const std::string& root) {
  double smallest = 0;
  const auto consider = [&](double quota) {
    if (quota > 0 && (smallest == 0 || quota < smallest)) smallest = quota;
  };
  std::ifstream lines(groups);
  for (std::string line; std::getline(lines, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool v2 = controllers.empty();
    if (!v2 && ("," + controllers + ",").find(",cpu,") == std::string::npos) continue;
    for (std::string path = line.substr(second + 1);; path.resize(path.rfind('/'))) {
      if (path == "/") path.clear();
      if (v2) {
        consider(quota_v2(root + path));
      } else {  // the folder has the names of all its controllers, mostly with a link from each
        consider(quota_v1(root + "/cpu" + path));
        consider(quota_v1(root + "/" + controllers + path));
      }
      if (path.empty() || path.rfind('/') == std::string::npos) break;
    }
  }
  return smallest;
}

bool cpu_supports(std::string_view isa) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  // These also check that the operating system saves the wide registers.
  if (isa == "avx512") {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512cd") && cpu_supports("avx2");
  }
  if (isa == "avx2") {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  }
  return isa == "baseline" && __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
#elif defined(__aarch64__)
  return isa == "neon";  // part of the architecture
#else
  return false;
#endif
}

bool cpu_has_bfloat16() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

bool cpu_has_amx() {
#if defined(__x86_64__) && defined(__linux__)
  static const bool allowed = [] {
    // Not by __builtin_cpu_supports: compilers before GCC 14 and Clang 18 do not know the names.
    constexpr unsigned kBfloat16 = 1u << 22, kTiles = 1u << 24, kSavesState = 1u << 27;
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & kSavesState)) return false;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d & kBfloat16) || !(d & kTiles)) return false;
    constexpr unsigned kTileState = 3u << 17;  // configuration and data
    asm("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    if ((a & kTileState) != kTileState) return false;
    constexpr long kRequestPermission = 0x1023, kTileData = 18;  // of <asm/prctl.h>
    return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  }();
  return allowed;
#else
  return false;
#endif
}

int usable_cpus() {
  const int cpus = affinity_cpus();
  const double quota = cpu_quota();
  return quota > 0 ? int(std::min(double(cpus), std::ceil(quota))) : cpus;
}

}  // namespace fastrnn
