// What a [[watch]] leaves open in its expression and in the series of its tests:
//
//   {digest}    the spec's digest
//   {identity}  the labels of store.identity: job, instance, database
//   {window}    the range that a rate needs: 5m, or four times rules.scrape_interval if that is more
//   {minimum}   coverage.minimum
//   {maximum}   coverage.maximum
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "thresholds/model.h"
#include "thresholds/promql_lexer.h"

namespace outgrown::spec {

// A text with the values in it.
struct Filled {
  std::string text;
  // What {word} is no placeholder, at its place in the original.
  std::optional<Problem> problem;

  // The place in the original of a byte of `text`: within a value that of its placeholder.
  std::size_t Origin(std::size_t offset) const;

  struct Value {
    std::size_t begin;     // in `text`
    std::size_t end;       // in `text`
    std::size_t original;  // where the placeholder begins
    std::size_t behind;    // where it ends
  };
  std::vector<Value> values;
};

// `digest` stands for the spec's own, which is not known before the spec is validated.
Filled FillPlaceholders(std::string_view text, const Spec& spec, std::string_view digest);

// The text for a validated spec.
std::string FillPlaceholders(std::string_view text, const Spec& spec);

}  // namespace outgrown::spec
