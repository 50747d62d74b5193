// The HTTP server: the one file that knows civetweb. It answers GET and HEAD for whatever paths its handler
// knows, from memory only: no document root, no forms, no query parameters, no keep-alive.
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

#include "common/result.h"
#include "exporter/listen_address.h"
#include "exporter/log.h"

namespace outgrown::exporter {

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

class HttpServer {
 public:
  // Makes the answer for a path (as the client sent it, without its query); nothing if there is no such page,
  // which gives a 404. Called from several threads at once; must not throw.
  using Handler = std::function<std::optional<HttpResponse>(std::string_view path)>;

  // Binds and serves from threads of its own until Stop or destruction. The error names the address and the
  // system's reason. `log` must outlive the server. Threads inherit the caller's signal mask: block what only
  // the caller waits for.
  static Result<std::unique_ptr<HttpServer>> Start(const ListenAddress& address, Handler handler,
                                                   const Log& log);

  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  // The address in use; its port is the chosen one if 0 was asked for.
  const ListenAddress& address() const;

  // Turns new requests away with 503, waits until the answers under way are sent (at most 1 s), closes
  // everything. Takes less than 2 s.
  void Stop();

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace outgrown::exporter
