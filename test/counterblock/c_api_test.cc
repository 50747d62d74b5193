// The C API of the shared library, as an application sees it; and several copies of the library in one
// process.
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "counterblock/outgrown.h"
#include "test/counterblock/block_folder.h"
#include "test/support/child.h"

using namespace outgrown::block;  // NOLINT(google-build-using-namespace)
using outgrown::test::BlockFolder;
using outgrown::test::RunInChild;

namespace {

// One copy of the library, loaded from a file of its own so that the loader cannot take it for another one.
class Copy {
 public:
  Copy(const BlockFolder& folder, const std::string& name) {
    const std::string path = folder.path() + "/" + name;
    std::filesystem::copy_file(OUTGROWN_LIBRARY, path);
    library_ = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    REQUIRE_MESSAGE(library_ != nullptr, ::dlerror());
  }
  template <typename Function>
  Function* Get(const char* name) const {
    auto* function = reinterpret_cast<Function*>(::dlsym(library_, name));
    REQUIRE_MESSAGE((function != nullptr), name);
    return function;
  }

 private:
  void* library_ = nullptr;
};

outgrown_options OptionsFor(const char* directory) {
  outgrown_options options = {};
  options.size = sizeof options;
  options.directory = directory;
  options.database = "/srv/state.db";
  options.slots = 16;
  return options;
}

void KeepLine(void* context, const char* line) {
  *static_cast<std::string*>(context) += std::string(line) + "\n";
}

}  // namespace

TEST_CASE("what C records is what is read") {
  const BlockFolder folder;
  const std::string directory = folder.path();
  const outgrown_options options = OptionsFor(directory.c_str());
  outgrown_store* store = outgrown_open("store", &options);
  REQUIRE(store != nullptr);
  CHECK(outgrown_error(store) == nullptr);
  CHECK(outgrown_database(store) == std::string("/srv/state.db"));
  outgrown_record(store, OUTGROWN_OK, 10, 1000);
  outgrown_record_at(store, OUTGROWN_BUSY, 0, 1000, outgrown_now_ns());
  outgrown_record(store, static_cast<outgrown_outcome>(-1), 0, 0);
  outgrown_start start = outgrown_begin(store);
  CHECK(folder.Read().in_flight == 1);
  outgrown_end(store, start, OUTGROWN_CONSTRAINT, 5);
  start = outgrown_begin_at(store, 1000);
  outgrown_end_at(store, start, OUTGROWN_IO, 0, 3000);
  outgrown_abandon(store, outgrown_begin(store));
  outgrown_trace_lost(store);
  CHECK(folder.Read().traces_lost == 1);
  outgrown_trace_regained(store);
  const Snapshot snapshot = folder.Read();
  CHECK(snapshot.writes == decltype(snapshot.writes){1, 1, 0, 0, 1, 1, 0, 1});
  CHECK(snapshot.bytes == 15);
  CHECK(snapshot.in_flight == 0);
  CHECK(snapshot.traces_lost == 0);
  CHECK(snapshot.database == "/srv/state.db");
  CHECK(snapshot.slots == 16);
  outgrown_close(store);
  CHECK(folder.Read().writers == 0);
  CHECK(std::string(outgrown_version()) == "0.1.0");
}

TEST_CASE(
    "a store says which file was at its database's path when it was opened, and when it was opened anew") {
  const BlockFolder folder;
  const std::string directory = folder.path();
  const std::string database = directory + "/state.db";
  const auto inode = [&] {
    struct stat status = {};
    REQUIRE(::stat(database.c_str(), &status) == 0);
    return status.st_ino;
  };
  std::ofstream(database) << "one";
  outgrown_options options = OptionsFor(directory.c_str());
  options.database = database.c_str();
  outgrown_store* store = outgrown_open("store", &options);
  const ino_t first = inode();
  CHECK(folder.Read().living.at(0).file.value().inode == first);
  CHECK(folder.Read().living.at(0).file.value().open == 1);
  std::ofstream(database + ".restored") << "two";
  REQUIRE(::rename((database + ".restored").c_str(), database.c_str()) == 0);
  CHECK(folder.Read().living.at(0).file.value().inode == first);
  outgrown_database_opened(store);
  CHECK(folder.Read().living.at(0).file.value().inode == inode());
  outgrown_store* again = outgrown_open("store", &options);
  CHECK(folder.Read().living.at(0).file.value().open == 2);
  outgrown_close(again);
  CHECK(folder.Read().living.at(0).file.value().open == 1);
  outgrown_close(store);
  outgrown_database_opened(nullptr);
}

