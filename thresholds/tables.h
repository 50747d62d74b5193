// The tables of a spec: every key that each may have, in one list. The parser knows no other key, its diagnostics name
// candidates from the list, and a test holds docs/spec.md to it.
#pragma once

#include <span>
#include <string_view>

namespace outgrown::spec {

enum class Need { kRequired, kOptional };

struct Key {
  std::string_view name;
  Need need;
  std::string_view expected;  // what a right value is, as a diagnostic says it: "a string"
};

struct TableKeys {
  std::string_view name;    // "signal.test"; "" is the root
  std::string_view header;  // "[[signal.test]]"; "the root table"
  std::span<const Key> keys;
};

// All tables in the order of docs/spec.md; the root first.
std::span<const TableKeys> Tables();

// Precondition: there is a table of that name.
const TableKeys& TableOf(std::string_view name);

}  // namespace outgrown::spec
