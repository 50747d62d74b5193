#include "exporter/landing_page.h"

#include <array>
#include <ctime>
#include <optional>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "exporter/landing_style.h"
#include "exporter/utf8.h"

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

std::string Fact(std::string_view title, const std::optional<std::string>& value) {
  return fmt::format("<div><dt>{}</dt><dd{}>{}</dd></div>\n", title, value ? "" : " class=\"none\"",
                     value ? *value : "not known");
}

std::optional<std::string> Shown(std::optional<double> value, std::string (*text)(double)) {
  return value ? std::optional<std::string>(text(*value)) : std::nullopt;
}

std::string Problems(const Samples& samples, const std::string& store) {
  struct Source {
    std::string_view metric;
    std::string_view text;
  };
  constexpr std::array kSources = {Source{"checkpoint_block_problem_info", "Counter block"},
                                   Source{"checkpoint_file_problem_info", "File"},
                                   Source{"checkpoint_store_commits_problem_info", "Commit counter"}};
  std::string items;
  for (const Source& source : kSources) {
    if (const std::optional<std::string> reason = samples.FindLabel(source.metric, {store}, 1)) {
      items += fmt::format("<li>{}: {}</li>\n", source.text, Html(*reason));
    }
  }
  return items.empty() ? "" : "<ul class=\"problems\">\n" + items + "</ul>\n";
}

std::string Badge(std::string_view kind, std::string_view text) {
  return fmt::format("<span class=\"badge {}\">{}</span>", kind, text);
}

std::string Badges(const Samples& samples, const std::string& store) {
  if (samples.Find("checkpoint_block_up", {store}) != 1) return Badge("bad", "no counter block read");
  std::string badges = Badge("good", "counter block read");
  if (samples.Find("checkpoint_block_trace_lost", {store}) == 1)
    badges += Badge("bad", "counting lost its place");
  if (samples.Find("checkpoint_block_writers", {store}) == 0) badges += Badge("idle", "no living writer");
  return badges;
}

// The share of a store's writes since the block was made; a rate is Prometheus' to tell.
std::optional<std::string> WritesText(const Samples& samples, const std::string& store,
                                      std::string_view status) {
  return Shown(samples.Find("checkpoint_writes_total", {store, status}), &CountText);
}

std::optional<std::string> LastWriteText(const Samples& samples, const std::string& store) {
  const std::optional<double> seconds = samples.Find("checkpoint_last_write_timestamp_seconds", {store});
  if (!seconds) return std::nullopt;
  if (*seconds == 0) return "none yet";
  const auto time = static_cast<std::time_t>(*seconds);
  return fmt::format("<time datetime=\"{0:%Y-%m-%dT%H:%M:%SZ}\">{0:%H:%M:%S} UTC</time>", fmt::gmtime(time));
}

std::string StoreCard(const ScrapedStore& store, const Samples& samples) {
  const std::string& name = store.name;
  const auto shown = [&](std::string_view metric, std::string (*text)(double)) {
    return Shown(samples.Find(metric, {name}), text);
  };
  std::string facts;
  facts += Fact("Writes that succeeded", WritesText(samples, name, "success"));
  facts += Fact("Writes that failed", WritesText(samples, name, "error"));
  facts += Fact("Writes rejected", WritesText(samples, name, "rejected"));
  facts += Fact("Last write", LastWriteText(samples, name));
  facts += Fact("Living writers", shown("checkpoint_block_writers", &CountText));
  facts += Fact("Database file", shown("checkpoint_file_size_bytes", &BytesText));
  facts += Fact("Write-ahead log", shown("checkpoint_wal_size_bytes", &BytesText));
  facts += Fact("Commits of the store", shown("checkpoint_store_commits_total", &CountText));
  return fmt::format(
      "<section class=\"store\">\n<div class=\"head\"><h3>{}</h3>{}</div>\n<p "
      "class=\"path\">{}</p>\n<dl>\n{}</dl>\n{}"
      "</section>\n",
      Html(name), Badges(samples, name), Html(store.database), facts, Problems(samples, name));
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
<p class="lead">Shows Prometheus what it takes to tell when a SQLite store has been outgrown. It only reads.</p>
<nav><a class="first" href="{}">Metrics</a><a href="/-/healthy">Health</a><a href="/-/ready">Readiness</a></nav>
<h2>{}</h2>
{}<footer>Read at this moment, as a scrape would.</footer>
</main>
</body>
</html>
)html",
      kLandingStyle, Html(settings.version), Html(telemetry_path),
      scrape.stores.size() == 1 ? "1 store" : fmt::format("{} stores", scrape.stores.size()), Stores(scrape));
}

}  // namespace outgrown::exporter
