// What the kernels and the rest of the core agree on: shapes, gate orders, the table of cells, one
// argument struct per call, the kernel table.
//
// Legend, used everywhere:
//   B batch rows   T time steps   F input features   H units
//   G gates: SimpleRNN 1, LSTM 4 (order i, f, c, o), GRU 3 (order z, r, h)
//
//   x                 [B, T, F]
//   kernel            [F, G*H]   columns in gate order
//   recurrent_kernel  [H, G*H]   columns in gate order
//   bias              [G*H]; GRU with reset_after [2, 3*H]: input side, recurrent side
//   states            h [B, H]; LSTM also c [B, H]
//
// All arrays are float32, row-major and contiguous. A pointer may be null only where its comment
// says so. Arguments of a call do not overlap. A gradient's name has the prefix d.
#pragma once

#include <cstdint>

namespace fastrnn {

enum class Activation {
  linear,
  tanh,
  sigmoid,
  relu,
  hard_sigmoid,
  softsign,
  softplus,
  elu,
  selu,
  leaky_relu,
  relu6,
  hard_tanh,
  log_sigmoid,
  hard_sigmoid_keras2
};
inline constexpr const char* kActivationNames[] = {
    "linear", "tanh", "sigmoid",    "relu",  "hard_sigmoid", "softsign",    "softplus",
    "elu",    "selu", "leaky_relu", "relu6", "hard_tanh",    "log_sigmoid", "hard_sigmoid_keras2"};

// gru is reset_after=True (the reset gate scales the recurrent product), gru_reset_before is
// reset_after=False (it scales the state before the product).
enum class Cell { simple_rnn, lstm, gru, gru_reset_before };

// What the products x W and h U multiply, and those of their gradients: float32, or values rounded
// to bfloat16. The products are summed in float32, and all else is float32 too. `bfloat16` needs
// AVX512-BF16, `amx` needs AMX too and sums in another order; the emulated ones give the same bits
// without.
enum class Operands { float32, bfloat16, emulated_bfloat16, amx, emulated_amx };
inline constexpr const char* kOperandNames[] = {"float32", "avx512-bf16", "emulated", "amx",
                                                "emulated-amx"};

// All that code outside of a cell's own file knows of the cell.
struct CellTraits {
  const char* name;  // in Python
  int gates;         // G; with more than one there is a recurrent activation
  int states;        // 1: h; 2: h and c
  int cached_lanes;  // H-wide columns of WalkTape::gates; 0 where backward needs the states alone
  int bias_rows;     // 2: one of the input side, one of the recurrent side
};
constexpr CellTraits kCells[] = {
    // In the order of Cell. The comment names the cached lanes in their order.
    {"simple_rnn", 1, 1, 0, 1},
    {"lstm", 4, 2, 4, 1},              // i, f, candidate, o
    {"gru", 3, 1, 4, 2},               // candidate, z, r, recurrent product of the candidate
    {"gru_reset_before", 3, 1, 3, 1},  // z, r, candidate
};
// Floats from one position's gates to the next on a tape: so many that a vector of any ISA level
// that starts in one of the gates ends before the next position. In a single gate, vectors start at
// multiples of their length.
constexpr int64_t gate_stride(int64_t cached_lanes, int64_t units) {
  const int64_t width = cached_lanes * units;
  return units % 16 == 0 ? width : (width + (cached_lanes > 1 ? 15 : 0) + 15) / 16 * 16;
}

constexpr const CellTraits& traits_of(Cell cell) { return kCells[static_cast<int>(cell)]; }

struct RnnProblem {
  int64_t batch, time, features, units;
  int64_t positions, prefix;  // steps that are walked: by all rows, and in the shared prefix
  int64_t distinct;           // distinct tokens where the input is tokens, else 0
  int64_t mask_sets;          // dropout masks of a row: 1 for all gates, or one for each
  bool masked_x, masked_h;    // whether x and h have dropout masks
  Cell cell;
  Activation activation, recurrent_activation;
  Operands operands;
  int threads;  // upper bound
  bool paired;  // whether a pass of as many rows runs beside this one
};

// The input x = table[tokens].
struct TokenInput {
  const float* table;  // [vocabulary, F]
  int64_t vocabulary;
  const int32_t* distinct;  // [D] the tokens that occur, each once
};

// Rows that walk through time together. The rows of a step are those of rank 0, 1, ... that still
// have steps left. One step of one row is a position. Positions are numbered step by step, within a
// step by rank.
struct Walk {
  int64_t rows, steps;
  const int64_t* begin;  // [steps+1] number of the first position of each step
  const int64_t* slot;   // [positions] its place in x and in sequences: b * T + t, or behind the
                         // rows of the steps before, where step after step is given
  const int32_t* token;  // [positions] number of the distinct token; null where x is a tensor

