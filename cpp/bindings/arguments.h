// The keyword arguments of a call from Python.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "arrays.h"

namespace fastrnn {

// A binding reads each argument once, where it needs it, so its name stands in one place. `done`
// refuses arguments that were given but not read.
class Arguments {
 public:
  explicit Arguments(const py::dict& given) : given_(given) { read_.reserve(24); }

  py::handle get(const char* name);          // TypeError if it is missing
  py::handle get_or_none(const char* name);  // None if it is missing
  std::string text(const char* name);
  Activation activation(const char* name);
  std::optional<Activation> optional_activation(const char* name);  // nothing for None
  bool flag(const char* name);
  Floats floats(const char* name, const Shape& expected) {
    return as_floats(get(name), name, expected);
  }
  OptionalFloats optional_floats(const char* name, const Shape& expected) {
    return as_optional_floats(get(name), name, expected);
  }
  void done() const;  // TypeError for an argument that nobody read

 private:
  const py::dict& given_;
  std::vector<const char*> read_;
};

}  // namespace fastrnn
