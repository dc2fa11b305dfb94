// Optimizer updates of NumPy arrays, in place. python/fastrnn/kernels/optimizer.py documents them.
#include <vector>

#include "../dispatch.h"
#include "../threads.h"
#include "arrays.h"
#include "calls.h"
#include "module.h"

namespace fastrnn {
namespace {

// What an argument gives for each variable: the value itself where there is one variable, the items
// of a list where there is a list of variables. None and a number serve each of them.
class Each {
 public:
  Each(py::handle value, const char* name, py::handle variables)
      : items_(PyList_Check(variables.ptr()) ? items(value, name, py::len(variables))
                                             : py::make_tuple(value)) {}
  size_t size() const { return items_.size(); }
  // The tuple keeps the item alive while the GIL is released.
  py::handle operator[](size_t i) const { return PyTuple_GET_ITEM(items_.ptr(), py::ssize_t(i)); }

 private:
  static py::tuple items(py::handle value, const char* name, size_t count) {
    if (value.is_none() || PyFloat_Check(value.ptr())) {
      py::tuple repeated(count);
      for (size_t i = 0; i < count; ++i) repeated[i] = value;
      return repeated;
    }
    if (!PyList_Check(value.ptr()) || py::len(value) != count) {
      throw py::value_error(
          "`" + std::string(name) + "` must be a list of " + std::to_string(count) +
          ", one for each variable. Received: " + std::string(py::str(py::type::of(value))));
    }
    return py::tuple(py::reinterpret_borrow<py::list>(value));
  }

  py::tuple items_;
};

// Updates one variable, or those of a list. fill(update, i, shape) reads what variable i has
// besides a gradient: arrays of its shape. All are read before one is changed, so that an error
// changes none.
template <class Kind, class Fill>
void update_each(void (*KernelTable::*update)(const Kind&), py::handle variable,
                 py::handle gradient, py::handle decay, Fill fill) {
  const Each variables(variable, "variable", variable);
  const Each gradients(gradient, "gradient", variable), decays(decay, "decay", variable);
  std::vector<Kind> updates(variables.size());
  std::vector<Floats> read;
  read.reserve(updates.size());
  for (size_t i = 0; i < updates.size(); ++i) {
    read.push_back(as_floats(gradients[i], "gradient"));
    const Shape shape = shape_of(read[i]);
    Kind& a = updates[i];
    a.variable = in_place(variables[i], "variable", shape);
    a.gradient = read[i].data();
    a.size = read[i].size();
    a.threads = num_threads();
    a.decay = py::cast<double>(decays[i]);
    fill(a, i, shape);
  }
  const KernelTable& table = kernels();
  const py::gil_scoped_release release;
  for (const Kind& a : updates) (table.*update)(a);
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

void sgd_update(py::handle variable, py::handle gradient, double learning_rate, py::handle decay,
                double momentum, bool nesterov, py::handle momentum_buffer) {
  const Each buffers(momentum_buffer, "momentum_buffer", variable);
  update_each(&KernelTable::sgd_update, variable, gradient, decay,
              [&](SgdUpdate& a, size_t i, const Shape& shape) {
                a.learning_rate = learning_rate, a.momentum = momentum, a.nesterov = nesterov;
                a.momentum_buffer = momentum_memory(buffers[i], momentum, shape);
              });
}

void rmsprop_update(py::handle variable, py::handle gradient, py::handle velocity,
                    double learning_rate, double rho, double epsilon, py::handle decay,
                    double momentum, py::handle momentum_buffer, py::handle average_gradient) {
  const Each velocities(velocity, "velocity", variable);
  const Each buffers(momentum_buffer, "momentum_buffer", variable);
  const Each averages(average_gradient, "average_gradient", variable);
  update_each(&KernelTable::rmsprop_update, variable, gradient, decay,
              [&](RmspropUpdate& a, size_t i, const Shape& shape) {
                a.learning_rate = learning_rate, a.rho = rho, a.momentum = momentum;
                a.epsilon = epsilon;
                a.velocity = in_place(velocities[i], "velocity", shape);
                a.momentum_buffer = momentum_memory(buffers[i], momentum, shape);
                a.average_gradient = optional_in_place(averages[i], "average_gradient", shape);
              });
}

void adam_update(py::handle variable, py::handle gradient, py::handle m, py::handle v,
                 double step_size, double beta_1, double beta_2, double epsilon, py::handle decay,
                 py::handle v_max) {
  const Each ms(m, "m", variable), vs(v, "v", variable), largest(v_max, "v_max", variable);
  update_each(&KernelTable::adam_update, variable, gradient, decay,
              [&](AdamUpdate& a, size_t i, const Shape& shape) {
                a.step_size = step_size, a.epsilon = epsilon;
                a.beta_1 = beta_1, a.beta_2 = beta_2;
                a.m = in_place(ms[i], "m", shape);
                a.v = in_place(vs[i], "v", shape);
                a.v_max = optional_in_place(largest[i], "v_max", shape);
              });
}

void adagrad_update(py::handle variable, py::handle gradient, py::handle accumulator,
                    double learning_rate, double epsilon, py::handle decay) {
  const Each accumulators(accumulator, "accumulator", variable);
  update_each(&KernelTable::adagrad_update, variable, gradient, decay,
              [&](AdagradUpdate& a, size_t i, const Shape& shape) {
                a.learning_rate = learning_rate, a.epsilon = epsilon;
                a.accumulator = in_place(accumulators[i], "accumulator", shape);
              });
}

void adadelta_update(py::handle variable, py::handle gradient, py::handle squared_gradient,
                     py::handle squared_step, double learning_rate, double rho, double epsilon,
                     py::handle decay) {
  const Each gradients(squared_gradient, "squared_gradient", variable);
  const Each steps(squared_step, "squared_step", variable);
  update_each(&KernelTable::adadelta_update, variable, gradient, decay,
              [&](AdadeltaUpdate& a, size_t i, const Shape& shape) {
                a.learning_rate = learning_rate, a.rho = rho, a.epsilon = epsilon;
                a.squared_gradient = in_place(gradients[i], "squared_gradient", shape);
                a.squared_step = in_place(steps[i], "squared_step", shape);
              });
}

void adamax_update(py::handle variable, py::handle gradient, py::handle m, py::handle u,
                   double step_size, double beta_1, double beta_2, double epsilon,
                   py::handle decay) {
  const Each ms(m, "m", variable), us(u, "u", variable);
  update_each(&KernelTable::adamax_update, variable, gradient, decay,
              [&](AdamaxUpdate& a, size_t i, const Shape& shape) {
                a.step_size = step_size, a.epsilon = epsilon;
                a.beta_1 = beta_1, a.beta_2 = beta_2;
                a.m = in_place(ms[i], "m", shape);
                a.u = in_place(us[i], "u", shape);
              });
}

void nadam_update(py::handle variable, py::handle gradient, py::handle m, py::handle v,
                  double step_size, double gradient_step_size, double v_correction, double beta_1,
                  double beta_2, double epsilon, py::handle decay) {
  const Each ms(m, "m", variable), vs(v, "v", variable);
  update_each(&KernelTable::nadam_update, variable, gradient, decay,
              [&](NadamUpdate& a, size_t i, const Shape& shape) {
                a.step_size = step_size, a.gradient_step_size = gradient_step_size;
                a.v_correction = v_correction, a.epsilon = epsilon;
                a.beta_1 = beta_1, a.beta_2 = beta_2;
                a.m = in_place(ms[i], "m", shape);
                a.v = in_place(vs[i], "v", shape);
              });
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
