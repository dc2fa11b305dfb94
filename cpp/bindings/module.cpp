#include "module.h"

#include "../pool.h"
#include "calls.h"

PYBIND11_MODULE(_core, m) {
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
