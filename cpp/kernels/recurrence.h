// What the walks through time share, forward (forward_pass.h) and backward (backward_pass.h). They
// are written once for all cells.
//
// The batch is cut into groups of rows. Threads claim one group after another and take it through
// all the steps, so nobody waits for anybody, and a thread that is not running delays its own group
// alone. Backward, a group has sums of its own for the gradients of the weights, which are added up
// at the end in the order of the groups. How rows are grouped depends on the problem, never on the
// number of threads, so the results do not either.
//
// Layers whose weight gradients are too large for such sums walk back in blocks of steps. While a
// block's gate gradients are hot they are packed; then all threads meet, share out the tiles of the
// weight gradients, add the block and meet again.
//
// Wide layers, and few rows, are another matter again: every thread would fetch all the weights at
// each step. There the team takes all rows through a step together, each thread with tiles of the
// products and then with rows of the gates, and meets in between (`walks_together`). Whether it
// does changes no result.
//
// Which positions are walked is the plan's matter (../plan.h): first the prefix that the rows
// share, as a walk of one row, then the walk of all rows from where each leaves the prefix;
// backward in the opposite order.
//
// What happens in one step is the step's matter (cell_step.h, gru.h). A forward step has
//   Step(const RnnForward&, Workspace&)   lays out its packed weights and scratch
//   pack(team)                            packs the weights
//   prepare(team)                         what needs them all packed
//   run(ForwardRows)                      one step of some rows
// and a backward step has
//   Step(const RnnBackward&, const Collecting&, Workspace&)
//   pack(team)
//   run(BackwardRows)                     one step of some rows, its gate gradients collected
//   add_weight_gradients(collector, depth, tokens, sums, team)
//                                         adds the collected rows 0..depth-1; `tokens` are the
//                                         numbers of their tokens, or null
//   input()                               its input side (input.h)
#pragma once

#include "../api.h"
#include "operands.h"
#include "parallel.h"
#include "workspace.h"

