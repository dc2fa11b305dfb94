#include "module.h"

#include "../dispatch.h"
#include "../threads.h"

PYBIND11_MODULE(_core, m) {
  // A wrong FASTRNN_ISA or FASTRNN_NUM_THREADS is refused at import, not in the middle of a
  // training.
  fastrnn::kernels();
  fastrnn::num_threads();
  fastrnn::register_fork_handler();

  fastrnn::register_system(m);
  fastrnn::register_rnn(m);
  fastrnn::register_dense(m);
  fastrnn::register_optimizer(m);
}
