// The exporter's log: one line an event on standard error, in the two formats that the ecosystem's tools
// read.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace outgrown::exporter {

enum class LogLevel { kDebug, kInfo, kWarn, kError };
enum class LogFormat { kLogfmt, kJson };

std::optional<LogLevel> ParseLogLevel(std::string_view text);    // "debug", "info", "warn", "error"
std::optional<LogFormat> ParseLogFormat(std::string_view text);  // "logfmt", "json"

using LogFields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// One line without its newline: ts=2026-11-23T14:00:00.123Z level=info msg=Listening address=127.0.0.1:9108,
// or the same as a JSON object. Whatever bytes a value has, the line stays one line of valid logfmt or JSON:
// what is not UTF-8 becomes U+FFFD in JSON and is quoted in logfmt.
std::string FormatLogLine(LogFormat format, std::string_view timestamp, LogLevel level,
                          std::string_view message, LogFields fields);

// Writes lines at or above a level. Each line is one write(2), so lines of several threads don't mix; safe to
// use from any thread. A log that can't be written is not an error of the exporter's.
class Log {
 public:
  Log(LogLevel level, LogFormat format) : level_(level), format_(format) {}

  void Write(LogLevel level, std::string_view message, LogFields fields = {}) const;
  void Debug(std::string_view message, LogFields fields = {}) const {
    Write(LogLevel::kDebug, message, fields);
  }
  void Info(std::string_view message, LogFields fields = {}) const {
    Write(LogLevel::kInfo, message, fields);
  }
  void Warn(std::string_view message, LogFields fields = {}) const {
    Write(LogLevel::kWarn, message, fields);
  }
  void Error(std::string_view message, LogFields fields = {}) const {
    Write(LogLevel::kError, message, fields);
  }

 private:
  LogLevel level_;
  LogFormat format_;
};

}  // namespace outgrown::exporter
