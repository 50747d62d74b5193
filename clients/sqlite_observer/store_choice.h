// Which store a database file's writes are counted for, if any. Pure.
//
// In this order:
//   1. the URI parameter: file:state.db?outgrown=NAME counts into NAME, outgrown=off doesn't count
//   2. $OUTGROWN_STORE, a list like PATH: entries [NAME=]PATTERN, separated by colons; the first that matches counts.
//      PATTERN is a glob (fnmatch). With a slash it must match the file's whole path, without one its name,
//      or its name without extension. If the variable is set and no entry matches, the file is not counted.
//   3. otherwise every database file is counted
// Without NAME the store is called as the file is, without its extension.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace outgrown::observer {

struct Choice {
  std::string store;
  bool named = false;  // somebody has asked for this very name
};

// `path` is absolute. `uri_value` is the URI parameter's, empty if there is none; `rules` is $OUTGROWN_STORE, empty if
// not set.
std::optional<Choice> ChooseStore(std::string_view path, std::string_view uri_value, std::string_view rules);

// A name that a store may have (counterblock/directory.h): what isn't allowed becomes '_', the rest is cut off;
// "database" if nothing is left.
std::string StoreNameFrom(std::string_view text);

}  // namespace outgrown::observer
