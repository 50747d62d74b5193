#include "clients/sqlite_observer/write_tracker.h"

#include <optional>
#include <string>

#include <doctest/doctest.h>

#include "counterblock/reader.h"

using outgrown::block::Outcome;
using outgrown::block::OutcomeName;
using outgrown::block::Start;
using outgrown::observer::Sink;
using outgrown::observer::WriteTracker;

namespace {

std::uint64_t now_ns = 0;
std::uint64_t Now() { return now_ns; }

// Writes down what it is told: "begin 10", "ok 10-30", "abandon".
class DiarySink final : public Sink {
 public:
  Start BeginAt(std::uint64_t start_ns) noexcept override {
    Note("begin " + std::to_string(start_ns));
    return {start_ns, 7};
  }
  void EndAt(const Start& start, Outcome outcome, std::uint64_t bytes,
             std::uint64_t end_ns) noexcept override {
    Note(std::string(OutcomeName(outcome)) + " " + std::to_string(start.start_ns) + "-" +
         std::to_string(end_ns) + (bytes == 0 ? "" : ", " + std::to_string(bytes) + " bytes"));
  }
  void Abandon(const Start& start) noexcept override {
    Note(start.mark == 7 ? "abandon" : "abandon nothing");
  }
  void EndUnchanged(const Start& start, bool refused) noexcept override {
    Note(std::string(refused ? "refused " : "") + (start.mark == 7 ? "unchanged" : "unchanged, not shown"));
  }
  void LockWaited(std::uint64_t wait_ns) noexcept override { Note("waited " + std::to_string(wait_ns)); }
  Start LockHeldAt(std::uint64_t since_ns, std::uint64_t wait_ns) noexcept override {
    Note("held since " + std::to_string(since_ns) + " after " + std::to_string(wait_ns));
    return {since_ns, 7};
  }
  void LockReleasedAt(const Start& hold, bool wrote, std::uint64_t end_ns) noexcept override {
    Note((wrote ? "wrote " : "held ") + std::to_string(hold.start_ns) + "-" + std::to_string(end_ns));
  }
  void ForgetHold(const Start& /*hold*/) noexcept override { Note("forgotten"); }
  void TraceLost() noexcept override { Note("lost"); }
  void TraceRegained() noexcept override { Note("regained"); }
  void FileOpened(const outgrown::block::FileId& /*file*/) noexcept override { Note("opened"); }
  void FileClosed(const outgrown::block::FileId&) noexcept override { Note("closed"); }
  void Refused(outgrown::block::Refusal /*reason*/) noexcept override { Note("refused"); }
  void RefusalEnded(outgrown::block::Refusal /*reason*/) noexcept override { Note("refusal ended"); }

  std::string diary;

 private:
  void Note(const std::string& text) { diary += (diary.empty() ? "" : ", ") + text; }
};

struct Fixture {
  DiarySink sink;
  WriteTracker tracker{sink, &Now};

