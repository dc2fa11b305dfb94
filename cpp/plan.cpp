#include "plan.h"

#include <algorithm>
#include <functional>

namespace fastrnn {
namespace {

template <class T>
T* allocate(Buffer& buffer, std::initializer_list<int64_t> sizes) {
  buffer = Buffer(size_t(checked_count(sizes)) * sizeof(T));
  return static_cast<T*>(buffer.data());
}

// Numbers the distinct tokens in the order in which they first occur.
class Numbering {
 public:
  Numbering(int64_t vocabulary, int32_t* distinct) : distinct_(distinct) {
    std::fill_n(allocate<int32_t>(memory_, {vocabulary}), vocabulary, -1);
  }
  int32_t operator()(int32_t token) {
    int32_t& number = static_cast<int32_t*>(memory_.data())[token];
    if (number < 0) {
      number = int32_t(count_);
      distinct_[count_++] = token;
    }
    return number;
  }
  int64_t count() const { return count_; }

 private:
  int32_t* distinct_;
  Buffer memory_;
  int64_t count_ = 0;
};

// Where step t of row b, counted in the order of the walk, stands in [B, T].
int64_t slot_of(const PlanInput& in, int64_t b, int64_t t) {
  return b * in.time + (in.go_backwards ? in.time - 1 - t : t);
}

// The token with which most rows begin; of several the smallest.
int32_t commonest_first_token(const PlanInput& in) {
  Buffer memory;
  int32_t* counts = allocate<int32_t>(memory, {in.vocabulary});
  std::fill_n(counts, in.vocabulary, 0);
  for (int64_t b = 0; b < in.batch; ++b) ++counts[in.tokens[slot_of(in, b, 0)]];
  return int32_t(std::max_element(counts, counts + in.vocabulary) - counts);
}

// A step is shared if at least this many rows would walk it. With fewer it is not worth it: the
// prefix is one row, which keeps one thread and few of its multipliers busy.
constexpr int64_t kSharingRows = 8;

// The length of the prefix. shared [B], zeros at first, becomes the padding tokens that each row
// begins with.
int64_t prefix_length(const PlanInput& in, int32_t* shared) {
  const int32_t padding = commonest_first_token(in);
  Buffer memory;
  int32_t* sorted = allocate<int32_t>(memory, {in.batch});
  for (int64_t b = 0; b < in.batch; ++b) {
    while (shared[b] < in.time && in.tokens[slot_of(in, b, shared[b])] == padding) ++shared[b];
    sorted[b] = shared[b];
  }
  std::nth_element(sorted, sorted + kSharingRows - 1, sorted + in.batch, std::greater<int32_t>());
  return sorted[kSharingRows - 1];
}

}  // namespace

// How many steps each row of the batch walks.
struct Plan::RowSteps {
  explicit RowSteps(const PlanInput& in);

