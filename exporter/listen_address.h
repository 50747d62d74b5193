// Where the exporter listens, and what it does there as its own client.
#pragma once

#include <cstdint>
#include <string>

namespace outgrown::exporter {

struct ListenAddress {
  std::string ip = "127.0.0.1";  // dotted IPv4, or IPv6; "0.0.0.0" is every interface's IPv4, "::" their IPv6
  std::uint16_t port = 9108;     // 0: the system chooses a free one

  bool is_ipv6() const { return ip.find(':') != std::string::npos; }
  std::string Text() const { return (is_ipv6() ? "[" + ip + "]:" : ip + ":") + std::to_string(port); }
};

// The system's reason why an address can't be bound, which civetweb does not report; `otherwise` if binding
// succeeds now.
std::string WhyNotBound(const ListenAddress& address, const std::string& otherwise);

// Connects and closes at once. civetweb's accepting thread sleeps up to 2 s before it checks whether to stop.
void Touch(const ListenAddress& address);

// Asks for a page, and waits for at most 5 s. One byte of any answer is enough: a thread has read the request and written
// to the socket.
bool AsksAndIsAnswered(const ListenAddress& address);

}  // namespace outgrown::exporter
