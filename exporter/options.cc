#include "exporter/options.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>

#include <CLI/CLI.hpp>

#include "common/exit_status.h"
#include "common/result.h"
#include "common/text.h"
#include "counterblock/block_file.h"

namespace outgrown::exporter {
namespace {

std::optional<std::uint16_t> ParsePort(std::string_view text) {
  std::uint16_t port = 0;
  // from_chars refuses what doesn't fit 16 bits, a sign and blanks.
  const std::from_chars_result end = std::from_chars(text.data(), text.data() + text.size(), port);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return std::nullopt;
  return port;
}

// "127.0.0.1:9108", "localhost:9108", ":9108" (every interface, as the other exporters take it), and "[::1]:9108" where
// civetweb can. An error says what was found and what would be right.
Result<ListenAddress> ParseListenAddress(std::string_view text) {
  const auto wrong = [&](std::string_view what) {
    return Error{std::string(what) + ", found \"" + std::string(text) + "\"", "--web.listen-address"};
  };
  const bool bracketed = text.starts_with('[');
  if (bracketed && !HttpServer::HasIpv6())
    return wrong(
        "IPv6 is not supported by this civetweb (Debian 12's is built without it); expected IPV4:PORT");
  // Of an address in brackets the colon behind them.
  const std::size_t colon = bracketed ? text.find("]:") + 1 : text.find(':');
  if (colon == std::string_view::npos || (bracketed && colon == 0) || colon != text.rfind(':'))
    return wrong("expected IPV4:PORT or [IPV6]:PORT, as in 127.0.0.1:9108");
  const std::optional<std::uint16_t> port = ParsePort(text.substr(colon + 1));
  if (!port) return wrong("expected a port from 0 to 65535 after the colon");

  std::string ip(bracketed ? text.substr(1, colon - 2) : text.substr(0, colon));
  if (ip.empty() && !bracketed) ip = "0.0.0.0";
  // Not resolved: a name server must not decide where the exporter listens.
  if (ip == "localhost") ip = "127.0.0.1";
  in6_addr parsed = {};  // large enough for both
  if (::inet_pton(bracketed ? AF_INET6 : AF_INET, ip.c_str(), &parsed) != 1)
    return wrong(bracketed ? "expected an IPv6 address in the brackets"
                           : "expected an IPv4 address before the colon");
  return ListenAddress{std::move(ip), *port};
}

Result<NamedStore> ParseStore(const std::string& text) {
  const auto wrong = [&](const std::string& what) {
    return Error{what + ", found \"" + text + "\"", "--store"};
  };
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) return wrong("expected NAME=PATH");
  NamedStore store{text.substr(0, equals), text.substr(equals + 1)};
  // The rule of counter blocks, so that the name can be the one of a block whose path this overrides.
  if (!block::IsStoreName(store.name))
    return wrong("expected a name of A-Z a-z 0-9 _ - and . (not first) before the equals sign");
  // A service's working directory is not the one of the shell in which the option was tried.
  if (!store.database.starts_with('/')) return wrong("expected an absolute path after the equals sign");
  return store;
}

Result<std::vector<NamedStore>> ParseStores(const std::vector<std::string>& texts) {
  std::vector<NamedStore> stores;
  for (const std::string& text : texts) {
    Result<NamedStore> store = ParseStore(text);
    if (!store) return store.error();
    if (std::ranges::find(stores, store->name, &NamedStore::name) != stores.end()) {
      return Error{"the store " + store->name + " is named twice", "--store"};
    }
    stores.push_back(std::move(*store));
  }
  return stores;
}

Result<std::string> ParseTelemetryPath(const std::string& text) {
  const auto is_plain = [](char c) {
    return c > ' ' && c < 0x7F && c != '?' && c != '#' && c != '"' && c != '<' && c != '>';
  };
  // "/" is the landing page and "/-/..." the health checks; a query or fragment never arrives as a part of
  // the path.
  if (!text.starts_with('/') || text.starts_with("/-/") || text == "/" ||
      !std::ranges::all_of(text, is_plain)) {
    return Error{"expected a path such as /metrics, found \"" + text + "\"", "--web.telemetry-path"};
  }
  return text;
}

// What CLI11 puts into plain strings, before it is judged.
struct Texts {
  std::string listen_address = ListenAddress().Text();
  std::string telemetry_path = "/metrics";
  std::string log_level = "info";
  std::string log_format = "logfmt";
  std::vector<std::string> stores;
};

Result<Options> Judge(const Texts& texts, Options options) {
  const Result<ListenAddress> address = ParseListenAddress(texts.listen_address);
  if (!address) return address.error();
  options.listen_address = *address;
  const Result<std::string> path = ParseTelemetryPath(texts.telemetry_path);
  if (!path) return path.error();
  options.telemetry_path = *path;
  const std::optional<LogLevel> level = ParseLogLevel(texts.log_level);
  if (!level)
    return Error{"expected debug, info, warn or error, found \"" + texts.log_level + "\"", "--log.level"};
  options.log_level = *level;
  const std::optional<LogFormat> format = ParseLogFormat(texts.log_format);
  if (!format) return Error{"expected logfmt or json, found \"" + texts.log_format + "\"", "--log.format"};
  options.log_format = *format;
  Result<std::vector<NamedStore>> stores = ParseStores(texts.stores);
  if (!stores) return stores.error();
  options.stores = std::move(*stores);
  // It becomes a label's value, and Prometheus refuses a scrape with one that is not UTF-8.
  if (ValidUtf8(options.shared_id) != options.shared_id) return Error{"expected UTF-8", "--store.shared-id"};
  return options;
}

void Declare(CLI::App& app, Texts& texts, Options& options) {
  app.set_help_flag("--help,-h", "Print this help and exit");
  app.add_option("--web.listen-address", texts.listen_address,
                 "Address to listen on, IPV4:PORT or [IPV6]:PORT; port 0 takes a free one")
      ->capture_default_str()
      ->type_name("ADDR");
  app.add_option("--web.telemetry-path", texts.telemetry_path, "Path of the metrics")
      ->capture_default_str()
      ->type_name("PATH");
  app.add_option("--web.config.file", options.web_config_file,
                 "Who may read the pages, as Prometheus' exporters take it (basic_auth_users)")
      ->type_name("FILE");
  app.add_option(
         "--block.dir", options.block_directories,
         "Directory of counter blocks (NAME.v*.counters); repeatable. Default: $OUTGROWN_DIR, else every "
         "directory in /run/outgrown and $XDG_RUNTIME_DIR/outgrown")
      ->type_name("DIR")
      ->allow_extra_args(false);
  app.add_option(
         "--store", texts.stores,
         "Database file of a store, whatever its counter block says, or of a store that has none; repeatable")
      ->type_name("NAME=PATH")
      ->allow_extra_args(false);
  app.add_option("--deployment.servers", options.servers, "Servers that write to the stores")
      ->capture_default_str()
      ->type_name("N")
      ->check(CLI::Range(0, 1000000));
  app.add_option(
         "--store.shared-id", options.shared_id,
         "Name of the storage that several servers share; exporters with the same name report one store")
      ->type_name("ID");
  app.add_option("--spec", options.spec_file,
                 "Spec whose threshold table and digest to show instead of the compiled ones")
      ->type_name("FILE");
  app.add_option("--decision.log", options.decision_log,
                 "Decision log of rulegen --evaluate whose last decisions to show")
      ->type_name("FILE");
  app.add_option("--log.level", texts.log_level, "debug, info, warn or error")
      ->capture_default_str()
      ->type_name("LEVEL");
  app.add_option("--log.format", texts.log_format, "logfmt or json")
      ->capture_default_str()
      ->type_name("FORMAT");
}

}  // namespace

std::variant<Options, EarlyExit> ParseOptions(int argc, const char* const* argv, const std::string& version) {
  CLI::App app(
      "Reads the counter blocks and SQLite files of an application's stores, and exposes them to "
      "Prometheus.\n"
      "It never writes to them, never locks them and never opens them with SQLite.",
      "outgrown-exporter");
  Texts texts;
  Options options;
  Declare(app, texts, options);
  app.set_version_flag("--version", "outgrown-exporter " + version, "Print the version and exit");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream err;
    // CLI11 throws for --help and --version as well, with status 0.
    const bool asked = app.exit(error, out, err) == 0;
    if (asked) return EarlyExit{kExitOk, out.str()};
    return EarlyExit{kExitUsage, std::string("outgrown-exporter: ") + error.what() +
                                     "\nRun with --help for more information.\n"};
  }
  Result<Options> judged = Judge(texts, std::move(options));
  if (!judged) return EarlyExit{kExitUsage, "outgrown-exporter: " + judged.error().Text() + "\n"};
  return std::move(*judged);
}

}  // namespace outgrown::exporter
