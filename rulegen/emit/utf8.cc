#include "rulegen/emit/utf8.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace outgrown::emit {
namespace {

// How many bytes follow the first one, and the least code point that needs so many.
struct Lead {
  std::size_t following;
  char32_t least;
  char32_t bits;
};

bool ReadLead(unsigned char byte, Lead& lead) {
  if (byte >= 0xC2 && byte <= 0xDF) {
    lead = {1, 0x80, byte & 0x1FU};
  } else if (byte >= 0xE0 && byte <= 0xEF) {
    lead = {2, 0x800, byte & 0x0FU};
  } else if (byte >= 0xF0 && byte <= 0xF4) {
    lead = {3, 0x10000, byte & 0x07U};
  } else {
    return false;
  }
  return true;
}

}  // namespace

char32_t NextCodePoint(std::string_view text, std::size_t& at) {
  const std::size_t start = at++;
  const auto first = static_cast<unsigned char>(text[start]);
  if (first < 0x80) return first;
  Lead lead{};
  if (!ReadLead(first, lead) || text.size() - start <= lead.following) return kReplacement;
  char32_t value = lead.bits;
  for (std::size_t i = 1; i <= lead.following; ++i) {
    const auto byte = static_cast<unsigned char>(text[start + i]);
    if ((byte & 0xC0U) != 0x80U) return kReplacement;
    value = value << 6U | (byte & 0x3FU);
  }
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < lead.least || value > 0x10FFFF || surrogate) return kReplacement;
  at = start + 1 + lead.following;
  return value;
}

void AppendUtf8(std::string& text, char32_t code_point) {
  const auto tail = [&text, code_point](unsigned shift) {
    text += static_cast<char>(0x80U | (code_point >> shift & 0x3FU));
  };
  if (code_point < 0x80) {
    text += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    text += static_cast<char>(0xC0U | code_point >> 6U);
    tail(0);
  } else if (code_point < 0x10000) {
    text += static_cast<char>(0xE0U | code_point >> 12U);
    tail(6);
    tail(0);
  } else {
    text += static_cast<char>(0xF0U | code_point >> 18U);
    tail(12);
    tail(6);
    tail(0);
  }
}

}  // namespace outgrown::emit
