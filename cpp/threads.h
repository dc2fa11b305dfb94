// How many threads the kernels may use.
#pragma once

namespace fastrnn {

// set_num_threads, else FASTRNN_NUM_THREADS, else OMP_NUM_THREADS, else usable_cpus(); but no more
// than OpenMP has been told to use in the calling thread, as by threadpoolctl.
// std::invalid_argument where an environment variable is not an integer in 1..4096.
int num_threads();

// For all calls from now on: 1..4096, or 0 for the environment's choice. std::invalid_argument.
void set_num_threads(int n);

// For calls from the calling thread alone, until it is 0 again: a call from PyTorch uses as many
// threads as PyTorch, and may borrow PyTorch's (pool.h).
int threads_of_call();
void set_threads_of_call(int n);

}  // namespace fastrnn
