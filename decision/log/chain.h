// The hash chain of the decision log: how one record becomes one line, and what a line is worth.
//
//   {"schema":1,"sequence":118,"previous":"<64 hex>","logged":"<RFC 3339>",MEMBERS,"hash":"<64 hex>"}\n
//
// "previous" is the "hash" of the record before (64 zeros for the first of all), "hash" the SHA-256 of the line's
// bytes before `,"hash":`. So a changed, removed or inserted line breaks the chain. It is unkeyed: someone who
// rewrites everything after a record gets away with it, unless the last hash is kept elsewhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/result.h"

namespace outgrown::decision_log {

// A record's place in the chain.
struct Link {
  std::int64_t sequence = 0;  // 0: before the first
  std::string hash = std::string(64, '0');
};

struct SealedRecord {
  Link link;
  std::string previous;  // the hash of the record before
};

// The line, without the newline. `members` is JSON members' text, without braces.
std::string SealRecord(const Link& before, std::int64_t logged_ms, std::string_view members, Link& sealed);

// Takes a line (without its newline) apart and verifies its own hash; an error says what is wrong with it.
Result<SealedRecord> OpenRecord(std::string_view line);

// What bytes at the end of a log, that are no whole valid record, are.
enum class Remainder {
  kUnfinished,  // a record that a crash cut short, or whose blocks a power cut left zero: never acknowledged
  kDamaged,     // anything else: bytes that were a record once, or never belonged here
};

// `bytes`: a line that is no valid record, without its newline if it has one. Only the very last may lack it.
Remainder ClassifyRemainder(std::string_view bytes, bool ends_with_newline);

}  // namespace outgrown::decision_log
