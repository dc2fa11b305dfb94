// Probes of the machine. bench/roofline.py calls them and takes the time.
#include <numeric>

#include "../dispatch.h"
#include "arrays.h"
#include "calls.h"
#include "module.h"

namespace fastrnn {
namespace {

constexpr int kMostThreads = 4096;

void check_threads(int threads) {
  if (threads < 1 || threads > kMostThreads) {
    throw py::value_error("`threads` must be an integer in 1.." + std::to_string(kMostThreads) +
                          ". Received: threads=" + std::to_string(threads));
  }
}

// Returns the number of floating-point operations and the sum of their results.
py::tuple probe_multiply_adds(int64_t steps, int threads) {
  check_threads(threads);
  if (steps < 0) {
    throw py::value_error("`steps` must not be negative. Received: steps=" + std::to_string(steps));
  }
  std::vector<float> sums(threads, 0.0f);
  int64_t operations;
  {
    const py::gil_scoped_release release;
    operations = kernels().probe_multiply_adds(steps, threads, sums.data());
  }
  return py::make_tuple(operations, std::accumulate(sums.begin(), sums.end(), 0.0));
}

double probe_read(py::handle x, int threads) {
  check_threads(threads);
  const Floats x_in = as_floats(x, "x", {kAnySize});
  std::vector<float> sums(threads);
  {
    const py::gil_scoped_release release;
    kernels().probe_read(x_in.size(), threads, x_in.data(), sums.data());
  }
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

void probe_triad(py::handle out, py::handle x, py::handle y, float factor, int threads) {
  check_threads(threads);
  const Floats x_in = as_floats(x, "x", {kAnySize}), y_in = as_floats(y, "y", shape_of(x_in));
  float* const out_data = in_place(out, "out", shape_of(x_in));
  const py::gil_scoped_release release;
  kernels().probe_triad(x_in.size(), threads, factor, x_in.data(), y_in.data(), out_data);
}

}  // namespace

void register_probe(py::module_& m) {
  m.def("probe_multiply_adds", &probe_multiply_adds, py::call_guard<Call>(), py::arg("steps"),
        py::arg("threads"));
  m.def("probe_read", &probe_read, py::call_guard<Call>(), py::arg("x"), py::arg("threads"));
  m.def("probe_triad", &probe_triad, py::call_guard<Call>(), py::arg("out"), py::arg("x"),
        py::arg("y"), py::arg("factor"), py::arg("threads"));
}

}  // namespace fastrnn
