// How a thread waits until another one changes a word.
#pragma once

#include <atomic>
#include <cstdint>

#include "phases.h"

namespace fastrnn {

// Tells the CPU that this is a loop that waits.
void pause_cpu();

// One wait, from its beginning to its end. At first the thread looks at the word again and again.
// Later it offers its CPU to others in between: while nobody takes it, looking on costs nobody
// anything, and a thread that sleeps would be late for what comes next. Once somebody takes it, the
// thread sleeps, and for a while all threads do so without an offer.
class Patience {
 public:
  // Lets a moment go by. Returns false when it is time to sleep.
  bool lasts();
  // Seconds since the thread made its first offer, or gave up.
  double seconds_given() const { return begin_ > 0 ? now_seconds() - begin_ : 0; }

 private:
  int looks_ = 0;
  double begin_ = 0;
};

// Waits until the word, a std::atomic or a std::atomic_ref, is no longer `old`. Returns how many
// seconds the thread could have given to others: all but the first looks.
template <class Word>
double wait_for_change(const Word& word, uint32_t old) {
  Patience patience;
  while (word.load(std::memory_order_acquire) == old) {
    if (!patience.lasts()) word.wait(old, std::memory_order_acquire);
  }
  return patience.seconds_given();
}

}  // namespace fastrnn