  int64_t positions() const { return begin[steps]; }
  int64_t rows_at(int64_t step) const { return begin[step + 1] - begin[step]; }
};

// See plan.h.
struct BatchPlan {
  Walk walk;
  Walk prefix;            // the steps that rows share before their own, as one row; or no rows
  const int32_t* row;     // [B] batch row of each rank
  const int32_t* length;  // [B] its own steps, in falling order
  const int32_t* start;   // [B] its steps in the prefix
};

// What a walk leaves for backward.
struct WalkTape {
  float* h;      // [rows + positions, H]  the initial states, then the state after each position
  float* c;      // [rows + positions, H]  LSTM only, else null
  float* gates;  // [positions, gate_stride]  activated gates, CellTraits::cached_lanes of them;
                 // null where there are none
};

// Which steps are left out, and the direction of the walk.
struct StepMask {
  const uint8_t* mask;  // [B, T], 0 where the step is left out; null: no step is
  bool zero_output;     // the output of such a step: zeros, or the one before it in the walk
  bool go_backwards;    // whether the walk goes from the last step to the first
};

// What a forward pass and its backward pass have in common.
struct RnnPass {
  RnnProblem problem;
  BatchPlan plan;
  StepMask steps;
  const float* x;  // [slots, F]; null where the input is tokens
  TokenInput tokens;
  const float* kernel;
  const float* recurrent_kernel;
  const float* x_mask;         // [B, mask_sets, F] factors of x; may be null
  const float* h_mask;         // [B, mask_sets, H] factors of h_prev in the product; may be null
  WalkTape tape, prefix_tape;  // all null: forward keeps nothing
};

struct RnnForward : RnnPass {
  const float* bias;              // may be null
  const float* initial_state[2];  // h and c; each may be null: zeros
  float* sequence;                // [slots, H]; may be null
  float* last_output;             // [B, H]
  float* last_state[2];           // [B, H] each; c for LSTM only
  void* workspace;                // rnn_forward_workspace bytes, 64-byte aligned
  const RnnForward* beside;       // another pass to run beside this one; may be null
};

struct RnnBackward : RnnPass {
  bool consume;                 // whether the tapes may be overwritten
  const float* dsequence;       // [B, T, H]; may be null: zeros
  const float* dlast_output;    // [B, H]; may be null: zeros
  const float* dlast_state[2];  // [B, H]; each may be null: zeros
  float* dx;                    // [B, T, F], with tokens [vocabulary, F]; may be null: not wanted
  float* dkernel;
  float* drecurrent_kernel;
  float* dbias;               // shape of bias; may be null: not wanted
  float* dinitial_state[2];   // [B, H] each; may be null: not wanted; null with a shared prefix
  void* workspace;            // rnn_backward_workspace bytes, 64-byte aligned
  const RnnBackward* beside;  // another pass to run beside this one; may be null
};

struct Dense {
  int64_t rows, features, units;
  Activation activation;
  int threads;
};

struct DenseForward {
  Dense problem;
  const float* x;       // [rows, F]
  const float* kernel;  // [F, H]
  const float* bias;    // [H]; may be null
  float* y;             // [rows, H]
  void* workspace;      // dense_forward_workspace bytes
};

struct DenseBackward {
  Dense problem;
  const float* x;
  const float* kernel;
  const float* y;   // what forward wrote
  const float* dy;  // [rows, H]
  float* dx;        // [rows, F]; may be null: not wanted
  float* dkernel;   // [F, H]
  float* dbias;     // [H]; may be null: not wanted
  void* workspace;  // dense_backward_workspace bytes
};

// y[b, t] = activation(bias + sum_k x[b, t * stride + k * dilation] W_k). The last window ends
// within the steps: (out - 1) * stride + (taps - 1) * dilation < steps.
struct Conv1d {
  int64_t batch, steps, channels, taps, filters, out, stride, dilation;
  Activation activation;
  int threads;
};

struct Conv1dForward {
  Conv1d problem;
  const float* x;       // [batch, steps, C]
  const float* kernel;  // [taps, C, H], H = filters
  const float* bias;    // [H]; may be null
  float* y;             // [batch, out, H]
  void* workspace;      // conv1d_forward_workspace bytes
};

struct Conv1dBackward {
  Conv1d problem;
  const float* x;
  const float* kernel;
  const float* y;   // what forward wrote
  const float* dy;  // [batch, out, H]
  float* dx;        // [batch, steps, C]; may be null: not wanted
  float* dkernel;   // [taps, C, H]
  float* dbias;     // [H]; may be null: not wanted
  void* workspace;  // conv1d_backward_workspace bytes
};

struct Embedding {
  int64_t tokens, vocabulary, features;
  int threads;
};

// Vectors that may be one-hot, each of at most kLargestOneHot floats.
struct OneHot {
  int64_t rows, size;
  int threads;
};
inline constexpr int64_t kLargestOneHot = 1 << 12;

// y_i is x_i / (1 - rate), or 0 with probability `rate`, as decided by `seed` and i.
struct Dropout {
  int64_t size;
  int threads;
  uint64_t seed;
  double rate;  // in [0, 1]
};

// Losses that have a kernel. The first three are of the scores before a sigmoid or softmax.
enum class Loss {
  binary_crossentropy,
  categorical_crossentropy,
  sparse_categorical_crossentropy,
  mean_squared_error,
  mean_absolute_error,
};
inline constexpr const char* kLossNames[] = {"binary_crossentropy", "categorical_crossentropy",
                                             "sparse_categorical_crossentropy",
                                             "mean_squared_error", "mean_absolute_error"};

struct LossBatch {
  Loss loss;
  int64_t rows, outputs;
  int threads;
  const float* y_true;  // [rows, outputs]; of sparse_categorical_crossentropy class ids, [rows]
  const float* y_pred;  // [rows, outputs]
  float factor;         // of the gradient
  float threshold;      // what a binary prediction must exceed to mean 1
  bool sigmoid;         // whether the prediction that is compared with it is sigmoid(y_pred)
  float* d_y_pred;      // [rows, outputs], the gradient; may be null: not wanted
};

// Sums over the elements or rows: of the loss without the factor, and of what goes with it: right
// predictions, |error| of the squared error, error^2 of the absolute one.
struct LossFigures {
  double loss, other;
};

// One fused pass over `size` elements each. `decay` is weight_decay * learning_rate: the variable
// is multiplied by (1 - decay) before its update.
struct Update {
  int64_t size;
  int threads;
  float* variable;
  const float* gradient;
  double decay;
};
struct SgdUpdate : Update {
  double learning_rate, momentum;
  bool nesterov;
  float* momentum_buffer;  // null without momentum
};
struct RmspropUpdate : Update {
  double learning_rate, rho, momentum, epsilon;
  float* velocity;
  float* momentum_buffer;   // null without momentum
  float* average_gradient;  // null unless centered
};
struct AdamUpdate : Update {
  double step_size;  // learning_rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) at step t = 1, 2, ...
  double beta_1, beta_2, epsilon;
  float* m;
  float* v;
  float* v_max;  // null unless amsgrad
};
struct AdagradUpdate : Update {
  double learning_rate, epsilon;
  float* accumulator;
};
struct AdadeltaUpdate : Update {
  double learning_rate, rho, epsilon;
  float* squared_gradient;
  float* squared_step;
};
struct AdamaxUpdate : Update {
  double step_size;  // learning_rate / (1 - beta_1^t) at step t = 1, 2, ...
  double beta_1, beta_2, epsilon;
  float* m;
  float* u;
};
struct NadamUpdate : Update {
  double step_size;           // learning_rate mu_{t+1} / (1 - mu_1 ... mu_{t+1})
  double gradient_step_size;  // learning_rate (1 - mu_t) / (1 - mu_1 ... mu_t)
  double v_correction;        // 1 / (1 - beta_2^t)
  double beta_1, beta_2, epsilon;
  float* m;
  float* v;
};

// One instance per ISA level, filled in kernels/table.cpp.
struct KernelTable {
  const char* isa;

