#include "exporter/options.h"

#include <string>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "common/exit_status.h"

using outgrown::exporter::EarlyExit;
using outgrown::exporter::HttpServer;
using outgrown::exporter::LogFormat;
using outgrown::exporter::LogLevel;
using outgrown::exporter::Options;
using outgrown::exporter::ParseOptions;

namespace {

std::variant<Options, EarlyExit> Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "outgrown-exporter");
  return ParseOptions(static_cast<int>(arguments.size()), arguments.data(), "1.2.3");
}

}  // namespace

TEST_CASE("without arguments the exporter is on the loopback with the ecosystem's defaults") {
  const Options options = std::get<Options>(Parse({}));
  CHECK(options.listen_address.Text() == "127.0.0.1:9108");
  CHECK(options.telemetry_path == "/metrics");
  CHECK(options.log_level == LogLevel::kInfo);
  CHECK(options.log_format == LogFormat::kLogfmt);
  CHECK(options.servers == 1);
  CHECK(options.shared_id.empty());
  CHECK(options.block_directories.empty());
}

TEST_CASE("options take their values after an equals sign or a space, and lists repeat") {
  const Options options = std::get<Options>(
      Parse({"--web.listen-address=:0", "--log.format", "json", "--log.level=debug", "--block.dir=/a",
             "--block.dir", "/b", "--store", "one=/srv/one.db", "--store=two=/srv/a=b.db",
             "--deployment.servers=3", "--store.shared-id=eu", "--web.telemetry-path=/m"}));
  CHECK(options.listen_address.Text() == "0.0.0.0:0");
  CHECK(options.log_format == LogFormat::kJson);
  CHECK(options.log_level == LogLevel::kDebug);
  CHECK(options.block_directories == std::vector<std::string>{"/a", "/b"});
  REQUIRE(options.stores.size() == 2);
  CHECK(options.stores[1].name == "two");
  CHECK(options.stores[1].database == "/srv/a=b.db");
  CHECK(options.servers == 3);
  CHECK(options.shared_id == "eu");
  CHECK(options.telemetry_path == "/m");
}

TEST_CASE("an IPv6 address is taken where civetweb can listen on it") {
  const std::variant<Options, EarlyExit> parsed = Parse({"--web.listen-address=[::1]:9108"});
  REQUIRE(std::holds_alternative<Options>(parsed) == HttpServer::HasIpv6());
  if (HttpServer::HasIpv6())
    CHECK(std::get<Options>(parsed).listen_address.Text() == "[::1]:9108");
  else
    CHECK(std::get<EarlyExit>(parsed).text.find("IPv6 is not supported by this civetweb") !=
          std::string::npos);
}

TEST_CASE("a wrong command line ends with status 2 and says what was found and what would be right") {
  struct Case {
    std::vector<const char*> arguments;
    std::string text;
  };
  const Case cases[] = {
      {{"--web.listen-address=9108"},
       "expected IPV4:PORT or [IPV6]:PORT, as in 127.0.0.1:9108, found \"9108\""},
      {{"--web.listen-address=::1:9108"}, "expected IPV4:PORT or [IPV6]:PORT"},
      {{"--web.listen-address=127.0.0.1:65536"}, "expected a port from 0 to 65535"},
      {{"--web.listen-address=127.0.0.1:80x"}, "expected a port from 0 to 65535"},
      {{"--web.listen-address=example.org:80"}, "expected an IPv4 address"},
      {{"--web.listen-address=[::1]9108"},
       HttpServer::HasIpv6() ? "expected IPV4:PORT or [IPV6]:PORT" : "IPv6 is not"},
      {{"--web.listen-address=[::1]:9108x"},
       HttpServer::HasIpv6() ? "expected a port from 0" : "IPv6 is not supported"},
      {{"--web.listen-address=[127.0.0.1]:9108"},
       HttpServer::HasIpv6() ? "expected an IPv6 address in the brackets"
                             : "IPv6 is not supported by this civetweb"},
      {{"--web.listen-address=[]:9108"},
       HttpServer::HasIpv6() ? "expected an IPv6 address in the brackets"
                             : "IPv6 is not supported by this civetweb"},
      {{"--web.telemetry-path=metrics"}, "expected a path such as /metrics"},
      {{"--web.telemetry-path=/"}, "expected a path such as /metrics"},
      {{"--log.level=loud"}, "--log.level: expected debug, info, warn or error, found \"loud\""},
      {{"--log.format=xml"}, "--log.format: expected logfmt or json"},
      {{"--store=/srv/a.db"}, "--store: expected NAME=PATH, found \"/srv/a.db\""},
      {{"--store=a b=/srv/a.db"}, "--store: expected a name of"},
      {{"--store=a=relative.db"}, "--store: expected an absolute path"},
      {{"--store=a=/x", "--store=a=/y"}, "the store a is named twice"},
      {{"--deployment.servers=many"}, "--deployment.servers"},
      {{"--deployment.servers=-1"}, "--deployment.servers"},
      {{"--store.shared-id=\xFF"}, "--store.shared-id: expected UTF-8"},
      {{"--colour"}, "--colour"},
      {{"stray"}, "stray"},
  };
  for (const Case& c : cases) {
    const auto parsed = Parse(c.arguments);
    CAPTURE(c.arguments.front());
    REQUIRE(std::holds_alternative<EarlyExit>(parsed));
    CHECK(std::get<EarlyExit>(parsed).status == outgrown::kExitUsage);
    CHECK_MESSAGE(std::get<EarlyExit>(parsed).text.find(c.text) != std::string::npos,
                  std::get<EarlyExit>(parsed).text);
  }
}

TEST_CASE("version and help are success") {
  const auto version = std::get<EarlyExit>(Parse({"--version"}));
  CHECK(version.status == outgrown::kExitOk);
  CHECK(version.text == "outgrown-exporter 1.2.3\n");
  const auto help = std::get<EarlyExit>(Parse({"--help"}));
  CHECK(help.status == outgrown::kExitOk);
  CHECK(help.text.find("--web.listen-address") != std::string::npos);
}
