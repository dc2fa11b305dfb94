// The parts of the Python module.
#pragma once

#include <pybind11/pybind11.h>

namespace fastrnn {

namespace py = pybind11;

void register_system(py::module_& m);
void register_rnn(py::module_& m);
void register_conv1d(py::module_& m);
void register_dense(py::module_& m);
void register_loss(py::module_& m);
void register_optimizer(py::module_& m);
void register_probe(py::module_& m);

}  // namespace fastrnn
