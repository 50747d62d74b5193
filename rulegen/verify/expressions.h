// Whether two PromQL expressions say the same, by canonical forms and no parser of our own.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

namespace outgrown::verify {

class Expressions {
 public:
  // A server's canonical form of an expression (/api/v1/format_query); nothing if it has none to give.
  using Format = std::function<std::optional<std::string>(const std::string& expr)>;

  explicit Expressions(Format format) : format_(std::move(format)) {}

  // Equal as text, in our normal form (spec/promql_lexer.h), or else in the server's, which is asked only then, once for
  // each expression. Without a server's form the last word is ours, which may call two spellings different but
  // never two meanings the same.
  bool Same(const std::string& left, const std::string& right);

 private:
  const std::optional<std::string>& Canonical(const std::string& expr);

  Format format_;
  std::map<std::string, std::optional<std::string>> known_;
};

}  // namespace outgrown::verify
