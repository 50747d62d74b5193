// What the tests of the collectors share: folders of real counter blocks, and the lines that a collector adds.
#pragma once

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "counterblock/writer.h"
#include "exporter/collectors/collectors.h"
#include "exporter/collectors/samples.h"
#include "exporter/serializer.h"
#include "test/common/temporary_folder.h"
#include "thresholds/table.h"

namespace outgrown::test {

struct Blocks {
  Blocks() {
    std::filesystem::create_directory(folder.path() / "blocks");
    std::filesystem::permissions(folder.path() / "blocks", std::filesystem::perms::owner_all);
  }
  std::string directory() const { return (folder.path() / "blocks").string(); }
  std::shared_ptr<const block::Folder> Folder() const {
    return std::make_shared<const block::Folder>(block::Folder::Open(directory()).value());
  }
  std::string database() const { return (folder.path() / "a.db").string(); }
  block::Writer Open(const std::string& store) const { return Open(store, database()); }
  block::Writer Open(const std::string& store, const std::string& of_database) const {
    return block::Writer::Open(store, {.directory = directory(), .application = "", .database = of_database})
        .value();
  }
  exporter::BlockPlace Place(const std::string& store) const { return {Folder(), {store, 1}}; }
  TemporaryFolder folder;
};

inline exporter::Settings MakeSettings() {
  exporter::Settings settings;
  settings.version = "1.2.3";
  settings.table = &CompiledTable();
  settings.start_time_unix_seconds = 1795473190.5;
  return settings;
}

inline exporter::StoreTarget Target(const std::string& name, std::vector<exporter::BlockPlace> blocks,
                                    const std::string& database = "") {
  return {name, database, std::move(blocks)};
}

// What the collector adds, as lines without the comments.
template <typename Collect>
std::vector<std::string> Lines(const Collect& collect, bool expect_ok = true) {
  exporter::Samples samples;
  const Result<void> done = collect(samples);
  CHECK(done.ok() == expect_ok);
  std::vector<std::string> lines;
  std::stringstream text;
  for (const exporter::FamilySamples& family : samples.families())
    exporter::ExactTextSerializer().Serialize(text, family.Collect());
  for (std::string line; std::getline(text, line);) {
    if (!line.starts_with('#')) lines.push_back(line);
  }
  return lines;
}

inline bool Has(const std::vector<std::string>& lines, const std::string& line) {
  return std::ranges::find(lines, line) != lines.end();
}

}  // namespace outgrown::test
