// Dropout. The mask is a function of a seed, so it is never stored: backward draws it again.
#pragma once

#include "../api.h"
#include "parallel.h"

namespace fastrnn {
namespace {

// Element number i takes word i / kBlocks % 2 of block i / (2 kBlocks) * kBlocks + i % kBlocks, on
// every ISA level.
constexpr int64_t kBlocks = 16;

template <int... lane>
FASTRNN_INLINE BitsVec numbers_from(uint32_t first, std::integer_sequence<int, lane...>) {
  return BitsVec{(first + lane)...};
}

// Two words of 32 random bits for each of kLanes blocks from number `first` on: Threefry 2x32-20
// (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011).
FASTRNN_INLINE void draw_blocks(uint64_t seed, int64_t first, BitsVec words[2]) {
  const auto low = uint32_t(seed), high = uint32_t(seed >> 32);
  const uint32_t keys[3] = {low, high, 0x1BD11BDA ^ low ^ high};
  constexpr int kRotations[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
  BitsVec a = numbers_from(uint32_t(first), std::make_integer_sequence<int, kLanes>()) + keys[0];
  BitsVec b = BitsVec{} + (uint32_t(first >> 32) + keys[1]);
#pragma GCC unroll 8
  for (uint32_t part = 0; part < 5; ++part) {
#pragma GCC unroll 8
    for (int i = 0; i < 4; ++i) {
      const int rotation = kRotations[part % 2][i];
      a += b;
      b = (b << rotation | b >> (32 - rotation)) ^ a;
    }
    a += keys[(part + 1) % 3];
    b += keys[(part + 2) % 3] + part + 1;
  }
  words[0] = a, words[1] = b;
}

inline void dropout(const Dropout& p, const float* x, float* y) {
  if (p.rate >= 1) return void(__builtin_memset(y, 0, sizeof(float) * size_t(p.size)));
  const auto first_kept = uint32_t(p.rate * 4294967296.0);
  const auto scale = float(1 / (1 - p.rate));
  constexpr int64_t kStretch = 2 * kBlocks;
  deal(threads_for(p.size, p.threads), [=](const Team& team) {
    const Range mine = share(p.size, team, kStretch);
    for (int64_t begin = mine.begin; begin < mine.end; begin += kStretch) {
      for (int64_t block = 0; block < kBlocks; block += kLanes) {
        BitsVec words[2];
        draw_blocks(p.seed, begin / 2 + block, words);
        for (int w = 0; w < 2; ++w) {
          const int64_t first = begin + w * kBlocks + block;
          for_vectors({first, smaller(first + kLanes, mine.end)}, [&](int64_t i, auto lanes) {
            const auto keep = (IntVec)(words[w] >= first_kept);
            lanes.write(y + i, select(keep, lanes.read(x + i) * scale, Vec{}));
          });
        }
      }
    }
  });
}

}  // namespace
}  // namespace fastrnn
