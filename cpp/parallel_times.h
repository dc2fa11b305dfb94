// How long each thread of one parallel call worked, while profiling is on.
#pragma once

#include <vector>

#include "phases.h"

namespace fastrnn {

class ParallelTimes {
 public:
  // Of threads 0..threads-1. Without profiling nothing is measured.
  explicit ParallelTimes(int threads);
  // All threads are done: counts the phases of the slowest one, and the rest as waiting.
  ~ParallelTimes();
  ParallelTimes(const ParallelTimes&) = delete;
  ParallelTimes& operator=(const ParallelTimes&) = delete;

  struct Thread {
    double phases[kPhases] = {};
    double worked = 0;
  };

  // One task of one thread, from construction to destruction.
  class Task {
   public:
    Task(ParallelTimes& times, int thread);
    ~Task();
    Task(const Task&) = delete;
    Task& operator=(const Task&) = delete;

   private:
    Thread* const thread_;  // null without profiling
    double begin_ = 0;
  };

 private:
  std::vector<Thread> threads_;  // empty without profiling
  double begin_ = 0;
};

}  // namespace fastrnn
