// SPDX-License-Identifier: LGPL-3.0-or-later
#include "coromd/report/page.hpp"

#include <vector>

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coromd/campaign/campaign.hpp"
#include "coromd/core/error.hpp"
#include "coromd/core/file.hpp"
#include "coromd/report/html.hpp"
#include "fixtures.hpp"
#include "made_campaign/made_campaign.hpp"

namespace coromd::report {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;
using tests::MadeCampaign;

/// What is wrong with the nesting of elements; empty where nothing is. Texts hold no '<' when they are
/// escaped.
std::string unbalanced(const std::string& html) {
    std::vector<std::string> open;
    for (auto at = html.find('<'); at != std::string::npos; at = html.find('<', at + 1)) {
        const auto end = html.find('>', at);
        if (end == std::string::npos) return "an element has no end";
        const std::string tag = html.substr(at + 1, end - at - 1);
        const std::string name = tag.substr(0, tag.find_first_of(" \n/", tag.starts_with('/') ? 1 : 0));
        if (tag.starts_with('!') || tag.ends_with('/') || name == "meta" || name == "br") continue;
        if (!tag.starts_with('/')) {
            open.push_back(name);
        } else if (open.empty() || "/" + open.back() != name) {
            return "<" + tag + "> closes " + (open.empty() ? "nothing" : open.back());
        } else {
            open.pop_back();
        }
    }
    return open.empty() ? "" : open.back() + " is not closed";
}

class Page : public ReportTest {
protected:
    fs::path directory() const { return folder_ / "made.campaign"; }

