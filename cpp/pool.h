// The threads of the kernels, kept from one call to the next.
#pragma once

#include <cstdint>

namespace fastrnn {

// OpenMP ends a parallel region when each of its threads has been there. On a busy machine a thread
// that is not running is late by a time slice, some milliseconds, whether or not there was work
// left for it; and OpenMP's threads spin for milliseconds, which uses up the slices that they would
// need. Here work is claimed: who comes late finds it done, and nobody waits for him.
//
// How late the others come is measured. While they cost more time than they save, fewer of them are
// asked: first half as many, at last none, and again more after a while. So results must not depend
// on who does what.
//
// One caller has the threads; who calls from another thread in the meantime works alone.

// Calls body(context, task, thread) for each task in 0..count-1, once; up to `threads` threads
// claim one task after another. `thread` is the number of the thread at work.
void run_tasks(int threads, int64_t count, void (*body)(void* context, int64_t task, int thread),
               void* context);

// Calls body(context, thread, threads) on a team of up to `threads` threads: those who come within
// some tens of microseconds. They may wait for each other (barrier.h).
void run_team(int threads, void (*body)(void* context, int thread, int threads), void* context);

// ---- threads of OpenMP

// PyTorch's threads belong to an OpenMP runtime. For some milliseconds after each of its operators
// they spin, on the CPUs that the threads here would need. So a call from PyTorch borrows them:
// they come as guests, claim tasks as the pool's own threads do, and go on spinning afterwards.
// Where they come home late, because the machine is busy, the next calls do without.

// Functions of one OpenMP runtime. libgomp, libomp and Intel's have them on Linux.
struct OpenMp {
  void (*parallel)(void (*body)(void*), void* context, unsigned threads,
                   unsigned flags);  // GOMP_parallel; 0 threads: as many as it would take itself
  int (*thread)();                   // omp_get_thread_num
  int (*threads)();                  // omp_get_num_threads
};

// Says whose threads there are to borrow; nobody's where `parallel` is null, and in forked
// children.
void lend_threads(const OpenMp& openmp);

// Calls body(context), which may not throw. In a call from PyTorch (`threads_of_call`), what the
// body runs by `run_tasks` and `run_team` runs on borrowed threads. threads: as many as it asks
// for.
void run_pass(int threads, void (*body)(void* context), void* context);

// Lets a forked child start threads of its own. Once per process.
void register_fork_handler();

}  // namespace fastrnn
