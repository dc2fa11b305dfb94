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

// Lets a forked child start threads of its own. Once per process.
void register_fork_handler();

}  // namespace fastrnn
