#include "exporter/connections.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <set>
#include <string>

namespace outgrown::exporter {
namespace {

using std::chrono::milliseconds;

// Prometheus' default scrape_timeout: by then it has given up anyway.
constexpr milliseconds kAnswerTime(10'000);

// When all threads are taken. A request has begun to arrive before its connection is accepted, so what is
// missing of it after 10 ms is not on its way. An answer of 5 MB takes some 50 ms on a local network.
constexpr milliseconds kWaitingTimeIfFull(10);
constexpr milliseconds kAnswerTimeIfFull(250);

// For so long a connection that sends nothing takes no descriptor and no thread (man 7 tcp,
// TCP_DEFER_ACCEPT). The kernel rounds it to its retransmissions of the SYN-ACK.
constexpr int kDeferSeconds = 60;

Endpoint EndpointOf(const sockaddr_storage& address) {
  Endpoint end;
  if (address.ss_family == AF_INET6) {
    sockaddr_in6 six;
    std::memcpy(&six, &address, sizeof six);
    std::memcpy(end.address.data(), &six.sin6_addr, end.address.size());
    end.port = ntohs(six.sin6_port);
  } else if (address.ss_family == AF_INET) {
    sockaddr_in four;
    std::memcpy(&four, &address, sizeof four);
    end.address[10] = end.address[11] = 0xFF;
    std::memcpy(&end.address[12], &four.sin_addr, 4);
    end.port = ntohs(four.sin_port);
  }
  return end;
}

std::optional<Endpoint> EndOf(int fd, decltype(&::getpeername) get) {
  sockaddr_storage address = {};
  socklen_t size = sizeof address;
  if (get(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
      (address.ss_family != AF_INET && address.ss_family != AF_INET6))
    return std::nullopt;
  return EndpointOf(address);
}

bool IsOnPort(int fd, std::uint16_t port) {
  const std::optional<Endpoint> own = EndOf(fd, &::getsockname);
  return own && own->port == port;
}

// Visits the process' TCP sockets, with their own end or their peer's (getsockname, getpeername; listening ones have no
// peer), until `visit` returns true. One call for each descriptor, some 0.2 us, since there may be thousands of them a
// second to look for: the watch of the stores has a file open for each store. The kernel gives the lowest free
// number, so 256 unused numbers in a row are taken as the end.
template <typename Visit>
void ForEachSocket(decltype(&::getpeername) get, const Visit& visit) {
  constexpr int kUnusedMax = 256;
  int unused = 0;
  for (int fd = 3; unused < kUnusedMax; ++fd) {
    errno = 0;
    const std::optional<Endpoint> end = EndOf(fd, get);
    unused = errno == EBADF ? unused + 1 : 0;
    if (end && visit(fd, *end)) return;
  }
}

// Address and port name a connection uniquely while it is open, since all of them end at the same port here.
int FindSocket(const Endpoint& client) {
  int found = -1;
  ForEachSocket(&::getpeername, [&](int fd, const Endpoint& peer) {
    if (peer == client) found = fd;
    return found >= 0;
  });
  return found;
}

}  // namespace

Endpoint Endpoint::Of(std::string_view ip, std::uint16_t port) {
  const std::string text(ip);
  Endpoint end;
  end.port = port;
  if (::inet_pton(AF_INET6, text.c_str(), end.address.data()) == 1) return end;
  if (::inet_pton(AF_INET, text.c_str(), &end.address[12]) == 1) end.address[10] = end.address[11] = 0xFF;
  return end;
}

Connections::~Connections() {
  if (!guard_.joinable()) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_over_ = true;
    changed_.notify_all();
  }
  guard_.join();
}

void Connections::Guard(std::uint16_t port) {
  port_ = port;
  ForEachSocket(&::getsockname, [&](int fd, const Endpoint& own) {
    // Of the listening socket, which civetweb has opened and offers no option for.
    if (own.port == port)
      ::setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &kDeferSeconds, sizeof kDeferSeconds);
    return false;
  });
  guard_ = std::thread([this] { Watch(); });
}

void Connections::Take() {
  const std::lock_guard<std::mutex> lock(mutex_);
  // The guard sleeps until an answer's deadline otherwise; now it has to look at once.
  if (++taken_ >= threads_) changed_.notify_all();
}

void Connections::Free() {
  const std::lock_guard<std::mutex> lock(mutex_);
  --taken_;
}

bool Connections::BeginAnswer(const void* key) {
  const std::lock_guard<std::mutex> lock(mutex_);
  answers_[key] = {};
  return !is_draining_;
}

void Connections::BeginSending(const void* key, const Endpoint& client, const Body& body) {
  // Outside of the lock: a search through many descriptors must not hold up the guard.
  const int fd = FindSocket(client);
  const std::lock_guard<std::mutex> lock(mutex_);
  Answer& answer = answers_[key] = {fd, Clock::now(), false, body};
  if (is_drained_) HangUp(answer);
}

void Connections::GiveUp(const void* key) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (const auto answer = answers_.find(key); answer != answers_.end()) HangUp(answer->second);
}

