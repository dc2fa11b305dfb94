#include "dispatch.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <string_view>

#include "cpu.h"
#include "isa_levels.h"

namespace fastrnn {

#define FASTRNN_DECLARE(name) extern const KernelTable kernel_table_##name;
FASTRNN_FOR_EACH_ISA(FASTRNN_DECLARE)

namespace {

#define FASTRNN_ADDRESS(name) &kernel_table_##name,
constexpr const KernelTable* kTables[] = {FASTRNN_FOR_EACH_ISA(FASTRNN_ADDRESS)};

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += (text.empty() ? "'" : ", '") + name + "'";
  return text;
}

const KernelTable& find(const std::string& name, const std::string& setting) {
  for (const KernelTable* table : kTables) {
    if (name == table->isa && cpu_supports(name)) return *table;
  }
  throw std::invalid_argument(setting +
                              " must be an ISA level that was built and that this CPU can run: " +
                              joined(isa_levels_usable()) + ". Received: '" + name + "'");
}

const KernelTable& choose() {
  const char* forced = std::getenv("FASTRNN_ISA");
  if (forced && *forced) return find(forced, "FASTRNN_ISA");
  for (const KernelTable* table : kTables) {
    if (cpu_supports(table->isa)) return *table;
  }
  throw std::runtime_error("This CPU has none of the ISA levels that fastrnn was built for: " +
                           joined(isa_levels_built()));
}

// What the level and this CPU can do, best first. The levels below avx512 have no instructions.
std::vector<Operands> bfloat16_choices() {
  const bool avx512 = std::string_view(kernels().isa) == "avx512";
  std::vector<Operands> choices;
  if (avx512 && cpu_has_bfloat16() && cpu_has_amx()) choices.push_back(Operands::amx);
  if (avx512 && cpu_has_bfloat16()) choices.push_back(Operands::bfloat16);
  choices.insert(choices.end(), {Operands::emulated_bfloat16, Operands::emulated_amx});
  return choices;
}

std::atomic<Operands> forced_bfloat16{Operands::float32};  // float32: none

std::atomic<const KernelTable*>& active() {
  static std::atomic<const KernelTable*> table{&choose()};
  return table;
}

}  // namespace

const KernelTable& kernels() { return *active().load(); }

Operands bfloat16_operands() {
  const std::vector<Operands> choices = bfloat16_choices();
  const Operands forced = forced_bfloat16;
  const bool possible = std::find(choices.begin(), choices.end(), forced) != choices.end();
  return possible ? forced : choices.front();
}

void set_bfloat16_operands(const char* name) {
  if (!name) return forced_bfloat16.store(Operands::float32);
  std::vector<std::string> names;
  for (const Operands operands : bfloat16_choices()) {
    names.emplace_back(kOperandNames[int(operands)]);
    if (names.back() == name) return forced_bfloat16.store(operands);
  }
  throw std::invalid_argument("The products of bfloat16 must be one of " + joined(names) +
                              ". Received: '" + name + "'");
}

void set_isa(const std::string& name) { active().store(&find(name, "isa")); }

std::vector<std::string> isa_levels_built() {
  std::vector<std::string> names;
  for (const KernelTable* table : kTables) names.push_back(table->isa);
  return names;
}

std::vector<std::string> isa_levels_usable() {
  std::vector<std::string> names;
  for (const KernelTable* table : kTables) {
    if (cpu_supports(table->isa)) names.push_back(table->isa);
  }
  return names;
}

}  // namespace fastrnn
