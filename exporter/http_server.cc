#include "exporter/http_server.h"

#include <civetweb.h>

#include <array>
#include <atomic>
#include <chrono>
#include <mutex>
#include <span>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "exporter/connections.h"

namespace outgrown::exporter {
namespace {

// Enough that a scrape finds a free one beside some dozen slow clients before any of them is closed; each
// takes some 20 KB.
constexpr std::size_t kThreads = 64;
// What a scrape starts for itself (pages.cc, store_probes.h).
constexpr std::size_t kSpareThreads = 8;

// The timeout is civetweb's for each wait; how long an exchange may take as a whole is up to connections.h.
// Keep-alive stays off: it would hold a thread after each of a client's requests, and a scrape every few
// seconds gains nothing from it. TCP_NODELAY sends the last segment at once.
const std::vector<std::pair<std::string, std::string>> kCivetwebOptions = {
    {"num_threads", std::to_string(kThreads)},
    {"request_timeout_ms", "5000"},
    {"enable_keep_alive", "no"},
    {"tcp_nodelay", "1"},
    {"connection_queue", "256"},
    {"listen_backlog", "4096"},
    {"max_request_size", "8192"},
    {"decode_url", "no"},
    {"enable_directory_listing", "no"},
    {"allow_sendfile_call", "no"},
    {"enable_auth_domain_check", "no"},
};

constexpr std::size_t kShortBytes = 64 << 10;
// Less than any socket's buffer has at first (man 7 tcp, tcp_wmem).
constexpr std::size_t kAtOnceBytes = 4 << 10;
constexpr std::chrono::milliseconds kDrainTimeout(1500);
constexpr std::chrono::milliseconds kTouchPause(10);

// Whether the system allows as many threads as the exporter needs. civetweb runs with fewer without a
// message, even with none, which looks like a server that listens and never answers.
Result<void> CheckThreads() {
  constexpr std::size_t kNeeded = kThreads + 2 + kSpareThreads;  // and one that accepts, one that guards
  std::mutex hold;
  std::vector<std::thread> threads;
  {
    const std::lock_guard<std::mutex> lock(hold);
    try {
      while (threads.size() < kNeeded)
        // Held back by the mutex until all are there, so that they exist at the same time, which is what a
        // limit counts.
        threads.emplace_back([&hold] { const std::lock_guard<std::mutex> wait(hold); });
    } catch (const std::system_error&) {
    }
  }
  for (std::thread& thread : threads) thread.join();
  if (threads.size() == kNeeded) return {};
  return Error{
      fmt::format("the system allows this process {} threads, but it needs {}; check TasksMax=, pids.max, "
                  "--pids-limit and ulimit -u",
                  threads.size() + 1, kNeeded + 1),
      "too few threads"};
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(Handler handler, Admits admits, const Log& log)
      : handler_(std::move(handler)), admits_(std::move(admits)), log_(log) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { Stop(); }

  Result<void> Start(const ListenAddress& address);
  void Stop();
  const ListenAddress& address() const { return address_; }

 private:
  static Impl& Of(const mg_connection* connection) {
    return *static_cast<Impl*>(mg_get_user_data(mg_get_context(connection)));
  }
  static int OnOpen(const mg_connection* connection, void** data);
  static void OnClose(const mg_connection* connection);
  static int OnRequest(mg_connection* connection);
  static int OnError(mg_connection* connection, int status, const char* text);
  static int OnLog(const mg_connection* connection, const char* text);

  HttpResponse Answer(const mg_connection* connection, const mg_request_info& request);
  void Send(mg_connection* connection, const HttpResponse& response, bool with_body);

  const Handler handler_;
  const Admits admits_;
  const Log& log_;
  ListenAddress address_;
  mg_context* context_ = nullptr;  // the thread that starts and stops alone reads it
  Connections connections_{kThreads};
};

Result<void> HttpServer::Impl::Start(const ListenAddress& address) {
  if (Result<void> checked = CheckThreads(); !checked) return checked;
  // civetweb copies the options; the texts need only live until mg_start2 returns.
  std::vector<const char*> options = {"listening_ports", nullptr};
  const std::string listen = address.Text();
  options[1] = listen.c_str();
  for (const auto& [name, value] : kCivetwebOptions)
    options.insert(options.end(), {name.c_str(), value.c_str()});
  options.push_back(nullptr);

  mg_init_library(0);  // without TLS: Debian 12's civetweb crashes in it
  mg_callbacks callbacks = {};
  callbacks.init_connection = &OnOpen;
  callbacks.connection_close = &OnClose;
  callbacks.begin_request = &OnRequest;
  callbacks.http_error = &OnError;
  callbacks.log_message = &OnLog;
  std::array<char, 256> text = {};
  mg_error_data error = {};
  error.text = text.data();
  error.text_buffer_size = text.size();
  mg_init_data init = {};
  init.callbacks = &callbacks;
  init.user_data = this;
  init.configuration_options = options.data();
  context_ = mg_start2(&init, &error);
  if (context_ == nullptr) {
    mg_exit_library();
    return Error{"cannot listen: " + WhyNotBound(address, text.data()), listen};
  }
  mg_server_port port = {};
  // With port 0 the kernel has chosen one.
  if (mg_get_server_ports(context_, 1, &port) != 1)
    return Error{"cannot listen: civetweb has no port open", listen};
  address_ = ListenAddress{address.ip, static_cast<std::uint16_t>(port.port)};
  // Last: a connection that came before is served all the same, but not guarded until it is looked for again.
  connections_.Guard(address_.port);
  return {};
}

void HttpServer::Impl::Stop() {
  if (context_ == nullptr) return;
  connections_.Drain(
      kDrainTimeout);  // mg_stop cuts off answers that are being sent, so they get time to finish first
  std::atomic<bool> stopped = false;
  // Again and again, since civetweb's accepting thread may just have missed one.
  std::thread waker([this, &stopped] {
    while (!stopped) {
      Touch(address_);
      std::this_thread::sleep_for(kTouchPause);
    }
  });
  // Joins all threads: no handler runs after this.
  mg_stop(std::exchange(context_, nullptr));
  stopped = true;
  waker.join();
  mg_exit_library();
}

int HttpServer::Impl::OnOpen(const mg_connection* connection, void** /*data*/) {
  Of(connection).connections_.Take();
  return 0;
}

void HttpServer::Impl::OnClose(const mg_connection* connection) { Of(connection).connections_.Free(); }

HttpResponse HttpServer::Impl::Answer(const mg_connection* connection, const mg_request_info& request) {
  if (!connections_.BeginAnswer(connection)) return ErrorPage(503, "the exporter is shutting down");
  const char* const authorization = mg_get_header(connection, "Authorization");
  if (!admits_(authorization == nullptr ? "" : authorization)) return ErrorPage(401, "a login is needed");
  const std::string_view method = request.request_method;
  if (method != "GET" && method != "HEAD") return ErrorPage(405, "only GET and HEAD");
  // The path as it was sent: neither decoded nor with its dots resolved, so that each page has exactly one
  // name.
  const std::string_view path = request.local_uri_raw == nullptr ? "" : request.local_uri_raw;
  std::optional<HttpResponse> response =
      handler_(path, [this](const HttpBody& body) { connections_.Revoke(body); });
  return response ? std::move(*response) : ErrorPage(404, "there is no such page");
}

void HttpServer::Impl::Send(mg_connection* connection, const HttpResponse& response, bool with_body) {
  mg_disable_keep_alive(connection);  // else civetweb would read the rest of a request body before closing
  std::string first = Header(response);
  std::span<const std::string> body = *response.body;
  if (!with_body) body = {};
  if (!body.empty() &&
      body.front().size() <= kShortBytes) {  // a short answer leaves in one packet, if it can
    first += body.front();
    body = body.subspan(1);
  }
  const mg_request_info* const request = mg_get_request_info(connection);
  // Before the first byte, so that a page can be revoked from the moment it takes memory for this client. What is
  // short goes into the socket's buffer at once and needs no deadline.
  if ((!body.empty() || first.size() > kAtOnceBytes) && request != nullptr)
    connections_.BeginSending(
        connection, Endpoint::Of(request->remote_addr, static_cast<std::uint16_t>(request->remote_port)),
        response.body);
  // Less if the client is gone, was hung up on, or took nothing for civetweb's timeout. What would follow is for
  // nobody: the body has a hole.
  const auto write = [connection](const std::string& text) {
    return mg_write(connection, text.data(), text.size()) == static_cast<int>(text.size());
  };
  bool is_taken = write(first);
  for (const std::string& piece : body) is_taken = is_taken && write(piece);
  if (!is_taken) connections_.GiveUp(connection);
}

int HttpServer::Impl::OnRequest(mg_connection* connection) {
  Impl& server = Of(connection);
  const mg_request_info& request = *mg_get_request_info(connection);
  const HttpResponse response = server.Answer(connection, request);
  server.Send(connection, response, std::string_view(request.request_method) != "HEAD");
  server.log_.Debug("Request", {{"method", request.request_method},
                                {"path", request.local_uri_raw == nullptr ? "" : request.local_uri_raw},
                                {"status", std::to_string(response.status)},
                                {"client", request.remote_addr}});
  server.connections_.EndAnswer(connection);
  return response.status;
}

int HttpServer::Impl::OnError(mg_connection* connection, int status, const char* text) {
  Impl& server = Of(connection);
  // civetweb's own answers (a request that can't be parsed) have the same headers. They are short, and there may be
  // thousands of them a second.
  server.Send(connection, ErrorPage(status, text), true);
  return 0;
}

int HttpServer::Impl::OnLog(const mg_connection* connection, const char* text) {
  Impl& server = Of(connection);
  // Debug: what a client does wrong must not fill the exporter's log.
  server.log_.Debug("HTTP library", {{"text", text}});
  return 1;
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;
bool HttpServer::HasIpv6() {
  constexpr unsigned kIpv6 = 8;  // civetweb's MG_FEATURES_IPV6, which Debian 12's header lacks
  return mg_check_feature(kIpv6) != 0;
}
const ListenAddress& HttpServer::address() const { return impl_->address(); }
void HttpServer::Stop() { impl_->Stop(); }
bool HttpServer::Answers() const { return AsksAndIsAnswered(address()); }

Result<std::unique_ptr<HttpServer>> HttpServer::Start(const ListenAddress& address, Handler handler,
                                                      Admits admits, const Log& log) {
  auto impl = std::make_unique<Impl>(std::move(handler), std::move(admits), log);
  if (Result<void> started = impl->Start(address); !started) return started.error();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

}  // namespace outgrown::exporter