  Buffer shared_memory, own_memory;
  int32_t* shared;         // [B] steps that it has in the prefix
  int32_t* own;            // [B] steps that it walks itself
  int64_t prefix = 0;      // steps of the prefix
  int64_t prefix_row = 0;  // a row that begins with the whole prefix
  int64_t positions = 0;   // sum of own
  int64_t longest = 0;     // largest of own
};

Plan::RowSteps::RowSteps(const PlanInput& in)
    : shared(allocate<int32_t>(shared_memory, {in.batch})),
      own(allocate<int32_t>(own_memory, {in.batch})) {
  std::fill_n(shared, in.batch, 0);
  if (in.share_prefix && in.batch >= kSharingRows) prefix = prefix_length(in, shared);
  for (int64_t b = 0; b < in.batch; ++b) {
    shared[b] = int32_t(std::min<int64_t>(shared[b], prefix));
    if (shared[b] == prefix) prefix_row = b;
    own[b] = int32_t(in.time) - shared[b];
    if (in.mask) {
      const uint8_t* mask = in.mask + b * in.time;
      own[b] = int32_t(in.time - std::count(mask, mask + in.time, 0));
    }
    if (in.batch_sizes)
      own[b] = int32_t(std::count_if(in.batch_sizes, in.batch_sizes + in.time,
                                     [b](int64_t rows) { return b < rows; }));
    positions += own[b];
    longest = std::max<int64_t>(longest, own[b]);
  }
}

Plan::Plan(const PlanInput& in) {
  const RowSteps steps(in);
  rank_rows(in.batch, steps);
  number_positions(in, steps);
}

// Ranks rows by falling length, rows of one length in their order; counts the positions of each
// step.
void Plan::rank_rows(int64_t batch, const RowSteps& steps) {
  int32_t* const rows = allocate<int32_t>(rows_, {3, batch});
  int32_t *row = rows, *length = rows + batch, *start = rows + 2 * batch;
  int64_t* const begin = allocate<int64_t>(begin_, {steps.longest + 1 + steps.prefix + 1});
  std::fill_n(begin, steps.longest + 1, 0);
  for (int64_t b = 0; b < batch; ++b) ++begin[steps.own[b]];  // rows of each length
  Buffer place_memory;
  int64_t* const place = allocate<int64_t>(place_memory, {steps.longest + 1});  // next rank
  for (int64_t s = steps.longest, rank = 0; s >= 0; --s) {
    place[s] = rank;
    rank += begin[s];
  }
  for (int64_t b = 0; b < batch; ++b) {
    const int64_t rank = place[steps.own[b]]++;
    row[rank] = int32_t(b), length[rank] = steps.own[b], start[rank] = steps.shared[b];
  }
  // place[s] is now the number of rows of length s or more: those that walk step s - 1.
  begin[0] = 0;
  for (int64_t s = 0; s < steps.longest; ++s) begin[s + 1] = begin[s] + place[s + 1];
  int64_t* const prefix_begin = begin + steps.longest + 1;
  for (int64_t t = 0; t <= steps.prefix; ++t) prefix_begin[t] = t;

  view_.row = row, view_.length = length, view_.start = start;
  view_.walk.rows = batch, view_.walk.steps = steps.longest, view_.walk.begin = begin;
  view_.prefix.rows = steps.prefix > 0 ? 1 : 0, view_.prefix.steps = steps.prefix;
  view_.prefix.begin = prefix_begin;
}

// Finds the slot of each position and, where the input is tokens, the number of its token.
void Plan::number_positions(const PlanInput& in, const RowSteps& steps) {
  const int64_t all = steps.positions + steps.prefix;  // the prefix stands behind the walk
  int64_t* const slot = allocate<int64_t>(slot_, {all});
  view_.walk.slot = slot, view_.prefix.slot = slot + steps.positions;
  int32_t* const token = in.tokens ? allocate<int32_t>(token_, {all}) : nullptr;
  if (in.batch_sizes) return number_times(in, slot);
  const auto number_all = [&](auto number) {
    for (int64_t t = 0; t < steps.prefix; ++t) {
      const int64_t position = steps.positions + t;
      slot[position] = slot_of(in, steps.prefix_row, t);
      if (token) token[position] = number(in.tokens[slot[position]]);
    }
    for (int64_t rank = 0; rank < in.batch; ++rank) {
      for (int64_t t = view_.start[rank], s = 0; s < view_.length[rank]; ++t) {
        const int64_t from = slot_of(in, view_.row[rank], t);
        if (in.mask && !in.mask[from]) continue;
        const int64_t position = view_.walk.begin[s++] + rank;
        slot[position] = from;
        if (token) token[position] = number(in.tokens[from]);
      }
    }
  };
  if (token) {
    Numbering numbering(in.vocabulary,
                        allocate<int32_t>(distinct_, {std::min(all, in.vocabulary)}));
    number_all([&](int32_t id) { return numbering(id); });
    distinct_count_ = numbering.count();
  } else {
    number_all([](int32_t) { return 0; });
  }
  view_.walk.token = token;
  view_.prefix.token = token ? token + steps.positions : nullptr;
}

// Finds the slots where the rows of each time stand behind those of the time before. Rows are then
// ranked as they are.
void Plan::number_times(const PlanInput& in, int64_t* slot) {
  for (int64_t t = 0, begin = 0; t < in.time; begin += in.batch_sizes[t++]) {
    for (int64_t b = 0; b < in.batch_sizes[t]; ++b) {
      const int64_t s = in.go_backwards ? view_.length[b] - 1 - t : t;
      slot[view_.walk.begin[s] + b] = begin + b;
    }
  }
}

}  // namespace fastrnn
