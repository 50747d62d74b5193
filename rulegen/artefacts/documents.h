// The documents about a spec, in GitHub's Markdown.
#pragma once

#include <string>
#include <vector>

#include "rulegen/artefacts/rules.h"
#include "thresholds/model.h"

namespace outgrown::artefacts {

// Which measurement leads to which decision, the most severe first.
std::string DecisionMatrixMarkdown(const spec::Spec& spec);

// Every recorded series, and the series they are recorded from.
std::string MetricsMarkdown(const spec::Spec& spec);

// One section for each alert, whose heading is the alert's name: the anchor that its annotation runbook_url names.
std::string RunbookMarkdown(const spec::Spec& spec, const RuleFile& rules);

// A table, of which all documents are made; cells are Markdown already.
std::string MarkdownTable(const std::vector<std::string>& heads,
                          const std::vector<std::vector<std::string>>& rows);

}  // namespace outgrown::artefacts
