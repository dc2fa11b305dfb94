// What this CPU, its operating system and its container allow.
#pragma once

#include <string>
#include <string_view>

namespace fastrnn {

// Whether this CPU and its operating system can run an ISA level.
bool cpu_supports(std::string_view isa);

// Whether it has AVX512-BF16, which is part of no level.
bool cpu_has_bfloat16();

// Whether it has AMX for bfloat16 and the system lets this process use it, which the first call
// asks for.
bool cpu_has_amx();

// How many CPUs' time the control groups allow, 0 for no limit: the smallest limit from the group
// of the process up to the root. `groups` is the file that names the groups of the process, `root`
// the folder of their files. In a container the root is its own group.
double cpu_quota(const std::string& groups = "/proc/self/cgroup",
                 const std::string& root = "/sys/fs/cgroup");

// CPUs that this process may use: the affinity mask, bounded by the quota (rounded up).
int usable_cpus();

}  // namespace fastrnn
