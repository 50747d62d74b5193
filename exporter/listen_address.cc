#include "exporter/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>

namespace outgrown::exporter {
namespace {

// A socket of the address' family, and the address as the system calls take it.
class TcpSocket {
 public:
  // `flags` of socket(2).
  TcpSocket(const ListenAddress& address, int flags)
      : fd_(::socket(address.is_ipv6() ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0)) {
    if (address.is_ipv6()) {
      sockaddr_in6 six = {};
      six.sin6_family = AF_INET6;
      six.sin6_port = htons(address.port);
      ::inet_pton(AF_INET6, address.ip.c_str(), &six.sin6_addr);
      size_ = sizeof six;
      std::memcpy(&address_, &six, sizeof six);
    } else {
      sockaddr_in four = {};
      four.sin_family = AF_INET;
      four.sin_port = htons(address.port);
      ::inet_pton(AF_INET, address.ip.c_str(), &four.sin_addr);
      size_ = sizeof four;
      std::memcpy(&address_, &four, sizeof four);
    }
  }
  TcpSocket(const TcpSocket&) = delete;
  TcpSocket& operator=(const TcpSocket&) = delete;
  ~TcpSocket() {
    if (fd_ >= 0) ::close(fd_);
  }

  int fd() const { return fd_; }
  bool Bind() const { return ::bind(fd_, target(), size_) == 0; }
  bool Connect() const { return ::connect(fd_, target(), size_) == 0; }

 private:
  const sockaddr* target() const { return reinterpret_cast<const sockaddr*>(&address_); }

  int fd_;
  sockaddr_storage address_ = {};
  socklen_t size_ = 0;
};

// Where to reach what listens there.
ListenAddress OwnAddress(const ListenAddress& address) {
  if (address.ip == "0.0.0.0") return {"127.0.0.1", address.port};
  if (address.ip == "::") return {"::1", address.port};
  return address;
}

}  // namespace

std::string WhyNotBound(const ListenAddress& address, const std::string& otherwise) {
  const TcpSocket socket(address, 0);
  if (socket.fd() < 0) return std::generic_category().message(errno);
  const int on = 1;
  // As civetweb does, or connections of an exporter that has just ended (TIME_WAIT) would be named as the
  // reason.
  ::setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (socket.Bind()) return otherwise;
  const int failed = errno;
  std::string advice;
  if (failed == EADDRINUSE)
    advice = "; is an exporter running already? --web.listen-address takes another port";
  if (failed == EACCES) advice = "; --web.listen-address takes a port from 1024 on";
  if (failed == EADDRNOTAVAIL) advice = "; --web.listen-address takes an address of this machine";
  return std::generic_category().message(failed) + advice;
}

void Touch(const ListenAddress& address) {
  static_cast<void>(TcpSocket(OwnAddress(address), SOCK_NONBLOCK).Connect());
}

bool AsksAndIsAnswered(const ListenAddress& address) {
  constexpr timeval kPatience = {5, 0};
  constexpr std::string_view kRequest = "HEAD /-/healthy HTTP/1.1\r\n\r\n";
  const TcpSocket socket(OwnAddress(address), 0);
  if (socket.fd() < 0) return false;
  // It also bounds connect(2) (man 7 socket).
  ::setsockopt(socket.fd(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  ::setsockopt(socket.fd(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  char byte = 0;
  return socket.Connect() && ::send(socket.fd(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL) > 0 &&
         ::recv(socket.fd(), &byte, 1, 0) == 1;
}

}  // namespace outgrown::exporter
