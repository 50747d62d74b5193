#include "rulegen/connection.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/file.h"
#include "common/text.h"
#include "common/time_text.h"
#include "prometheus/http_client.h"
#include "prometheus/rule_server.h"
#include "rulegen/output.h"

namespace outgrown::rulegen {
namespace {

// Far above any token; a wrong path such as a log is refused before it is sent as one.
constexpr std::size_t kSecretBytesMax = 64 << 10;

// A line break in a secret would begin a header of its own.
bool IsPlain(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

// A file's one line, without its end.
Result<std::string> ReadLine(const std::filesystem::path& path) {
  Result<std::string> text = ReadFile(path, kSecretBytesMax);
  if (!text) return text;
  while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
  if (text->empty() || !IsPlain(*text)) return Error{"must hold one line of text", path.string()};
  return text;
}

Result<std::vector<std::string>> ReadHeaders(const std::filesystem::path& path) {
  const Result<std::string> text = ReadFile(path, kSecretBytesMax);
  if (!text) return text.error();
  std::vector<std::string> headers;
  std::string_view rest = *text;
  for (int number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    const std::size_t colon = line.find(':');
    if (colon == 0 || colon == std::string_view::npos || !IsPlain(line)) {
      return Error{"must be a header like \"X-Scope-OrgID: tenant\"",
                   fmt::format("{}:{}", path.string(), number)};
    }
    headers.emplace_back(line);
  }
  return headers;
}

// "https://host:8443/prometheus" -> "https://host:8443"
std::string_view Origin(std::string_view url) {
  const std::size_t host = url.find("://");
  return host == std::string_view::npos ? url : url.substr(0, url.find('/', host + 3));
}

}  // namespace

ConnectionOptions ConnectionTo(const std::string& url, const ConnectionOptions& prometheus) {
  ConnectionOptions other = prometheus;
  other.url = url;
  if (Origin(url) != Origin(prometheus.url)) {  // a login must not reach a host that it was not given for
    other.basic_auth_file.reset();
    other.bearer_token_file.reset();
    other.headers_file.reset();
  }
  return other;
}

ConnectionOptions RuleConnection(const Options& options) {
  if (options.verify.rules_url.empty()) return options.evaluate.connection;
  ConnectionOptions rules = ConnectionTo(options.verify.rules_url, options.evaluate.connection);
  if (options.verify.rules_headers_file) rules.headers_file = options.verify.rules_headers_file;
  return rules;
}

Result<prometheus_api::HttpClient> OpenHttp(const ConnectionOptions& options) {
  prometheus_api::HttpOptions http;
  http.url = options.url;
  http.timeout_ms = options.timeout_ms;
  if (options.basic_auth_file) {
    Result<std::string> secret = ReadLine(*options.basic_auth_file);
    if (!secret) return secret.error();
    if (secret->find(':') == std::string::npos)
      return Error{"must hold USER:PASSWORD", options.basic_auth_file->string()};
    http.user_and_password = std::move(*secret);
  }
  if (options.bearer_token_file) {
    Result<std::string> secret = ReadLine(*options.bearer_token_file);
    if (!secret) return secret.error();
    http.bearer_token = std::move(*secret);
  }
  if (options.headers_file) {
    Result<std::vector<std::string>> headers = ReadHeaders(*options.headers_file);
    if (!headers) return headers.error();
    http.headers = std::move(*headers);
  }
  if (options.ca_file) http.ca_file = options.ca_file->string();
  return prometheus_api::HttpClient::Open(std::move(http));
}

// `patience` bounds all queries of a run together, where --timeout bounds one.
Result<prometheus_api::PrometheusClient> Connect(const ConnectionOptions& options, int patience) {
  Result<prometheus_api::HttpClient> client = OpenHttp(options);
  if (!client) return client.error();
  return prometheus_api::PrometheusClient(std::move(*client), patience * options.timeout_ms);
}

Result<std::vector<prometheus_api::RuleFindings>> FindRules(const Options& options,
                                                            const std::vector<const Table*>& tables) {
  // What is beside the decision must not take its time, whatever --timeout allows.
  constexpr std::int64_t kTimeoutMs = 5'000;
  ConnectionOptions connection = options.evaluate.connection;
  connection.timeout_ms = std::min(connection.timeout_ms, kTimeoutMs);
  Result<prometheus_api::PrometheusClient> series = Connect(connection, 1);
  if (!series) return series.error();
  Result<prometheus_api::HttpClient> http = OpenHttp(RuleConnection(options));
  if (!http) return http.error();
  prometheus_api::RuleServer rules(std::move(*http), connection.timeout_ms);
  Result<std::string> body = rules.RecordingRules();
  if (!body) {
    if (options.verify.rules_url.empty()) return std::vector<prometheus_api::RuleFindings>(tables.size());
    // Named, so there is a reason for it: as a server that lists none of these rules.
    Say("rulegen: warning: --rules-url: {}\n", PlainText(body.error().Text()));
    body = std::string(R"({"data":{"groups":[]}})");
  }
  std::vector<prometheus_api::RuleFindings> findings;
  for (const Table* table : tables) {
    std::vector<std::string_view> recorded;
    for (const SignalRow& signal : table->signals) recorded.push_back(signal.series);
    if (!table->coverage_series.empty()) recorded.push_back(table->coverage_series);
    const auto now_ms = options.evaluate.at_ms ? std::nullopt : std::optional(NowMs());
    findings.push_back(prometheus_api::JudgeRules(*body, *series, recorded, table->interval_ms, now_ms));
  }
  return findings;
}

std::int64_t BehindMs(const std::vector<prometheus_api::RuleFindings>& findings) {
  std::int64_t most_ms = 0;
  for (const prometheus_api::RuleFindings& one : findings) most_ms = std::max(most_ms, one.behind_ms);
  return most_ms;
}

Result<void> WaitForServer(const ConnectionOptions& options, std::int64_t wait_ms) {
  constexpr long kUnavailable = 503;
  constexpr std::chrono::milliseconds kPause(500);
  Result<prometheus_api::HttpClient> client = OpenHttp(options);
  if (!client) return client.error();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
  while (true) {
    const Result<prometheus_api::HttpAnswer> answer =
        client->Post("/api/v1/query", {{"query", "vector(1)"}}, std::min(options.timeout_ms, wait_ms));
    // Asked with a query, since the path of a readiness page differs between Prometheus, VictoriaMetrics,
    // Mimir and Thanos.
    if (answer.ok() && answer->status != kUnavailable) return {};
    // No error: the queries that follow report why the server does not answer.
    if (std::chrono::steady_clock::now() + kPause >= deadline) return {};
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace outgrown::rulegen
