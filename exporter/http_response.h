// An answer of the HTTP server, and the head that is sent before its body.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace outgrown::exporter {

// An answer's body in pieces, sent one after the other. Several answers may share one.
using HttpBody = std::shared_ptr<const std::vector<std::string>>;

struct HttpResponse {
  int status = 200;
  std::string content_type;
  HttpBody body;
};

HttpResponse PlainAnswer(int status, const std::string& text);

// Status 4xx or 5xx, which the text explains.
HttpResponse ErrorPage(int status, std::string_view text);

// The status line and all headers, with the empty line behind them. No answer is kept by a cache, and none runs anything.
std::string Header(const HttpResponse& response);

}  // namespace outgrown::exporter
