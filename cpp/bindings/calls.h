// Calls from Python while the interpreter shuts down.
#pragma once

#include "module.h"

namespace fastrnn {

// Guard of each function that is called from Python, for `py::call_guard`.
//
// When the interpreter shuts down, CPython before 3.14 ends a daemon thread that asks for the GIL
// by unwinding its stack. That leaves destructors by an exception, which aborts the process, and
// releases Python objects without the GIL. Our calls ask for the GIL when a kernel ends. So the
// interpreter waits at its exit for the calls that have begun. A call that another thread begins
// later blocks until the process ends, as in CPython from 3.14 on.
class Call {
 public:
  Call();
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
};

// Makes the interpreter wait at its exit. To be called once.
void register_exit_handler();

}  // namespace fastrnn
