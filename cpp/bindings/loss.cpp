// Losses of NumPy arrays. python/fastrnn/kernels/loss.py documents them.
#include <cmath>

#include "../dispatch.h"
#include "../threads.h"
#include "arrays.h"
#include "calls.h"
#include "module.h"

namespace fastrnn {
namespace {

Loss as_loss(const std::string& name) {
  for (size_t i = 0; i < std::size(kLossNames); ++i) {
    if (name == kLossNames[i]) return static_cast<Loss>(i);
  }
  throw py::value_error("`loss` must be one of LOSSES. Received: '" + name + "'");
}

// They say which element of a row is read, so that others would be read outside of it.
void check_ids(const Floats& ids, int64_t classes) {
  for (py::ssize_t i = 0; i < ids.size(); ++i) {
    const float id = ids.data()[i];
    if (!(id >= 0 && double(id) < double(classes)) || id != std::floor(id)) {
      throw py::value_error("`y_true` must hold class ids in [0, " + std::to_string(classes) +
                            "). Received: " + std::to_string(id));
    }
  }
}

py::tuple batch_loss(const std::string& loss, py::handle y_true, py::handle y_pred, bool sigmoid,
                     double threshold, bool gradient) {
  LossBatch a{};
  a.loss = as_loss(loss);
  const Floats y_pred_in = as_floats(y_pred, "y_pred");
  if (y_pred_in.ndim() < 1 || y_pred_in.size() == 0) {
    throw py::value_error("`y_pred` must have at least one element. Received: shape=" +
                          to_text(shape_of(y_pred_in)));
  }
  a.outputs = y_pred_in.shape(y_pred_in.ndim() - 1);
  a.rows = y_pred_in.size() / a.outputs;
  const bool of_ids = a.loss == Loss::sparse_categorical_crossentropy;
  const bool of_rows = of_ids || a.loss == Loss::categorical_crossentropy;
  const Floats y_true_in = as_floats(y_true, "y_true");
  if (y_true_in.size() != (of_ids ? a.rows : y_pred_in.size())) {
    throw py::value_error("`y_true` must have an element for each " +
                          std::string(of_ids ? "row" : "element") +
                          " of `y_pred`. Received: y_true.shape=" + to_text(shape_of(y_true_in)) +
                          ", y_pred.shape=" + to_text(shape_of(y_pred_in)));
  }
  if (of_ids) check_ids(y_true_in, a.outputs);
  const double values = double(of_rows ? a.rows : y_pred_in.size());
  Floats d_y_pred;
  if (gradient) {
    d_y_pred = new_floats(shape_of(y_pred_in));
    a.d_y_pred = d_y_pred.mutable_data();
  }
  a.y_true = y_true_in.data(), a.y_pred = y_pred_in.data();
  a.factor = float(1 / values);
  a.threshold = float(threshold), a.sigmoid = sigmoid;
  a.threads = num_threads();
  LossFigures figures{};
  {
    const py::gil_scoped_release release;
    figures = kernels().batch_loss(a);
  }
  return py::make_tuple(double(float(figures.loss / values)), figures.other / values,
                        gradient ? py::object(d_y_pred) : py::none());
}

}  // namespace

void register_loss(py::module_& m) {
  m.def("batch_loss", &batch_loss, py::call_guard<Call>(), py::arg("loss"), py::arg("y_true"),
        py::arg("y_pred"), py::arg("sigmoid"), py::arg("threshold"), py::arg("gradient"));
  py::list names;
  for (const char* name : kLossNames) names.append(name);
  m.attr("LOSSES") = py::tuple(names);
}

}  // namespace fastrnn
