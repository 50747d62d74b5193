// A record's seal: the hash over its members and the record before it (decision_log.h).
#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <iterator>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "common/digest.h"
#include "common/time_text.h"
#include "decision/log/decision_log.h"

namespace outgrown::decision_log {
namespace {

// The head that is written, and those that are read; OpenRecord relies on their equal length.
constexpr std::string_view kHead = R"({"schema":2,"sequence":)";
constexpr std::array<std::string_view, 2> kHeads = {R"({"schema":1,"sequence":)", kHead};
constexpr std::string_view kPrevious = ",\"previous\":\"";
constexpr std::string_view kHash = ",\"hash\":\"";
constexpr std::string_view kTail = "\"}";
constexpr std::size_t kDigits = 64;

bool IsDigest(std::string_view text) {
  // Lower case only: two spellings of one hash would make two valid lines of one record.
  return text.size() == kDigits && std::ranges::all_of(text, [](char digit) {
           return (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f');
         });
}

// The digits of a record's schema, known or not.
std::optional<std::string_view> SchemaOf(std::string_view line) {
  constexpr std::string_view kBegin = R"({"schema":)";
  if (!line.starts_with(kBegin)) return std::nullopt;
  line.remove_prefix(kBegin.size());
  const std::string_view digits = line.substr(0, line.find_first_not_of("0123456789"));
  if (digits.empty() || !line.substr(digits.size()).starts_with(R"(,"sequence":)")) return std::nullopt;
  return digits;
}

}  // namespace

std::string SealRecord(const Link& before, std::int64_t logged_ms, std::string_view members, Link& sealed) {
  sealed.sequence = before.sequence + 1;
  std::string line;
  line.reserve(members.size() + 300);  // and the chain's own members
  fmt::format_to(std::back_inserter(line), "{}{}{}{}\",\"logged\":\"{}\",", kHead, sealed.sequence, kPrevious,
                 before.hash, Rfc3339(logged_ms));
  line += members;
  sealed.hash = Sha256Hex(line);
  // The hash comes last and covers the line's bytes before it, so that no canonical form of JSON is needed.
  line += kHash;
  line += sealed.hash;
  line += kTail;
  return line;
}

Result<SealedRecord> OpenRecord(std::string_view line) {
  const Error not_a_record{"not a record of this log", ""};
  if (std::ranges::none_of(kHeads, [&](std::string_view head) { return line.starts_with(head); })) {
    if (line.starts_with("\x1f\x8b")) return Error{"compressed with gzip; decompress it first", ""};
    const std::optional<std::string_view> schema = SchemaOf(line);
    if (!schema) return not_a_record;
    return Error{fmt::format("a record of schema {}, where this version knows 1 and 2", *schema), ""};
  }
  SealedRecord record;
  const char* const digits = line.data() + kHead.size();
  const auto [rest, failed] = std::from_chars(digits, line.data() + line.size(), record.link.sequence);
  if (failed != std::errc() || record.link.sequence <= 0) return not_a_record;
  // One spelling only: no leading zeros.
  if (std::to_string(record.link.sequence) !=
      std::string_view(digits, static_cast<std::size_t>(rest - digits))) {
    return not_a_record;
  }
  std::string_view after = line.substr(static_cast<std::size_t>(rest - line.data()));
  if (!after.starts_with(kPrevious)) return not_a_record;
  record.previous = after.substr(kPrevious.size(), kDigits);
  if (!IsDigest(record.previous)) return not_a_record;

  const std::size_t trailer_size = kHash.size() + kDigits + kTail.size();
  if (after.size() < trailer_size) return not_a_record;
  // By position from the end: a member may hold a "hash" of its own ("last_known").
  const std::string_view trailer = line.substr(line.size() - trailer_size);
  record.link.hash = trailer.substr(kHash.size(), kDigits);
  if (!trailer.starts_with(kHash) || !trailer.ends_with(kTail) || !IsDigest(record.link.hash))
    return not_a_record;
  if (Sha256Hex(line.substr(0, line.size() - trailer_size)) != record.link.hash) {
    return Error{fmt::format("record {}: its content doesn't match its hash", record.link.sequence), ""};
  }
  return record;
}

Remainder ClassifyRemainder(std::string_view bytes, bool ends_with_newline) {
  if (bytes.empty() && !ends_with_newline) return Remainder::kUnfinished;
  // Blocks that a power cut kept from the disk read as zeros; no record holds a NUL, and one flipped bit
  // makes only one.
  if (bytes.find(std::string(16, '\0')) != std::string_view::npos) return Remainder::kUnfinished;
  // A record's newline is the last byte of its write(2): if it is there, the whole record has to be.
  if (ends_with_newline) return Remainder::kDamaged;
  // A crash leaves the beginning of a record, without a trailer; a record whose newline was overwritten has one.
  const std::string_view begun = bytes.substr(0, kHead.size());
  if (std::ranges::none_of(kHeads, [&](std::string_view head) { return head.starts_with(begun); }))
    return Remainder::kDamaged;
  // By position from the end, since a label or "last_known" may hold a "hash" too.
  const std::size_t hash = bytes.rfind(kHash);
  if (hash == std::string_view::npos) return Remainder::kUnfinished;
  const std::string_view end = bytes.substr(std::min(bytes.size(), hash + kHash.size() + kDigits));
  const bool has_trailer = end.starts_with(kTail) && end.size() <= kTail.size() + 1;
  return has_trailer ? Remainder::kDamaged : Remainder::kUnfinished;
}

}  // namespace outgrown::decision_log
