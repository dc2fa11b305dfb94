#include "calls.h"

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace fastrnn {
namespace {

std::atomic<int> running{0};
std::atomic<bool> ending{false};
std::thread::id ending_thread;  // its calls, from later exit handlers, still run

void finish_calls() {
  ending_thread = std::this_thread::get_id();
  ending = true;
  const py::gil_scoped_release release;
  using namespace std::chrono;
  const auto limit =
      steady_clock::now() + seconds(10);  // a call may wait for a Python object for ever
  while (running > 0 && steady_clock::now() < limit) {
    std::this_thread::sleep_for(microseconds(200));
  }
}

}  // namespace

Call::Call() {
  if (ending && std::this_thread::get_id() != ending_thread) {
    PyEval_SaveThread();
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
  }
  ++running;
}

Call::~Call() { --running; }

void register_exit_handler() {
  py::module_::import("atexit").attr("register")(py::cpp_function(&finish_calls));
  // A forked child does not have the threads that were in calls.
  pthread_atfork(nullptr, nullptr, [] { running = 0; });
}

}  // namespace fastrnn
