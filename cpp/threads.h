// How many threads the kernels use.
#pragma once

namespace fastrnn {

// set_num_threads, else FASTRNN_NUM_THREADS, else OMP_NUM_THREADS, else usable_cpus().
// std::invalid_argument where an environment variable is not a positive integer.
int num_threads();

// n >= 1, for all calls from now on; 0 goes back to the environment's choice.
void set_num_threads(int n);

// Lets a forked child start threads of its own. Once per process.
void register_fork_handler();

}  // namespace fastrnn
