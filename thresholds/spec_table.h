// The threshold table of a spec, made at run time: the same rows that are compiled in.
#pragma once

#include <memory>

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
