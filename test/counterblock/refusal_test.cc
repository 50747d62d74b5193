// What is at the block's path and is not to be trusted: refused by reader and writer alike, with the
// reason.
#include <fcntl.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include "counterblock/header.h"
#include "test/counterblock/block_folder.h"

using outgrown::block::FileBytes;
using outgrown::block::Header;
using outgrown::block::MakeHeader;
using outgrown::block::Outcome;
using outgrown::block::Writer;
using outgrown::test::BlockFolder;

namespace {

bool BindSocket(const std::string& path) {
  struct sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  const bool bound = ::bind(fd, reinterpret_cast<const struct sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return bound;
}

// Puts something at `path` where a good block `real` exists elsewhere in the folder.
struct Squatter {
  const char* reason;
  bool (*take)(const std::string& path, const std::string& real);
};

const Squatter kSquatters[] = {
    {"refused: a symbolic link",
     [](const std::string& path, const std::string& real) {
       return ::symlink(real.c_str(), path.c_str()) == 0;
     }},
    {"refused: a symbolic link",
     [](const std::string& path, const std::string&) { return ::symlink("/dev/zero", path.c_str()) == 0; }},
    {"refused: a symbolic link",
     [](const std::string& path, const std::string&) { return ::symlink("nowhere", path.c_str()) == 0; }},
    {"refused: not a regular file",
     [](const std::string& path, const std::string&) { return ::mkfifo(path.c_str(), 0660) == 0; }},
    {"refused: not a regular file",
     [](const std::string& path, const std::string&) { return ::mkdir(path.c_str(), 0770) == 0; }},
    {"refused: not a regular file",
     [](const std::string& path, const std::string&) { return BindSocket(path); }},
    {"refused: 2 hard links, expected 1",
     [](const std::string& path, const std::string& real) {
       return ::link(real.c_str(), path.c_str()) == 0;
     }},
    {"refused: accessible to the world",
     [](const std::string& path, const std::string& real) {
       return ::rename(real.c_str(), path.c_str()) == 0 && ::chmod(path.c_str(), 0664) == 0;
     }},
    {"refused: accessible to the world",
     [](const std::string& path, const std::string& real) {
       return ::rename(real.c_str(), path.c_str()) == 0 && ::chmod(path.c_str(), 0662) == 0;
     }},
};

}  // namespace

TEST_CASE("a squatter on the path is refused by reader and writer, with the reason and the path") {
  for (const Squatter& squatter : kSquatters) {
    CAPTURE(squatter.reason);
    const BlockFolder folder;
    { Writer writer = folder.Open(); }
    const std::string real = folder.path() + "/real";
    REQUIRE(::rename(folder.block_path().c_str(), real.c_str()) == 0);
    REQUIRE(squatter.take(folder.block_path(), real));
    CHECK(folder.ReadProblem() == folder.block_path() + ": " + squatter.reason);
    CHECK(folder.WriteProblem() == folder.block_path() + ": " + squatter.reason);
  }
}

TEST_CASE("a block of another group than its folder's and of another user is refused") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: giving a file to another group needs root");
    return;
  }
  const BlockFolder folder;
  { Writer writer = folder.Open(); }
  REQUIRE(::chown(folder.block_path().c_str(), 4241, 4242) == 0);
  const std::string reason = folder.block_path() + ": refused: its group is 4242, its directory's is " +
                             std::to_string(::getegid()) + ", and it is another user's";
  CHECK(folder.ReadProblem() == reason);
  CHECK(folder.WriteProblem() == reason);
  SUBCASE("but not where the groups agree") {
    REQUIRE(::chown(folder.path().c_str(), static_cast<uid_t>(-1), 4242) == 0);
  }
  SUBCASE("but not where it is one's own") {
    REQUIRE(::chown(folder.block_path().c_str(), ::geteuid(), 4242) == 0);
  }
  CHECK(folder.ReadProblem().empty());
  CHECK(folder.WriteProblem().empty());
}

