// A vector of floats as wide as the ISA level allows, and the operations that portable C++ does not
// have. The only file whose code differs between ISA levels.
#pragma once

#include <cstdint>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace fastrnn {
namespace {

// A build may set FASTRNN_VECTOR_BYTES to run the wide code paths on a narrower machine (see
// CMakeLists.txt).
#if !defined(FASTRNN_VECTOR_BYTES)
#if defined(__AVX512F__)
#define FASTRNN_VECTOR_BYTES 64
#elif defined(__AVX2__)
#define FASTRNN_VECTOR_BYTES 32
#else
#define FASTRNN_VECTOR_BYTES 16
#endif
#endif

// Intrinsics are used only where a vector fills exactly one register.
#if defined(__AVX512F__) && FASTRNN_VECTOR_BYTES == 64
#define FASTRNN_USE_AVX512
#elif defined(__AVX2__) && FASTRNN_VECTOR_BYTES == 32
#define FASTRNN_USE_AVX2
#elif defined(__x86_64__) && FASTRNN_VECTOR_BYTES == 16
#define FASTRNN_USE_SSE
#elif defined(__aarch64__) && FASTRNN_VECTOR_BYTES == 16
#define FASTRNN_USE_NEON
#endif

constexpr int kVectorBytes = FASTRNN_VECTOR_BYTES;
constexpr int kLanes = kVectorBytes / 4;

typedef float Vec __attribute__((vector_size(kVectorBytes)));
typedef int32_t IntVec __attribute__((vector_size(kVectorBytes)));
typedef uint32_t BitsVec __attribute__((vector_size(kVectorBytes)));  // sums of which wrap

// The register tile of the matrix product, kTileRows x kTileVectors accumulators: 12 of 16
// registers on SSE and AVX2, 24 of 32 on AVX-512 and NEON, which leaves room for a row of the right
// factor and a splat.
#if FASTRNN_VECTOR_BYTES == 64 || defined(__aarch64__)
constexpr int kTileRows = 8;
#else
constexpr int kTileRows = 4;
#endif
constexpr int kTileVectors = 3;

// For functions in hot loops. GCC would not inline all of them and would pass vectors on the stack.
#define FASTRNN_INLINE inline __attribute__((always_inline))

FASTRNN_INLINE Vec load(const float* p) {
  Vec v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}

FASTRNN_INLINE void store(float* p, Vec v) { __builtin_memcpy(p, &v, sizeof v); }

// An initializer list becomes one broadcast; `Vec{} + x` would become an addition and a shuffle.
FASTRNN_INLINE Vec splat(float x) {
#if FASTRNN_VECTOR_BYTES == 64
  return Vec{x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x};
#elif FASTRNN_VECTOR_BYTES == 32
  return Vec{x, x, x, x, x, x, x, x};
#else
  return Vec{x, x, x, x};
#endif
}

FASTRNN_INLINE Vec select(IntVec mask, Vec yes, Vec no) { return mask ? yes : no; }

// In this order of operands the result is NaN if x is.
#if defined(FASTRNN_USE_AVX512)
FASTRNN_INLINE Vec at_least(Vec x, Vec low) {
  return (Vec)_mm512_maskz_max_ps((__mmask16)-1, (__m512)low, (__m512)x);
}
FASTRNN_INLINE Vec at_most(Vec x, Vec high) {
  return (Vec)_mm512_maskz_min_ps((__mmask16)-1, (__m512)high, (__m512)x);
}
#elif defined(FASTRNN_USE_AVX2)
FASTRNN_INLINE Vec at_least(Vec x, Vec low) { return (Vec)_mm256_max_ps((__m256)low, (__m256)x); }
FASTRNN_INLINE Vec at_most(Vec x, Vec high) { return (Vec)_mm256_min_ps((__m256)high, (__m256)x); }
#else
FASTRNN_INLINE Vec at_least(Vec x, Vec low) { return select(x < low, low, x); }
FASTRNN_INLINE Vec at_most(Vec x, Vec high) { return select(x > high, high, x); }
#endif

FASTRNN_INLINE Vec absolute(Vec x) { return (Vec)((IntVec)x & 0x7fffffff); }

// 2^n from the float whose last 9 bits are n + 127, as adding kExponentMagic leaves them.
constexpr float kExponentMagic = 12582912.0f + 127;  // 1.5 * 2^23: the last bit counts ones
FASTRNN_INLINE Vec exponential_of_bits(Vec shifted) { return (Vec)((IntVec)shifted << 23); }

// Lane i of the result is lane index[i] % kLanes of the table; `index` is read as integers.
FASTRNN_INLINE Vec lookup(Vec table, Vec index) {
#if defined(FASTRNN_USE_AVX512)
  return (Vec)_mm512_maskz_permutexvar_ps((__mmask16)-1, (__m512i)index, (__m512)table);
#elif defined(FASTRNN_USE_AVX2)
  return (Vec)_mm256_permutevar8x32_ps((__m256)table, (__m256i)index);
#else
  return __builtin_shuffle(table, (IntVec)index);
#endif
}

// Two vectors that go through the same operations side by side. An activation is a long chain of
// operations, and one chain alone leaves most of the CPU idle: a sigmoid of 8 elements takes 3.6 ns
// alone and 2.7 in a pair, on Zen 3.
struct Pair {
  Vec a, b;
};
#define FASTRNN_PAIRED(op)                                                             \
  FASTRNN_INLINE Pair operator op(Pair x, Pair y) { return {x.a op y.a, x.b op y.b}; } \
  FASTRNN_INLINE Pair operator op(Pair x, Vec y) { return {x.a op y, x.b op y}; }      \
  FASTRNN_INLINE Pair operator op(Vec x, Pair y) { return {x op y.a, x op y.b}; }      \
  FASTRNN_INLINE Pair operator op(Pair x, float y) { return x op splat(y); }           \
  FASTRNN_INLINE Pair operator op(float x, Pair y) { return splat(x) op y; }
FASTRNN_PAIRED(+)
FASTRNN_PAIRED(-)
FASTRNN_PAIRED(*)
FASTRNN_PAIRED(/)
#undef FASTRNN_PAIRED
FASTRNN_INLINE Pair operator-(Pair x) { return {-x.a, -x.b}; }
FASTRNN_INLINE Pair& operator+=(Pair& x, Pair y) { return x = x + y; }
FASTRNN_INLINE Pair at_least(Pair x, Vec low) { return {at_least(x.a, low), at_least(x.b, low)}; }
FASTRNN_INLINE Pair at_most(Pair x, Vec high) { return {at_most(x.a, high), at_most(x.b, high)}; }
FASTRNN_INLINE Pair exponential_of_bits(Pair x) {
  return {exponential_of_bits(x.a), exponential_of_bits(x.b)};
}

// The first n lanes, 0 <= n <= kLanes. The other lanes are zero; their memory is not touched.
#if defined(FASTRNN_USE_AVX512)
FASTRNN_INLINE __mmask16 first_mask(int64_t n) { return __mmask16((1u << n) - 1); }
FASTRNN_INLINE Vec load_first(const float* p, int64_t n) {
  return (Vec)_mm512_maskz_loadu_ps(first_mask(n), p);
}
FASTRNN_INLINE void store_first(float* p, Vec v, int64_t n) {
  _mm512_mask_storeu_ps(p, first_mask(n), (__m512)v);
}
#elif defined(FASTRNN_USE_AVX2)
alignas(32) constexpr int32_t kMaskWindow[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
FASTRNN_INLINE __m256i first_mask(int64_t n) {
  return _mm256_loadu_si256((const __m256i*)(kMaskWindow + 8 - n));
}
FASTRNN_INLINE Vec load_first(const float* p, int64_t n) {
  return (Vec)_mm256_maskload_ps(p, first_mask(n));
}
// A masked store takes 18 micro-operations on Zen 3; up to three plain ones made SimpleRNN with 50
// units 6% faster there.
FASTRNN_INLINE void store_first(float* p, Vec v, int64_t n) {
  if (n == 8) return store(p, v);
  __m128 rest = _mm256_castps256_ps128((__m256)v);
  if (n & 4) {
    _mm_storeu_ps(p, rest);
    rest = _mm256_extractf128_ps((__m256)v, 1);
    p += 4;
  }
  if (n & 2) {
    _mm_storel_pi((__m64*)p, rest);
    rest = _mm_movehl_ps(rest, rest);
    p += 2;
  }
  if (n & 1) _mm_store_ss(p, rest);
}
#else
FASTRNN_INLINE Vec load_first(const float* p, int64_t n) {
  float lanes[kLanes] = {};
  for (int64_t i = 0; i < n; ++i) lanes[i] = p[i];
  return load(lanes);
}
FASTRNN_INLINE void store_first(float* p, Vec v, int64_t n) {
  float lanes[kLanes];
  store(lanes, v);
  for (int64_t i = 0; i < n; ++i) p[i] = lanes[i];
}
#endif

#if defined(FASTRNN_USE_AVX512)
FASTRNN_INLINE Vec square_root(Vec x) {
  return (Vec)_mm512_maskz_sqrt_ps((__mmask16)-1, (__m512)x);
}
#elif defined(FASTRNN_USE_AVX2)
FASTRNN_INLINE Vec square_root(Vec x) { return (Vec)_mm256_sqrt_ps((__m256)x); }
#elif defined(FASTRNN_USE_SSE)
FASTRNN_INLINE Vec square_root(Vec x) { return (Vec)_mm_sqrt_ps((__m128)x); }
#elif defined(FASTRNN_USE_NEON)
FASTRNN_INLINE Vec square_root(Vec x) { return (Vec)vsqrtq_f32((float32x4_t)x); }
#else
FASTRNN_INLINE Vec square_root(Vec x) {
  for (int i = 0; i < kLanes; ++i) x[i] = __builtin_sqrtf(x[i]);
  return x;
}
#endif

template <int first, int... lane>
FASTRNN_INLINE Vec every_second_lane(Vec x, Vec y, std::integer_sequence<int, lane...>) {
  return __builtin_shufflevector(x, y, (2 * lane + first)...);
}

// Lanes `first`, first + 2, ... of x, then those of y; first is 0 or 1.
template <int first>
FASTRNN_INLINE Vec every_second_lane(Vec x, Vec y) {
  return every_second_lane<first>(x, y, std::make_integer_sequence<int, kLanes>());
}

// The sums of neighbouring lanes of x, then those of y.
FASTRNN_INLINE Vec sums_of_neighbours(Vec x, Vec y) {
  return every_second_lane<0>(x, y) + every_second_lane<1>(x, y);
}

// Transposes kLanes vectors: lane i of vector v goes to lane v of vector i. Each turn rotates the
// bits of v and i, one behind the other, by one.
FASTRNN_INLINE void transpose(Vec x[kLanes]) {
#pragma GCC unroll 4
  for (int turn = 1; turn < kLanes; turn *= 2) {
    Vec y[kLanes];
#pragma GCC unroll 8
    for (int i = 0; i < kLanes / 2; ++i) {
      y[i] = every_second_lane<0>(x[2 * i], x[2 * i + 1]);
      y[i + kLanes / 2] = every_second_lane<1>(x[2 * i], x[2 * i + 1]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) x[i] = y[i];
  }
}

// Two bfloat16 in each lane, a bfloat16 being the upper half of a float: the first of them in the
// lower half of the lane. By plain instructions, to the same bits as AVX512-BF16.
struct EmulatedBfloat16 {
  static constexpr int kPerLane = 2;

  // Lane i: x[i] and y[i], rounded to nearest even.
  static FASTRNN_INLINE Vec pair(Vec x, Vec y) {
    return (Vec)((BitsVec)rounded(x) >> 16 | (BitsVec)rounded(y));
  }
  // The lanes of x, then those of y, each two neighbours in one lane.
  static FASTRNN_INLINE Vec pair_neighbours(Vec x, Vec y) {
    return pair(every_second_lane<0>(x, y), every_second_lane<1>(x, y));
  }
  // sum + the products of the second halves, + the products of the first halves. Each sum is
  // rounded; the products are exact.
  static FASTRNN_INLINE Vec add_product(Vec sum, Vec x, Vec y) {
    sum += upper(x) * upper(y);
    return sum + lower(x) * lower(y);
  }

  static FASTRNN_INLINE Vec upper(Vec x) { return (Vec)((BitsVec)x & 0xffff0000u); }
  static FASTRNN_INLINE Vec lower(Vec x) { return (Vec)((BitsVec)x << 16); }

 private:
  static FASTRNN_INLINE Vec rounded(Vec x) {
    const BitsVec bits = (BitsVec)x;
    // The addition would carry a NaN over into infinity or zero.
    const Vec nearest = (Vec)(bits + (0x7fffu + (bits >> 16 & 1u)));
    return upper(select(x == x, nearest, (Vec)(bits | 0x400000u)));
  }
};

#if defined(FASTRNN_USE_AVX512)
// The same by AVX512-BF16, which the flags of this level do not include: in assembler, so that only
// calls with Operands::bfloat16 need it.
struct Bfloat16 {
  static constexpr int kPerLane = 2;

  static FASTRNN_INLINE Vec pair(Vec x, Vec y) {
    const __m512i both = (__m512i)pair_neighbours(x, y);  // all of x, then all of y
    const __m512i places =
        (__m512i)(BitsVec{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15} * 0x10001u +
                  0x100000u);
    return (Vec)_mm512_maskz_permutexvar_epi16((__mmask32)-1, places, both);
  }
  static FASTRNN_INLINE Vec pair_neighbours(Vec x, Vec y) {
    Vec pairs;
    asm("vcvtne2ps2bf16 %2, %1, %0" : "=v"(pairs) : "v"(y), "v"(x));
    return pairs;
  }
  static FASTRNN_INLINE Vec add_product(Vec sum, Vec x, Vec y) {
    asm("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(x), "v"(y));
    return sum;
  }
};
#else
using Bfloat16 = EmulatedBfloat16;
#endif

// Flushes denormals to zero as long as it lives, then restores the thread's former mode. Gradients
// of long sequences become denormal, and an operation on a denormal takes about a hundred cycles.
class FlushDenormals {
 public:
#if defined(__x86_64__)
  FlushDenormals() : saved_(_mm_getcsr()) { _mm_setcsr(saved_ | 0x8040); }  // FTZ | DAZ
  ~FlushDenormals() { _mm_setcsr(saved_); }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  unsigned saved_;
#elif defined(__aarch64__)
  FlushDenormals() {
    asm volatile("mrs %0, fpcr" : "=r"(saved_));
    asm volatile("msr fpcr, %0" ::"r"(saved_ | (1ull << 24)));  // FZ
  }
  ~FlushDenormals() { asm volatile("msr fpcr, %0" ::"r"(saved_)); }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  uint64_t saved_;
#endif
};

}  // namespace
}  // namespace fastrnn
