// Divides the caller's scratch memory into aligned pieces.
#pragma once

#include <cstdint>

#if defined(FASTRNN_CHECKED)
#include <sanitizer/asan_interface.h>
#endif

namespace fastrnn {
namespace {

// Bytes after each piece that AddressSanitizer reports, in a build with checks.
#if defined(FASTRNN_CHECKED)
constexpr int64_t kGap = 256;
#else
constexpr int64_t kGap = 0;
#endif

// With a null pointer it only adds up sizes, so the same code computes the size that a call needs.
class Workspace {
 public:
  explicit Workspace(void* memory) : start_(static_cast<char*>(memory)) {}

  float* floats(int64_t count) {
    float* piece = start_ ? reinterpret_cast<float*>(start_ + used_) : nullptr;
    const int64_t bytes = count * int64_t(sizeof(float));
    const int64_t taken = (bytes + 63) / 64 * 64 + kGap;
#if defined(FASTRNN_CHECKED)
    if (start_) ASAN_POISON_MEMORY_REGION(start_ + used_ + bytes, size_t(taken - bytes));
#endif
    used_ += taken;
    return piece;
  }

  int64_t used() const { return used_; }

 private:
  char* start_;
  int64_t used_ = 0;
};

}  // namespace
}  // namespace fastrnn
