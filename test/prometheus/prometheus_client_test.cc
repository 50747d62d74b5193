// What is asked ahead, with a server of its own: threads, connections, and which answer belongs to which question.
#include "prometheus/prometheus_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

using namespace outgrown;                  // NOLINT(google-build-using-namespace): a test
using namespace outgrown::prometheus_api;  // NOLINT(google-build-using-namespace)

namespace {

// Answers each query with one series named like it, and a body of so many bytes; 400 to "bad".
class QueryServer {
 public:
  explicit QueryServer(std::size_t body_bytes)
      : body_bytes_(body_bytes), fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(fd_, 8) == 0);
    REQUIRE(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    accepting_ = std::thread([this] {
      for (int one = ::accept(fd_, nullptr, nullptr); one >= 0; one = ::accept(fd_, nullptr, nullptr))
        connections_.emplace_back([this, one] { Serve(one); });
    });
  }
  ~QueryServer() {  // when its clients are gone
    ::shutdown(fd_, SHUT_RDWR);
    accepting_.join();
    for (std::thread& one : connections_) one.join();
    ::close(fd_);
  }

  PrometheusClient Client() const {
    HttpOptions options;
    options.url = url_;
    return {HttpClient::Open(options).value(), 60'000};
  }

  // Holds every answer back until so many questions wait for theirs.
  void Gather(std::size_t count) {
    const std::scoped_lock lock(mutex_);
    gathered_ = count;
  }
  std::vector<std::string> asked() {
    const std::scoped_lock lock(mutex_);
    return asked_;
  }
  // Whether one waited a minute for the others.
  bool alone() {
    const std::scoped_lock lock(mutex_);
    return alone_;
  }
  // Waits until so many have been asked.
  bool Asked(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::minutes(1), [&] { return asked_.size() >= count; });
  }

 private:
  void Serve(int fd) {
    std::string request;
    std::string buffer(65536, '\0');
    while (true) {
      const std::size_t head = request.find("\r\n\r\n");
      const std::size_t length = request.find("Content-Length: ");
      const std::size_t whole = head == std::string::npos
                                    ? head
                                    : head + 4 + std::strtoul(request.c_str() + length + 16, nullptr, 10);
      if (request.size() < whole) {
        const ssize_t count = ::recv(fd, buffer.data(), buffer.size(), 0);
        if (count <= 0) break;
        request.append(buffer, 0, static_cast<std::size_t>(count));
        continue;
      }
      const std::size_t query = head + 4 + std::string("query=").size();
      const std::string name = request.substr(query, request.find('&', query) - query);
      request.erase(0, whole);
      {
        std::unique_lock lock(mutex_);
        asked_.push_back(name);
        changed_.notify_all();
        alone_ |=
            !changed_.wait_for(lock, std::chrono::minutes(1), [&] { return asked_.size() >= gathered_; });
      }
      const std::string body =
          name == "bad"
              ? R"({"status":"error","errorType":"bad_data","error":"no"})"
              : R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":")" + name +
                    R"("},"value":[5,"1"]}],"more":")" + std::string(body_bytes_, 'x') + R"("}})";
      const std::string answer = (name == "bad" ? "HTTP/1.1 400 Bad Request" : "HTTP/1.1 200 OK") +
                                 std::string("\r\nContent-Length: ") + std::to_string(body.size()) +
                                 "\r\n\r\n" + body;
      for (std::size_t sent = 0; sent < answer.size();) {
        const ssize_t count = ::send(fd, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
        if (count <= 0) break;
        sent += static_cast<std::size_t>(count);
      }
    }
    ::close(fd);
  }

  std::size_t body_bytes_;
  int fd_;
  std::string url_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t gathered_ = 0;
  bool alone_ = false;
  std::vector<std::string> asked_;
  std::vector<std::thread> connections_;
  std::thread accepting_;
};

std::string AskNamed(PrometheusClient& client, const std::string& name) {
  const Result<Answer> answer = client.Query(name, 5'000, ResultType::kVector);
  return answer ? std::string(LabelValue(answer->series.at(0).labels, "a")) : answer.error().what;
}

std::vector<Question> Questions(const std::vector<std::string>& names) {
  std::vector<Question> questions;
  for (const std::string& name : names) questions.push_back({.promql = name, .time_ms = 5'000});
  return questions;
}

}  // namespace

TEST_CASE("prepared questions are asked two at once before the caller asks, and each gets its own answer") {
  QueryServer server(0);
  {
    PrometheusClient client = server.Client();
    server.Gather(2);
    client.Prepare(Questions({"a", "b", "bad", "d", "e"}));
    CHECK(server.Asked(5));
    CHECK_FALSE(server.alone());
    for (const std::string name : {"a", "b"}) CHECK(AskNamed(client, name) == name);
    CHECK(AskNamed(client, "bad") == "the server answered 400: bad_data: no");
    CHECK(AskNamed(client, "other") == "other");  // that nobody prepared
    for (const std::string name : {"d", "e"}) CHECK(AskNamed(client, name) == name);
    client.Prepare(Questions({"f"}));
    CHECK(AskNamed(client, "f") == "f");
  }
  std::vector<std::string> asked = server.asked();
  std::ranges::sort(asked);
  CHECK(asked == std::vector<std::string>{"a", "b", "bad", "d", "e", "f", "other"});
}

TEST_CASE("large answers that wait hold further questions back, and those left out hold nothing up") {
  QueryServer server(9U << 20U);
  PrometheusClient client = server.Client();
  server.Gather(2);
  client.Prepare(Questions({"a", "b", "c", "d", "e", "f"}));
  CHECK(server.Asked(2));
  // "a" and "b" are left out: their answers fill the room, and the thread asks only what the caller waits for.
  for (const std::string name : {"c", "f", "d", "e"}) CHECK(AskNamed(client, name) == name);
  CHECK(server.asked().size() == 6);
}

TEST_CASE("a client that goes away waits for no answer that nobody takes") {
  QueryServer server(9U << 20U);
  PrometheusClient client = server.Client();
  client.Prepare(Questions({"a", "b", "c", "d", "e", "f"}));
  CHECK(AskNamed(client, "a") == "a");
}
