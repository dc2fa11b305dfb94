// Memory for tapes, workspaces and large results.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace fastrnn {

// 64-byte aligned memory, not cleared. Released memory is kept for the next request of about its
// size: a training step needs the same sizes again and again, and new pages cost more than the work
// done on them. Memory in use and kept together is at most 1.5 times the most that was ever in
// use: a step's tape beside the workspaces of both passes, of which one is in use at a time.
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
  size_t bytes_ = 0;  // at least what was asked for
};

// Lets a forked child take memory although another thread of the parent took some just then. Once
// per process.
void keep_memory_usable_after_fork();

// The product of the sizes. std::bad_alloc if so many floats have more than 2^63 - 1 bytes.
int64_t checked_count(std::initializer_list<int64_t> sizes);

}  // namespace fastrnn
