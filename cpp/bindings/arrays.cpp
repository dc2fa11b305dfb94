#include "arrays.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "../memory.h"

namespace fastrnn {
namespace {

// NumPy's own allocator is better for smaller arrays, but AddressSanitizer does not see into it.
#if defined(FASTRNN_CHECKED)
constexpr size_t kRecycledBytes = 0;
#else
constexpr size_t kRecycledBytes = size_t(1) << 20;
#endif

// How an array is converted. Without the last flag NumPy would accept an array at an odd address.
constexpr int kConverted =
    py::array::c_style | py::array::forcecast | py::detail::npy_api::NPY_ARRAY_ALIGNED_;

// Whether the value is an array of exactly this dtype and layout, and aligned.
template <class Array>
bool is_aligned(py::handle value) {
  return Array::check_(value) && (py::reinterpret_borrow<py::array>(value).flags() &
                                  py::detail::npy_api::NPY_ARRAY_ALIGNED_);
}

py::array as_array(py::handle value, const char* name) {
  py::array array = py::array::ensure(value);
  if (!array) {
    PyErr_Clear();
    throw py::type_error("`" + std::string(name) + "` must be an array of numbers. Received: " +
                         std::string(py::str(py::type::of(value))));
  }
  return array;
}

[[noreturn]] void refuse_dtype(const char* name, const char* expected, const py::array& array) {
  throw py::type_error("`" + std::string(name) + "` must be " + expected +
                       ". Received: dtype=" + std::string(py::str(array.dtype())));
}

void check_shape(const py::array& array, const char* name, const Shape& expected) {
  bool fits = array.ndim() == py::ssize_t(expected.size());
  for (size_t i = 0; fits && i < expected.size(); ++i) {
    fits = expected[i] == kAnySize || array.shape(py::ssize_t(i)) == expected[i];
  }
  if (!fits) {
    throw py::value_error("`" + std::string(name) + "` must have shape " + to_text(expected) +
                          ". Received: shape=" + to_text(shape_of(array)));
  }
}

// Whether all are in [0, vocabulary): a loop without a way out, which runs on vectors. As unsigned
// numbers, negative ones are larger than any vocabulary.
bool all_in(const int32_t* ids, py::ssize_t size, int64_t vocabulary) {
  uint32_t largest = 0;
  for (py::ssize_t i = 0; i < size; ++i) largest = std::max(largest, uint32_t(ids[i]));
  return size == 0 || largest < vocabulary;
}

template <class Id>
Tokens checked_tokens(const Id* ids, const py::array& source, int64_t vocabulary, bool copy) {
  const py::ssize_t size = source.size();
  for (py::ssize_t i = 0; i < size; ++i) {
    const auto id = ids[i];
    // NaN fails: its comparisons are false.
    if (!(id >= 0 && static_cast<double>(id) < static_cast<double>(vocabulary)) ||
        id != static_cast<Id>(static_cast<int64_t>(id))) {
      throw py::value_error("`tokens` must be whole numbers in [0, " + std::to_string(vocabulary) +
                            "). Received: " + std::string(py::str(py::cast(id))) +
                            " at flat index " + std::to_string(i));
    }
  }
  if (!copy) return py::reinterpret_borrow<Tokens>(source);
  Tokens tokens(shape_of(source));
  int32_t* out = tokens.mutable_data();
  for (py::ssize_t i = 0; i < size; ++i) out[i] = static_cast<int32_t>(ids[i]);
  return tokens;
}

}  // namespace

Shape shape_of(const py::array& array) {
  return Shape(array.shape(), array.shape() + array.ndim());
}

std::string to_text(const Shape& shape) {
  std::string text = "(";
  for (size_t i = 0; i < shape.size(); ++i) {
    text +=
        (i ? ", " : "") + (shape[i] == kAnySize ? std::string("None") : std::to_string(shape[i]));
  }
  return text + (shape.size() == 1 ? ",)" : ")");
}

Floats as_floats(py::handle value, const char* name) {
  if (is_aligned<Floats>(value)) return py::reinterpret_borrow<Floats>(value);
  const py::array array = as_array(value, name);
  const char kind = array.dtype().kind();
  if (kind != 'f' && kind != 'i' && kind != 'u' && kind != 'b')
    refuse_dtype(name, "real numbers", array);
  return py::array_t<float, kConverted>(array);
}

Floats as_floats(py::handle value, const char* name, const Shape& expected) {
  Floats array = as_floats(value, name);
  check_shape(array, name, expected);
  return array;
}

OptionalFloats as_optional_floats(py::handle value, const char* name, const Shape& expected) {
  if (value.is_none()) return {};
  return as_floats(value, name, expected);
}

float* in_place(py::handle value, const char* name, const Shape& expected) {
  if (!is_aligned<Floats>(value) || !py::reinterpret_borrow<py::array>(value).writeable()) {
    throw py::type_error("`" + std::string(name) +
                         "` is updated in place and must be a writable float32 array in C order");
  }
  Floats array = py::reinterpret_borrow<Floats>(value);
  check_shape(array, name, expected);
  return array.mutable_data();
}

float* optional_in_place(py::handle value, const char* name, const Shape& expected) {
  return value.is_none() ? nullptr : in_place(value, name, expected);
}

Tokens as_tokens(py::handle value, int64_t vocabulary) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();  // what a token is stored in
  if (vocabulary > kMost) {
    throw py::value_error("The vocabulary must have at most " + std::to_string(kMost) +
                          " tokens. Received: " + std::to_string(vocabulary));
  }
  if (is_aligned<Tokens>(value)) {
    Tokens tokens = py::reinterpret_borrow<Tokens>(value);
    if (all_in(tokens.data(), tokens.size(), vocabulary)) return tokens;
    return checked_tokens(tokens.data(), tokens, vocabulary, /*copy=*/false);
  }
  const py::array array = as_array(value, "tokens");
  switch (array.dtype().kind()) {
    case 'i': {
      const py::array_t<int64_t, kConverted> ids(array);
      return checked_tokens(ids.data(), ids, vocabulary, true);
    }
    case 'u': {
      const py::array_t<uint64_t, kConverted> ids(array);
      return checked_tokens(ids.data(), ids, vocabulary, true);
    }
    case 'f': {
      const py::array_t<double, kConverted> ids(array);
      return checked_tokens(ids.data(), ids, vocabulary, true);
    }
  }
  refuse_dtype("tokens", "integers", array);
}

