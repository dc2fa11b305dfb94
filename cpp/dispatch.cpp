#include "dispatch.h"

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

std::atomic<bool> emulate_bfloat16{false};

std::atomic<const KernelTable*>& active() {
  static std::atomic<const KernelTable*> table{&choose()};
  return table;
}

}  // namespace

const KernelTable& kernels() { return *active().load(); }

Operands bfloat16_operands() {
  const bool native =
      !emulate_bfloat16 && std::string_view(kernels().isa) == "avx512" && cpu_has_bfloat16();
  return native ? Operands::bfloat16 : Operands::emulated_bfloat16;
}

void set_emulate_bfloat16(bool always) { emulate_bfloat16 = always; }

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