namespace fastrnn {
namespace {

// Rows that go through time together: few enough that their gates stay in L1 and L2, enough that a
// panel of weights is used several times for each load into L1.
constexpr int64_t kRowBlock = 32;

// The same backward, where gates and their gradients both pass through the caches.
constexpr int64_t kBackwardRowBlock = 16;

// Rows (time steps x batch rows) of gate gradients collected before the weight gradients are
// brought up to date: the packs of a block, 4 * 512 * (F + H + G*H) bytes, fit L2 up to about 128
// units.
constexpr int64_t kGradientBlock = 512;

inline int64_t gradient_block(const RnnProblem& p) {
  return smaller(larger(kGradientBlock, p.batch), larger(p.positions, p.prefix));
}

// Row groups walk back where a group's sums of weight gradients, so many floats, stay in L2; and
// where there are rows enough to fill the tiles of some groups.
constexpr int64_t kGroupFloats = 1 << 17;
constexpr int64_t kRowsToGroup = 8;

// Rows and positions of a group: enough to pay for its sums. Beyond 8 groups, which keep the parts
// of a small batch equal, more of them only serve more threads.
constexpr int64_t kLeastGroupRows = 4, kLeastGroupPositions = 64;
constexpr int64_t kGroups = 8, kGroupRows = 16, kMostGroups = 32;

// Distinct tokens whose products are formed once for all of their positions.
inline bool is_projected(const RnnProblem& p) { return p.distinct > 0 && !p.masked_x; }

// Into how many groups of rows the batch is cut on its way back; 0 where there are none.
inline int64_t row_groups(const RnnProblem& p) {
  const int64_t depth = p.units + (is_projected(p) ? 0 : p.features);
  if (p.batch < kRowsToGroup || depth * traits_of(p.cell).gates * p.units > kGroupFloats) return 0;
  const int64_t groups = smaller(larger(kGroups, p.batch / kGroupRows), kMostGroups);
  return larger(
      1, smaller(groups, smaller(p.batch / kLeastGroupRows, p.positions / kLeastGroupPositions)));
}

// Multiply-adds that pay for waking one more thread, about 10 microseconds of work for one.
constexpr int64_t kProductsPerThread = 1 << 18;

// When the team walks together. A step must have enough multiply-adds for each thread to pay for
// its meetings, each about a microsecond. Then it pays where threads would have no row, not even
// one of the pass beside; where a few rows would each time fetch weights that L2 does not hold; and
// where weights come from so far that they had better be fetched once for all rows. Measured with
// LSTMs on AVX2, 2 threads: 1.4 to 1.9 times as fast for one row of 128 to 512 units, 1.2 for 2 and
// 4 rows of 256 and 512 units, 1.08 to 1.25 for up to 64 rows of 1,024 units; elsewhere 2 to 10%
// slower than apart.
constexpr int64_t kProductsPerMeeting = 1 << 15;
constexpr int64_t kFewRows = 4;           // per thread
constexpr int64_t kFarWeights = 1 << 21;  // floats

// Whether the team walks `rows` rows together.
inline bool walks_together(const RnnProblem& p, int64_t rows) {
  const int64_t weights = traits_of(p.cell).gates * p.units * p.units;
  if (p.threads == 1 || rows * weights < p.threads * kProductsPerMeeting) return false;
  const int64_t with_others = p.paired ? 2 * rows : rows;
  return with_others < p.threads || weights >= kFarWeights ||
         (rows <= p.threads * kFewRows && weights >= kWeightsInL2);
}

// Multiply-adds of a pass.
inline int64_t products_of(const RnnProblem& p) {
  return p.positions * traits_of(p.cell).gates * p.units * (p.features + p.units);
}

inline int recurrence_threads(const RnnProblem& p) {
  const int64_t parts = walks_together(p, p.batch) ? p.threads : p.batch;
  return int(smaller(smaller(p.threads, parts), 1 + products_of(p) / kProductsPerThread));
}

// Floats from one position's gate gradients to the next: laid out as the gates on the tape.
inline int64_t dgate_stride(const RnnProblem& p) {
  return gate_stride(larger(traits_of(p.cell).cached_lanes, 1), p.units);
}

// Rows of scratch memory that a pass needs for what its walkers have in work.
inline int64_t scratch_rows(const RnnProblem& p) {
  const int64_t apart = p.threads * kRowBlock;  // any thread may walk the prefix
  if (!walks_together(p, p.batch)) return apart;
  return larger(divide_up(p.batch, kTileDepth) * kTileDepth, apart);  // a tile reads all its rows
}

// Who walks some rows.
struct Walkers {
  Team team;        // all threads, or one alone
  int64_t thread;   // the one alone
  int64_t scratch;  // where their scratch rows begin
};

inline Walkers together(const Team& team) { return {team, 0, 0}; }
inline Walkers alone(int64_t thread) { return {kAlone, thread, thread * kRowBlock}; }

// Scratch memory for the rows that walkers have in work, where it is `wanted`.
class RowScratch {
 public:
  RowScratch(Workspace& workspace, const RnnProblem& p, int64_t columns, bool wanted = true)
      : columns_(wanted ? columns : 0), data_(workspace.floats(scratch_rows(p) * columns_)) {}
  float* of(const Walkers& walkers) const { return data_ + walkers.scratch * columns_; }

