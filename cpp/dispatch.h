// Chooses the ISA level that runs.
#pragma once

#include <string>
#include <vector>

#include "api.h"

namespace fastrnn {

// The kernels in use: at first those of the level that FASTRNN_ISA names, or of the best level that
// this CPU can run.
const KernelTable& kernels();

// Switches the level for later calls. std::invalid_argument if it was not built or this CPU cannot
// run it.
void set_isa(const std::string& name);

std::vector<std::string> isa_levels_built();   // best first
std::vector<std::string> isa_levels_usable();  // those that this CPU can run, best first

}  // namespace fastrnn