TEST_CASE("the write lock's times are those that were given, and a hold shows while it lasts") {
  const BlockFolder folder;
  outgrown_options options = {};
  options.size = sizeof options;
  const std::string directory = folder.path();
  options.directory = directory.c_str();
  outgrown_store* store = outgrown_open("store", &options);
  const std::uint64_t before_ns = NowNs();
  const outgrown_start hold = outgrown_lock_taken(store, 100);
  const std::uint64_t taken_ns = NowNs();
  CHECK(folder.Read().lock_held_now_ns > 0);
  CHECK(folder.Read().lock_held_ns == 0);
  outgrown_lock_waited(store, 20);
  const std::uint64_t releases_ns = NowNs();
  // On another thread, which has a slot of its own.
  std::thread([&] { outgrown_lock_released(store, hold, 1); }).join();
  const Snapshot snapshot = folder.Read();
  CHECK(snapshot.lock_wait_ns == 120);
  CHECK(snapshot.lock_holds == 1);
  CHECK(snapshot.lock_held_ns >= releases_ns - taken_ns);
  CHECK(snapshot.lock_held_ns <= NowNs() - before_ns);
  CHECK(snapshot.lock_held_now_ns == 0);
  outgrown_lock_released(store, outgrown_lock_taken(store, 0), 0);  // rolled back
  CHECK(folder.Read().lock_holds == 1);
  CHECK(folder.Read().lock_held_ns > snapshot.lock_held_ns);
  outgrown_close(store);
}

TEST_CASE("a store that cannot count is off: it says why, logs one line, and takes every call") {
  std::string lines;
  outgrown_options options = OptionsFor("/no/such/folder");
  options.log = KeepLine;
  options.log_context = &lines;
  outgrown_store* store = outgrown_open("store", &options);
  REQUIRE(store != nullptr);
  const std::string why = "/no/such/folder: cannot open the directory: No such file or directory";
  CHECK(outgrown_error(store) == why);
  CHECK(lines == "outgrown: writes are not counted: " + why + "\n");
  for (outgrown_store* off : {store, static_cast<outgrown_store*>(nullptr)}) {
    outgrown_record(off, OUTGROWN_OK, 1, 1);
    outgrown_record_at(off, OUTGROWN_OK, 1, 1, 1);
    const outgrown_start start = outgrown_begin(off);
    CHECK(start.start_ns > 0);
    CHECK(outgrown_database(off) == std::string());
    outgrown_end(off, start, OUTGROWN_OK, 1);
    outgrown_end_at(off, outgrown_begin_at(off, 1), OUTGROWN_OK, 1, 2);
    outgrown_abandon(off, start);
    outgrown_trace_lost(off);
    outgrown_trace_regained(off);
    outgrown_close(off);
  }
  CHECK(outgrown_error(nullptr) != nullptr);
  CHECK(lines == "outgrown: writes are not counted: " + why + "\n");
}

TEST_CASE("the library prints only when the environment asks for it, and then one line") {
  const auto printed = [](const char* asked) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    CHECK(RunInChild([&] {
            ::setenv("OUTGROWN_LOG", asked, 1);
            ::dup2(ends[1], STDERR_FILENO);
            ::dup2(ends[1], STDOUT_FILENO);
            outgrown_options options = OptionsFor("/no/such/folder");
            outgrown_store* store = outgrown_open("store", &options);
            outgrown_record(store, OUTGROWN_OK, 1, 1);
            outgrown_close(store);
            return 0;
          }) == "exit 0");
    ::close(ends[1]);
    char bytes[1024] = {};
    const ssize_t count = ::read(ends[0], bytes, sizeof bytes);
    ::close(ends[0]);
    return std::string(bytes, static_cast<std::size_t>(count));
  };
  CHECK(printed("").empty());
  CHECK(printed("stderr") ==
        "outgrown: writes are not counted: /no/such/folder: cannot open the directory: No such file or "
        "directory\n");
}

