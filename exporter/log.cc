#include "exporter/log.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "common/json.h"
#include "common/text.h"

namespace outgrown::exporter {
namespace {

constexpr std::array<std::string_view, 4> kLevelNames = {"debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 2> kFormatNames = {"logfmt", "json"};

template <typename Enum, std::size_t kCount>
std::optional<Enum> ParseName(const std::array<std::string_view, kCount>& names, std::string_view text) {
  const auto* found = std::ranges::find(names, text);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

// A quoted string that is valid in both formats: logfmt's readers take JSON's escapes as well.
std::string Quoted(std::string_view text) { return JsonString(text); }

bool IsBareLogfmt(std::string_view text) {
  // An empty value is written as "", so that KEY= is not taken for a key without one.
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return c > ' ' && c < 0x7F && c != '"' && c != '=' && c != '\\';
  });
}

std::string Timestamp() {
  const auto now = std::chrono::system_clock::now();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(now - seconds).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)), milliseconds);
}

}  // namespace

std::optional<LogLevel> ParseLogLevel(std::string_view text) {
  return ParseName<LogLevel>(kLevelNames, text);
}
std::optional<LogFormat> ParseLogFormat(std::string_view text) {
  return ParseName<LogFormat>(kFormatNames, text);
}

std::string FormatLogLine(LogFormat format, std::string_view timestamp, LogLevel level,
                          std::string_view message, LogFields fields) {
  // Members in the order given: time, level and message first, where a reader looks for them.
  std::string line;
  const auto add = [&](std::string_view key, std::string_view value) {
    if (format == LogFormat::kJson) {
      line += line.empty() ? "{" : ",";
      line += Quoted(key) + ":" + Quoted(value);
    } else {
      if (!line.empty()) line += ' ';
      line += key;
      line += '=';
      line += IsBareLogfmt(value) ? std::string(value) : Quoted(value);
    }
  };
  add("ts", timestamp);
  add("level", kLevelNames[static_cast<std::size_t>(level)]);
  add("msg", message);
  for (const auto& [key, value] : fields) add(key, value);
  if (format == LogFormat::kJson) line += '}';
  return line;
}

void Log::Write(LogLevel level, std::string_view message, LogFields fields) const {
  if (level < level_) return;
  const std::string line = FormatLogLine(format_, Timestamp(), level, message, fields) + "\n";
  // One write(2) of the whole line, not stdio: lines of several threads stay whole, and a line is out before
  // a crash. systemd's journal takes each as one entry.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace outgrown::exporter
