// What this CPU, its operating system and its container allow.
#pragma once

#include <string_view>

namespace fastrnn {

// Whether code of an ISA level of dispatch.cpp can run here.
bool cpu_supports(std::string_view isa);

// CPUs that this process may use: the affinity mask, bounded by the control group's CPU quota
// (rounded up).
int usable_cpus();

}  // namespace fastrnn
