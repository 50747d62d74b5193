#include "exporter/landing_page.h"

#include <array>
#include <cmath>
#include <optional>
#include <vector>

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
  constexpr std::array kSources = {Source{"checkpoint_file_problem_info", "File"},
                                   Source{"checkpoint_store_commits_problem_info", "Commit counter"}};
  std::string items;
  for (const Source& source : kSources) {
    if (const std::optional<std::string> reason = samples.FindLabel(source.metric, {store}, 1)) {
      items += fmt::format("<li>{}: {}</li>\n", source.text, Html(*reason));
    }
  }
  return items.empty() ? "" : "<ul class=\"problems\">\n" + items + "</ul>\n";
}

std::string StoreCard(const StoreTarget& store, const Samples& samples) {
  std::string facts;
  facts += Fact("Database file", Shown(samples.Find("checkpoint_file_size_bytes", {store.name}), &BytesText));
  facts +=
      Fact("Write-ahead log", Shown(samples.Find("checkpoint_wal_size_bytes", {store.name}), &BytesText));
  facts += Fact("Commits of the store",
                Shown(samples.Find("checkpoint_store_commits_total", {store.name}), &CountText));
  return fmt::format(
      "<section class=\"store\">\n<div class=\"head\"><h3>{}</h3></div>\n<p "
      "class=\"path\">{}</p>\n<dl>\n{}</dl>\n{}"
      "</section>\n",
      Html(store.name), Html(store.database), facts, Problems(samples, store.name));
}

std::string Stores(const ScrapeResult& scrape) {
  if (scrape.stores.empty()) {
    return "<p class=\"empty\">No store yet. One appears here as soon as an application makes its counter "
           "block, or when "
           "the exporter is started with <code>--store NAME=PATH</code>.</p>\n";
  }
  std::string cards;
  for (const StoreTarget& store : scrape.stores) cards += StoreCard(store, scrape.samples);
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