Bytes as_step_mask(py::handle value, const Shape& expected) {
  const py::array array = as_array(value, "mask");
  const char kind = array.dtype().kind();
  if (kind != 'b' && kind != 'i' && kind != 'u' && kind != 'f')
    refuse_dtype("mask", "booleans", array);
  check_shape(array, "mask", expected);
  // A copy: the plan is made from it, and the caller may change the original.
  return Bytes(py::array(array.attr("astype")("bool", py::arg("order") = "C")).view("uint8"));
}

Floats new_floats(const Shape& shape) {
  int64_t count = 1;
  for (const py::ssize_t size : shape) count = checked_count({count, size});
  const size_t bytes = size_t(count) * sizeof(float);
  if (bytes < kRecycledBytes) return Floats(shape);
  auto buffer = std::make_unique<Buffer>(bytes);
  float* data = buffer->floats();
  const py::capsule owner(buffer.get(), [](void* p) { delete static_cast<Buffer*>(p); });
  (void)buffer.release();  // the capsule owns it now
  return Floats(shape, data, owner);
}

Activation as_activation(const std::string& name, const char* argument) {
  std::string known;
  for (size_t i = 0; i < std::size(kActivationNames); ++i) {
    if (name == kActivationNames[i]) return static_cast<Activation>(i);
    known += std::string(i ? ", '" : "'") + kActivationNames[i] + "'";
  }
  throw py::value_error("`" + std::string(argument) + "` must be one of " + known +
                        ". Received: '" + name + "'");
}

}  // namespace fastrnn
