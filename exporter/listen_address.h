// Where the exporter listens: the value of --web.listen-address.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/result.h"

namespace outgrown::exporter {

struct ListenAddress {
  std::string ip = "127.0.0.1";  // dotted IPv4; "0.0.0.0" is every interface
  std::uint16_t port = 9108;     // 0: the system chooses a free one

  std::string Text() const { return ip + ":" + std::to_string(port); }
};

// "127.0.0.1:9108", "localhost:9108", ":9108" (every interface, as the other exporters take it). An error
// says what was found and what would be right; IPv6 is one, because Debian 12's civetweb is built without it.
Result<ListenAddress> ParseListenAddress(std::string_view text);

}  // namespace outgrown::exporter
