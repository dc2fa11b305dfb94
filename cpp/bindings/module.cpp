#include "module.h"

#include "../memory.h"
#include "../pool.h"
#include "calls.h"

// Free-threaded Pythons keep their GIL off: what threads share here is atomic or has a lock.
PYBIND11_MODULE(_core, m, pybind11::mod_gil_not_used()) {
  fastrnn::keep_memory_usable_after_fork();
  fastrnn::register_fork_handler();
  fastrnn::register_exit_handler();

  fastrnn::register_system(m);
  fastrnn::register_rnn(m);
  fastrnn::register_conv1d(m);
  fastrnn::register_dense(m);
  fastrnn::register_loss(m);
  fastrnn::register_optimizer(m);
  fastrnn::register_probe(m);
}
