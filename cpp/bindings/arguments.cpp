#include "arguments.h"

#include <algorithm>

namespace fastrnn {
namespace {

std::string text_of(py::handle value, const char* name) {
  if (!PyUnicode_Check(value.ptr())) {
    throw py::type_error("`" + std::string(name) +
                         "` must be a string. Received: " + std::string(py::repr(value)));
  }
  Py_ssize_t size = 0;
  const char* const utf8 = PyUnicode_AsUTF8AndSize(value.ptr(), &size);
  if (!utf8) throw py::error_already_set();
  return {utf8, size_t(size)};
}

}  // namespace

py::handle Arguments::get(const char* name) {
  const py::handle value = PyDict_GetItemString(given_.ptr(), name);
  if (!value) throw py::type_error("missing keyword argument '" + std::string(name) + "'");
  read_.push_back(name);
  return value;
}

py::handle Arguments::get_or_none(const char* name) {
  return given_.contains(name) ? get(name) : py::handle(Py_None);
}

std::string Arguments::text(const char* name) { return text_of(get(name), name); }

Activation Arguments::activation(const char* name) { return as_activation(text(name), name); }

std::optional<Activation> Arguments::optional_activation(const char* name) {
  const py::handle value = get(name);
  if (value.is_none()) return std::nullopt;
  return as_activation(text_of(value, name), name);
}

bool Arguments::flag(const char* name) {
  const int truth = PyObject_IsTrue(get(name).ptr());
  if (truth < 0) throw py::error_already_set();
  return truth != 0;
}

void Arguments::done() const {
  if (read_.size() == given_.size()) return;
  for (const auto& [key, value] : given_) {
    const auto name = py::cast<std::string>(key);
    if (std::find(read_.begin(), read_.end(), name) == read_.end())
      throw py::type_error("unexpected keyword argument '" + name + "'");
  }
}

}  // namespace fastrnn
