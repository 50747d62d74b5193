// Nodes as JSON documents are put together from.
#pragma once

#include <string_view>
#include <utility>

#include "rulegen/artefacts/node.h"

namespace outgrown::emit {

inline Node Text(std::string_view text) { return Node::String(text); }
inline Node Null() { return Node::Raw("null"); }
inline Node Object(Node::Map entries) { return Node::Of(std::move(entries)); }
inline Node Array(Node::List items) { return Node::Of(std::move(items)); }

}  // namespace outgrown::emit
