#include "exporter/pages.h"

#include "exporter/landing_page.h"
#include "exporter/text_format.h"

namespace outgrown::exporter {

std::optional<HttpResponse> Pages::Answer(std::string_view path) const {
  if (path == telemetry_path_) {
    return HttpResponse{200, std::string(kTextFormatContentType),
                        TextFormat(scraper_.Scrape().samples.Families())};
  }
  if (path == "/") {
    return HttpResponse{200, "text/html; charset=utf-8",
                        LandingPage(scraper_.Scrape(), scraper_.settings(), telemetry_path_)};
  }
  // The process answers, which is all that there is to its health: it depends on nothing that could be down.
  if (path == "/-/healthy")
    return HttpResponse{200, "text/plain; charset=utf-8", "outgrown-exporter is healthy.\n"};
  if (path == "/-/ready")
    return HttpResponse{200, "text/plain; charset=utf-8", "outgrown-exporter is ready.\n"};
  return std::nullopt;
}

}  // namespace outgrown::exporter
