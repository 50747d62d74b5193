#include "exporter/landing_page.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "common/digest.h"
#include "common/text.h"
#include "common/time_text.h"
#include "exporter/sqlite/problem.h"

namespace outgrown::exporter {
namespace {

// Light and dark by the reader's preference, one column on a phone.
constexpr std::string_view kLandingStyle = R"css(
:root {
  color-scheme: light dark;
  --page: #f6f5f1; --card: #ffffff; --line: #e3e0d8; --text: #22261f; --soft: #6b7066;
  --accent: #2f6b4f; --good: #2f6b4f; --good-back: #e4f1e9; --bad: #a4341f; --bad-back: #fbe9e4;
  --idle: #6b7066; --idle-back: #efeee9;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #151814; --card: #1d211c; --line: #2e342d; --text: #e6e9e2; --soft: #9aa294;
    --accent: #7cc7a0; --good: #7cc7a0; --good-back: #1d3329; --bad: #f0957f; --bad-back: #3b211b;
    --idle: #9aa294; --idle-back: #262b25;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.25rem 3rem; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem .9rem; }
h1 { margin: 0; font-size: 1.9rem; letter-spacing: -.02em; }
header .version { color: var(--soft); font-variant-numeric: tabular-nums; }
.lead { margin: .4rem 0 1.4rem; color: var(--soft); max-width: 44rem; }
nav { display: flex; flex-wrap: wrap; gap: .6rem; margin-bottom: 2.2rem; }
nav a {
  padding: .42rem 1rem; border: 1px solid var(--line); border-radius: 999px; background: var(--card);
  color: var(--accent); text-decoration: none; font-weight: 600;
}
nav a.first { background: var(--accent); border-color: var(--accent); color: var(--page); }
nav a:hover, nav a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
h2 { margin: 0 0 .8rem; font-size: 1.05rem; color: var(--soft); font-weight: 600; }
.store {
  background: var(--card); border: 1px solid var(--line); border-radius: 14px;
  padding: 1.15rem 1.3rem 1.25rem; margin-bottom: 1rem;
}
.store .head { display: flex; flex-wrap: wrap; align-items: center; gap: .3rem .8rem; }
.store h3 { margin: 0; font-size: 1.2rem; overflow-wrap: anywhere; }
.badge { padding: .08rem .6rem; border-radius: 999px; font-size: .82rem; font-weight: 600; }
.badge.good { color: var(--good); background: var(--good-back); }
.badge.bad { color: var(--bad); background: var(--bad-back); }
.badge.idle { color: var(--idle); background: var(--idle-back); }
.path {
  margin: .15rem 0 0; color: var(--soft); overflow-wrap: anywhere;
  font: .86rem/1.5 ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", Menlo, monospace;
}
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(12rem, 1fr)); gap: .9rem 1rem; margin: 1rem 0 0; }
dl div { min-width: 0; }
dt { font-size: .8rem; color: var(--soft); }
dd { margin: 0; font-size: 1.15rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.problems { margin: 1rem 0 0; padding: .7rem .9rem; list-style: none; border-radius: 9px; background: var(--bad-back); }
.problems li { color: var(--bad); }
.problems b { font-weight: 600; }
@media (max-width: 34rem) { dl { grid-template-columns: 1fr 1fr; } }
.empty { color: var(--soft); }
.empty code, footer code { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, monospace; font-size: .92em; }
footer { margin-top: 2.2rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .88rem; }
)css";

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
  // In steps of 1024, as the limits of the shipped spec are.
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

std::string SpanText(double seconds) { return LengthText(std::llround(seconds * 1000)); }

using TextOf = std::string (*)(double);

// A titled number; nothing if it is not known, for which the problems below give the reason.
std::string Fact(std::string_view title, std::optional<double> value, TextOf text) {
  if (!value) return "";
  return fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", title, text(*value));
}

std::string LastWriteText(double unix_seconds) {
  if (unix_seconds == 0) return "none yet";
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  // The block's clock is the host's, so the time is only in the future if the clock was set back.
  return SpanText(std::max(0.0, now.count() - unix_seconds)) + " ago";
}

// Leaves the counts usable if they agree from both sides.
constexpr std::string_view kNotComparable = "file_not_comparable";

// Why the counts are no evidence.
std::vector<std::string> MeasurementProblems(const Samples& samples) {
  std::vector<std::string> reasons;
  for (const FamilySamples& family : samples.families()) {
    if (family.metric().name != "checkpoint_measurement_problem_info") continue;
    const std::vector<prometheus::MetricFamily> collected = family.Collect();
    for (const prometheus::ClientMetric& metric : collected.front().metric)
      reasons.push_back(metric.label.back().value);
  }
  return reasons;
}

// As the verdict line says it.
std::string_view Sentence(const Table& table, std::string_view reason) {
  const auto row = std::ranges::find(table.reasons, reason, &ReasonRow::id);
  return row == table.reasons.end() ? reason : row->sentence;
}

std::string Problems(const StoreReport& report, const Table& table) {
  const Samples& samples = report.samples;
  const std::string& store = report.name;
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
  // The same reason for both is the file's, and is said once.
  if (commits && commits != file) add("Commit counter:", sqlite::ProblemTextOfId(*commits));
  for (const std::string& id : MeasurementProblems(samples)) {
    // The commit counter's own reason has said these two already.
    const bool is_said = commits && (id == "unreadable" || id == *commits);
    if (!is_said) add("Counts:", Sentence(table, id));
  }
  if (!report.oldest_reader.empty()) {
    const double seconds = samples.Find("checkpoint_wal_oldest_reader_seconds", {store}).value_or(0);
    add("Checkpoints held back:",
        fmt::format("{} has read from an old snapshot for {}", report.oldest_reader, SpanText(seconds)));
  }
  if (!report.lock_holder.empty()) {
    const double seconds = samples.Find("checkpoint_write_lock_held_now_seconds", {store}).value_or(0);
    add("Write lock:", fmt::format("{} has held it for {}", report.lock_holder, SpanText(seconds)));
  }
  return items.empty() ? "" : "<ul class=\"problems\">\n" + items + "</ul>\n";
}

std::string Badge(std::string_view kind, std::string_view text) {
  return fmt::format("<span class=\"badge {}\">{}</span>", kind, text);
}

std::string Badges(const Samples& samples, const std::string& store) {
  if (samples.Find("checkpoint_block_up", {store}) != 1) return Badge("bad", "writes not counted");
  const bool is_bad = std::ranges::any_of(MeasurementProblems(samples),
                                          [](const std::string& reason) { return reason != kNotComparable; });
  std::string badges = is_bad ? Badge("bad", "counts are no evidence") : Badge("good", "writes counted");
  if (samples.Find("checkpoint_block_writers", {store}) == 0) badges += Badge("idle", "no living writer");
  return badges;
}

}  // namespace

