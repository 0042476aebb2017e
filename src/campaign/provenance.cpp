// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The history of a file is a graph without circles: products point to the files that they were made from,
// and product_files tells what made those. It is walked breadth first from the product that was asked for,
// so that the numbers of steps grow on the way back in time, and each product is come by once,
// however many frames or parts lead to it. A circle, which only a damaged database has, ends there as well.
#include "coromd/campaign/provenance.hpp"

#include <algorithm>
#include <charconv>
#include <unordered_map>
#include <utility>

#include "coromd/core/error.hpp"
#include "coromd/core/hash.hpp"
#include "database.hpp"
#include "file_record.hpp"
#include "products.hpp"

namespace coromd::campaign {

namespace fs = std::filesystem;

namespace {

std::optional<std::int64_t> number_in(const Product& product, const char* name) {
    const auto at = product.details.find(name);
    if (at == product.details.end()) return std::nullopt;
    std::int64_t number = 0;
    const char* end = at->second.data() + at->second.size();
    const auto [stop, error] = std::from_chars(at->second.data(), end, number);
    if (error != std::errc() || stop != end) return std::nullopt;
    return number;
}

/// Whether the product is a part of MD that is known not to have that step.
bool lacks(const Product& product, std::int64_t step) {
    const auto first = number_in(product, "first_step");
    const auto last = number_in(product, "last_step");
    return first && last && (step < *first || step > *last);
}

class Walk {
public:
    Walk(const Snapshot& snapshot, std::optional<std::int64_t> step)
        : snapshot_(snapshot), step_(step), sessions_(snapshot.sessions()) {}

    Provenance from(Product product) {
        add(std::move(product));
        for (std::size_t i = 0; i < found_.steps.size(); ++i) {
            const std::vector<Source> sources = found_.steps[i].product.sources;
            std::vector<ProvenanceStep::From> from;
            for (const Source& source : sources) {
                std::optional<Product> maker = snapshot_.product_of(source.file);
                // What a trajectory was put together from, as far as its own step is concerned.
                if (maker && i == 0 && step_ && lacks(*maker, *step_)) continue;
                std::optional<std::size_t> number;
                if (maker)
                    number = add(std::move(*maker));
                else
                    add_input(source);
                from.push_back({source, number});
            }
            found_.steps[i].from = std::move(from);
        }
        return std::move(found_);
    }

private:
    /// The number of the product's step.
    std::size_t add(Product product) {
        const auto [at, is_new] = known_.emplace(product.key, found_.steps.size());
        if (!is_new) return at->second;
        ProvenanceStep step;
        step.result = snapshot_.result(product.key);
        step.specification = snapshot_.specification(product.key).value_or("");
        if (step.result) step.coromd_version = version_at(step.result->exit.started_ms);
        const std::vector<queue::OutputFile> accepted =
            step.result ? step.result->files : std::vector<queue::OutputFile>();
        for (const fs::path& file : product.files) step.files.push_back(record_of(product, file, accepted));
        step.product = std::move(product);
        found_.steps.push_back(std::move(step));
        return at->second;
    }

    /// An input that was used with two contents is there twice.
    void add_input(const Source& source) {
        for (FileRecord& known : found_.inputs) {
            if (known.path != source.file) continue;
            if (known.fingerprint.empty()) known.fingerprint = source.fingerprint;
            if (source.fingerprint.empty() || source.fingerprint == known.fingerprint) return;
        }
        found_.inputs.push_back({source.file, source.fingerprint, {}, false});
    }

    std::string version_at(std::int64_t at_ms) const {
        const auto after = std::ranges::upper_bound(sessions_, at_ms, {}, &SessionRow::began_ms);
        return at_ms > 0 && after != sessions_.begin() ? std::prev(after)->version : "";
    }

    const Snapshot& snapshot_;
    std::optional<std::int64_t> step_;
    std::vector<SessionRow> sessions_;
    Provenance found_;
    std::unordered_map<std::string, std::size_t> known_;
};

/// A job of which no product is recorded: what it left is known by name only.
std::optional<Product> job_as_product(const Snapshot& snapshot, const std::string& key) {
    if (!snapshot.specification(key)) return std::nullopt;
    Product product{key, "job", {}, {}, {}};
    return product;
}

}  // namespace

std::string_view to_string(OnDisk state) noexcept {
    switch (state) {
        case OnDisk::unchanged:
            return "unchanged";
        case OnDisk::present:
            return "present";
        case OnDisk::changed:
            return "changed";
        case OnDisk::removed:
            return "removed";
        default:
            return "missing";
    }
}

OnDisk look_at(const FileRecord& file, const fs::path& root, bool content) {
    const fs::path path = root / file.path;
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (status.type() == fs::file_type::not_found) return file.removed ? OnDisk::removed : OnDisk::missing;
    const std::uint64_t size = fs::file_size(path, error);
    if (error) fail(ErrorKind::system, "cannot look at '{}': {}", path.string(), error.message());
    if (file.size && size != *file.size) return OnDisk::changed;
    if (!content || file.fingerprint.empty()) return OnDisk::present;
    return fingerprint_file(path).hex() == file.fingerprint ? OnDisk::unchanged : OnDisk::changed;
}

std::optional<fs::path> find_campaign(const fs::path& place) {
    std::error_code error;
    fs::path directory = fs::absolute(place, error).lexically_normal();
    if (error) fail(ErrorKind::system, "'{}': {}", place.string(), error.message());
    for (;; directory = directory.parent_path()) {
        if (has_database(directory)) return directory;
        if (directory == directory.parent_path()) return std::nullopt;
    }
}

Provenance provenance_of(const Snapshot& snapshot, const std::string& subject,
                         std::optional<std::int64_t> step) {
    const fs::path file = recorded_path(subject, snapshot.directory());
    std::optional<Product> product = snapshot.product_of(file.lexically_normal());
    if (!product) product = snapshot.product(file.lexically_normal());
    if (!product) product = job_as_product(snapshot, file.lexically_normal());
    if (!product)
        fail(ErrorKind::usage,
             "the campaign in '{}' has nothing recorded of '{}': it has neither made such a file nor run a "
             "job of that name",
             snapshot.directory().string(), file.string());
    return Walk(snapshot, step).from(std::move(*product));
}

}  // namespace coromd::campaign
