// Placeholders: what a [[watch]] leaves open in its expression and in the series of its tests, and a [[panel]] in its query.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "thresholds/model.h"
#include "thresholds/promql.h"

namespace outgrown::spec {

// A text with the values in it:
//
//   {digest}    the spec's digest
//   {identity}  the labels of store.identity: job, instance, database
//   {window}    the range that a rate needs: 5m, or four times rules.scrape_interval if that is more
//   {missing}   an expression: for each store that is present and lacks signals that a threshold compares, one
//               series with the labels of the identity and `missing`: the titles of those that are not recorded as
//               finite numbers
//   {lookback}  how long alerts and decisions remember a store that fell silent (common/horizons.h): 1d2h, as a
//               range; {lookback_seconds} is the same as a number
//   {minimum}   coverage.minimum
//   {maximum}   coverage.maximum
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

// `digest` is used for the spec's own, which is not known before the spec is validated.
Filled FillPlaceholders(std::string_view text, const Spec& spec, std::string_view digest);

// The text for a validated spec.
std::string FillPlaceholders(std::string_view text, const Spec& spec);

// The same in a query of a [[panel]], which has {identity} and {shown} alone; `shown`: the matchers of the dashboard's
// variables.
Filled FillPanelQuery(std::string_view query, const Spec& spec, const std::string& shown);

}  // namespace outgrown::spec
