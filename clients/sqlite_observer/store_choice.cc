#include "clients/sqlite_observer/store_choice.h"

#include <fnmatch.h>

#include <algorithm>

namespace outgrown::observer {
namespace {

constexpr std::size_t kNameBytesMax = 64;

std::string_view NameOf(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string_view StemOf(std::string_view path) {
  const std::string_view name = NameOf(path);
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? name : name.substr(0, dot);
}

bool Matches(const std::string& pattern, std::string_view path) {
  const auto matches = [&](std::string_view text) {
    return ::fnmatch(pattern.c_str(), std::string(text).c_str(), 0) == 0;
  };
  if (pattern.find('/') != std::string::npos) return matches(path);
  return matches(NameOf(path)) || matches(StemOf(path));
}

}  // namespace

std::optional<Choice> ChooseStore(std::string_view path, std::string_view uri_value, std::string_view rules) {
  if (uri_value == "off") return std::nullopt;
  if (!uri_value.empty()) return Choice{StoreNameFrom(uri_value), true};
  if (rules.empty()) return Choice{StoreNameFrom(StemOf(path)), false};
  while (!rules.empty()) {
    const std::size_t colon = std::min(rules.find(':'), rules.size());
    const std::string_view rule = rules.substr(0, colon);
    rules.remove_prefix(std::min(colon + 1, rules.size()));
    const std::size_t equals = rule.find('=');
    const std::string_view name =
        equals == std::string_view::npos ? std::string_view() : rule.substr(0, equals);
    const std::string pattern(equals == std::string_view::npos ? rule : rule.substr(equals + 1));
    if (pattern.empty() || !Matches(pattern, path)) continue;
    if (name.empty()) return Choice{StoreNameFrom(StemOf(path)), false};
    return Choice{StoreNameFrom(name), true};
  }
  return std::nullopt;
}

std::string StoreNameFrom(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  std::string name(text.substr(0, kNameBytesMax));
  std::ranges::replace_if(
      name, [&](char c) { return !allowed(c); }, '_');
  if (name.empty()) return "database";
  if (name.front() == '.') name.front() = '_';
  return name;
}

}  // namespace outgrown::observer
