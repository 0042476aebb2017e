// SPDX-License-Identifier: LGPL-3.0-or-later
#include "slurm/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/core/fixtures.hpp"

namespace coromd::queue::slurm {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Pairs = std::vector<std::pair<std::string, std::string>>;

SbatchOptions options(const Pairs& pairs) {
    return SbatchOptions(pairs);
}

std::vector<std::string> merged(const Pairs& low, const Pairs& high) {
    SbatchOptions out = options(low);
    out.overlay(options(high));
    return out.to_arguments();
}

std::string refusal(const std::string& name, const std::string& value = "1") {
    const Error error = error_of([&] { options({{name, value}}); });
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.message();
}

TEST(SbatchOptions, AreKnownByAllOfTheirNames) {
    for (const char* name : {"cpus-per-task", "cpus_per_task", "--cpus-per-task", "c", "-c"})
        EXPECT_THAT(options({{name, "4"}}).to_arguments(), ElementsAre("--cpus-per-task=4")) << name;
    EXPECT_THAT(options({{"N", "1"}, {"n", "2"}, {"p", "long"}, {"A", "md"}, {"q", "high"}, {"t", "1-00"}})
                    .to_arguments(),
                ElementsAre("--account=md", "--nodes=1", "--ntasks=2", "--partition=long", "--qos=high",
                            "--time=1-00"));
    EXPECT_THAT(options({{"tasks", "3"}}).to_arguments(), ElementsAre("--ntasks=3"));
    EXPECT_EQ(options({{"p", "a b"}}).value("partition"), "a b");
    EXPECT_EQ(options({{"p", "a"}}).value("qos"), std::nullopt);
}

TEST(SbatchOptions, MayBeFlags) {
    EXPECT_THAT(
        options({{"contiguous", ""}, {"exclusive", "true"}, {"overcommit", "false"}, {"nice", "false"}})
            .to_arguments(),
        ElementsAre("--contiguous", "--exclusive"));
    EXPECT_THAT(options({{"exclusive", "user"}}).to_arguments(), ElementsAre("--exclusive=user"));
    SbatchOptions later = options({{"exclusive", ""}});
    later.set("exclusive", "false");
    EXPECT_THAT(later.to_arguments(), IsEmpty());
    EXPECT_THAT(refusal("contiguous", "yes"), HasSubstr("takes no value"));
    EXPECT_THAT(refusal("partition", ""), HasSubstr("needs a value"));
    EXPECT_THAT(options({{"comment", "true"}}).to_arguments(), ElementsAre("--comment=true"));
}

TEST(SbatchOptions, ThatAreUnknownAreRefusedWithTheNearest) {
    EXPECT_THAT(refusal("partiton"), HasSubstr("'partiton'; did you mean 'partition'?"));
    EXPECT_THAT(refusal("--mem-per-core"), HasSubstr("did you mean 'mem-per-cpu'?"));
    EXPECT_THAT(refusal("part"), HasSubstr("did you mean 'partition'?"));
    EXPECT_THAT(refusal("nothing-like-it"), Not(HasSubstr("did you mean")));
    EXPECT_THAT(refusal("Z"), HasSubstr("no option 'Z'"));
    EXPECT_THAT(refusal("a\nb"), HasSubstr("'a\\x0ab'"));
    refusal("");
    refusal("--");
    refusal("P");
}

TEST(SbatchOptions, OfCoromdItselfAreRefusedWithTheReason) {
    for (const char* name :
         {"job-name", "J",        "output", "o",      "error",     "e",         "input",
          "i",        "array",    "a",      "chdir",  "D",         "workdir",   "parsable",
          "wait",     "W",        "wrap",   "signal", "open-mode", "test-only", "hold",
          "H",        "clusters", "M",      "uid",    "quiet",     "help",      "version"}) {
        EXPECT_THAT(refusal(name), HasSubstr("cannot be set: ")) << name;
    }
    EXPECT_THAT(refusal("-J", "mine"), HasSubstr("'job-name' cannot be set: coromd finds its jobs"));
}

TEST(SbatchOptions, GivenTwiceAreRefused) {
    EXPECT_THAT(error_of([] {
                    options({{"p", "a"}, {"partition", "a"}});
                }).message(),
                HasSubstr("'partition' is given twice"));
    SbatchOptions later = options({{"p", "a"}});
    later.set("partition", "b");
    EXPECT_THAT(later.to_arguments(), ElementsAre("--partition=b"));
}

TEST(SbatchOptions, ValuesAreChecked) {
    EXPECT_THAT(refusal("time", "1h"), HasSubstr("HH:MM:SS"));
    EXPECT_THAT(refusal("comment", std::string("a\0b", 3)), HasSubstr("control character"));
    EXPECT_THAT(refusal("comment", "a\nb"), HasSubstr("control character"));
    EXPECT_THAT(options({{"time", "UNLIMITED"}}).to_arguments(), ElementsAre("--time=UNLIMITED"));
}

TEST(SbatchOptions, TheHigherLayerWins) {
    EXPECT_THAT(merged({{"p", "a"}, {"qos", "q"}}, {{"p", "b"}}), ElementsAre("--partition=b", "--qos=q"));
    EXPECT_THAT(merged({{"p", "a"}, {"gres", "gpu:2"}, {"mem", "1G"}, {"exclusive", ""}}, {}),
                ElementsAre("--exclusive", "--gres=gpu:2", "--mem=1G", "--partition=a"));
}

TEST(SbatchOptions, TheHigherLayerWinsOverOtherWordsForTheSame) {
    EXPECT_THAT(merged({{"mem-per-cpu", "1G"}, {"mem-per-gpu", "1G"}}, {{"mem", "8G"}}),
                ElementsAre("--mem=8G"));
    EXPECT_THAT(merged({{"mem", "8G"}}, {{"mem-per-cpu", "1G"}}), ElementsAre("--mem-per-cpu=1G"));
    EXPECT_THAT(merged({{"cpus-per-gpu", "8"}}, {{"c", "2"}}), ElementsAre("--cpus-per-task=2"));
    EXPECT_THAT(merged({{"exclusive", ""}}, {{"s", ""}}), ElementsAre("--oversubscribe"));
    EXPECT_THAT(merged({{"time", "60"}, {"time-min", "30"}}, {{"t", "10"}}), ElementsAre("--time=10"));
    EXPECT_THAT(merged({{"time", "60"}}, {{"time-min", "30"}}), ElementsAre("--time=60", "--time-min=30"));
}

TEST(SbatchOptions, GpusAreMergedWithTheirType) {
    EXPECT_THAT(merged({{"gpus-per-node", "1"}}, {{"gres", "gpu:2"}}), ElementsAre("--gres=gpu:2"));
    EXPECT_THAT(merged({{"gres", "gpu:1"}}, {{"gpus-per-task", "2"}}), ElementsAre("--gpus-per-task=2"));
    EXPECT_THAT(merged({{"gres", "nvme:1,gpu:a100:1"}}, {{"gres", "gpu:2"}}),
                ElementsAre("--gres=nvme:1,gpu:a100:2"));
    EXPECT_THAT(merged({{"gpus", "a100:1"}}, {{"gres", "gpu:2"}}), ElementsAre("--gres=gpu:a100:2"));
    EXPECT_THAT(merged({{"gres", "gpu:a100"}}, {{"gres", "gpu:2"}}), ElementsAre("--gres=gpu:a100:2"));
    EXPECT_THAT(merged({{"gres", "gpu:a100:1"}}, {{"gres", "gpu:v100:2"}}), ElementsAre("--gres=gpu:v100:2"));
    EXPECT_THAT(merged({{"gres", "gpu:a100:1,nvme:1"}}, {{"gres", "nvme:2"}}),
                ElementsAre("--gres=nvme:2,gpu:a100:1"));
    EXPECT_THAT(merged({{"gres", "gpus_of_another_kind:1"}}, {{"gres", "gpu:2"}}),
                ElementsAre("--gres=gpus_of_another_kind:1,gpu:2"));
}

TEST(SbatchOptions, NodesAreAddedToThoseExcluded) {
    SbatchOptions out = options({{"x", "n[1-2]"}});
    out.exclude({});
    EXPECT_THAT(out.to_arguments(), ElementsAre("--exclude=n[1-2]"));
    out.exclude({"n3", "n4"});
    EXPECT_THAT(out.to_arguments(), ElementsAre("--exclude=n[1-2],n3,n4"));
    SbatchOptions none;
    none.exclude({});
    EXPECT_THAT(none.to_arguments(), IsEmpty());
}

TEST(SbatchOptions, OfResourcesAreWhatIsAskedFor) {
    EXPECT_THAT(resource_options({}).to_arguments(), IsEmpty());
    Resources resources;
    resources.cores = 8;
    resources.gpus = 2;
    resources.memory_mib = 4000;
    resources.walltime = 500ms;
    EXPECT_THAT(resource_options(resources).to_arguments(),
                ElementsAre("--cpus-per-task=8", "--gres=gpu:2", "--mem=4000M", "--time=0-00:01:00"));
    SbatchOptions queue =
        options({{"c", "1"}, {"mem-per-cpu", "1G"}, {"t", "5"}, {"gres", "gpu:rtx:1"}, {"p", "gpu"}});
    queue.overlay(resource_options({}));
    EXPECT_THAT(queue.to_arguments(), ElementsAre("--cpus-per-task=1", "--gres=gpu:rtx:1", "--mem-per-cpu=1G",
                                                  "--partition=gpu", "--time=5"));
    queue.overlay(resource_options(resources));
    EXPECT_THAT(queue.to_arguments(), ElementsAre("--cpus-per-task=8", "--gres=gpu:rtx:2", "--mem=4000M",
                                                  "--partition=gpu", "--time=0-00:01:00"));
}

TEST(SbatchOptions, OfMpiJobsNameTasksAndNodes) {
    Resources resources;
    resources.tasks = 16;
    resources.nodes = 2;
    resources.gpus = 8;
    EXPECT_THAT(resource_options(resources).to_arguments(),
                ElementsAre("--gpus=8", "--nodes=2", "--ntasks=16"));
}

TEST(SbatchOptions, TellWhetherTheyTakeAValue) {
    EXPECT_EQ(option_value("p"), OptionValue::required);
    EXPECT_EQ(option_value("exclusive"), OptionValue::optional);
    EXPECT_EQ(option_value("--contiguous"), OptionValue::none);
    EXPECT_EQ(option_value("nonsense"), OptionValue::unknown);
    EXPECT_EQ(option_value(""), OptionValue::unknown);
}

}  // namespace
}  // namespace coromd::queue::slurm
