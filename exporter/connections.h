// The connections of the HTTP server, and which of them are closed when.
//
// civetweb has a thread for each connection that it serves, waits for a slow client by itself, each time anew
// for as long as its single timeout says, and gives no access to its sockets. Here a guard finds the sockets
// among the process' descriptors and shuts them down when their time is over; the thread that waited for one
// then takes the next.
#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>

namespace outgrown::exporter {

// One end of a TCP connection; IPv4 as IPv6 writes it, ::ffff:192.0.2.1.
struct Endpoint {
  std::array<std::uint8_t, 16> address = {};
  std::uint16_t port = 0;
  auto operator<=>(const Endpoint&) const = default;

  // Of an address as text; all zero if it is none.
  static Endpoint Of(std::string_view ip, std::uint16_t port);
};

class Connections {
 public:
  // `threads` connections at most are served at a time.
  explicit Connections(std::size_t threads) : threads_(threads) {}
  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  // Begins to guard the connections to this port of our own; from now on they are accepted when a request begins to
  // arrive, so that those who only connect take nothing but the kernel's memory. The port is listened on already.
  void Guard(std::uint16_t port);

  // A thread has taken a connection, and is free again.
  void Take();
  void Free();

  // A request has arrived and is answered; `key` names its connection until EndAnswer. False if the server is stopping.
  bool BeginAnswer(const void* key);
  // The answer is made and is sent from now on. It may take longer than the socket's buffer does at once, so it has a
  // deadline, and can be revoked by its body (only whose it is matters here). One that was not begun is short.
  using Body = std::shared_ptr<const void>;
  void BeginSending(const void* key, const Endpoint& client, const Body& body);
  void GiveUp(const void* key);  // the client doesn't take it
  void EndAnswer(const void* key);

  // Closes every connection that is still being sent this body.
  void Revoke(const Body& body);

  // From now on BeginAnswer says no; waits until no answer is under way, at most for `timeout`, then hangs up on all.
  void Drain(std::chrono::milliseconds timeout);

 private:
  using Clock = std::chrono::steady_clock;
  struct Answer {
    int fd = -1;  // none yet: it is being made, or short
    Clock::time_point since;
    bool is_hung_up = false;
    Body body;
  };
  struct Waiting {  // a connection that isn't being answered
    Endpoint client;
    Clock::time_point since;  // when it was seen first
    bool is_hung_up = false;
  };

  static void HangUp(Answer& answer);
  Clock::time_point HangUpOnOldAnswers(Clock::time_point now);
  void HangUpOnWaiting(Clock::time_point now, Clock::duration age_min);
  void Watch();

  const std::size_t threads_;
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t taken_ = 0;
  std::map<const void*, Answer> answers_;
  std::map<int, Waiting> waiting_;  // by descriptor; the guard's alone
  bool is_draining_ = false;
  bool is_drained_ = false;
  bool is_over_ = false;
  std::thread guard_;
};

}  // namespace outgrown::exporter