TEST_CASE("options may be missing, and may be those of an older library") {
  const BlockFolder folder;
  ::setenv("OUTGROWN_DIR", folder.path().c_str(), 1);
  outgrown_store* store = outgrown_open("store", nullptr);
  CHECK(outgrown_error(store) == nullptr);
  outgrown_close(store);
  outgrown_options older = {};
  older.size = offsetof(outgrown_options, slots);
  older.slots = 99'999;  // beyond what the older struct had
  store = outgrown_open("older", &older);
  CHECK(outgrown_error(store) == nullptr);
  outgrown_close(store);
  ::unsetenv("OUTGROWN_DIR");
  store = outgrown_open(nullptr, &older);
  CHECK(std::string(outgrown_error(store)).starts_with("not a store's name"));
  outgrown_close(store);
}

TEST_CASE("SQLite's result codes have their outcomes, extended or primary") {
  struct Case {
    int code;
    outgrown_outcome outcome;
  };
  const Case cases[] = {
      {0, OUTGROWN_OK},       {100, OUTGROWN_OK},        {101, OUTGROWN_OK},
      {5, OUTGROWN_BUSY},     {261, OUTGROWN_BUSY},      {517, OUTGROWN_BUSY_SNAPSHOT},
      {773, OUTGROWN_BUSY},   {6, OUTGROWN_BUSY},        {262, OUTGROWN_BUSY},
      {13, OUTGROWN_FULL},    {10, OUTGROWN_IO},         {266, OUTGROWN_IO},
      {14, OUTGROWN_IO},      {19, OUTGROWN_CONSTRAINT}, {2067, OUTGROWN_CONSTRAINT},
      {11, OUTGROWN_CORRUPT}, {267, OUTGROWN_CORRUPT},   {26, OUTGROWN_CORRUPT},
      {1, OUTGROWN_OTHER},    {8, OUTGROWN_OTHER},       {9, OUTGROWN_OTHER},
      {-1, OUTGROWN_OTHER},
  };
  for (const Case& c : cases) CHECK_MESSAGE(outgrown_outcome_of_sqlite(c.code) == c.outcome, c.code);
}

TEST_CASE("three copies of the library in one process and one thread each have a slot, and nothing is lost") {
  const BlockFolder folder;
  const std::string directory = folder.path();
  const outgrown_options options = OptionsFor(directory.c_str());
  const Copy first(folder, "first.so");
  const Copy second(folder, "second.so");
  Writer own = folder.Open();
  outgrown_store* one = first.Get<decltype(outgrown_open)>("outgrown_open")("store", &options);
  outgrown_store* two = second.Get<decltype(outgrown_open)>("outgrown_open")("store", &options);
  auto* record_one = first.Get<decltype(outgrown_record)>("outgrown_record");
  auto* record_two = second.Get<decltype(outgrown_record)>("outgrown_record");
  CHECK((record_one != record_two));
  for (int i = 0; i < 1000; ++i) {
    own.Record(Outcome::kOk, 1, 1);
    record_one(one, OUTGROWN_OK, 1, 1);
    record_two(two, OUTGROWN_OK, 1, 1);
  }
  CHECK(folder.Read().writers == 3);
  CHECK(folder.Read().overflow_records == 0);
  CHECK(WritesOf(folder.Read(), Outcome::kOk) == 3000);
  first.Get<decltype(outgrown_close)>("outgrown_close")(one);
  CHECK(folder.Read().writers == 2);  // closing one copy's file drops no lock of the others
  second.Get<decltype(outgrown_close)>("outgrown_close")(two);
  CHECK(folder.Read().writers == 1);
}

TEST_CASE("a thread that ends after the library was unloaded ends well") {
  const BlockFolder folder;
  CHECK(RunInChild([&] {
          const std::string directory = folder.path();
          const outgrown_options options = OptionsFor(directory.c_str());
          std::thread([&] {
            void* library = ::dlopen(OUTGROWN_LIBRARY, RTLD_NOW | RTLD_LOCAL);
            auto* open = reinterpret_cast<decltype(&outgrown_open)>(::dlsym(library, "outgrown_open"));
            auto* record = reinterpret_cast<decltype(&outgrown_record)>(::dlsym(library, "outgrown_record"));
            record(open("store", &options), OUTGROWN_OK, 1, 1);
            ::dlclose(library);
          }).join();
          return folder.Read().writers == 1 ? 0 : 1;  // the store was never closed
        }) == "exit 0");
  CHECK(folder.Read().writers == 0);
}
