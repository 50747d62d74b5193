// HTTP as a client, for one server: bounded in time and size, redirects refused, secrets from files only.
// libcurl is owned by http_client.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/result.h"

namespace outgrown::prometheus_api {

struct HttpOptions {
  std::string url;  // "http://127.0.0.1:9090", "https://host/prefix"; no user, query or fragment
  std::string user_and_password;     // "user:password"; "" for none
  std::string bearer_token;          // "" for none
  std::vector<std::string> headers;  // "X-Scope-OrgID: tenant"
  std::string ca_file;               // PEM; "" for the system's authorities
  std::int64_t timeout_ms = 30'000;  // for one request, from connecting to the last byte
  std::size_t body_bytes_max = 64U << 20U;
};

// An error if `url` is not one that HttpClient takes. It doesn't repeat the URL, which may hold a password.
Result<void> CheckServerUrl(const std::string& url);

struct HttpAnswer {
  long status = 0;
  std::string body;
};

// One server's connection, kept open between requests. Not thread-safe; distinct clients are independent.
class HttpClient {
 public:
  // An error if the URL is not one that this client takes. Connects to nothing yet.
  static Result<HttpClient> Open(HttpOptions options);

  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;
  ~HttpClient();

  // One request to URL + path; Post sends the fields as a form. Any status but a redirect is an answer; an error is
  // what kept one from arriving whole: no connection, time, size, a broken transfer, an interruption
  // (common/interrupt.h). `timeout_ms` shortens the options' own, never lengthens it.
  using Fields = std::vector<std::pair<std::string, std::string>>;
  Result<HttpAnswer> Get(std::string_view path, std::int64_t timeout_ms);
  Result<HttpAnswer> Post(std::string_view path, const Fields& fields, std::int64_t timeout_ms);

  // One to the same server, with a connection of its own.
  Result<HttpClient> Another() const;

  // Without a trailing slash, as errors and reports name the server.
  const std::string& url() const;

 private:
  struct State;
  explicit HttpClient(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace outgrown::prometheus_api
