// The threshold table of a spec: the same rows that are compiled in, made at run time, and as the C++ that is
// compiled in.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "thresholds/model.h"
#include "thresholds/table.h"

namespace outgrown::spec {

// Owns every string and row that its table points to. Copies share them, so the addresses behind table() stay
// valid for as long as any copy lives. Immutable: safe to read from any thread.
class OwnedTable {
 public:
  const Table& table() const;

 private:
  struct Rows;
  friend OwnedTable MakeTable(const spec::Spec& spec);
  explicit OwnedTable(std::shared_ptr<const Rows> rows) : rows_(std::move(rows)) {}

  std::shared_ptr<const Rows> rows_;
};

// Precondition: a validated spec (every signal and verdict that a threshold names exists); the order of rows
// is the spec's.
OwnedTable MakeTable(const spec::Spec& spec);

}  // namespace outgrown::spec

namespace outgrown::spec {

// Aligned rows of data and nothing else. Rows name the signals and verdicts they refer to; the including code
// turns names into indices at compile time. Precondition: a validated spec.
std::string ThresholdsInc(const spec::Spec& spec);

// A C++ string literal with its quotes: "a\"b". Trigraphs and digits after an escape are safe.
std::string CppString(std::string_view text);

// A C++ double literal that is bit-equal: 0.01, 100.0, 5368709120.0. Precondition: finite.
std::string CppDouble(double value);

}  // namespace outgrown::spec
