#include "exporter/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>
#include <optional>
#include <system_error>

namespace outgrown::exporter {
namespace {

constexpr std::string_view kWhere = "--web.listen-address";

std::optional<std::uint16_t> ParsePort(std::string_view text) {
  std::uint16_t port = 0;
  const std::from_chars_result end = std::from_chars(text.data(), text.data() + text.size(), port);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return std::nullopt;
  return port;
}

}  // namespace

Result<ListenAddress> ParseListenAddress(std::string_view text) {
  const auto wrong = [&](std::string_view what) {
    return Error{std::string(what) + ", found \"" + std::string(text) + "\"", std::string(kWhere)};
  };
  if (text.find('[') != std::string_view::npos || text.find(':') != text.rfind(':')) {
    return wrong("IPv6 is not supported (Debian 12's civetweb is built without it); expected IPV4:PORT");
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return wrong("expected IPV4:PORT, as in 127.0.0.1:9108");
  const std::optional<std::uint16_t> port = ParsePort(text.substr(colon + 1));
  if (!port) return wrong("expected a port from 0 to 65535 after the colon");

  std::string ip(text.substr(0, colon));
  if (ip.empty()) ip = "0.0.0.0";
  if (ip == "localhost") ip = "127.0.0.1";
  in_addr parsed = {};
  if (::inet_pton(AF_INET, ip.c_str(), &parsed) != 1)
    return wrong("expected an IPv4 address before the colon");
  return ListenAddress{std::move(ip), *port};
}

}  // namespace outgrown::exporter
