// Which of the compiled ISA levels runs.
#pragma once

#include <string>
#include <vector>

#include "api.h"

namespace fastrnn {

// The table in use. At first use: the level named by FASTRNN_ISA, else the best that this CPU has.
const KernelTable& kernels();

// Switches the level for calls that start from now on. std::invalid_argument if it is unknown or
// this CPU lacks it.
void set_isa(const std::string& name);

std::vector<std::string> isa_levels_built();   // best first
std::vector<std::string> isa_levels_usable();  // those that this CPU can run, best first

}  // namespace fastrnn
