// Calls from Python, and the end of the interpreter.
#pragma once

#include "module.h"

namespace fastrnn {

// Guard of each function that is called from Python, for `py::call_guard`.
//
// CPython before 3.14 ends a daemon thread that asks for the GIL while the interpreter shuts down
// by unwinding its stack: out of destructors, which aborts the process, and past the owners of
// Python objects, which must not let go of them without the GIL. Kernels and NumPy ask for it. So
// the interpreter waits, before it shuts down, for the calls that have begun, and a call that
// another thread begins after that stays where it is until the process ends, as from 3.14 on.
class Call {
 public:
  Call();
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
};

// Lets the interpreter wait at its exit. Once per process.
void register_exit_handler();

}  // namespace fastrnn
