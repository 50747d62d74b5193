// One exact escaping function for each language that artefacts are written in. Whatever string goes in, the
// language's own reader gives exactly it back (test/rulegen/artefacts/escape_test.cc shows it with the real
// ones). JSON's is common/json.h's JsonString, C++'s thresholds/table_source.h's CppString.
//
// Strings are bytes. YAML, JSON and Markdown carry text, so there each byte that is no valid
// UTF-8 becomes U+FFFD (a spec is valid UTF-8: its parser sees to that). All are locale-independent.
#pragma once

#include <string>
#include <string_view>

namespace outgrown::artefacts {

// A YAML flow scalar that every YAML 1.1 and 1.2 reader takes as that string: plain where nothing could take
// it for something else, else in single quotes, else (line breaks, control characters) in double quotes.
std::string YamlString(std::string_view text);

// Text for a Go template (an alert's annotation) that comes out as itself: "{{" is no action.
std::string GoTemplateText(std::string_view text);

// The text of a file that Helm, which expands it as a Go template, leaves as it is.
std::string HelmText(std::string_view text);

// Text of a dashboard's panel in which Grafana finds no variable ($job, ${job}, [[job]]) and that looks the
// same. It holds word joiners (U+2060) then, so it is not the same to a program.
std::string GrafanaText(std::string_view text);

// Inline Markdown (GitHub's) that shows the text as it is, in one line, also inside a table's cell.
std::string MarkdownText(std::string_view text);

// Inline code that shows the text as it is, in one line, also inside a table's cell.
std::string MarkdownCode(std::string_view text);

}  // namespace outgrown::artefacts
