// The HTTP server: the one file that knows civetweb. It answers GET and HEAD for whatever paths its handler knows, from
// memory only: no document root, no forms, no query parameters, no keep-alive.
//
// civetweb has a thread for each connection that it serves, so that a client that doesn't finish a request or
// doesn't read an answer holds one. Three things keep them from holding all: connections are accepted when
// their request begins to arrive (TCP_DEFER_ACCEPT), each part of an exchange has a deadline as a whole, and
// when all threads are taken the oldest connection that makes no progress is hung up on.
//
// Rejected: prometheus-cpp's Exposer, which brings its own civetweb with two threads and a 30 s timeout, so
// that two slow clients stop every scrape.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "exporter/http_response.h"
#include "exporter/listen_address.h"
#include "exporter/log.h"

namespace outgrown::exporter {

class HttpServer {
 public:
  // Closes every connection that is still being sent this body.
  using Revoke = std::function<void(const HttpBody& body)>;

  // Makes the answer for a path (as the client sent it, without its query); nothing if there is no such page,
  // which gives a 404. Called from several threads at once; must not throw.
  using Handler = std::function<std::optional<HttpResponse>(std::string_view path, const Revoke& revoke)>;

  // Whether a client may read the pages, by its header Authorization ("" if it has none); else it gets a 401.
  // Called from several threads at once; must not throw.
  using Admits = std::function<bool(std::string_view authorization)>;

  // Binds and serves from its own threads until Stop or destruction. The error names the address and the system's
  // reason, or says that there are too few threads to be had. `log` must outlive the server. Threads inherit
  // the caller's signal mask: block what only the caller waits for.
  static Result<std::unique_ptr<HttpServer>> Start(const ListenAddress& address, Handler handler,
                                                   Admits admits, const Log& log);

  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  // Whether this civetweb can listen on IPv6: Debian 13's can, Debian 12's is built without it.
  static bool HasIpv6();

  // The address in use; its port is the chosen one if 0 was asked for.
  const ListenAddress& address() const;

  // Whether it answers a request of our own within 5 s.
  bool Answers() const;

  // Turns new requests away with 503, waits until the answers under way are sent (at most 1.5 s), closes
  // everything. Takes less than 2 s.
  void Stop();

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace outgrown::exporter