void Connections::EndAnswer(const void* key) {
  const std::lock_guard<std::mutex> lock(mutex_);
  answers_.erase(key);
  if (answers_.empty()) changed_.notify_all();
}

void Connections::HangUp(Answer& answer) {
  answer.is_hung_up = true;
  if (answer.fd < 0) return;
  // With the connection goes what the client has not taken: the kernel would keep up to 4 MB of a page (man 7 tcp,
  // tcp_wmem) for a reader that takes a few bytes a second, and tell it of the end only behind them.
  constexpr linger kNothingKept = {1, 0};
  ::setsockopt(answer.fd, SOL_SOCKET, SO_LINGER, &kNothingKept, sizeof kNothingKept);
  // shutdown, not close: the descriptor is civetweb's, and its number could be another connection's by the
  // time it closes it. The thread that waits in send or recv returns with an error at once.
  ::shutdown(answer.fd, SHUT_RDWR);
}

void Connections::Revoke(const Body& body) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (auto& [key, answer] : answers_) {
    // By the pointer: a page is one object, whoever is being sent it.
    if (answer.body == body) HangUp(answer);
  }
}

void Connections::Drain(milliseconds timeout) {
  std::unique_lock<std::mutex> lock(mutex_);
  is_draining_ = true;
  changed_.notify_all();
  changed_.wait_for(lock, timeout, [this] { return answers_.empty(); });
  is_drained_ = true;
  for (auto& [key, answer] : answers_) HangUp(answer);
}

// Closes those whose time is over and, if all threads are taken, the oldest. Returns the time of the next
// check.
Connections::Clock::time_point Connections::HangUpOnOldAnswers(Clock::time_point now) {
  Clock::time_point next = now + kAnswerTime;
  std::size_t sending = 0;
  Answer* oldest = nullptr;
  for (auto& [key, answer] : answers_) {
    if (answer.fd < 0 || answer.is_hung_up) continue;
    if (answer.since + kAnswerTime <= now) {
      HangUp(answer);
      continue;
    }
    ++sending;
    next = std::min(next, answer.since + kAnswerTime);
    if (oldest == nullptr || answer.since < oldest->since) oldest = &answer;
  }
  // Not for the threads that wait for a request: those are freed after 10 ms, and nobody's answer is cut off for
  // them.
  if (taken_ >= threads_ && sending > threads_ / 2 && oldest->since + kAnswerTimeIfFull <= now)
    HangUp(*oldest);
  return next;
}

// Shuts down reading on the connections that are not being answered, also queued ones. Bytes that have
// arrived can still be read, so a complete request is still answered; an incomplete one ends as soon as a
// thread reads it.
void Connections::HangUpOnWaiting(Clock::time_point now, Clock::duration age_min) {
  // These have a deadline of their own (HangUpOnOldAnswers).
  std::set<int> answered;
  for (const auto& [key, answer] : answers_) answered.insert(answer.fd);
  std::map<int, Waiting> still;
  ForEachSocket(&::getpeername, [&](int fd, const Endpoint& peer) {
    const auto before = waiting_.find(fd);
    // The number alone may have been given to another connection since the last look.
    const bool is_known = before != waiting_.end() && before->second.client == peer;
    if (answered.contains(fd) || (!is_known && !IsOnPort(fd, port_))) return false;
    Waiting& waiting = still[fd] = is_known ? before->second : Waiting{peer, now, false};
    if (!waiting.is_hung_up && now - waiting.since >= age_min) {
      waiting.is_hung_up = true;
      ::shutdown(fd, SHUT_RD);
    }
    return false;
  });
  waiting_ = std::move(still);
}

void Connections::Watch() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!is_over_) {
    const Clock::time_point now = Clock::now();
    Clock::time_point next = HangUpOnOldAnswers(now);
    if (is_draining_) {
      HangUpOnWaiting(now, milliseconds(0));
      // New connections may still be accepted while the server drains, and none of them is answered.
      next = now + kWaitingTimeIfFull;
    } else if (taken_ >= threads_) {
      HangUpOnWaiting(now, kWaitingTimeIfFull);
      // A fixed pause instead of waiting for the next event, of which there may be thousands a second.
      lock.unlock();
      std::this_thread::sleep_for(kWaitingTimeIfFull / 2);
      lock.lock();
      continue;
    }
    changed_.wait_until(lock, next);
  }
}

}  // namespace outgrown::exporter
