// How many threads the kernels use, and how they start.
#pragma once

namespace fastrnn {

// set_num_threads, else FASTRNN_NUM_THREADS, else OMP_NUM_THREADS, else usable_cpus(); but no more
// than OpenMP has been told to use in the calling thread, as by threadpoolctl.
// std::invalid_argument where an environment variable is no integer in 1..4096.
int num_threads();

// For all calls from now on: 1..4096, or 0 for the environment's choice. std::invalid_argument.
void set_num_threads(int n);

// Calls body(context, thread, threads) on up to `threads` threads, and returns when all calls have.
void run_team(int threads, void (*body)(void* context, int thread, int threads), void* context);

// Lets a forked child start threads of its own. Once per process.
void register_fork_handler();

}  // namespace fastrnn
