// Where the time of a training step goes: seconds per phase, while profiling is on.
// bench/roofline.py turns it on.
//
// Of a parallel call the slowest thread counts, the one that worked longest. The rest of the call
// is `waiting`: for late threads, at barriers and for the end. So phases add up to the time that
// has passed.
#pragma once

namespace fastrnn {

enum class Phase {
  plan,
  projection,
  forward,
  backward,
  weight_gradients,
  input_gradients,
  dense,
  embedding,
  optimizer,
  waiting
};
inline constexpr const char* kPhaseNames[] = {"plan",
                                              "projection",
                                              "forward recurrence",
                                              "backward recurrence",
                                              "weight gradients",
                                              "input gradients",
                                              "dense",
                                              "embedding",
                                              "optimizer",
                                              "waiting"};
inline constexpr int kPhases = int(sizeof kPhaseNames / sizeof *kPhaseNames);

void set_profiling(bool enabled);
bool profiling();
// Seconds since the last reset.
void read_phase_seconds(bool reset, double seconds[kPhases]);
double now_seconds();

// For the calling thread, in the parallel call that it works for (parallel_times.h), if any.
void add_phase_seconds(Phase phase, double seconds);
// How long the calling thread has waited for others since it began, while profiling was on.
void add_seconds_waited(double seconds);
double seconds_waited();

}  // namespace fastrnn
