#include "exporter/http_response.h"

#include <cstddef>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace outgrown::exporter {
namespace {

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 413:
      return "Content Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    default:
      return "Error";
  }
}

}  // namespace

HttpResponse PlainAnswer(int status, const std::string& text) {
  return {status, "text/plain; charset=utf-8", std::make_shared<const std::vector<std::string>>(1, text)};
}

std::string Header(const HttpResponse& response) {
  std::size_t body_bytes = 0;
  for (const std::string& piece : *response.body) body_bytes += piece.size();
  std::string header = fmt::format(
      "HTTP/1.1 {} {}\r\n"
      "Date: {:%a, %d %b %Y %H:%M:%S} GMT\r\n"
      "Content-Type: {}\r\n"
      "Content-Length: {}\r\n"
      "Cache-Control: no-store\r\n"
      "X-Content-Type-Options: nosniff\r\n"
      "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
      "frame-ancestors 'none'\r\n"
      "Connection: close\r\n",
      response.status, ReasonPhrase(response.status), fmt::gmtime(std::time(nullptr)), response.content_type,
      body_bytes);
  // RFC 9110, 15.5.6: a 405 must name the methods that are allowed.
  if (response.status == 405) header += "Allow: GET, HEAD\r\n";
  // RFC 7617, 2.
  if (response.status == 401)
    header += "WWW-Authenticate: Basic realm=\"outgrown-exporter\", charset=\"UTF-8\"\r\n";
  return header + "\r\n";
}

HttpResponse ErrorPage(int status, std::string_view text) {
  return PlainAnswer(status, fmt::format("{} {}: {}\n", status, ReasonPhrase(status), text));
}

}  // namespace outgrown::exporter
