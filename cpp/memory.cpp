#include "memory.h"

#include <pthread.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <tuple>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace fastrnn {
namespace {

#if defined(FASTRNN_CHECKED)

// Each block is new and exactly as large as asked for, so AddressSanitizer sees each access beyond
// it or after its release. It is filled with NaN, as integers -1.
class Pool {
 public:
  std::pair<void*, size_t> acquire(size_t bytes) {
    void* data = nullptr;
    if (posix_memalign(&data, 64, std::max<size_t>(bytes, 1))) throw std::bad_alloc();
    std::memset(data, 0xFF, bytes);
    return {data, bytes};
  }

  void release(void* data, size_t) { std::free(data); }

  void lock() {}
  void unlock() {}
};

#else

constexpr size_t kHugePage = size_t(2) << 20;

// Batches need slightly different sizes. Rounded up, by at most an eighth, they can use the same
// block.
size_t size_class(size_t bytes) {
  const size_t step = std::max<size_t>(64, std::bit_floor(bytes) / 8);
  return (std::max<size_t>(bytes, 1) + step - 1) / step * step;
}

class Pool {
 public:
  std::pair<void*, size_t> acquire(size_t bytes) {
    if (bytes > PTRDIFF_MAX) throw std::bad_alloc();  // rounding it up could overflow
    const size_t size = size_class(bytes);
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = free_.lower_bound(size);
    // A much larger block is left for a request of its own size.
    if (found != free_.end() && found->first <= size + size / 4) {
      const std::pair<void*, size_t> block{found->second.data, found->first};
      kept_ -= found->first;
      used_ += found->first;
      most_used_ = std::max(most_used_, used_);
      free_.erase(found);
      return block;
    }
    while (!free_.empty() && used_ + kept_ + size > most_used_ + most_used_ / 2) forget_oldest();
    const size_t alignment = size >= kHugePage ? kHugePage : 64;
    const size_t aligned = (size + alignment - 1) / alignment * alignment;
    void* data = std::aligned_alloc(alignment, aligned);
    while (!data && !free_.empty()) {
      forget_oldest();
      data = std::aligned_alloc(alignment, aligned);
    }
    if (!data) throw std::bad_alloc();
#if defined(__linux__)
    if (size >= kHugePage)
      madvise(data, size, MADV_HUGEPAGE);  // fewer faults and TLB misses; advice only
#endif
    used_ += size;
    most_used_ = std::max(most_used_, used_);
    return {data, size};
  }

  void release(void* data, size_t size) noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    used_ -= size;
    try {
      free_.insert({size, {data, ++releases_}});
      kept_ += size;
    } catch (const std::bad_alloc&) {  // no memory for the entry in the list
      std::free(data);
    }
  }

  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  struct Free {
    void* data;
    uint64_t since;  // counts releases
  };

  void forget_oldest() {
    const auto oldest = std::min_element(free_.begin(), free_.end(), [](auto& a, auto& b) {
      return a.second.since < b.second.since;
    });
    kept_ -= oldest->first;
    std::free(oldest->second.data);
    free_.erase(oldest);
  }

  std::mutex mutex_;
  std::multimap<size_t, Free> free_;
  size_t used_ = 0, kept_ = 0, most_used_ = 0;  // bytes
  uint64_t releases_ = 0;
};

#endif

// Never destroyed: arrays of a dying interpreter may be released after static destructors ran.
Pool& pool() {
  static Pool* const instance = new Pool;
  return *instance;
}

}  // namespace

void keep_memory_usable_after_fork() {
  const auto unlock = [] { pool().unlock(); };
  pthread_atfork([] { pool().lock(); }, unlock, unlock);
}

Buffer::Buffer(size_t bytes) { std::tie(data_, bytes_) = pool().acquire(bytes); }

Buffer::~Buffer() {
  if (data_) pool().release(data_, bytes_);
}

Buffer::Buffer(Buffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

int64_t checked_count(std::initializer_list<int64_t> sizes) {
  int64_t count = 1;
  for (const int64_t size : sizes) {
    if (size < 0 || __builtin_mul_overflow(count, size, &count)) throw std::bad_alloc();
  }
  int64_t bytes;
  if (__builtin_mul_overflow(count, int64_t(sizeof(float)), &bytes)) throw std::bad_alloc();
  return count;
}

}  // namespace fastrnn