TEST_CASE("in a folder of a group that the user is not in, a block is for that user alone") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: being another user needs root");
    return;
  }
  const BlockFolder folder;
  REQUIRE(::chmod(folder.path().c_str(), 0777) == 0);
  const auto as = [&](uid_t user, gid_t group, auto what) {
    const pid_t child = ::fork();
    if (child == 0) {
      const bool is_other = ::setgroups(0, nullptr) == 0 && ::setgid(group) == 0 && ::setuid(user) == 0;
      ::_exit(is_other && what() ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return status == 0;
  };
  const auto is_refused = [](const std::string& problem) {
    return problem.find("refused: ") != std::string::npos ||
           problem.find("Permission denied") != std::string::npos;
  };
  CHECK(as(4241, 4242, [&] {
    Writer writer = folder.Open();
    writer.Record(Outcome::kOk, 1, 1);
    return true;
  }));
  struct stat status = {};
  REQUIRE(::stat(folder.block_path().c_str(), &status) == 0);
  CHECK((status.st_mode & 07777U) == 0600U);
  CHECK(status.st_uid == 4241);
  CHECK(as(4241, 4242,
           [&] { return WritesOf(folder.Read(), Outcome::kOk) == 1 && folder.WriteProblem().empty(); }));
  CHECK(
      as(4243, 4242, [&] { return is_refused(folder.ReadProblem()) && is_refused(folder.WriteProblem()); }));
  REQUIRE(::chmod(folder.block_path().c_str(), 0604) == 0);
  CHECK(as(4241, 4242, [&] {
    return folder.ReadProblem() == folder.block_path() + ": refused: accessible to the world";
  }));
}

TEST_CASE("a new block has mode 0660 and its folder's group, whatever the umask") {
  const BlockFolder folder;
  if (::geteuid() == 0) REQUIRE(::chown(folder.path().c_str(), static_cast<uid_t>(-1), 4242) == 0);
  const mode_t old_umask = ::umask(0177);
  { Writer writer = folder.Open(); }
  ::umask(old_umask);
  struct stat status = {};
  REQUIRE(::stat(folder.block_path().c_str(), &status) == 0);
  CHECK((status.st_mode & 07777U) == 0660U);
  CHECK(status.st_gid == (::geteuid() == 0 ? 4242 : ::getegid()));
  CHECK(static_cast<std::uint64_t>(status.st_size) == FileBytes(16));
  CHECK(folder.ReadProblem().empty());
}

TEST_CASE("a damaged, short or foreign file is refused, and never written to") {
  const Header good = MakeHeader(2, "", 0);
  const std::string header(reinterpret_cast<const char*>(&good), sizeof good);
  struct Case {
    std::string bytes;
    std::string read;
    std::string write;
  };
  const Case cases[] = {
      {"", "truncated: ends at byte 0, 8192 more expected", "too short: 0 bytes, the header alone has 8192"},
      {"OUTGROWN", "truncated: ends at byte 8, 8184 more expected",
       "too short: 8 bytes, the header alone has 8192"},
      {std::string(20'000, 'x'), "not a counter block (wrong magic)", "not a counter block (wrong magic)"},
      {header, "the file has 8192 bytes, its header says 11264",
       "the file has 8192 bytes, its header says 11264"},
      {header + std::string(4'000, '\0'), "the file has 12192 bytes, its header says 11264",
       "the file has 12192 bytes, its header says 11264"},
  };
  for (const Case& c : cases) {
    const BlockFolder folder;
    std::ofstream(folder.block_path()) << c.bytes;
    REQUIRE(::chmod(folder.block_path().c_str(), 0660) == 0);
    CHECK(folder.ReadProblem() == folder.block_path() + ": " + c.read);
    CHECK(folder.WriteProblem() == folder.block_path() + ": " + c.write);
    CHECK(std::filesystem::file_size(folder.block_path()) == c.bytes.size());
  }
}

TEST_CASE("a block that this process has had open is looked at anew when it is opened again") {
  const BlockFolder folder;
  { folder.Open().Record(Outcome::kOk, 1, 1); }
  SUBCASE("cut off") {
    REQUIRE(::truncate(folder.block_path().c_str(), 0) == 0);
    CHECK(folder.WriteProblem() == folder.block_path() + ": too short: 0 bytes, the header alone has 8192");
  }
  SUBCASE("damaged") {
    std::fstream(folder.block_path(), std::ios::in | std::ios::out) << "damaged";
    CHECK(folder.WriteProblem() == folder.block_path() + ": not a counter block (wrong magic)");
  }
  SUBCASE("of another size, header and all") {
    const BlockFolder larger;
    { larger.Open(17); }
    std::ofstream(folder.block_path(), std::ios::trunc) << std::ifstream(larger.block_path()).rdbuf();
    CHECK(folder.WriteProblem() ==
          folder.block_path() + ": slot_count is 17, expected 16 as when this process opened it before");
  }
}

TEST_CASE("no block, no folder and an unknown major each have their reason") {
  const BlockFolder folder;
  CHECK(folder.ReadProblem() ==
        folder.block_path() + ": there is no counter block (has the application written yet?)");
  const auto unknown = outgrown::block::ReadBlock(folder.path(), {"store", 2});
  REQUIRE_FALSE(unknown.ok());
  CHECK(unknown.error().Text() ==
        folder.path() + "/store.v2.counters: counter block version 2 is not known, expected 1");
  const auto nowhere = outgrown::block::ReadBlock("/no/such/folder", {"store"});
  REQUIRE_FALSE(nowhere.ok());
  CHECK(nowhere.error().Text() == "/no/such/folder: cannot open the directory: No such file or directory");
}

TEST_CASE("a block that is replaced while a writer has it open is read as the new one") {
  const BlockFolder folder;
  Writer writer = folder.Open();
  writer.Record(Outcome::kOk, 1, 1);
  REQUIRE(::unlink(folder.block_path().c_str()) == 0);
  Writer second = folder.Open();
  second.Record(Outcome::kBusy, 1, 1);
  writer.Record(Outcome::kOk, 1, 1);
  CHECK(WritesOf(folder.Read(), Outcome::kOk) == 0);
  CHECK(WritesOf(folder.Read(), Outcome::kBusy) == 1);
}
