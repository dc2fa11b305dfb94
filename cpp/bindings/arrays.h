// NumPy arrays at the door: converted once, checked, and said what was expected where they do not
// fit.
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

// The same with a shape to keep, kAnySize where any will do; else a ValueError.
Floats as_floats(py::handle value, const char* name, const Shape& expected);

// As above; None gives an empty optional.
struct OptionalFloats : std::optional<Floats> {
  using std::optional<Floats>::optional;
  const float* data() const { return has_value() ? value().data() : nullptr; }
};
OptionalFloats as_optional_floats(py::handle value, const char* name, const Shape& expected);

// An array to be written to in place: it must be float32, C order, writable and of this shape
// already.
float* in_place(py::handle value, const char* name, const Shape& expected);
// None gives a null pointer.
float* optional_in_place(py::handle value, const char* name, const Shape& expected);

// Integral ids in [0, vocabulary), of any integer or float dtype.
Tokens as_tokens(py::handle value, int64_t vocabulary);

// Which steps are walked, [B, T]: booleans, or numbers of which 0 is false.
Bytes as_step_mask(py::handle value, const Shape& expected);

// A new array, not cleared; large ones live in recycled memory.
Floats new_floats(const Shape& shape);

Shape shape_of(const py::array& array);
std::string to_text(const Shape& shape);  // "(32, None, 50)"

Activation as_activation(const std::string& name, const char* argument);

}  // namespace fastrnn