std::string StoreCard(const StoreReport& store, const Table& table) {
  const std::string& name = store.name;
  const Samples& samples = store.samples;
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
      Fact("Of it free", value("checkpoint_free_bytes"), &BytesText) +
      Fact("Write-ahead log", value("checkpoint_wal_size_bytes"), &BytesText) +
      Fact("Commits of the store", value("checkpoint_store_commits_total"), &CountText) +
      Fact("Living writers", value("checkpoint_block_writers"), &CountText);
  return fmt::format(
      "<section class=\"store\">\n<div class=\"head\"><h3>{}</h3>{}</div>\n<p class=\"path\">{}</p>\n{}{}"
      "</section>\n",
      Html(name), Badges(samples, name), Html(store.database),
      facts.empty() ? "" : "<dl>\n" + facts + "</dl>\n", Problems(store, table));
}

std::string LandingPage(const Settings& settings, std::string_view telemetry_path, int stores,
                        std::string cards) {
  if (cards.empty()) {
    cards =
        "<p class=\"empty\">No store yet. One appears here as soon as an application makes its counter "
        "block, or when "
        "the exporter is started with <code>--store NAME=PATH</code>.</p>\n";
  }
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
<p class="lead">Measures SQLite stores for Prometheus, to show when one has been outgrown.</p>
<nav><a class="first" href="{}">Metrics</a><a href="/-/healthy">Health</a><a href="/-/ready">Readiness</a></nav>
<h2>{}</h2>
{}<footer>Read a moment ago, as a scrape reads it. Limits: table <code>{}</code> of the spec <code>{}</code>.</footer>
</main>
</body>
</html>
)html",
      kLandingStyle, Html(settings.version), Html(telemetry_path),
      stores == 1 ? "1 store" : fmt::format("{} stores", stores), cards, Html(settings.table->store),
      Html(ShortDigest(settings.table->digest)));
}

}  // namespace outgrown::exporter
