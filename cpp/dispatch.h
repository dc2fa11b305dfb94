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

// What the products of a mixed-precision call multiply: by the instructions for bfloat16 if the
// level and this CPU have them, else emulated. The results are the same bits.
Operands bfloat16_operands();

// Whether to emulate in any case, for tests.
void set_emulate_bfloat16(bool always);

std::vector<std::string> isa_levels_built();   // best first
std::vector<std::string> isa_levels_usable();  // those that this CPU can run, best first

}  // namespace fastrnn