    std::string report() {
        const Registry<Section> sections = builtin_sections();
        const fs::path file = folder_ / "page.html";
        context_.run(write_report(context_, directory(), file, sections, {}));
        return read_text_file(file);
    }
    runtime::Context context_{2};
};

TEST_F(Page, OfAnEmptyCampaignSaysSo) {
    campaign::Campaign::open(context_, directory(), campaign::OpenMode::fresh, 7);
    const std::string html = report();
    EXPECT_EQ(unbalanced(html), "");
    EXPECT_THAT(html, HasSubstr("<h1>made</h1>"));
    EXPECT_THAT(html, HasSubstr("<p class=\"state\">ended</p>"));
    EXPECT_THAT(html, Not(HasSubstr("<svg"))) << "there is nothing to draw";
}

TEST_F(Page, OfOneWalkerHasAllSections) {
    MadeCampaign().write(directory());
    const std::string html = report();
    EXPECT_EQ(unbalanced(html), "");
    for (const char* id : {"head", "outcomes", "jobs", "timeline", "throughput", "waiting", "time-series",
                           "densities", "inputs", "provenance", "notes"})
        EXPECT_THAT(html, HasSubstr("<section id=\"" + std::string(id) + "\">"));
    EXPECT_THAT(html, Not(HasSubstr("id=\"failures\""))) << "nothing has failed";
    EXPECT_THAT(html, HasSubstr("gromacs 2022.5"));
    EXPECT_THAT(html, HasSubstr("<a href=\"made.campaign/walkers/000/until.trr\">"))
        << "relative to the page";
    for (const char* outside : {"http:", "https:", "<script", "<link", "<img", "@import", "url("})
        EXPECT_THAT(html, Not(HasSubstr(outside)));
}

TEST_F(Page, OfManyWalkersStaysSmall) {
    MadeCampaign made;
    made.walkers = 5000;
    made.slots = 250;
    made.write(directory());
    const std::string html = report();
    EXPECT_EQ(unbalanced(html), "");
    EXPECT_LT(html.size(), 2u << 20);
    EXPECT_THAT(html, HasSubstr("5\u202f000</b><span>walkers</span>"));
    EXPECT_THAT(html, HasSubstr("id=\"failures\""));
    EXPECT_THAT(html, HasSubstr("Segmentation fault"));
    EXPECT_THAT(html, HasSubstr("40 of 5\u202f000 are shown"));
}

TEST_F(Page, TakesWhatUsersWroteAsText) {
    MadeCampaign made;
    made.walkers = 12;
    made.failure_rate = 0.5;
    made.decoration = "<script>alert('&')</script>\x1B\"";
    made.write(directory());
    const std::string html = report();
    EXPECT_EQ(unbalanced(html), "");
    EXPECT_THAT(html, Not(HasSubstr("<script")));
    EXPECT_THAT(html, Not(HasSubstr("\x1B")));
    EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;"));
}

TEST_F(Page, TellsWhetherTheCampaignRuns) {
    MadeCampaign().write(directory());
    const Registry<Section> sections = builtin_sections();
    Material material = read_material(directory(), folder_ / "page.html");
    EXPECT_THAT(page(material, sections), HasSubstr("class=\"state\">ended"));
    material.owner = campaign::Owner{"node<1>", 12, "now", campaign::Owner::Life::runs};
    EXPECT_THAT(page(material, sections), HasSubstr("running: process 12 on node&lt;1&gt;"));
    material.owner->life = campaign::Owner::Life::unknown;
    EXPECT_THAT(page(material, sections), HasSubstr("in use by process 12"));
    material.owner->life = campaign::Owner::Life::dead;
    EXPECT_THAT(page(material, sections), HasSubstr("its program was killed"));
    material.owner.reset();
    material.sessions.back().ended_ms.reset();
    EXPECT_THAT(page(material, sections), HasSubstr("its program was killed"));
    material.sessions.back().ended_ms = 1;
    material.job_counts[queue::JobState::interrupted] = 1;
    EXPECT_THAT(page(material, sections), HasSubstr("stopped, with jobs that the next start goes on with"));
}

TEST_F(Page, ShowsAttemptsWithoutAnEndWhileItRunsOnly) {
    MadeCampaign().write(directory());
    const Registry<Section> sections = builtin_sections();
    Material material = read_material(directory(), folder_ / "page.html");
    material.spans.back().started_ms.reset();
    material.spans.back().ended_ms.reset();
    EXPECT_THAT(page(material, sections), Not(HasSubstr("not ended: waiting or running")));
    material.owner = campaign::Owner{"node", 12, "now", campaign::Owner::Life::runs};
    EXPECT_THAT(page(material, sections), HasSubstr("not ended: waiting or running"));
}

TEST_F(Page, HasTheSectionsOfOthers) {
    MadeCampaign().write(directory());
    Registry<Section> sections = builtin_sections();
    sections.add({"weights", "Weights <w>",
                  [](const Material& material) { return paragraph(material.name() + " & co", "note"); }});
    sections.add({"nothing", "Nothing", [](const Material&) { return std::string(); }});
    const std::string html = page(read_material(directory(), folder_ / "page.html"), sections);
    EXPECT_THAT(html, HasSubstr("<h2>Weights &lt;w&gt;</h2>\n<p class=\"note\">made &amp; co</p>"));
    EXPECT_THAT(html, HasSubstr("<a href=\"#weights\">"));
    EXPECT_THAT(html, Not(HasSubstr("Nothing")));
}

TEST_F(Page, NeedsACampaign) {
    EXPECT_THROW(report(), Error);
    EXPECT_FALSE(fs::exists(folder_ / "page.html"));
}

TEST_F(Page, TrustsNoClockOfANode) {
    MadeCampaign().write(directory());
    // The node is an hour behind: its times lie before the submission.
    SQLite::Database((directory() / "campaign.sqlite").string(), SQLite::OPEN_READWRITE)
        .exec("UPDATE events SET at_ms = at_ms + 3600000 WHERE kind = 'begun'");
    const Material material = read_material(directory(), folder_ / "page.html");
    ASSERT_FALSE(material.spans.empty());
    for (const Span& span : material.spans) {
        EXPECT_EQ(span.waited_seconds(), 0);
        EXPECT_EQ(span.ran_seconds(), 0);
    }
    EXPECT_EQ(unbalanced(page(material, builtin_sections())), "");
}

}  // namespace
}  // namespace coromd::report
