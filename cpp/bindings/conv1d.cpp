// Conv1D over NumPy arrays; see python/fastrnn/kernels/conv1d.py.
#include "../dispatch.h"
#include "../memory.h"
#include "../threads.h"
#include "arrays.h"
#include "calls.h"
#include "module.h"

namespace fastrnn {
namespace {

// The sizes of a problem, checked: what a window spans has to fit into the steps.
Conv1d problem_of(const Floats& x, const Floats& kernel, int64_t stride, int64_t dilation,
                  const std::string& activation) {
  const int64_t steps = x.shape(1), taps = kernel.shape(0);
  if (stride < 1 || dilation < 1) {
    throw py::value_error("`stride` and `dilation` must be positive. Received: stride=" +
                          std::to_string(stride) + ", dilation=" + std::to_string(dilation));
  }
  if (taps < 1 || x.shape(2) < 1 || kernel.shape(2) < 1 || taps > steps ||
      (taps - 1) * (dilation > steps ? steps : dilation) >= steps) {
    throw py::value_error(
        "`x` must have at least one channel, and as many steps as the kernel spans. Received: "
        "x.shape=" +
        to_text(shape_of(x)) + ", kernel.shape=" + to_text(shape_of(kernel)) +
        ", dilation=" + std::to_string(dilation));
  }
  const int64_t out = (steps - (taps - 1) * dilation - 1) / stride + 1;
  return {x.shape(0),   steps,           x.shape(2),
          taps,         kernel.shape(2), out,
          stride,       dilation,        as_activation(activation, "activation"),
          num_threads()};
}

Floats conv1d_forward(py::handle x, py::handle kernel, py::handle bias, int64_t stride,
                      int64_t dilation, const std::string& activation) {
  Conv1dForward a{};
  const Floats x_in = as_floats(x, "x", {kAnySize, kAnySize, kAnySize});
  const Floats kernel_in = as_floats(kernel, "kernel", {kAnySize, x_in.shape(2), kAnySize});
  const OptionalFloats bias_in = as_optional_floats(bias, "bias", {kernel_in.shape(2)});
  a.problem = problem_of(x_in, kernel_in, stride, dilation, activation);
  Floats y = new_floats({a.problem.batch, a.problem.out, a.problem.filters});
  if (y.size() == 0) return y;
  const KernelTable& table = kernels();
  const Buffer workspace(size_t(table.conv1d_forward_workspace(a.problem)));
  a.x = x_in.data(), a.kernel = kernel_in.data(), a.bias = bias_in.data();
  a.y = y.mutable_data();
  a.workspace = workspace.data();
  const py::gil_scoped_release release;
  table.conv1d_forward(a);
  return y;
}

py::tuple conv1d_backward(py::handle x, py::handle y, py::handle kernel, py::handle d_y,
                          int64_t stride, int64_t dilation, const std::string& activation,
                          bool use_bias, bool input_gradient) {
  Conv1dBackward a{};
  const Floats x_in = as_floats(x, "x", {kAnySize, kAnySize, kAnySize});
  const Floats kernel_in = as_floats(kernel, "kernel", {kAnySize, x_in.shape(2), kAnySize});
  a.problem = problem_of(x_in, kernel_in, stride, dilation, activation);
  const Shape y_shape = {a.problem.batch, a.problem.out, a.problem.filters};
  const Floats y_in = as_floats(y, "y", y_shape), dy_in = as_floats(d_y, "d_y", y_shape);
  Floats dx, dbias, dkernel = new_floats(shape_of(kernel_in));
  if (input_gradient) dx = new_floats(shape_of(x_in));
  if (use_bias) dbias = new_floats({a.problem.filters});
  const KernelTable& table = kernels();
  const Buffer workspace(size_t(table.conv1d_backward_workspace(a.problem, input_gradient)));
  a.x = x_in.data(), a.kernel = kernel_in.data(), a.y = y_in.data(), a.dy = dy_in.data();
  a.dkernel = dkernel.mutable_data();
  if (input_gradient) a.dx = dx.mutable_data();
  if (use_bias) a.dbias = dbias.mutable_data();
  a.workspace = workspace.data();
  {
    const py::gil_scoped_release release;
    table.conv1d_backward(a);
  }
  return py::make_tuple(input_gradient ? py::object(dx) : py::none(), dkernel,
                        use_bias ? py::object(dbias) : py::none());
}

}  // namespace

void register_conv1d(py::module_& m) {
  m.def("conv1d_forward", &conv1d_forward, py::call_guard<Call>(), py::arg("x"), py::arg("kernel"),
        py::arg("bias"), py::arg("stride"), py::arg("dilation"), py::arg("activation"));
  m.def("conv1d_backward", &conv1d_backward, py::call_guard<Call>(), py::arg("x"), py::arg("y"),
        py::arg("kernel"), py::arg("d_y"), py::arg("stride"), py::arg("dilation"),
        py::arg("activation"), py::arg("use_bias"), py::arg("input_gradient"));
}

}  // namespace fastrnn
