// Dense, Embedding, one-hot vectors, dropout and element-wise activations on NumPy arrays.
// python/fastrnn/kernels/ documents them.
#include "../dispatch.h"
#include "../memory.h"
#include "../threads.h"
#include "arrays.h"
#include "calls.h"
#include "module.h"

namespace fastrnn {
namespace {

// The product of all sizes of an array but the last.
int64_t leading(const Floats& array) {
  int64_t count = 1;
  for (py::ssize_t i = 0; i + 1 < array.ndim(); ++i) count *= array.shape(i);
  return count;
}

Shape with_last(const Floats& array, py::ssize_t size) {
  Shape shape = shape_of(array);
  shape.back() = size;
  return shape;
}

Floats with_features(py::handle x) {
  Floats array = as_floats(x, "x");
  if (array.ndim() < 1 || array.shape(array.ndim() - 1) < 1) {
    throw py::value_error(
        "`x` must have shape (..., features) with features >= 1. Received: shape=" +
        to_text(shape_of(array)));
  }
  return array;
}

Floats dense_forward(py::handle x, py::handle kernel, py::handle bias,
                     const std::string& activation) {
  DenseForward a{};
  const Floats x_in = with_features(x);
  const Floats kernel_in = as_floats(kernel, "kernel", {x_in.shape(x_in.ndim() - 1), kAnySize});
  const OptionalFloats bias_in = as_optional_floats(bias, "bias", {kernel_in.shape(1)});
  a.problem = {leading(x_in), kernel_in.shape(0), kernel_in.shape(1),
               as_activation(activation, "activation"), num_threads()};
  Floats y = new_floats(with_last(x_in, a.problem.units));
  if (y.size() == 0) return y;
  const KernelTable& table = kernels();
  const Buffer workspace(size_t(table.dense_forward_workspace(a.problem)));
  a.x = x_in.data(), a.kernel = kernel_in.data(), a.bias = bias_in.data();
  a.y = y.mutable_data();
  a.workspace = workspace.data();
  const py::gil_scoped_release release;
  table.dense_forward(a);
  return y;
}

py::tuple dense_backward(py::handle x, py::handle y, py::handle kernel, py::handle d_y,
                         const std::string& activation, bool use_bias, bool input_gradient) {
  DenseBackward a{};
  const Floats x_in = with_features(x);
  const Floats kernel_in = as_floats(kernel, "kernel", {x_in.shape(x_in.ndim() - 1), kAnySize});
  const Shape y_shape = with_last(x_in, kernel_in.shape(1));
  const Floats y_in = as_floats(y, "y", y_shape), dy_in = as_floats(d_y, "d_y", y_shape);
  a.problem = {leading(x_in), kernel_in.shape(0), kernel_in.shape(1),
               as_activation(activation, "activation"), num_threads()};
  Floats dx, dbias, dkernel = new_floats(shape_of(kernel_in));
  if (input_gradient) dx = new_floats(shape_of(x_in));
  if (use_bias) dbias = new_floats({a.problem.units});
  const KernelTable& table = kernels();
  const Buffer workspace(size_t(table.dense_backward_workspace(a.problem, input_gradient)));
  a.x = x_in.data(), a.kernel = kernel_in.data(), a.y = y_in.data(), a.dy = dy_in.data();
  a.dkernel = dkernel.mutable_data();
  if (input_gradient) a.dx = dx.mutable_data();
  if (use_bias) a.dbias = dbias.mutable_data();
  a.workspace = workspace.data();
  {
    const py::gil_scoped_release release;
    table.dense_backward(a);
  }
  return py::make_tuple(input_gradient ? py::object(dx) : py::none(), dkernel,
                        use_bias ? py::object(dbias) : py::none());
}

Floats embedding_forward(py::handle tokens, py::handle table) {
  const Floats table_in = as_floats(table, "table", {kAnySize, kAnySize});
  const Tokens tokens_in = as_tokens(tokens, table_in.shape(0));
  Shape shape = shape_of(tokens_in);
  shape.push_back(table_in.shape(1));
  Floats y = new_floats(shape);
  const Embedding problem{tokens_in.size(), table_in.shape(0), table_in.shape(1), num_threads()};
  const int32_t* ids = tokens_in.data();
  const float* rows = table_in.data();
  float* out = y.mutable_data();
  const py::gil_scoped_release release;
  kernels().embedding_forward(problem, ids, rows, out);
  return y;
}

Floats embedding_backward(py::handle tokens, py::handle d_outputs, int64_t vocabulary) {
  if (vocabulary < 0) {
    throw py::value_error("`vocabulary` must not be negative. Received: vocabulary=" +
                          std::to_string(vocabulary));
  }
  const Tokens tokens_in = as_tokens(tokens, vocabulary);
  Shape shape = shape_of(tokens_in);
  shape.push_back(kAnySize);
  const Floats dy_in = as_floats(d_outputs, "d_outputs", shape);
  const Embedding problem{tokens_in.size(), vocabulary, dy_in.shape(dy_in.ndim() - 1),
                          num_threads()};
  Floats dtable = new_floats({vocabulary, problem.features});
  const int32_t* ids = tokens_in.data();
  const float* dy = dy_in.data();
  float* out = dtable.mutable_data();
  const py::gil_scoped_release release;
  kernels().embedding_backward(problem, ids, dy, out);
  return dtable;
}

// The tokens of one-hot vectors [..., size], or None.
py::object one_hot_tokens(py::handle x) {
  const Floats x_in = with_features(x);
  const OneHot problem{leading(x_in), x_in.shape(x_in.ndim() - 1), num_threads()};
  if (problem.size > kLargestOneHot) {
    throw py::value_error("`x` must have at most " + std::to_string(kLargestOneHot) +
                          " features. Received: shape=" + to_text(shape_of(x_in)));
  }
  Shape shape = shape_of(x_in);
  shape.pop_back();
  Tokens tokens(shape);
  const float* in = x_in.data();
  int32_t* out = tokens.mutable_data();
  bool are_one_hot;
  {
    const py::gil_scoped_release release;
    are_one_hot = kernels().one_hot_tokens(problem, in, out);
  }
  return are_one_hot ? py::object(tokens) : py::none();
}

Floats activation_forward(py::handle x, const std::string& activation) {
  const Activation code = as_activation(activation, "activation");
  const Floats x_in = as_floats(x, "x");
  Floats y = new_floats(shape_of(x_in));
  const float* in = x_in.data();
  float* out = y.mutable_data();
  const int64_t size = x_in.size();
  const py::gil_scoped_release release;
  kernels().activation_forward(code, size, num_threads(), in, out);
  return y;
}

Floats activation_backward(py::handle y, py::handle d_y, const std::string& activation) {
  const Activation code = as_activation(activation, "activation");
  const Floats y_in = as_floats(y, "y"), dy_in = as_floats(d_y, "d_y", shape_of(y_in));
  Floats dx = new_floats(shape_of(y_in));
  const float *in = y_in.data(), *dy = dy_in.data();
  float* out = dx.mutable_data();
  const int64_t size = y_in.size();
  const py::gil_scoped_release release;
  kernels().activation_backward(code, size, num_threads(), in, dy, out);
  return dx;
}

Floats dropout(py::handle x, uint64_t seed, double rate) {
  if (!(rate >= 0 && rate <= 1)) {
    throw py::value_error("`rate` must be in [0, 1]. Received: rate=" + std::to_string(rate));
  }
  const Floats x_in = as_floats(x, "x");
  Floats y = new_floats(shape_of(x_in));
  const float* in = x_in.data();
  float* out = y.mutable_data();
  const Dropout problem{x_in.size(), num_threads(), seed, rate};
  const py::gil_scoped_release release;
  kernels().dropout(problem, in, out);
  return y;
}

}  // namespace

void register_dense(py::module_& m) {
  m.def("dense_forward", &dense_forward, py::call_guard<Call>(), py::arg("x"), py::arg("kernel"),
        py::arg("bias"), py::arg("activation"));
  m.def("dense_backward", &dense_backward, py::call_guard<Call>(), py::arg("x"), py::arg("y"),
        py::arg("kernel"), py::arg("d_y"), py::arg("activation"), py::arg("use_bias"),
        py::arg("input_gradient"));
  m.def("embedding_forward", &embedding_forward, py::call_guard<Call>(), py::arg("tokens"),
        py::arg("table"));
  m.def("embedding_backward", &embedding_backward, py::call_guard<Call>(), py::arg("tokens"),
        py::arg("d_outputs"), py::arg("vocabulary"));
  m.def("one_hot_tokens", &one_hot_tokens, py::call_guard<Call>(), py::arg("x"));
  m.def("activation_forward", &activation_forward, py::call_guard<Call>(), py::arg("x"),
        py::arg("activation"));
  m.def("activation_backward", &activation_backward, py::call_guard<Call>(), py::arg("y"),
        py::arg("d_y"), py::arg("activation"));
  m.def("dropout", &dropout, py::call_guard<Call>(), py::arg("x"), py::arg("seed"),
        py::arg("rate"));
  py::list names;
  for (const char* name : kActivationNames) names.append(name);
  m.attr("ACTIVATIONS") = py::tuple(names);
}

}  // namespace fastrnn
