// Memory for tapes, workspaces and large results.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace fastrnn {

// 64-byte aligned memory, not cleared. Released memory is kept for the next request of about its
// size, because fresh pages cost more than the work done on them: a training step asks for the same
// sizes again and again. What is kept plus what is in use never exceeds the most that was ever in
// use by more than a quarter.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t bytes);  // std::bad_alloc
  ~Buffer();
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  void* data() const { return data_; }
  float* floats() const { return static_cast<float*>(data_); }
  size_t bytes() const { return bytes_; }

 private:
  void* data_ = nullptr;
  size_t bytes_ = 0;  // of the memory, at least what was asked for
};

// The product as a count of floats; std::bad_alloc where their bytes would not fit 63 bits.
int64_t checked_count(std::initializer_list<int64_t> sizes);

}  // namespace fastrnn
