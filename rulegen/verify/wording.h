// The words that sentences about loaded rules share.
#pragma once

#include <string>
#include <string_view>

namespace outgrown::verify {

// A server's text, plain and in one line.
std::string Shown(std::string_view text);

// " (from FILE)"; "" if the server doesn't say which file a group came from.
std::string From(std::string_view file);

}  // namespace outgrown::verify
