#include "prometheus/http_client.h"

#include <stdlib.h>

#include <string>

#include <doctest/doctest.h>

using outgrown::prometheus_api::HttpClient;

TEST_CASE("a proxy of the environment is used for every host but the loopback address") {
  // Nobody listens on port 1. Names below .invalid are never resolved (RFC 6761), so only a proxy is connected to.
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  ::unsetenv("no_proxy");
  ::unsetenv("NO_PROXY");
  const auto problem = [](const std::string& host) {
    outgrown::prometheus_api::HttpOptions options;
    options.url = "http://" + host + ":2";
    return HttpClient::Open(options).value().Get("/", 5'000).error().Text();
  };
  for (const char* host : {"127.0.0.1", "127.1.2.3", "localhost"}) {
    CAPTURE(host);
    CHECK(problem(host).find(" port 2") != std::string::npos);
  }
  for (const char* host : {"127.example.invalid", "localhost.example.invalid", "a.invalid", "192.0.2.1"}) {
    CAPTURE(host);
    CHECK(problem(host).find("127.0.0.1 port 1") != std::string::npos);
  }
  ::unsetenv("http_proxy");
}
