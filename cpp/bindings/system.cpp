// ISA levels, threads, build facts. python/fastrnn/config.py documents them.
#include <pybind11/stl.h>

#include "../cpu.h"
#include "../dispatch.h"
#include "../phases.h"
#include "../pool.h"
#include "../threads.h"
#include "module.h"

namespace fastrnn {

void register_system(py::module_& m) {
  m.def("isa", [] { return kernels().isa; });
  m.def("set_isa", &set_isa, py::arg("name"));
  m.def("isa_levels", &isa_levels_usable);
  m.def("isa_levels_built", &isa_levels_built);
  m.def("bfloat16_products", [] { return kOperandNames[int(bfloat16_operands())]; });
  m.def("set_bfloat16_products", &set_bfloat16_operands, py::arg("name"));
  m.def("num_threads", &num_threads);
  m.def("set_num_threads", &set_num_threads, py::arg("n"));
  m.def("set_threads_of_call", &set_threads_of_call, py::arg("n"));
  m.def(
      "lend_threads",
      [](uintptr_t parallel, uintptr_t thread, uintptr_t threads) {
        // NOLINTBEGIN(performance-no-int-to-ptr): ctypes has addresses as integers
        lend_threads({reinterpret_cast<decltype(OpenMp::parallel)>(parallel),
                      reinterpret_cast<decltype(OpenMp::thread)>(thread),
                      reinterpret_cast<decltype(OpenMp::threads)>(threads)});
        // NOLINTEND(performance-no-int-to-ptr)
      },
      py::arg("parallel"), py::arg("thread"), py::arg("threads"));
  m.def("cpu_quota", &cpu_quota, py::arg("groups"), py::arg("root"));
  m.def("set_profiling", &set_profiling, py::arg("enabled"));
  m.def(
      "phase_seconds",
      [](bool reset) {
        double seconds[kPhases];
        read_phase_seconds(reset, seconds);
        py::dict result;
        for (int i = 0; i < kPhases; ++i) result[kPhaseNames[i]] = seconds[i];
        return result;
      },
      py::arg("reset") = true);
#if defined(__clang__)
  m.attr("compiler") = "clang " __clang_version__;
#else
  m.attr("compiler") = "gcc " __VERSION__;
#endif
  m.attr("__version__") = FASTRNN_VERSION;
}

}  // namespace fastrnn