  void Start(std::uint64_t at_ns) {
    now_ns = at_ns;
    tracker.StatementStarted(false);
  }
  void Lock() { tracker.LockAttempted(true); }
  void End(std::uint64_t at_ns, bool in_transaction, std::optional<Outcome> failure = {}) {
    now_ns = at_ns;
    tracker.StatementEnded({failure, true, false, in_transaction});
  }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a statement of its own is a write from its start to its commit") {
  Start(10);
  Lock();
  now_ns = 30;
  tracker.Committed(true, 4096);
  End(31, false);
  CHECK(sink.diary == "begin 10, ok 10-30, 4096 bytes");
}

TEST_CASE_FIXTURE(Fixture, "a transaction is one write, from its first statement that writes") {
  Start(10);
  Lock();
  End(20, true);
  Start(30);
  End(40, true, Outcome::kConstraint);
  Start(50);
  End(60, true);
  now_ns = 70;
  tracker.Committed(true, 0);
  CHECK(sink.diary == "begin 10, ok 10-70");
}

TEST_CASE_FIXTURE(
    Fixture, "it has the lock from its attempt to its release, unless that was refused or is not its own") {
  Start(10);
  CHECK_FALSE(tracker.has_lock());
  Lock();
  CHECK(tracker.has_lock());
  tracker.LockRefused();
  CHECK_FALSE(tracker.has_lock());
  Lock();
  tracker.LockReleased();
  CHECK_FALSE(tracker.has_lock());
  End(20, false);
  // locking_mode=EXCLUSIVE: what the connection holds says nothing about the statement, which may write elsewhere.
  tracker.StatementStarted(true);
  CHECK_FALSE(tracker.has_lock());
}

TEST_CASE_FIXTURE(Fixture,
                  "a failure counts when the transaction ends without a change, the last one of several") {
  Start(10);
  Lock();
  End(20, true, Outcome::kConstraint);
  Start(30);
  End(40, true, Outcome::kFull);
  SUBCASE("by rollback") {
    End(50, false);
    CHECK(sink.diary == "begin 10, full 10-50");
  }
  SUBCASE("by a commit of nothing") {
    tracker.Committed(false, 0);
    End(50, false);
    CHECK(sink.diary == "begin 10, full 10-50");
  }
  SUBCASE("by closing the connection") {
    now_ns = 60;
    tracker.Closed();
    CHECK(sink.diary == "begin 10, full 10-60");
  }
}

TEST_CASE_FIXTURE(Fixture, "what neither changed nor failed counts as a write without a change") {
  Start(10);
  Lock();
  SUBCASE("rolled back") {
    End(20, true);
    End(30, false);
  }
  SUBCASE("empty commit") {
    tracker.Committed(false, 0);
    End(20, false);
  }
  SUBCASE("closed inside the transaction") {
    End(20, true);
    tracker.Closed();
  }
  SUBCASE("empty commit in a reset") {
    tracker.Committed(false, 0);
    tracker.TransactionVanished();
  }
  CHECK(sink.diary == "begin 10, unchanged");
  CHECK(sink.has_written());
}

TEST_CASE_FIXTURE(Fixture, "a refused lock counts as what the connection's last write was") {
  const auto write = [&](std::uint64_t start_ns, const std::optional<Outcome>& failure) {
    sink.diary.clear();
    Start(start_ns);
    Lock();
    if (!failure) tracker.Committed(false, 0);
    End(start_ns + 10, false, failure);
  };
  write(10, Outcome::kBusy);
  CHECK(sink.diary == "begin 10, busy 10-20");
  write(30, std::nullopt);
  write(50, Outcome::kBusy);
  write(70, Outcome::kBusy);
  CHECK(sink.diary == "begin 70, refused unchanged");
  SUBCASE("until a change") { tracker.Committed(true, 0, 80); }
  SUBCASE("until another failure") { write(80, Outcome::kFull); }
  write(100, Outcome::kBusy);
  CHECK(sink.diary == "begin 100, busy 100-110");
}

TEST_CASE_FIXTURE(Fixture, "what began no transaction on the file is no write") {
  Start(10);
  Lock();
  SUBCASE("a checkpoint") {
    tracker.LockReleased();
    End(20, false);
  }
  SUBCASE("ignored from now on") { tracker.Abandon(); }
  SUBCASE("ignored inside its transaction") {
    End(20, true);
    tracker.Abandon();
  }
  CHECK(sink.diary == "begin 10, abandon");
  CHECK_FALSE(sink.has_written());
}

TEST_CASE_FIXTURE(Fixture, "a commit that is refused and tried again is one write") {
  Start(10);
  Lock();
  End(20, true);
  tracker.LockRefused();
  End(30, true, Outcome::kBusy);
  now_ns = 40;
  tracker.Committed(true, 0);
  End(41, false);
  CHECK(sink.diary == "begin 10, ok 10-40");
}

TEST_CASE_FIXTURE(Fixture, "writes to other databases are not this file's") {
  Start(10);
  SUBCASE("not even when they fail") {
    End(20, false, Outcome::kConstraint);
    CHECK(sink.diary.empty());
  }
  SUBCASE("and don't start its clock") {
    End(20, true, Outcome::kConstraint);
    Start(30);
    Lock();
    now_ns = 40;
    tracker.Committed(true, 0);
    CHECK(sink.diary == "begin 30, ok 30-40");
  }
}

TEST_CASE_FIXTURE(Fixture, "a failure of the file's own kind needs no lock") {
  Start(10);
  now_ns = 20;
  tracker.StatementEnded({Outcome::kBusy, true, true, false});
  CHECK(sink.diary == "busy 10-20");
}

TEST_CASE_FIXTURE(Fixture, "a failed reading matters if it ends the transaction or is the file's") {
  Start(10);
  Lock();
  End(20, true);
  SUBCASE("it does not") {
    tracker.StatementEnded({Outcome::kOther, false, false, true});
    End(30, false);
    CHECK(sink.diary == "begin 10, unchanged");
  }
  SUBCASE("it does not, but concerns the file") {
    tracker.StatementEnded({Outcome::kCorrupt, false, true, true});
    End(30, false);
    CHECK(sink.diary == "begin 10, corrupt 10-30");
  }
  SUBCASE("it does") {
    now_ns = 30;
    tracker.StatementEnded({Outcome::kFull, false, false, false});
    CHECK(sink.diary == "begin 10, full 10-30");
  }
}

TEST_CASE_FIXTURE(Fixture, "a transaction that vanishes has failed, busy if the lock was refused last") {
  Start(10);
  Lock();
  std::string end = "other 10-20";
  SUBCASE("not refused") {}
  SUBCASE("refused") {
    tracker.LockRefused();
    end = "busy 10-20";
  }
  now_ns = 20;
  tracker.TransactionVanished();
  CHECK(sink.diary == "begin 10, " + end);
}

TEST_CASE_FIXTURE(Fixture, "a connection that holds the lock for good is touched without asking") {
  now_ns = 10;
  tracker.StatementStarted(true);
  End(20, false, Outcome::kConstraint);
  CHECK(sink.diary == "begin 10, constraint 10-20");
}

TEST_CASE_FIXTURE(Fixture, "without a trace commits are counted, from the lock that was got") {
  now_ns = 10;
  tracker.LockAttempted(false);
  tracker.LockRefused();
  now_ns = 20;
  tracker.LockAttempted(false);
  now_ns = 30;
  tracker.Committed(true, 0);
  now_ns = 40;
  tracker.LockAttempted(false);
  tracker.Committed(false, 0);
  now_ns = 50;
  tracker.LockAttempted(false);
  tracker.Closed();
  CHECK(sink.diary == "ok 20-30");
}

TEST_CASE_FIXTURE(Fixture, "when the trace is lost inside a write its mark goes, and its commit counts") {
  Start(10);
  Lock();
  tracker.TraceLost();
  now_ns = 30;
  tracker.Committed(true, 0);
  CHECK(sink.diary == "begin 10, abandon, ok 10-30");
}
