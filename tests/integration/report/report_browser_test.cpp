// SPDX-License-Identifier: LGPL-3.0-or-later
//
// The page of coromd report in a real browser. What a page does not say by itself, such as how wide it is,
// is asked by a second page that has it in a frame.
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coromd/core/file.hpp"
#include "made_campaign/made_campaign.hpp"

namespace coromd {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class ReportInBrowser : public testing::TestWithParam<int> {
protected:
    ReportInBrowser() {
        std::string name = testing::TempDir() + "coromd-browser-XXXXXX";
        if (::mkdtemp(name.data()) != nullptr) folder_ = name;
    }
    ~ReportInBrowser() override {
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }
    void SetUp() override {
        ASSERT_FALSE(folder_.empty());
        tests::MadeCampaign made;
        made.walkers = GetParam();
        made.slots = std::max(2, GetParam() / 20);
        made.write(folder_ / "made.campaign");
        ASSERT_EQ(
            run({COROMD_PROGRAM, "report", (folder_ / "made.campaign").string(), "--limit-seconds", "1000"})
                .exit_code,
            0);
    }

    struct Ended {
        int exit_code;
        std::string out;
        std::string err;
    };
    /// Runs a program to its end, its output in files: a page is larger than what is kept of a process.
    Ended run(const std::vector<std::string>& words) const {
        std::string line = "exec timeout 120";
        for (const std::string& word : words) {
            line += " '";
            for (const char c : word) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
            line += "'";
        }
        line += " > '" + (folder_ / "out").string() + "' 2> '" + (folder_ / "err").string() + "'";
        const int status = std::system(line.c_str());
        return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_text_file(folder_ / "out"),
                read_text_file(folder_ / "err")};
    }

    Ended chromium(std::vector<std::string> options, const fs::path& page) const {
        std::vector<std::string> words{"chromium",
                                       "--headless",
                                       "--no-sandbox",
                                       "--disable-gpu",
                                       "--no-first-run",
                                       "--hide-scrollbars",
                                       "--enable-logging=stderr",
                                       "--allow-file-access-from-files",
                                       "--user-data-dir=" + (folder_ / "profile").string()};
        words.insert(words.end(), options.begin(), options.end());
        words.push_back("file://" + page.string());
        const Ended ended = run(words);
        EXPECT_EQ(ended.exit_code, 0) << "is chromium installed? ./dev deps\n" << ended.err;
        return ended;
    }
    fs::path page() const { return folder_ / "made.campaign/report.html"; }
    std::uintmax_t size_of_screenshot(const fs::path& of, const std::string& option) const {
        const fs::path picture = folder_ / "picture.png";
        fs::remove(picture);
        chromium({"--screenshot=" + picture.string(), "--window-size=1280,4000", option}, of);
        return fs::exists(picture) ? fs::file_size(picture) : 0;
    }

    fs::path folder_;
};

TEST_P(ReportInBrowser, OpensWithoutAComplaint) {
    const Ended ended = chromium({"--dump-dom"}, page());
    EXPECT_THAT(ended.out, HasSubstr("<h1>made</h1>"));
    EXPECT_THAT(ended.out, HasSubstr("aria-label=\"Density of phi and psi\""));
    EXPECT_THAT(ended.err, Not(HasSubstr("CONSOLE")));
}

TEST_P(ReportInBrowser, IsNotBlankInLightAndDark) {
    std::ofstream(folder_ / "blank.html") << "<!DOCTYPE html><title>blank</title>";
    const std::uintmax_t blank = size_of_screenshot(folder_ / "blank.html", "--hide-scrollbars");
    ASSERT_GT(blank, 0u);
    const std::uintmax_t light = size_of_screenshot(page(), "--blink-settings=preferredColorScheme=1");
    const std::string light_picture = read_text_file(folder_ / "picture.png");
    const std::uintmax_t dark = size_of_screenshot(page(), "--blink-settings=preferredColorScheme=0");
    EXPECT_GT(light, 5 * blank);
    EXPECT_GT(dark, 5 * blank);
    EXPECT_NE(read_text_file(folder_ / "picture.png"), light_picture) << "dark is not light";
}

TEST_P(ReportInBrowser, IsNoWiderThanTheWindow) {
    std::string frames;
    for (const char* width : {"1280", "400"})
        frames += "<iframe src='made.campaign/report.html' style='border:0;height:900px;width:" +
                  std::string(width) + "px'></iframe>";
    std::ofstream(folder_ / "frames.html")
        << "<!DOCTYPE html>" << frames
        << "<script>onload = () => { for (const f of document.querySelectorAll('iframe')) {"
        << " const d = f.contentDocument; const p = document.createElement('p');"
        << " const low = [...d.querySelectorAll('svg')].filter(s => s.getBoundingClientRect().height < "
           "20).length;"
        << " p.textContent = `width ${d.documentElement.scrollWidth} of ${d.documentElement.clientWidth}, "
           "${d.querySelectorAll('svg').length > 8} pictures, ${low} flat`;"
        << " document.body.append(p); } }</script>";
    const Ended ended = chromium({"--dump-dom", "--window-size=1400,2000", "--virtual-time-budget=20000"},
                                 folder_ / "frames.html");
    EXPECT_THAT(ended.out, HasSubstr("width 1280 of 1280, true pictures, 0 flat"));
    EXPECT_THAT(ended.out, HasSubstr("width 400 of 400, true pictures, 0 flat"));
}

TEST_P(ReportInBrowser, CanBePrinted) {
    const fs::path paper = folder_ / "page.pdf";
    chromium({"--print-to-pdf=" + paper.string(), "--no-pdf-header-footer"}, page());
    ASSERT_TRUE(fs::exists(paper));
    const std::string pdf = read_text_file(paper);
    EXPECT_TRUE(pdf.starts_with("%PDF-"));
    EXPECT_GT(pdf.size(), 30'000u);
}

INSTANTIATE_TEST_SUITE_P(Walkers, ReportInBrowser, testing::Values(1, 5000));

}  // namespace
}  // namespace coromd
