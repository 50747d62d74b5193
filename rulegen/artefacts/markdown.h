// The pieces that generated documents are made of.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "thresholds/model.h"

namespace outgrown::emit {

// The mark as a comment, the title as the first heading.
std::string MarkdownHead(const spec::Spec& spec, std::string_view title);

// A table; cells are Markdown already.
std::string MarkdownTable(const std::vector<std::string>& heads,
                          const std::vector<std::vector<std::string>>& rows);

// A fenced block of code, whatever is in it.
std::string MarkdownBlock(std::string_view language, std::string_view code);

}  // namespace outgrown::emit
