// Reads NumPy arrays: converts each once, checks it, and raises an error that says what was
// expected and what was received.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "../api.h"

namespace fastrnn {

namespace py = pybind11;

using Floats = py::array_t<float, py::array::c_style>;
using Tokens = py::array_t<int32_t, py::array::c_style>;
using Bytes = py::array_t<uint8_t, py::array::c_style>;
using Shape = std::vector<py::ssize_t>;

inline constexpr py::ssize_t kAnySize = -1;

// float32, C order. Other real dtypes and layouts are copied; anything else is a TypeError.
Floats as_floats(py::handle value, const char* name);

// The same, and a ValueError for another shape than the expected one; kAnySize fits any size.
Floats as_floats(py::handle value, const char* name, const Shape& expected);

// As above; nothing for None.
struct OptionalFloats : std::optional<Floats> {
  using std::optional<Floats>::optional;
  const float* data() const { return has_value() ? value().data() : nullptr; }
};
OptionalFloats as_optional_floats(py::handle value, const char* name, const Shape& expected);

// An array that is written in place. It must be float32, in C order, writable and of this shape.
float* in_place(py::handle value, const char* name, const Shape& expected);
// None gives a null pointer.
float* optional_in_place(py::handle value, const char* name, const Shape& expected);

// Whole numbers in [0, vocabulary), of any integer or float dtype.
Tokens as_tokens(py::handle value, int64_t vocabulary);

// The steps that are walked, [B, T]: booleans, or numbers where 0 is false.
Bytes as_step_mask(py::handle value, const Shape& expected);

// A new array, not cleared. A large one uses recycled memory.
Floats new_floats(const Shape& shape);

Shape shape_of(const py::array& array);
std::string to_text(const Shape& shape);  // "(32, None, 50)"

Activation as_activation(const std::string& name, const char* argument);

}  // namespace fastrnn
