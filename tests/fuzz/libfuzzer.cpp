// SPDX-License-Identifier: LGPL-3.0-or-later
#include <cstddef>
#include <cstdint>

#include "target.hpp"

// NOLINTNEXTLINE: libFuzzer's name.
extern "C" __attribute__((visibility("default"))) int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                                                             std::size_t size) {
    // An exception that gets out ends the fuzzer and is shown as a crash.
    static coromd::fuzz::Workshop workshop(coromd::fuzz::target(COROMD_FUZZ_TARGET));
    workshop.run({reinterpret_cast<const char*>(data), size});
    return 0;
}
