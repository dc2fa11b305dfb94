// Embedding: rows of a table looked up by token, and the sum of the rows' gradients per token.
#pragma once

#include "../api.h"
#include "parallel.h"

namespace fastrnn {
namespace {

inline void embedding_forward(const Embedding& p, const int32_t* tokens, const float* table,
                              float* y) {
  const int64_t F = p.features;
  in_parallel(threads_for(p.tokens * F, p.threads), [=](const Team& team) {
    Laps laps;
    const Range mine = share(p.tokens, team);
    for (int64_t i = mine.begin; i < mine.end; ++i) {
      __builtin_memcpy(y + i * F, table + tokens[i] * F, sizeof(float) * F);
    }
    laps.end(Phase::embedding);
  });
}

// A thread adds up the rows of the tokens with token % threads == thread, in the order of their
// positions, so the sums do not depend on the number of threads. Frequent tokens are small numbers,
// so the remainder spreads them evenly.
inline void embedding_backward(const Embedding& p, const int32_t* tokens, const float* dy,
                               float* dtable) {
  const int64_t F = p.features;
  in_parallel(threads_for((p.tokens + p.vocabulary) * F, p.threads), [=](const Team& team) {
    Laps laps;
    const Range rows = share(p.vocabulary, team);
    __builtin_memset(dtable + rows.begin * F, 0, sizeof(float) * (rows.end - rows.begin) * F);
    team.barrier();
    for (int64_t i = 0; i < p.tokens; ++i) {
      if (tokens[i] % team.threads != team.thread) continue;
      float* sum = dtable + tokens[i] * F;
      const float* row = dy + i * F;
      for_vectors({0, F}, [=](int64_t f, auto lanes) {
        lanes.write(sum + f, lanes.read(sum + f) + lanes.read(row + f));
      });
    }
    laps.end(Phase::embedding);
  });
}

}  // namespace
}  // namespace fastrnn
