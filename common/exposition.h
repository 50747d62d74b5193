// Prometheus' text formats, as far as the exposition of a scrape and OpenMetrics have them in common: how a
// label, a help text and a value are spelt.
// Source: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
#pragma once

#include <string>
#include <string_view>

namespace outgrown {

// Appends {name="value" if `first`, else ,name="value". The caller closes the brace. Whatever bytes the value has, the
// text stays valid UTF-8 and one line.
void AppendLabel(std::string& out, bool first, std::string_view name, std::string_view value);

// Appends a help text, in which backslash and newline are escaped, and the double quote is not.
void AppendHelp(std::string& out, std::string_view help);

// Appends the shortest text that reads back as the same double (ExactNumber).
void AppendValue(std::string& out, double value);

}  // namespace outgrown
