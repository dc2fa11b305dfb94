// ISA levels, threads, and how this module was built. fastrnn/config.py documents them.
#include <pybind11/stl.h>

#include "../dispatch.h"
#include "../threads.h"
#include "module.h"

namespace fastrnn {

void register_system(py::module_& m) {
  m.def("isa", [] { return kernels().isa; });
  m.def("set_isa", &set_isa, py::arg("name"));
  m.def("isa_levels", &isa_levels_usable);
  m.def("isa_levels_built", &isa_levels_built);
  m.def("num_threads", &num_threads);
  m.def("set_num_threads", &set_num_threads, py::arg("n"));
#if defined(__clang__)
  m.attr("compiler") = "clang " __clang_version__;
#else
  m.attr("compiler") = "gcc " __VERSION__;
#endif
  m.attr("__version__") = FASTRNN_VERSION;
}

}  // namespace fastrnn
