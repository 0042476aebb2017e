// SPDX-License-Identifier: LGPL-3.0-or-later
#include "wire.hpp"

#include <cstdint>
#include <cstring>

#include <fcntl.h>

#include <fmt/format.h>

#include "coromd/core/error.hpp"

namespace coromd::fake_slurm {

namespace {

constexpr std::uint64_t kLongestMessage = std::uint64_t{1} << 30;

std::string framed(const nlohmann::json& value) {
    std::string message(sizeof(std::uint64_t), '\0');
    nlohmann::json::to_msgpack(value, message);
    const std::uint64_t length = message.size() - sizeof(std::uint64_t);
    std::memcpy(message.data(), &length, sizeof(length));
    return message;
}

}  // namespace

std::string encode(const Request& request) {
    return framed({{"command", request.command},
                   {"arguments", request.arguments},
                   {"environment", request.environment},
                   {"directory", request.directory},
                   {"input", request.input},
                   {"pid", request.pid},
                   {"umask", request.umask}});
}

std::string encode(const Answer& answer) {
    return framed({{"code", answer.code},
                   {"out", answer.out},
                   {"err", answer.err},
                   {"retry", answer.retry},
                   {"more", answer.more},
                   {"launch", answer.launch}});
}

Request decode_request(const std::string& message) {
    const auto value = nlohmann::json::from_msgpack(message);
    Request request;
    value.at("command").get_to(request.command);
    value.at("arguments").get_to(request.arguments);
    value.at("environment").get_to(request.environment);
    value.at("directory").get_to(request.directory);
    value.at("input").get_to(request.input);
    value.at("pid").get_to(request.pid);
    value.at("umask").get_to(request.umask);
    return request;
}

Answer decode_answer(const std::string& message) {
    const auto value = nlohmann::json::from_msgpack(message);
    Answer answer;
    value.at("code").get_to(answer.code);
    value.at("out").get_to(answer.out);
    value.at("err").get_to(answer.err);
    value.at("retry").get_to(answer.retry);
    value.at("more").get_to(answer.more);
    answer.launch = value.at("launch");
    return answer;
}

std::optional<std::string> take_message(std::string& buffer) {
    std::uint64_t length = 0;
    if (buffer.size() < sizeof(length)) return std::nullopt;
    std::memcpy(&length, buffer.data(), sizeof(length));
    if (length > kLongestMessage) fail(ErrorKind::input, "a message of {} bytes", length);
    if (buffer.size() < sizeof(length) + length) return std::nullopt;
    std::string message = buffer.substr(sizeof(length), length);
    buffer.erase(0, sizeof(length) + length);
    return message;
}

std::string socket_path(const std::filesystem::path& directory, FileDescriptor& holder) {
    holder = open_file(directory / "state", O_PATH | O_DIRECTORY);
    return fmt::format("/proc/self/fd/{}/sock", holder.get());
}

}  // namespace coromd::fake_slurm