 private:
  int64_t columns_;
  float* data_;
};

// One step of `count` rows of neighbouring ranks; states and gates of rows lie next to each other.
struct ForwardRows {
  Walkers walkers;
  int64_t count;
  int64_t rank;          // of the first row
  const int64_t* slot;   // [count]
  const int32_t* token;  // [count] or null
  const float* h_prev;
  bool from_zero;  // whether h_prev is known to be zeros
  float* h;        // may be h_prev itself, as c may be c_prev
  const float* c_prev;
  float* c;
  float* gates;
};

// Rows [rows, floats] that are fetched into L2; p is null where there are none.
struct Far {
  const float* p;
  int64_t floats;
};

struct BackwardRows {
  Walkers walkers;
  int64_t count;
  int64_t rank;
  int64_t position;   // of the first row in its walk
  int64_t collector;  // who collects the rows' factors of weight gradients (gates.h),
  int64_t k;          // and their first number there
  const int64_t* slot;
  const int32_t* token;
  const float* h_prev;
  const float* h;
  const float* c_prev;
  const float* c;
  const float* gates;
  float* dgates;                  // [count, dgate_stride]; may be `gates` itself
  const float* dh_added;          // what comes to dh from the step's output; may be null
  const int64_t* dh_added_index;  // [count] its rows; null: they are next to each other
  float* dh;                      // in: gradient of h but for dh_added; out: gradient of h_prev,
  bool dh_wanted;                 // if that is wanted
  float* dc;
  Far next[4];  // what the next step reads and writes
  FASTRNN_INLINE void fetch_next(Range range) const {
    for (const Far& far : next) {
      const int64_t begin = range.begin * far.floats, end = range.end * far.floats;
      for (int64_t i = begin; far.p && i < end; i += 16) __builtin_prefetch(far.p + i, 0, 2);
    }
  }
};

// Where the gradients of the weights are summed, shapes as in RnnBackward; dbias may be null.
struct WeightGradients {
  float *dkernel, *drecurrent_kernel, *dbias;
};

inline void copy_or_zero(float* to, const float* from, int64_t count) {
  if (count == 0) return;  // then the pointers may be null
  if (from) {
    __builtin_memcpy(to, from, sizeof(float) * count);
  } else {
    __builtin_memset(to, 0, sizeof(float) * count);
  }
}

inline void add(float* to, const float* from, int64_t count) {
  for_vectors({0, count}, [=](int64_t i, auto lanes) {
    lanes.write(to + i, lanes.read(to + i) + lanes.read(from + i));
  });
}

// Where step number t of a row's walk stands in x, in sequences and in a mask.
inline int64_t slot_of(const StepMask& steps, int64_t row, int64_t time, int64_t t) {
  return row * time + (steps.go_backwards ? time - 1 - t : t);
}

// Pointer arithmetic on what may be null.
template <class T>
T* offset(T* p, int64_t by) {
  return p ? p + by : nullptr;
}

// The rows' steps in begin..end-1, cut into equal shares of neighbouring ranks.
inline Range share_walk(const BatchPlan& plan, const Walk& walk, Range steps, const Team& team) {
  const int64_t rows = walk.rows_at(steps.begin);
  const auto steps_of = [&](int64_t rank) {
    const int64_t own = walk.rows == 1 ? walk.steps : plan.length[rank];
    return smaller(own, steps.end) - steps.begin;
  };
  const int64_t total = walk.begin[steps.end] - walk.begin[steps.begin];
  Range mine{0, 0};
  int64_t sum = 0;
  for (int64_t rank = 0; rank < rows; ++rank) {
    // A row belongs to the thread into whose share its middle falls.
    const int64_t own = steps_of(rank);
    const int64_t owner = (2 * sum + own) * team.threads / (2 * total);
    if (owner < team.thread) mine.begin = rank + 1;
    if (owner <= team.thread) mine.end = rank + 1;
    sum += own;
  }
  return mine;
}

// Calls body(first, count) for equal blocks of at most `block` rows.
template <class Body>
void for_row_blocks(Range rows, int64_t block, Body body) {
  const int64_t count = rows.end - rows.begin;
  if (count <= 0) return;
  const int64_t size = divide_up(divide_up(count, divide_up(count, block)), kTileRows) * kTileRows;
  for (int64_t first = rows.begin; first < rows.end; first += size)
    body(first, smaller(size, rows.end - first));
}

// Whether the walk's last output of a row is zeros in place of its last state.
inline bool last_output_is_zero(const StepMask& steps, const BatchPlan& plan, int64_t time,
                                int64_t rank) {
  if (!steps.mask) return false;
  const int64_t last = slot_of(steps, plan.row[rank], time, time - 1);
  return plan.length[rank] == 0 || (steps.zero_output && !steps.mask[last]);
}

}  // namespace
}  // namespace fastrnn
