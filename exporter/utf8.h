// UTF-8, as far as text from outside has to be made safe for a log line or a label: Prometheus rejects a
// whole scrape for one label value that is not UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace outgrown::exporter {

// Length in bytes of the well-formed sequence at the start of `text`, 0 if there is none (RFC 3629: no
// surrogates, no overlong forms, nothing above U+10FFFF).
std::size_t Utf8Length(std::string_view text);

// `text` with U+FFFD for every byte that is not part of a well-formed sequence.
std::string ValidUtf8(std::string_view text);

}  // namespace outgrown::exporter
