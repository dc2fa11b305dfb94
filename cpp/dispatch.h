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

// What the products of a mixed-precision call multiply: by AMX or by the instructions for bfloat16
// if the level and this CPU have them, else emulated.
Operands bfloat16_operands();

// Forces one of kOperandNames, or with null no longer any, for tests and for measuring.
// std::invalid_argument if the level or this CPU cannot multiply so.
void set_bfloat16_operands(const char* name);

std::vector<std::string> isa_levels_built();   // best first
std::vector<std::string> isa_levels_usable();  // those that this CPU can run, best first

}  // namespace fastrnn
