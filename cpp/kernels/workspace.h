// Cuts the caller's scratch memory into aligned pieces.
#pragma once

#include <cstdint>

namespace fastrnn {
namespace {

// Over a null pointer it only adds up, so the same layout code tells the size that it will need.
class Workspace {
 public:
  explicit Workspace(void* memory) : start_(static_cast<char*>(memory)) {}

  float* floats(int64_t count) {
    float* piece = start_ ? reinterpret_cast<float*>(start_ + used_) : nullptr;
    used_ += (count * int64_t(sizeof(float)) + 63) / 64 * 64;
    return piece;
  }

  int64_t used() const { return used_; }

 private:
  char* start_;
  int64_t used_ = 0;
};

}  // namespace
}  // namespace fastrnn
