// Optimizer updates of NumPy arrays, in place. python/fastrnn/kernels/optimizer.py documents them.
#include "../dispatch.h"
#include "../threads.h"
#include "arrays.h"
#include "calls.h"
#include "module.h"

namespace fastrnn {
namespace {

// Fills the fields that all updates share. Returns the shape that all arrays must have.
Shape begin_update(Update& a, py::handle variable, const Floats& gradient, double decay) {
  const Shape shape = shape_of(gradient);
  a.variable = in_place(variable, "variable", shape);
  a.gradient = gradient.data();
  a.size = gradient.size();
  a.threads = num_threads();
  a.decay = decay;
  return shape;
}

// Refuses momentum without a buffer: it would be ignored.
float* momentum_memory(py::handle buffer, double momentum, const Shape& shape) {
  if (momentum != 0 && buffer.is_none()) {
    throw py::value_error(
        "`momentum_buffer` must be an array where `momentum` is not 0. Received: momentum=" +
        std::to_string(momentum) + ", momentum_buffer=None");
  }
  return optional_in_place(buffer, "momentum_buffer", shape);
}

void sgd_update(py::handle variable, py::handle gradient, double learning_rate, double decay,
                double momentum, bool nesterov, py::handle momentum_buffer) {
  SgdUpdate a{};
  const Floats gradient_in = as_floats(gradient, "gradient");
  const Shape shape = begin_update(a, variable, gradient_in, decay);
  a.learning_rate = learning_rate, a.momentum = momentum, a.nesterov = nesterov;
  a.momentum_buffer = momentum_memory(momentum_buffer, momentum, shape);
  const py::gil_scoped_release release;
  kernels().sgd_update(a);
}

void rmsprop_update(py::handle variable, py::handle gradient, py::handle velocity,
                    double learning_rate, double rho, double epsilon, double decay, double momentum,
                    py::handle momentum_buffer, py::handle average_gradient) {
  RmspropUpdate a{};
  const Floats gradient_in = as_floats(gradient, "gradient");
  const Shape shape = begin_update(a, variable, gradient_in, decay);
  a.learning_rate = learning_rate, a.rho = rho, a.momentum = momentum, a.epsilon = epsilon;
  a.velocity = in_place(velocity, "velocity", shape);
  a.momentum_buffer = momentum_memory(momentum_buffer, momentum, shape);
  a.average_gradient = optional_in_place(average_gradient, "average_gradient", shape);
  const py::gil_scoped_release release;
  kernels().rmsprop_update(a);
}

void adam_update(py::handle variable, py::handle gradient, py::handle m, py::handle v,
                 double step_size, double beta_1, double beta_2, double epsilon, double decay,
                 py::handle v_max) {
  AdamUpdate a{};
  const Floats gradient_in = as_floats(gradient, "gradient");
  const Shape shape = begin_update(a, variable, gradient_in, decay);
  a.step_size = step_size, a.beta_1 = beta_1, a.beta_2 = beta_2, a.epsilon = epsilon;
  a.m = in_place(m, "m", shape);
  a.v = in_place(v, "v", shape);
  a.v_max = optional_in_place(v_max, "v_max", shape);
  const py::gil_scoped_release release;
  kernels().adam_update(a);
}

void adagrad_update(py::handle variable, py::handle gradient, py::handle accumulator,
                    double learning_rate, double epsilon, double decay) {
  AdagradUpdate a{};
  const Floats gradient_in = as_floats(gradient, "gradient");
  const Shape shape = begin_update(a, variable, gradient_in, decay);
  a.learning_rate = learning_rate, a.epsilon = epsilon;
  a.accumulator = in_place(accumulator, "accumulator", shape);
  const py::gil_scoped_release release;
  kernels().adagrad_update(a);
}

void adadelta_update(py::handle variable, py::handle gradient, py::handle squared_gradient,
                     py::handle squared_step, double learning_rate, double rho, double epsilon,
                     double decay) {
  AdadeltaUpdate a{};
  const Floats gradient_in = as_floats(gradient, "gradient");
  const Shape shape = begin_update(a, variable, gradient_in, decay);
  a.learning_rate = learning_rate, a.rho = rho, a.epsilon = epsilon;
  a.squared_gradient = in_place(squared_gradient, "squared_gradient", shape);
  a.squared_step = in_place(squared_step, "squared_step", shape);
  const py::gil_scoped_release release;
  kernels().adadelta_update(a);
}

void adamax_update(py::handle variable, py::handle gradient, py::handle m, py::handle u,
                   double step_size, double beta_1, double beta_2, double epsilon, double decay) {
  AdamaxUpdate a{};
  const Floats gradient_in = as_floats(gradient, "gradient");
  const Shape shape = begin_update(a, variable, gradient_in, decay);
  a.step_size = step_size, a.beta_1 = beta_1, a.beta_2 = beta_2, a.epsilon = epsilon;
  a.m = in_place(m, "m", shape);
  a.u = in_place(u, "u", shape);
  const py::gil_scoped_release release;
  kernels().adamax_update(a);
}

void nadam_update(py::handle variable, py::handle gradient, py::handle m, py::handle v,
                  double step_size, double gradient_step_size, double v_correction, double beta_1,
                  double beta_2, double epsilon, double decay) {
  NadamUpdate a{};
  const Floats gradient_in = as_floats(gradient, "gradient");
  const Shape shape = begin_update(a, variable, gradient_in, decay);
  a.step_size = step_size, a.gradient_step_size = gradient_step_size;
  a.v_correction = v_correction;
  a.beta_1 = beta_1, a.beta_2 = beta_2, a.epsilon = epsilon;
  a.m = in_place(m, "m", shape);
  a.v = in_place(v, "v", shape);
  const py::gil_scoped_release release;
  kernels().nadam_update(a);
}

}  // namespace

void register_optimizer(py::module_& module) {
  module.def("sgd_update", &sgd_update, py::call_guard<Call>(), py::arg("variable"),
             py::arg("gradient"), py::arg("learning_rate"), py::arg("decay"), py::arg("momentum"),
             py::arg("nesterov"), py::arg("momentum_buffer"));
  module.def("rmsprop_update", &rmsprop_update, py::call_guard<Call>(), py::arg("variable"),
             py::arg("gradient"), py::arg("velocity"), py::arg("learning_rate"), py::arg("rho"),
             py::arg("epsilon"), py::arg("decay"), py::arg("momentum"), py::arg("momentum_buffer"),
             py::arg("average_gradient"));
  module.def("adam_update", &adam_update, py::call_guard<Call>(), py::arg("variable"),
             py::arg("gradient"), py::arg("m"), py::arg("v"), py::arg("step_size"),
             py::arg("beta_1"), py::arg("beta_2"), py::arg("epsilon"), py::arg("decay"),
             py::arg("v_max"));
  module.def("adagrad_update", &adagrad_update, py::call_guard<Call>(), py::arg("variable"),
             py::arg("gradient"), py::arg("accumulator"), py::arg("learning_rate"),
             py::arg("epsilon"), py::arg("decay"));
  module.def("adadelta_update", &adadelta_update, py::call_guard<Call>(), py::arg("variable"),
             py::arg("gradient"), py::arg("squared_gradient"), py::arg("squared_step"),
             py::arg("learning_rate"), py::arg("rho"), py::arg("epsilon"), py::arg("decay"));
  module.def("adamax_update", &adamax_update, py::call_guard<Call>(), py::arg("variable"),
             py::arg("gradient"), py::arg("m"), py::arg("u"), py::arg("step_size"),
             py::arg("beta_1"), py::arg("beta_2"), py::arg("epsilon"), py::arg("decay"));
  module.def("nadam_update", &nadam_update, py::call_guard<Call>(), py::arg("variable"),
             py::arg("gradient"), py::arg("m"), py::arg("v"), py::arg("step_size"),
             py::arg("gradient_step_size"), py::arg("v_correction"), py::arg("beta_1"),
             py::arg("beta_2"), py::arg("epsilon"), py::arg("decay"));
}

}  // namespace fastrnn
