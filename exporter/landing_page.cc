#include "exporter/landing_page.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "common/digest.h"
#include "common/utf8.h"
#include "exporter/landing_style.h"
#include "exporter/sqlite/problem.h"

namespace outgrown::exporter {
namespace {

// Text that is safe between tags and inside a double-quoted attribute.
std::string Html(std::string_view text) {
  std::string out;
  for (const char c : ValidUtf8(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string BytesText(double bytes) {
  constexpr std::array<std::string_view, 5> kUnits = {"B", "KB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.1f} {}", bytes, kUnits[unit]);
}

// 1234567 -> "1 234 567", with no-break spaces.
std::string CountText(double count) {
  const std::string digits = fmt::format("{:.0f}", count);
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out += "\xC2\xA0";
    out += digits[i];
  }
  return out;
}

// 90 -> "1 min"
std::string SpanText(double seconds) {
  if (seconds < 60) return fmt::format("{:.0f} s", seconds);
  if (seconds < 3600) return fmt::format("{:.0f} min", std::floor(seconds / 60));
  if (seconds < 2 * 86400) return fmt::format("{:.0f} h", std::floor(seconds / 3600));
  return fmt::format("{:.0f} days", std::floor(seconds / 86400));
}

using TextOf = std::string (*)(double);

// A titled number; nothing if it is not known, for which the problems below give the reason.
std::string Fact(std::string_view title, std::optional<double> value, TextOf text) {
  if (!value) return "";
  return fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", title, text(*value));
}

std::string LastWriteText(double unix_seconds) {
  if (unix_seconds == 0) return "none yet";
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  return SpanText(std::max(0.0, now.count() - unix_seconds)) + " ago";
}

std::string Problems(const Samples& samples, const std::string& store) {
  const auto reason = [&](std::string_view metric) { return samples.FindLabel(metric, {store}, 1); };
  const std::optional<std::string> block = reason("checkpoint_block_problem_info");
  const std::optional<std::string> file = reason("checkpoint_file_problem_info");
  const std::optional<std::string> commits = reason("checkpoint_store_commits_problem_info");
  std::string items;
  const auto add = [&](std::string_view what, std::string_view why) {
    items += fmt::format("<li><b>{}</b> {}</li>\n", what, Html(why));
  };
  if (block) add("Counter block:", *block);
  if (file) add("Database:", sqlite::ProblemTextOfId(*file));
  if (commits && commits != file) add("Commit counter:", sqlite::ProblemTextOfId(*commits));
  return items.empty() ? "" : "<ul class=\"problems\">\n" + items + "</ul>\n";
}

std::string Badge(std::string_view kind, std::string_view text) {
  return fmt::format("<span class=\"badge {}\">{}</span>", kind, text);
}

std::string Badges(const Samples& samples, const std::string& store) {
  if (samples.Find("checkpoint_block_up", {store}) != 1) return Badge("bad", "writes not counted");
  std::string badges = Badge("good", "writes counted");
  if (samples.Find("checkpoint_block_trace_lost", {store}) == 1)
    badges += Badge("bad", "some writes go uncounted");
  if (samples.Find("checkpoint_block_writers", {store}) == 0) badges += Badge("idle", "no living writer");
  return badges;
}

std::string StoreCard(const ScrapedStore& store, const Samples& samples) {
  const std::string& name = store.name;
  const auto value = [&](std::string_view metric) { return samples.Find(metric, {name}); };
  const auto writes = [&](std::string_view status) {
    return samples.Find("checkpoint_writes_total", {name, status});
  };
  const std::string facts =
      Fact("Writes that succeeded", writes("success"), &CountText) +
      Fact("Writes that failed", writes("error"), &CountText) +
      Fact("Writes rejected", writes("rejected"), &CountText) +
      Fact("Last write", value("checkpoint_last_write_timestamp_seconds"), &LastWriteText) +
      Fact("Database file", value("checkpoint_file_size_bytes"), &BytesText) +
      Fact("Write-ahead log", value("checkpoint_wal_size_bytes"), &BytesText) +
      Fact("Commits of the store", value("checkpoint_store_commits_total"), &CountText) +
      Fact("Living writers", value("checkpoint_block_writers"), &CountText);
  return fmt::format(
      "<section class=\"store\">\n<div class=\"head\"><h3>{}</h3>{}</div>\n<p class=\"path\">{}</p>\n{}{}"
      "</section>\n",
      Html(name), Badges(samples, name), Html(store.database),
      facts.empty() ? "" : "<dl>\n" + facts + "</dl>\n", Problems(samples, name));
}

std::string Stores(const ScrapeResult& scrape) {
  if (scrape.stores.empty()) {
    return "<p class=\"empty\">No store yet. One appears here as soon as an application makes its counter "
           "block, or when "
           "the exporter is started with <code>--store NAME=PATH</code>.</p>\n";
  }
  std::string cards;
  for (const ScrapedStore& store : scrape.stores) cards += StoreCard(store, scrape.samples);
  return cards;
}

}  // namespace

std::string LandingPage(const ScrapeResult& scrape, const Settings& settings,
                        std::string_view telemetry_path) {
  return fmt::format(
      R"html(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Outgrown exporter</title>
<style>{}</style>
</head>
<body>
<main>
<header><h1>Outgrown exporter</h1><span class="version">{}</span></header>
<p class="lead">Shows Prometheus what tells when a SQLite store has been outgrown.</p>
<nav><a class="first" href="{}">Metrics</a><a href="/-/healthy">Health</a><a href="/-/ready">Readiness</a></nav>
<h2>{}</h2>
{}<footer>Read a moment ago, as a scrape reads it. Limits: table <code>{}</code> of the spec <code>{}</code>.</footer>
</main>
</body>
</html>
)html",
      kLandingStyle, Html(settings.version), Html(telemetry_path),
      scrape.stores.size() == 1 ? "1 store" : fmt::format("{} stores", scrape.stores.size()), Stores(scrape),
      Html(settings.table->store), Html(ShortDigest(settings.table->digest)));
}

}  // namespace outgrown::exporter
