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

// Numbers the tokens in the order in which they are met.
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

// The token with which most rows begin; of several the smallest.
int32_t commonest_first_token(const PlanInput& in) {
  Buffer memory;
  int32_t* counts = allocate<int32_t>(memory, {in.vocabulary});
  std::fill_n(counts, in.vocabulary, 0);
  const int64_t first = in.go_backwards ? in.time - 1 : 0;
  for (int64_t b = 0; b < in.batch; ++b) ++counts[in.tokens[b * in.time + first]];
  return int32_t(std::max_element(counts, counts + in.vocabulary) - counts);
}

// Steps are shared as long as so many rows would walk them: a row that walks alone has one thread
// at work and few of its multipliers, so that fewer rows are as well off in the walk of all.
constexpr int64_t kSharingRows = 8;

// How many steps are shared. run [B]: with how many paddings each row begins.
template <class SlotOf>
int64_t shared_steps(const PlanInput& in, SlotOf slot_of, int32_t* run) {
  const int32_t padding = commonest_first_token(in);
  Buffer memory;
  int32_t* sorted = allocate<int32_t>(memory, {in.batch});
  for (int64_t b = 0; b < in.batch; ++b) {
    while (run[b] < in.time && in.tokens[slot_of(b, run[b])] == padding) ++run[b];
    sorted[b] = run[b];
  }
  std::nth_element(sorted, sorted + kSharingRows - 1, sorted + in.batch, std::greater<int32_t>());
  return sorted[kSharingRows - 1];
}

}  // namespace

Plan::Plan(const PlanInput& in) {
  const int64_t B = in.batch, T = in.time;
  // The slot of the step that a row would walk as number t.
  const auto slot_of = [&](int64_t b, int64_t t) {
    return b * T + (in.go_backwards ? T - 1 - t : t);
  };

  // For each row of the batch, the steps that it shares and the number that it walks alone.
  Buffer run_memory, own_memory, places_memory;
  int32_t* run = allocate<int32_t>(run_memory, {B});
  int32_t* own = allocate<int32_t>(own_memory, {B});
  std::fill_n(run, B, 0);
  const int64_t prefix = in.share_prefix && B >= kSharingRows ? shared_steps(in, slot_of, run) : 0;
  int64_t prefix_row = 0, positions = 0, steps = 0;
  for (int64_t b = 0; b < B; ++b) {
    run[b] = int32_t(std::min<int64_t>(run[b], prefix));
    if (run[b] == prefix) prefix_row = b;
    own[b] = int32_t(T) - run[b];
    if (in.mask) {
      own[b] = int32_t(std::count_if(in.mask + b * T, in.mask + (b + 1) * T,
                                     [](uint8_t walked) { return walked != 0; }));
    }
    positions += own[b];
    steps = std::max<int64_t>(steps, own[b]);
  }

  // Ranks by falling length; rows of the same length keep their order.
  int32_t* const rows = allocate<int32_t>(rows_, {3, B});
  int32_t *row = rows, *length = rows + B, *start = rows + 2 * B;
  int64_t* const begin = allocate<int64_t>(begin_, {steps + 1 + prefix + 1});
  std::fill_n(begin, steps + 1, 0);
  for (int64_t b = 0; b < B; ++b) ++begin[own[b]];  // rows of each length
  int64_t* const place = allocate<int64_t>(places_memory, {steps + 1});
  for (int64_t s = steps, rank = 0; s >= 0; --s) {
    place[s] = rank;
    rank += begin[s];
  }
  for (int64_t b = 0; b < B; ++b) {
    const int64_t rank = place[own[b]]++;
    row[rank] = int32_t(b), length[rank] = own[b], start[rank] = run[b];
  }
  // place[s] is now the number of rows of length s or more: those that walk step s - 1.
  begin[0] = 0;
  for (int64_t s = 0; s < steps; ++s) begin[s + 1] = begin[s] + place[s + 1];

  int64_t* const slot = allocate<int64_t>(slot_, {positions + prefix});
  int32_t* token = nullptr;
  if (in.tokens) {
    token = allocate<int32_t>(token_, {positions + prefix});
    allocate<int32_t>(distinct_, {std::min(positions + prefix, in.vocabulary)});
  }
  const auto number_all = [&](auto number) {
    for (int64_t t = 0; t < prefix; ++t) {
      slot[positions + t] = slot_of(prefix_row, t);
      if (token) token[positions + t] = number(in.tokens[slot[positions + t]]);
    }
    for (int64_t rank = 0; rank < B; ++rank) {
      for (int64_t t = start[rank], s = 0; s < length[rank]; ++t) {
        const int64_t from = slot_of(row[rank], t);
        if (in.mask && !in.mask[from]) continue;
        const int64_t position = begin[s++] + rank;
        slot[position] = from;
        if (token) token[position] = number(in.tokens[from]);
      }
    }
  };
  if (token) {
    Numbering numbering(in.vocabulary, static_cast<int32_t*>(distinct_.data()));
    number_all([&](int32_t id) { return numbering(id); });
    distinct_count_ = numbering.count();
  } else {
    number_all([](int32_t) { return 0; });
  }
  int64_t* const prefix_begin = begin + steps + 1;
  for (int64_t t = 0; t <= prefix; ++t) prefix_begin[t] = t;
  view_.walk = {B, steps, begin, slot, token};
  view_.prefix = {prefix > 0 ? 1 : 0, prefix, prefix_begin, slot + positions,
                  token ? token + positions : nullptr};
  view_.row = row, view_.length = length, view_.start = start;
}

}  // namespace fastrnn
