// Runs a fuzz target without libFuzzer: on its seeds, and on so many mutations of them, the same ones for the same
// seed on every machine. The short form of fuzzing, for every test run and every compiler.
//
// Usage: TARGET --runs N SEED_FILE_OR_FOLDER...    (of a folder with bad specs, test/support/bad_specs.h, each of them)
//
// The input that made a check fail is left in the working folder as fuzz-failure.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/file.h"
#include "test/support/bad_specs.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kSeed = 20261123;

const std::string* running = nullptr;

void KeepInput(int) {
  const int fd = ::open("fuzz-failure", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd >= 0 && ::write(fd, running->data(), running->size()) >= 0) ::close(fd);
}

void Run(const std::string& input) {
  running = &input;
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

void AddSeeds(const fs::path& path, std::vector<fs::path>& paths) {
  if (!fs::is_directory(path)) {
    paths.push_back(path);
    return;
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
    if (entry.is_regular_file()) paths.push_back(entry.path());
  }
}

class Mutator {
 public:
  explicit Mutator(const std::vector<std::string>& seeds) : seeds_(seeds), random_(kSeed) {}

  std::string Next() {
    std::string input = Pick();
    const std::size_t count = 1 + Below(4);
    for (std::size_t i = 0; i < count; ++i) Mutate(input);
    return input;
  }

 private:
  std::size_t Below(std::size_t end) { return end == 0 ? 0 : random_() % end; }
  const std::string& Pick() { return seeds_[Below(seeds_.size())]; }

  void Mutate(std::string& input) {
    const std::size_t at = Below(input.size() + 1);
    const std::size_t length = std::min(Below(32), input.size() - at);
    switch (Below(7)) {
      case 0:
        input.insert(at, 1, static_cast<char>(Below(256)));
        break;
      case 1:
        input.erase(at, length);
        break;
      case 2:
        input.insert(Below(input.size() + 1), input.substr(at, length));
        break;
      case 3:
        if (at < input.size()) input[at] = static_cast<char>(Below(256));
        break;
      case 4:
        input.resize(at);
        break;
      case 5: {  // a piece of another seed
        const std::string& other = Pick();
        const std::size_t from = Below(other.size() + 1);
        input.insert(at, other.substr(from, Below(64)));
        break;
      }
      default: {  // the same character very often
        const char c = at < input.size() ? input[at] : '[';
        input.insert(at, Below(300), c);
      }
    }
  }

  const std::vector<std::string>& seeds_;
  std::mt19937_64 random_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4 || std::string_view(argv[1]) != "--runs") {
    std::fprintf(stderr, "usage: %s --runs N SEED_FILE_OR_FOLDER...\n", argv[0]);
    return 2;
  }
  const unsigned long runs = std::strtoul(argv[2], nullptr, 10);
  std::vector<fs::path> paths;
  for (int i = 3; i < argc; ++i) AddSeeds(argv[i], paths);
  std::ranges::sort(paths);

  std::vector<std::string> seeds;
  for (const fs::path& path : paths) {
    if (path.extension() == ".txt") {
      for (outgrown::test::BadSpec& spec : outgrown::test::ReadBadSpecs(path)) {
        seeds.push_back(std::move(spec.toml));
        Run(seeds.back());
      }
      continue;
    }
    const auto bytes = outgrown::ReadFile(path);
    if (!bytes.ok()) {
      std::fprintf(stderr, "%s\n", bytes.error().Text().c_str());
      return 1;
    }
    seeds.push_back(*bytes);
    Run(seeds.back());
  }
  if (seeds.empty()) return 1;
  std::printf("%zu seeds, %lu mutations, random seed %llu\n", seeds.size(), runs,
              static_cast<unsigned long long>(kSeed));
  std::fflush(stdout);
  ::signal(SIGABRT, KeepInput);  // which lets the abort go on
  Mutator mutator(seeds);
  for (unsigned long i = 0; i < runs; ++i) Run(mutator.Next());
  return 0;
}
