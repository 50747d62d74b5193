// Decides inside a program whether its SQLite store has been outgrown, from C++20.
//
//   c++ -std=c++20 decide_in_process.cc $(pkg-config --cflags --libs outgrown-decide) -o decide_in_process
//   ./decide_in_process write_error_ratio=0.02 writes_per_second=12 servers=1 file_size_bytes=1e9 write_p99_seconds=0.004
//
// Prints the line that rulegen would print. Exit status: 0 sufficient, 1 migrate, 2 undetermined or wrong usage.
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include <outgrown/decide.hpp>

namespace {

// "write_error_ratio=0.02" as a measurement that refers to `argument`; false if it is none.
bool Read(const char* argument, outgrown::Measurement& measurement) {
  const char* equals = std::strchr(argument, '=');
  if (equals == nullptr) return false;
  char* end = nullptr;
  measurement.signal = std::string_view(argument, static_cast<std::size_t>(equals - argument));
  measurement.value = std::strtod(equals + 1, &end);
  return end != equals + 1 && *end == '\0';
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<outgrown::Measurement> measurements(static_cast<std::size_t>(argc > 0 ? argc - 1 : 0));
  for (std::size_t index = 0; index < measurements.size(); ++index) {
    if (Read(argv[index + 1], measurements[index])) continue;
    std::fprintf(stderr, "%s: expected SIGNAL=VALUE; signals:\n", argv[index + 1]);
    for (std::size_t signal = 0; signal < outgrown::SignalCount(); ++signal) {
      const outgrown::SignalInfo info = outgrown::Signal(signal);
      std::fprintf(stderr, "  %.*s (%.*s)\n", static_cast<int>(info.id.size()), info.id.data(),
                   static_cast<int>(info.unit.size()), info.unit.data());
    }
    return 2;
  }

  const outgrown::Verdict verdict = outgrown::Decide(measurements);
  std::array<char, 512> line;
  outgrown::FormatVerdict(verdict, line.data(), line.size());
  std::puts(line.data());
  if (verdict.measurements_refused > 0) {
    std::fprintf(stderr, "%zu of the values are negative, or name no signal, or one twice\n",
                 verdict.measurements_refused);
  }
  switch (verdict.kind) {
    case outgrown::VerdictKind::kSufficient:
      return 0;
    case outgrown::VerdictKind::kMigrate:
      return 1;
    case outgrown::VerdictKind::kUndetermined:
      return 2;
  }
  return 2;
}
