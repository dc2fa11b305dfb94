// Where the time of a training step goes: seconds per phase, measured by the first thread of each
// pass while profiling is on. bench/roofline.py turns it on.
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
  optimizer
};
inline constexpr const char* kPhaseNames[] = {"plan",
                                              "projection",
                                              "forward recurrence",
                                              "backward recurrence",
                                              "weight gradients",
                                              "input gradients",
                                              "dense",
                                              "embedding",
                                              "optimizer"};
inline constexpr int kPhases = int(sizeof kPhaseNames / sizeof *kPhaseNames);

void set_profiling(bool enabled);
bool profiling();
// Seconds since the last reset.
void read_phase_seconds(bool reset, double seconds[kPhases]);
void add_phase_seconds(Phase phase, double seconds);
double now_seconds();

}  // namespace fastrnn
