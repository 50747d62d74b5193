// The warnings that a run's answers came with, on standard error.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace outgrown::commands {

class Warnings {
 public:
  // Those about one spec; `answered`: at least one query was.
  void Add(const std::vector<std::string>& texts, bool answered);
  void Print() const;

 private:
  std::vector<std::string> texts_;
};

}  // namespace outgrown::commands