  // Bytes of workspace for a call with every field set except `workspace`, without that beside it.
  int64_t (*rnn_forward_workspace)(const RnnForward&);
  int64_t (*rnn_backward_workspace)(const RnnBackward&);
  void (*rnn_forward)(const RnnForward&);
  void (*rnn_backward)(const RnnBackward&);

  int64_t (*dense_forward_workspace)(const Dense&);
  int64_t (*dense_backward_workspace)(const Dense&, bool input_gradient);
  void (*dense_forward)(const DenseForward&);
  void (*dense_backward)(const DenseBackward&);

  int64_t (*conv1d_forward_workspace)(const Conv1d&);
  int64_t (*conv1d_backward_workspace)(const Conv1d&, bool input_gradient);
  void (*conv1d_forward)(const Conv1dForward&);
  void (*conv1d_backward)(const Conv1dBackward&);

  // table [vocabulary, F], tokens [tokens] in range, y [tokens, F]
  void (*embedding_forward)(const Embedding&, const int32_t* tokens, const float* table, float* y);
  // dtable [vocabulary, F] is overwritten
  void (*embedding_backward)(const Embedding&, const int32_t* tokens, const float* dy,
                             float* dtable);

  // tokens [rows]: of each row of x [rows, size] the place of its one, `size` for zeros; false if a
  // row has other values or several ones
  bool (*one_hot_tokens)(const OneHot&, const float* x, int32_t* tokens);

  void (*activation_forward)(Activation, int64_t size, int threads, const float* x, float* y);
  void (*activation_backward)(Activation, int64_t size, int threads, const float* y,
                              const float* dy, float* dx);

  void (*dropout)(const Dropout&, const float* x, float* y);

  LossFigures (*batch_loss)(const LossBatch&);

  void (*sgd_update)(const SgdUpdate&);
  void (*rmsprop_update)(const RmspropUpdate&);
  void (*adam_update)(const AdamUpdate&);
  void (*adagrad_update)(const AdagradUpdate&);
  void (*adadelta_update)(const AdadeltaUpdate&);
  void (*adamax_update)(const AdamaxUpdate&);
  void (*nadam_update)(const NadamUpdate&);

  // What the machine can do (probe.h). sums [threads]; x, y, out [size].
  int64_t (*probe_multiply_adds)(int64_t steps, int threads, float* sums);
  void (*probe_read)(int64_t size, int threads, const float* x, float* sums);
  void (*probe_triad)(int64_t size, int threads, float factor, const float* x, const float* y,
                      float* out);
};

}  // namespace fastrnn
