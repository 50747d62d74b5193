// UTF-8 text from people: one character at a time, and what may not be shown as it is.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace outgrown::spec {

// The code point that `text` begins with, if it is well-formed UTF-8 (no overlong form, no surrogate).
// Precondition: not empty.
std::optional<char32_t> FirstCharacter(std::string_view text);

// The bytes of the first character: 1 to 4, and 1 for a byte that begins no well-formed one.
// Precondition: not empty.
std::size_t CharacterLength(std::string_view text);

// Whether a character has no business in a title, a label or a justification: a control character (C0, DEL, C1), a
// line or paragraph separator, or one that turns the direction of the text that follows it.
bool IsControl(char32_t character);

// The part of these that turns the direction of the text.
bool IsDirectionMark(char32_t character);

// One character as it can be shown on a terminal: itself, or if it IsControl \xNN in ASCII and \uNNNN beyond. A byte that
// begins no character is \xNN. A tab stays a tab.
std::string Printable(std::string_view character);

// The same within a sentence, where a tab is \x09, too.
std::string PrintableInLine(std::string_view character);

// The offset of the first character that IsControl or is not well-formed; nothing if there is none.
std::optional<std::size_t> FindControl(std::string_view text);

}  // namespace outgrown::spec
