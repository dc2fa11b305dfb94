// What this CPU, its operating system and its container allow.
#pragma once

#include <string>
#include <string_view>

namespace fastrnn {

// Whether code of an ISA level of dispatch.cpp can run here.
bool cpu_supports(std::string_view isa);

// CPUs' worth of time that the control groups allow, 0 where they set no limit: the smallest limit
// from the process's group up to the root. `groups` is what the system says the groups are, `root`
// where their files are mounted; a container sees its own group as the root.
double cpu_quota(const std::string& groups = "/proc/self/cgroup",
                 const std::string& root = "/sys/fs/cgroup");

// CPUs that this process may use: the affinity mask, bounded by the quota (rounded up).
int usable_cpus();

}  // namespace fastrnn
